/** One search of Elasticsearch or OpenSearch: what its request asks for, how it asks for a window, and how its reply is read. */
import { type Bypass, err, ok, type Result } from "../../result.ts";
import type { Hit } from "../dialect.ts";
import type { Index } from "../dialects.ts";
import { queryFilters } from "../filters.ts";
import { applyEdits, cutMember, cutMembers, type Edit, replaceParams, setMember } from "../json/edits.ts";
import { leave, leftToEngine, plainPlan, type PlannedSearch } from "../json/plan.ts";
import { type HitReader, incompleteBy, partOf, type PartReader, readHits, type Sign } from "../json/reply.ts";
import { type Body, bodyOf, memberAt, type Param, paramOf, repeatedKey } from "../json/request.ts";
import { type JsonText, kindOf, type Member, members, numberAt, rawText, type Span, spanAt, textAt } from "../json/spans.ts";
import { isObject, type JsonObject, member, stringsOf, textOf } from "../json/values.ts";
import { luceneWords } from "../lucene.ts";
import { NOT_CHECKED, type OwnIndexes, strangeInBody } from "./allowed.ts";
import { isNamed, isPinnedBy, MATCHED, nameEdits, type Pins, pinsOf } from "./pins.ts";
import { defaultSizeOf, neighbourEdits, type Reach, reachOf } from "./reach.ts";
import { hasBadEscape, isJson, type Order, orderOf, pageOf } from "./reading.ts";
import { type Shown, shownOf } from "./shown.ts";
import { isWord, wordsOf } from "./words.ts";

/**
 * `terminated_early`: by `terminate_after`. `_clusters`: of a search in several clusters. OpenSearch names a shard that nobody holds nowhere but
 * in the number of those that answered, of which skipped ones are some.
 */
const INCOMPLETE: readonly Sign[] = [
  ["timed_out"],
  ["terminated_early"],
  ["_shards", "failed"],
  { fewer: ["_shards", "successful"], than: ["_shards", "total"] },
  ["_clusters", "skipped"],
  ["_clusters", "partial"],
  ["_clusters", "failed"],
  ["_clusters", "running"],
];

const PAGING = new Set(["from", "size"]);

/** Members of `ext.ubi` that may be others on each page. */
const UBI_OF_PAGE = new Set(["query_id", "query_attributes"]);

/** An index, and how its hits are read by a field that is not its `idField`. */
export interface SearchedIndex {
  readonly index: Index;
  /** With the edge's key, which indexes it is for. */
  readonly own: OwnIndexes | undefined;
  readonly readBy: (idField: string) => HitReader;
}

export interface AskedFor {
  readonly params: readonly Param[];
  /** As in the URL. */
  readonly search: string;
  readonly bytes: Uint8Array;
  readonly accept: string | undefined;
  /** One of several searches. */
  readonly isPart: boolean;
}

/** One search of a request. */
export interface AskedSearch extends Pick<PlannedSearch, "plan" | "readPart"> {
  /** Its parameters and its body, asking for hits [0, size), or for the shopper's own page. */
  write(size: number | undefined): { readonly params: readonly string[]; readonly body: Uint8Array | undefined };
}

