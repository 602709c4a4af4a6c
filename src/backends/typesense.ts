/**
 * Typesense: `GET /collections/<collection>/documents/search` and `POST /multi_search`, as several lists or merged into one (`union`).
 *
 * The engine turns every parameter into text, and those of the URL win over the body's, name by name. `collection` of the URL even wins
 * over the one in the path: the URL must not name another one. A reply names its page as the request did, and repeats its size and the
 * completed words: a page that is cut from a wider reply gets its own of each.
 */
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { notPassedOn, ownIndexes } from "./allowed.ts";
import { sideCalls } from "./calls.ts";
import {
  type ClientRequest,
  type DialectOptions,
  type EngineRequest,
  jsonError,
  type Refusal,
  type RequestPlan,
  type SearchPlan,
  SITE_HEADERS,
} from "./dialect.ts";
import { defineDialect, findIndex, type Index, type IndexDefinition, type Indexes, type IndexOptions, readIndexes } from "./dialects.ts";
import { readFilters } from "./filters.ts";
import { applyEdits, cutMember, type Edit, replaceNumbers, searchOf } from "./json/edits.ts";
import { besides, forAll, identityOf, leave, leftToEngine, plainPlan, planNone, planOne, planSeveral, ubiOf } from "./json/plan.ts";
import { incompleteBy, partOf, type PartReader, readHits, refusedPart } from "./json/reply.ts";
import { type Body, EDGE_PARAMS, listedObjects, memberAt, type Param, unreadable } from "./json/request.ts";
import { elements, isTrueAt, type JsonText, kindOf, members, numberAt, rawText, readString, type Span, spanAt } from "./json/spans.ts";
import { member, textOf } from "./json/values.ts";
import { readOrder, readSort } from "./typesense/order.ts";
import { type AskedPage, pageOf, PAGING, pagingOf, VECTOR, widenedUrl, widePage, withNeighbours } from "./typesense/page.ts";
import { type Checks, createChecks, strangerIn, typesenseCalls, unreadableIn } from "./typesense/params.ts";
import { wordsOf } from "./words.ts";

const MULTI_PATH = "/multi_search";
const API_KEY = "x-typesense-api-key";
/** A header or a parameter. */
const USER_ID = "x-typesense-user-id";

const NOT_FOUND = "not_found";

/** After `search_cutoff_ms`. */
const INCOMPLETE = [["search_cutoff"]];

export const TYPESENSE = defineDialect({
  names: ["typesense"],
  create(options) {
    const indexes = readIndexes(options, "document.id", (text, slot, itemId, values) =>
      ok({ itemId, score: scoreOf(text, slot), isPinned: isTrueAt(text, ["curated"], slot), values }),
    );
    const checks = createChecks(options);
    const own = ownIndexes(options);
    /** What must not reach the engine with the edge's key. */
    const refusalOf: CheckSearch = ({ name, options: { forwardCredentials } }, { url, body, given }) => {
      if (forwardCredentials === true) return undefined;
      const unreadableParam = unreadableIn(url);
      if (unreadableParam !== undefined) return notPassedOn(unreadableParam);
      return checks.search(name, { params: url, body }) ?? strangerIn(given, own);
    };
    return {
      name: "typesense",
      routes: [
        { path: "/collections/:index/documents/search", methods: ["GET"] },
        { path: MULTI_PATH, methods: ["POST"] },
      ],
      calls: sideCalls({ indexes: options, notFound: NOT_FOUND, aboutClient: new Set([API_KEY, USER_ID]) }, typesenseCalls(options)),
      // A key inside a search of a body is that search's own: it stays there, and the search is left to the engine.
      credentials: { header: API_KEY, clientHeaders: [API_KEY, ...SITE_HEADERS], clientParams: [API_KEY] },
      clientHeaders: [USER_ID],
      shopperHeaders: [USER_ID],
      eventsPath: "/analytics/events",
      plan(request, name) {
        return name === undefined ? planSearches(request, indexes, checks, refusalOf) : planSearch(name, request, indexes, refusalOf);
      },
      describeError: (_status, _type, message) => jsonError({ message }),
    };
  },
  limits: { maxWindow: 250 },
});

/**
 * A collection in Typesense.
 *
 * @example
 * const products = typesense({ url: "https://search.example.com:8108", window: 100, authorization: env.TYPESENSE_KEY });
 */
export function typesense(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: TYPESENSE, backend: "typesense" };
}

/** The parameters of one search. */
interface Asked {
  readonly url: readonly Param[];
  readonly body: Body | undefined;
  /** The parameters of both as texts, repeated ones too. */
  readonly given: readonly Pick<Param, "key" | "value">[];
  /** As the engine merges them. */
  readonly values: ReadonlyMap<string, string>;
  /** A member of the body that cannot be a text: the engine refuses the request. */
  readonly unusable: string | undefined;
}

type CheckSearch = (index: Index, asked: Asked) => Refusal | undefined;

/** `GET /collections/<collection>/documents/search`. Errors: collections that the path or the configuration does not name. */
function planSearch(name: string, request: ClientRequest, indexes: Indexes, refusalOf: CheckSearch): Result<RequestPlan, Refusal> {
  const index = findIndex(indexes, name, NOT_FOUND);
  if (!index.ok) return index;
  const url = withoutKey(splitParams(request.search), index.value.options);
  const other = collectionsIn(url).find((collection) => collection !== name);
  if (other !== undefined) return unreadable(`collection is ${JSON.stringify(other)}, and the path says ${name}: take the parameter out`);
  const asked = askedOf(url, undefined);
  const refusal = refusalOf(index.value, asked);
  if (refusal !== undefined) return err(refusal);
  const own = requestOf("GET", `/collections/${encodeURIComponent(name)}/documents/search`, url);
  const page = pageOf(asked.values);
  const plan = readSearch(index.value, asked, page);
  return ok(planOne(plan, own, partReader(index.value, page, asked), (size) => ({ ...own, search: widenedUrl(url, size, page) })));
}

function requestOf(method: "GET" | "POST", path: string, url: readonly Param[], body?: Uint8Array): EngineRequest {
  return { method, path, search: searchOf(url.map(({ raw }) => raw)), body };
}

/** `POST /multi_search`. Errors: a request that cannot be sent on. */
function planSearches(request: ClientRequest, indexes: Indexes, checks: Checks, refusalOf: CheckSearch): Result<RequestPlan, Refusal> {
  const all = splitParams(request.search);
  let url: readonly Param[] = all;
  if (url.some(({ key }) => key === "preset")) return unreadable("preset takes the place of the body: send the searches themselves");
  const read = listedObjects(request, "searches");
  if (!read.ok) return read;
  const { body, objects } = read.value;
  if (objects.length === 0) {
    const own = requestOf("POST", MULTI_PATH, withoutKey(url, { forwardCredentials: false }), request.body);
    return planNone(
      indexes,
      own,
      (name) => checks.around(name, { params: [], body }) ?? refusalOf(indexes.get(name)!, askedOf(url, undefined)),
    );
  }
  const isUnion = member(body.values, "union") === true;
  const said = besides(body, "searches");
  // A union has one page, which only the URL can name.
  const limitHits = url.filter(({ key }) => key === "limit_hits").map(({ key, value }) => [key, value] as const);
  const unionPage = pageOf(new Map([...pagingOf(url), ...limitHits]));
  const searches: { readonly plan: SearchPlan; readonly readPart: PartReader; readonly page: Result<AskedPage, string> }[] = [];
  for (const [i, object] of objects.entries()) {
    const inBody = member(object.values, "collection");
    const [name, ...more] = new Set([...collectionsIn(url), ...(inBody === undefined ? [] : [inBody])]);
    if (typeof name !== "string" || more.length > 0) return unreadable(`searches[${i}]: name one collection, as text`);
    const index = findIndex(indexes, name, NOT_FOUND);
    if (!index.ok) return index;
    url = withoutKey(all, index.value.options);
    const asked = askedOf(url, object);
    const refusal = checks.around(name, { params: [], body }) ?? refusalOf(index.value, asked);
    if (refusal !== undefined) return err(refusal);
    const page = isUnion ? unionPage : pageOf(asked.values);
    searches.push({ plan: forAll(readSearch(index.value, asked, page), said), readPart: partReader(index.value, page, asked), page });
  }
  const own = requestOf("POST", MULTI_PATH, url, request.body);
  if (isUnion) {
    const plans = searches.map(({ plan }) => plan);
    return ok(planOne(unionOf(plans), own, searches[0]!.readPart, (size) => ({ ...own, search: widenedUrl(url, size, unionPage) })));
  }
  const pages = searches.map(({ page }) => page);
  return ok(planSeveral(searches, own, "results", (sizes) => widened(own, url, { bodies: objects, pages }, sizes)));
}