/** Errors: a search that must not be sent. */
export function readSearch(
  { index, own, readBy }: SearchedIndex,
  { params, search, bytes, accept, isPart }: AskedFor,
): Result<AskedSearch, string> {
  const rawParams = params.map((param) => param.raw);
  const left = (detail: string): Result<AskedSearch, string> =>
    ok({
      plan: leftToEngine(index.name, detail),
      readPart: partReader(index.readHit),
      write: () => ({ params: rawParams, body: bytes.length === 0 ? undefined : bytes }),
    });
  const read = bodyOf(bytes);
  if (!read.ok) return own === undefined ? left(read.error) : err(`${read.error}: ${NOT_CHECKED}`);
  const body = read.value;
  const strange = own === undefined || body === undefined ? undefined : strangeInBody(body, own);
  if (strange !== undefined) return err(strange);
  const repeated = repeatedKey(sectionsOf(body));
  if (repeated !== undefined) return left(`The key "${repeated}" is repeated in ext`);
  if (hasBadEscape(search)) return left("A percent sign in the URL begins no escape");

  // Of a repeated parameter the last counts.
  const last = params.toReversed();
  const values = body?.values;
  const reach = reachOf(values, last);
  const page = pageOf(last, values, defaultSizeOf(reach, values));
  if (!page.ok) return left(page.error);
  const { offset, limit } = page.value;

  const ext = member(values, "ext");
  const q = paramOf(last, "q");
  const queryText = [
    textOf(member(member(ext, "ubi"), "user_query")),
    textOf(member(member(ext, "armmt"), "query")),
    // Engines read no query of the body beside this one, an empty one either.
    ...(q === undefined ? [wordsOf(values)] : [luceneWords(q)]),
    textOf(member(member(member(ext, "rerank"), "query_context"), "query_text")),
  ].find(isWord);
  const order = orderOf(last, values);
  const shown = shownOf(last, values, index.idField, isPart);
  const pins = pinsOf(values);
  const names = pins === undefined || isNamed(pins) || body === undefined ? [] : nameEdits(body, pins);
  const bypass =
    reasonToLeave({ params: last, values, page: page.value, order, reach, accept, queryText }) ??
    (shown.ok ? undefined : shown.error) ??
    (names === undefined || (names.length > 0 && reach.hasNames) ? leave("request_not_understood", "A pin takes no name") : undefined);
  const seen = shown.ok ? shown.value : undefined;
  const cut = body === undefined ? undefined : cutOwnSection(body);
  const edits = cut === undefined ? [] : [cut.edit];
  const isPageOnly = reach.pageOnly !== undefined;
  const ofPage = isPageOnly ? [offset, limit] : reach.neighbours.length > 0 ? [limit, page.value.bodySize ?? ""] : [];

  return ok({
    plan: plainPlan({
      index: index.name,
      queryText,
      offset,
      limit,
      bypass,
      filters: () => queryFilters(values),
      isCursored: isPageOnly,
      isAlwaysWidened: (names ?? []).length > 0 || seen?.filterPath !== undefined,
      history: stringsOf(member(member(ext, "armmt"), "history")),
      ubi: ubiOf(member(ext, "ubi")),
      identity: identityOf(params, body, queryText, ofPage),
    }),
    readPart: partReader(seen?.idField === undefined ? index.readHit : readBy(seen.idField), {
      shown: seen,
      pins,
      unasked: (names ?? []).length > 0 ? [MATCHED] : [],
      isTied: order.isTied,
      most: reach.most,
    }),
    write(size) {
      if (size === undefined) return { params: rawParams, body: body && applyEdits(body.text.bytes, edits) };
      const shownParams =
        seen?.filterPath === undefined
          ? params
          : params.map((param) =>
              param.key === "filter_path" ? { ...param, raw: `filter_path=${encodeURIComponent(seen.filterPath ?? "")}` } : param,
            );
      const changes = [...edits, ...(names ?? [])];
      if (isPageOnly) return { params: shownParams.map(({ raw }) => raw), body: body && applyEdits(body.text.bytes, changes) };
      const most = Math.min(size, reach.most);
      const replaced = replaceParams(shownParams, { from: 0, size: most });
      const has = (key: string) => params.some((param) => param.key === key);
      if (body === undefined) return { params: has("size") ? replaced : [...replaced, `size=${most}`], body: undefined };
      changes.push(...neighbourEdits(body, reach, page.value));
      const from = memberAt(body, "from");
      if (from !== undefined && !has("from")) changes.push({ ...from.value, text: "0" });
      if (!has("size")) changes.push(setMember(body, "size", most, body.members.length === (cut?.isWholeExt === true ? 1 : 0)));
      return { params: replaced, body: applyEdits(body.text.bytes, changes) };
    },
  });
}