/** One list out of several: one search, where all of them ask one collection for the same words. */
function unionOf(searches: readonly SearchPlan[]): SearchPlan {
  const first = searches[0]!;
  const isOne = searches.every(({ index, queryText }) => index === first.index && queryText === first.queryText);
  const left = searches.find((search) => search.bypass !== undefined)?.bypass;
  return {
    ...first,
    bypass: isOne ? left : leave("federated", "One list out of several collections or of several texts"),
    identity: JSON.stringify(searches.map(({ identity }) => identity)),
  };
}

/** As the engine splits: `&&` is part of a value, and names are not decoded. */
function splitParams(search: string): Param[] {
  return search
    .replace(/^\?/, "")
    .split(/(?<!&)&(?!&)/)
    .filter((raw) => raw !== "")
    .map((raw) => {
      const [key = "", ...rest] = raw.split("=");
      const [value = ""] = new URLSearchParams(`v=${rest.join("=").replaceAll("&", "%26")}`).values();
      return { key, value, raw };
    })
    .filter(({ key }) => !EDGE_PARAMS.has(key));
}

/** A client's key is withheld here, because engine.ts splits a URL in another way. */
function withoutKey(url: readonly Param[], { forwardCredentials }: DialectOptions): readonly Param[] {
  return forwardCredentials === true ? url : url.filter(({ key }) => key.toLowerCase() !== API_KEY);
}

function collectionsIn(url: readonly Param[]): string[] {
  return url.filter(({ key }) => key === "collection").map(({ value }) => value);
}

function askedOf(url: readonly Param[], body: Body | undefined): Asked {
  const texts = body?.members.map(({ key, value }) => ({ key, value: textAt(body, value) })) ?? [];
  const given = [...texts.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }])), ...url];
  const values = new Map(given.map(({ key, value }) => [key, value]));
  return { url, body, given, values, unusable: texts.find(({ value }) => value === undefined)?.key };
}

function textAt(body: Body, value: Span): string | undefined {
  const kind = kindOf(body.text, value);
  return kind === "number" || kind === "boolean" ? rawText(body.text, value) : readString(body.text, value);
}

function readSearch(index: Index, asked: Asked, page: Result<AskedPage, string>): SearchPlan {
  const problem = page.ok ? unreadableIn(asked.url) : page.error;
  if (!page.ok || problem !== undefined) return leftToEngine(index.name, problem ?? "");
  const { offset, limit } = page.value;
  const queryText = wordsOf(asked.values.get("q") ?? "");
  return plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(asked, limit, queryText, index.idField),
    filters: () => readFilters(asked.values.get("filter_by") ?? ""),
    ubi: ubiOf(asked.values.get(USER_ID)),
    identity: identityOf(asked.url, asked.body, (key) => PAGING.has(key)),
  });
}