interface Reading {
  /** Of a repeated one the last comes first. */
  readonly params: readonly Param[];
  readonly values: JsonObject | undefined;
  readonly page: { readonly offset: number; readonly limit: number };
  readonly order: Order;
  readonly reach: Reach;
  readonly accept: string | undefined;
  readonly queryText: string | undefined;
}

function reasonToLeave({ params, values, page, order, reach, accept, queryText }: Reading): Bypass | undefined {
  if (paramOf(params, "source") !== undefined) return leave("request_not_understood", "A body beside the parameter source");
  if (!isJson(paramOf(params, "format"), accept))
    return leave("request_not_understood", "The reply is asked for in another format than JSON");
  if (paramOf(params, "scroll") !== undefined) return leave("cursor", "scroll");
  const asked = [values, ...standardsIn(member(values, "retriever"))];
  for (const key of ["search_after", "pit", "slice"]) if (asked.some((one) => member(one, key) !== undefined)) return leave("cursor", key);
  if (!order.isByScore || asked.slice(1).some((one) => !orderOf([], one).isByScore)) return leave("explicit_sort", "sort");
  if (asked.some((one) => member(one, "collapse") !== undefined)) return leave("grouped", "collapse");
  if (page.limit === 0) return leave("size_zero", "size is 0");
  if (page.offset >= reach.most) return leave("beyond_window", "The page begins behind the window of its retriever or rescorer");
  if (page.limit > reach.most) return leave("request_not_understood", "The page is larger than the window of its retriever or rescorer");
  if (queryText === undefined) return leave("no_query_text", "No full-text clause, no q, no ext.ubi.user_query");
  return undefined;
}

const MAX_RETRIEVERS = 30;

/** What orders, groups or pages inside of a retriever does so outside. */
function standardsIn(retriever: unknown, depth: number = 0): JsonObject[] {
  if (!isObject(retriever) || depth > MAX_RETRIEVERS) return [];
  return Object.entries(retriever).flatMap(([kind, options]) => {
    if (!isObject(options)) return [];
    if (kind === "standard") return [options];
    const inner = [member(options, "retriever"), member(options, "retrievers")].flat();
    return inner.flatMap((one) => standardsIn(member(one, "retriever") ?? one, depth + 1));
  });
}

interface PartOptions {
  readonly shown: Shown | undefined;
  readonly pins: Pins | undefined;
  /** Members of hits that only a wider request has. */
  readonly unasked: readonly string[];
  readonly isTied: boolean;
  readonly most: number;
}

export function partReader(readHit: HitReader, options?: PartOptions): PartReader {
  const { shown, pins, isTied = false, most = Number.POSITIVE_INFINITY } = options ?? {};
  const reader = pins === undefined ? readHit : withPins(readHit, pins);
  const unasked = new Set([...(options?.unasked ?? []), ...(shown?.unasked ?? [])]);
  const cut = shown?.cut ?? [];
  return (text, from) => {
    const dropsEmpty = shown?.dropsEmpty === true;
    // A number in older versions; with `relation: "gte"` there are more.
    const counted = numberAt(text, ["hits", "total", "value"], from) ?? numberAt(text, ["hits", "total"], from);
    const total = counted === undefined ? undefined : Math.min(counted, most);
    const queryId = () => textAt(text, ["ext", "ubi", "query_id"], from);
    const more = { total, queryId, bypass: incompleteBy(text, INCOMPLETE, from), unasked, edits: () => cutPaths(text, from, cut) };
    if (dropsEmpty && spanAt(text, ["hits", "hits"], from) === undefined && spanAt(text, ["error"], from) === undefined) {
      return ok({ hits: [], total, bypass: more.bypass, edits: more.edits });
    }
    const list = readHits(text, ["hits", "hits"], from, reader);
    if (!list.ok) return list;
    // Engines leave out what has nothing left, and its place.
    if (dropsEmpty && unasked.size > 0 && list.value.slots.some((slot) => members(text, slot).every(({ key }) => unasked.has(key))))
      return err(leave("request_not_understood", "filter_path leaves nothing of a hit"));
    const bypass = more.bypass ?? (isTied ? tiedBy(list.value.hits) : undefined);
    const part = partOf(text, list.value, { ...more, bypass });
    if (!part.ok || !dropsEmpty) return part;
    const whole = part.value;
    const edits = (order: readonly number[]) => (order.length > 0 ? whole.edits(order) : cutPaths(text, from, [...cut, ["hits", "hits"]]));
    return ok({ ...whole, edits });
  };
}