function reasonToLeave(
  { values, body, unusable }: Asked,
  limit: number,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  if (unusable !== undefined) return leave("request_not_understood", `No text can be made of "${unusable}"`);
  // A scoped key can set any parameter without the request showing it.
  if (member(body?.values, API_KEY) !== undefined) return leave("request_not_understood", `A search with its own ${API_KEY}`);
  for (const key of ["preset", "voice_query"]) if (values.has(key)) return leave("request_not_understood", `${key} hides what is asked`);
  for (const key of ["conversation", "nl_query"]) if (values.get(key) === "true") return leave("request_not_understood", key);
  if (readSort(textOf(values.get("sort_by"))) === undefined) return leave("explicit_sort", "sort_by");
  if (textOf(values.get("group_by")) !== undefined) return leave("grouped", "group_by");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "q is empty or stands for everything");
  if (isLeftOut(values, idField)) return leave("request_not_understood", `The fields leave out ${idField}, by which items are known`);
  return undefined;
}

/** Whether the hits are sure to come without the field. Patterns and joins may bring it. */
function isLeftOut(values: ReadonlyMap<string, string>, idField: string): boolean {
  if (!idField.startsWith("document.")) return false;
  const name = idField.slice("document.".length);
  const namesIn = (key: string): readonly string[] => {
    const list = values.get(key) ?? "";
    return list.includes("$") ? [] : list.split(",").flatMap((field) => textOf(field) ?? []);
  };
  const holds = (field: string): boolean => field === name || name.startsWith(`${field}.`);
  const included = namesIn("include_fields");
  return namesIn("exclude_fields").some(holds) || (included.length > 0 && !included.some((field) => holds(field) || field.includes("*")));
}

/** Paging in the URL goes for all searches: it moves into each search of the body. */
function widened(
  own: EngineRequest,
  url: readonly Param[],
  { bodies, pages }: { readonly bodies: readonly Body[]; readonly pages: readonly Result<AskedPage, string>[] },
  sizes: readonly (number | undefined)[],
): EngineRequest {
  const common = new Map(pagingOf(url));
  const edits = bodies.flatMap((body, i) => {
    const size = sizes[i];
    if (size === undefined) return setMembers(body, common);
    const page = pages[i]!;
    const given = member(body.values, VECTOR);
    const vector = typeof given === "string" ? withNeighbours(given, size, page) : undefined;
    const wide = widePage(body.members, size, page);
    return setMembers(body, vector === undefined ? wide : new Map<string, string | number>([...wide, [VECTOR, vector]]));
  });
  const search = searchOf(url.filter(({ key }) => !PAGING.has(key)).map(({ raw }) => raw));
  return { ...own, search, body: applyEdits(own.body ?? new Uint8Array(), edits) };
}

/** Replaces the values of members, and adds missing ones as the first. */
function setMembers(body: Body, values: ReadonlyMap<string, string | number>): Edit[] {
  const edits: Edit[] = [];
  const added: string[] = [];
  for (const [key, value] of values) {
    const own = memberAt(body, key);
    if (own === undefined) added.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    else edits.push({ ...own.value, text: JSON.stringify(value) });
  }
  if (added.length === 0) return edits;
  const at = body.span.start + 1;
  return [{ start: at, end: at, text: `${added.join(",")}${body.members.length === 0 ? "" : ","}` }, ...edits];
}