function withPins(readHit: HitReader, pins: Pins): HitReader {
  return (text, slot) => {
    const hit = readHit(text, slot);
    return hit.ok && hit.value !== undefined && isPinnedBy(text, slot, pins) ? ok({ ...hit.value, isPinned: true, score: undefined }) : hit;
  };
}

/** Where all hits have one score, what the request names besides is their order. */
function tiedBy(hits: readonly Hit[]): Bypass | undefined {
  const isTied = hits.length > 1 && hits.every(({ score }) => score === hits[0]?.score);
  return isTied ? leave("explicit_sort", "All hits have one score, and the request sorts those by something else") : undefined;
}

/** The edits that take members of a reply, or of its `hits`, away; and `hits` where nothing else is in it. */
function cutPaths(text: JsonText, from: Span, paths: readonly (readonly string[])[]): Edit[] {
  if (paths.length === 0 || kindOf(text, from) !== "object") return [];
  const all = members(text, from);
  const names = new Set(paths.flatMap((path) => (path.length === 1 ? path : [])));
  const inHits = new Set(paths.flatMap(([, name]) => name ?? []));
  const hits = all.find(({ key }) => key === "hits");
  const inner = hits === undefined ? [] : members(text, hits.value);
  const isWhole = inner.length > 0 && inner.every(({ key }) => inHits.has(key));
  if (isWhole) names.add("hits");
  return [...cutMembers(all, names), ...(isWhole ? [] : cutMembers(inner, inHits))];
}

function ubiOf(ubi: unknown): PlannedSearch["plan"]["ubi"] {
  const text = (key: string) => {
    const value = member(ubi, key);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    queryId: text("query_id"),
    clientId: text("client_id"),
    application: text("application"),
    objectIdField: text("object_id_field"),
  };
}

/** Members of the body's `ext`, or of one of its sections. */
function sectionsOf(body: Body | undefined, ...path: readonly string[]): Member[] {
  const at = body && spanAt(body.text, ["ext", ...path], body.span);
  return body === undefined || at === undefined ? [] : members(body.text, at);
}

/** Cuts `ext.armmt`, or all of `ext` where it holds nothing else. */
function cutOwnSection(body: Body): { readonly edit: Edit; readonly isWholeExt: boolean } | undefined {
  const sections = sectionsOf(body);
  const own = sections.findIndex(({ key }) => key === "armmt");
  if (own < 0) return undefined;
  const isWholeExt = sections.length === 1;
  const ext = body.members.findIndex(({ key }) => key === "ext");
  return { edit: isWholeExt ? cutMember(body.members, ext) : cutMember(sections, own), isWholeExt };
}

/** `ofPage`: numbers of the page on which the hits depend. */
function identityOf(
  params: readonly Param[],
  body: Body | undefined,
  queryText: string | undefined,
  ofPage: readonly (number | string)[],
): string {
  const own = (body?.members ?? []).filter(({ key }) => !PAGING.has(key) && key !== "ext");
  const sections = sectionsOf(body).filter(({ key }) => key !== "armmt" && key !== "ubi");
  const ubi = sectionsOf(body, "ubi").filter(({ key }) => !UBI_OF_PAGE.has(key));
  const search = params.filter((param) => !PAGING.has(param.key)).map((param) => param.raw);
  const written = [own, sections, ubi].map((kept) => kept.map(({ span }) => (body === undefined ? "" : rawText(body.text, span))));
  return JSON.stringify([queryText ?? "", search, ...written, ...ofPage]);
}