/** Without a page that could be read, the reply is not edited. */
function partReader(index: Index, page: Result<AskedPage, string>, { values }: Asked): PartReader {
  const sort = readSort(textOf(values.get("sort_by"))) ?? { isByScore: false };
  const order = { ...sort, isByScore: sort.isByScore && !values.has(VECTOR) };
  return (text, from) => {
    // An error of one search, or of a union, comes in a reply whose own status is 200.
    const code = numberAt(text, ["code"], from);
    if (code !== undefined) return refusedPart(text, from, code, `The engine answered a search with ${code}`);
    // Another engine may have a list of the same name.
    const total = numberAt(text, ["found"], from);
    if (total === undefined) return bypass("reply_not_search", "The reply has no found");
    const read = readHits(text, ["hits"], from, index.readHit);
    if (!read.ok) return read;
    const left = incompleteBy(text, INCOMPLETE, from);
    if (!page.ok) return partOf(text, read.value, { bypass: left });
    if (!isOfPage(text, from, page.value)) return bypass("reply_not_search", "The engine gave another page than it was asked for");
    const { bypass: sorted, sections } = readOrder(text, read.value, order);
    const hits = sections === undefined ? read.value.hits : read.value.hits.map((hit, i) => ({ ...hit, section: sections[i] }));
    return partOf(
      text,
      { ...read.value, hits },
      {
        total: Math.min(total, page.value.limitHits ?? total),
        bypass: left ?? sorted,
        edits: () => ownPage(text, from, read.value.slots, page.value),
      },
    );
  };
}

/** One kind for all hits of a list: fused ranks, else the text's score (beyond 2^53: the nearest double), else nearness. */
function scoreOf(text: JsonText, slot: Span): number | undefined {
  const score = numberAt(text, ["hybrid_search_info", "rank_fusion_score"], slot) ?? numberAt(text, ["text_match"], slot);
  if (score !== undefined) return score;
  const distance = numberAt(text, ["vector_distance"], slot);
  return distance === undefined ? undefined : -distance;
}

/** A scoped key of the client may set another page, from which the wanted one cannot be cut. */
function isOfPage(text: JsonText, from: Span, { offset, limit, limitHits }: AskedPage): boolean {
  const count = numberAt(text, ["request_params", "per_page"], from);
  if (count === undefined) return true;
  const first = numberAt(text, ["offset"], from) ?? ((numberAt(text, ["page"], from) ?? 1) - 1) * count;
  return (first === offset && count === limit) || (first === 0 && count >= Math.min(offset + limit, limitHits ?? Number.POSITIVE_INFINITY));
}

/** The paging that a reply repeats, as for the page that was asked for. `slots`: hits of the whole reply. */
function ownPage(text: JsonText, from: Span, slots: readonly Span[], asked: AskedPage): Edit[] {
  const edits: Edit[] = [];
  const put = (name: string, value: number, object: Span): void => void edits.push(...replaceNumbers(text, { [name]: value }, object));
  const union = spanAt(text, ["union_request_params"], from);
  const isMerged = union !== undefined;
  const named = members(text, from).find(({ key }) => key === "page");
  if (named !== undefined && asked.isOffset && !isMerged) edits.push({ ...named.span, text: `"offset":${asked.offset}` });
  // A union repeats the page of the URL, which may be none.
  else put("page", isMerged ? asked.page : Math.max(asked.page, 1), from);

  const single = spanAt(text, ["request_params"], from);
  const echoes = isMerged ? elements(text, union) : single !== undefined ? [single] : [];
  const own = slots.slice(asked.offset, asked.offset + asked.limit);
  const searchesOfOwn = new Set(isMerged ? own.map((slot) => numberAt(text, ["search_index"], slot)) : []);
  echoes.forEach((echo, i) => {
    const all = members(text, echo);
    const find = (name: string): number => all.findIndex(({ key }) => key === name);
    put("per_page", asked.limit, echo);
    // The words, as completed by the first hit: on the first page only, and in a union only with hits of that search.
    const firstAt = find("first_q");
    const first = all[firstAt];
    const words = all[find("q")];
    if (first === undefined) return;
    if (isMerged && !searchesOfOwn.has(i)) edits.push(cutMember(all, firstAt));
    else if (asked.offset > 0 && words !== undefined)
      edits.push({ ...first.value, text: text.bytes.subarray(words.value.start, words.value.end) });
  });
  return edits;
}
