/**
 * Any engine whose search is one path with JSON: what its requests and replies call things stands in the configuration.
 *
 * Nothing is known of such an engine but that. Where a request does not fit what is configured, it goes to the engine as it came.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type {
  Dialect,
  DialectOptions,
  ClientRequest,
  EngineError,
  EngineRequest,
  GenericOptions,
  Hit,
  LeaveCondition,
  LeaveReason,
  RequestPlan,
  RequestReply,
  SearchPlan,
} from "./dialect.ts";
import { LEAVE_REASONS } from "./dialect.ts";
import type { IndexDefinition, IndexOptions, PageSizeOption } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, refill } from "./json-edits.ts";
import { annotateReply, numberAt, readHits, replyOfOne, scanReply, spanAt } from "./json-reply.ts";
import type { Body, Param } from "./json-request.ts";
import { bodyOf, leave, leftToEngine, NO_UBI, paramOf, paramsOf, planOne, searchOf, wholeNumberOf } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { elements, find, kindOf, members, readNumber, readString } from "./json-spans.ts";
import { isObject, member, textOf } from "./json-values.ts";

const DEFAULT_ID_FIELD = "id";
const ROOT = "$";

interface Engine {
  readonly index: string;
  readonly options: GenericOptions;
  readonly pageSize: number | undefined;
  readonly readItem: HitItemReader;
}

export const GENERIC = defineDialect({ names: ["generic"], create: createGeneric });

/** `GenericOptions` as a shop writes them: one name instead of a list, and defaults left out. */
export interface GenericSearch extends Pick<
  GenericOptions,
  "path" | "offset" | "page" | "limit" | "maxLimit" | "hits" | "score" | "pinned" | "redirect" | "keyHeader" | "echo"
> {
  /** Default: GET. */
  readonly methods?: GenericOptions["methods"] | undefined;
  /** The parameter with the shopper's words; of several, the first that is given. */
  readonly query: string | readonly string[];
  /** Number of the first page. Default: 1. */
  readonly firstPage?: 0 | 1 | undefined;
  /** Parameters that only sound like paging or sorting. Default: none. */
  readonly harmless?: readonly string[] | undefined;
  /** Reason → the parameters that make the edge leave a search alone, or with `unless` all but these of their values. */
  readonly leaveAlone: Readonly<Partial<Record<LeaveReason, readonly (string | LeaveCondition)[] | undefined>>>;
}

export interface GenericIndexOptions extends IndexOptions, PageSizeOption {
  /** Names in the requests and replies of the engine. */
  readonly generic: GenericSearch;
}

/**
 * An index of an engine that has no dialect here.
 *
 * @example
 * const search = { path: "/v1/search", query: "q", page: "page", limit: "size", hits: "results" };
 * const leaveAlone = { explicit_sort: ["sort"] };
 * const products = generic({ url: "https://search.example.com", window: 100, generic: { ...search, leaveAlone, echo: {} } });
 */
export function generic(options: GenericIndexOptions): IndexDefinition<GenericIndexOptions> {
  return { ...options, dialect: GENERIC, backend: "generic" };
}

/** Throws on an index without `generic`, and on two with one path. */
export function createGeneric(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const engines = [...indexes].map(([index, options]): Engine => {
    if (options.generic === undefined) throw new Error(`Index ${index} has no generic`);
    return { index, options: options.generic, pageSize: options.pageSize, readItem: hitItemReader(options, DEFAULT_ID_FIELD) };
  });
  const byPath = new Map(engines.map((engine) => [engine.options.path, engine]));
  if (byPath.size < engines.length) throw new Error("Two indexes have one path");
  const byIndex = new Map(engines.map((engine) => [engine.index, engine]));
  return {
    name: "generic",
    routes: engines.map(({ options: { path, methods } }) => ({ path, methods })),
    probes: [],
    credentials: { header: "authorization", clientHeaders: ["authorization"], clientParams: [] },
    clientHeaders: [],
    plan(request) {
      const engine = byPath.get(request.path);
      if (engine !== undefined) return ok(planSearch(engine, request));
      const message = `No search at [${request.path}]: this edge serves ${[...byPath.keys()].join(", ")}`;
      return err({ status: 404, type: "not_found", message });
    },
    parseReply: (bytes, plan) => parseReply(bytes, plan, byIndex.get(plan.searches[0]!.index)!),
    annotate: annotateReply,
    describeError,
  };
}

const partsOf = (path: string): readonly string[] => (path === ROOT ? [] : path.split("."));

interface Asked {
  readonly own: EngineRequest;
  readonly params: readonly Param[];
  /** Where paging is a matter of the body. */
  readonly body: Body | undefined;
}

/** The names of the first wanted hit or page and of how many, with what to ask for. */
interface Paging {
  readonly first: { readonly name: string; readonly value: number };
  readonly limit: string;
}

function pagingOf({ page, offset = "", firstPage, limit }: GenericOptions): Paging {
  return { first: page === undefined ? { name: offset, value: 0 } : { name: page, value: firstPage }, limit };
}

function planSearch(engine: Engine, { method, path, search, body: bytes }: ClientRequest): RequestPlan {
  const params = paramsOf(search);
  const own: EngineRequest = {
    method,
    path,
    search: searchOf(params.map(({ raw }) => raw)),
    body: method === "POST" && bytes.length > 0 ? bytes : undefined,
  };
  const body = method === "POST" ? (bodyOf(bytes) ?? "The body is empty") : undefined;
  if (typeof body === "string") return planOne(leftToEngine(engine.index, body), own);
  const asked: Asked = { own, params, body };
  const plan = readSearch(engine, asked);
  return planOne(plan, own, (size) => widened(asked, pagingOf(engine.options), size));
}

function readSearch({ index, options, pageSize }: Engine, asked: Asked): SearchPlan {
  const { first: named, limit: limitName } = pagingOf(options);
  const first = numberOf(asked, named.name, named.value);
  const limit = numberOf(asked, limitName, pageSize);
  if (typeof first === "string") return leftToEngine(index, first);
  if (typeof limit === "string") return leftToEngine(index, limit);
  if (first < named.value) return leftToEngine(index, `${named.name} is ${first}`);
  const offset = options.page === undefined ? first : (first - named.value) * limit;
  const [queryText] = options.query.flatMap((name) => valuesOf(asked, name).flatMap((value) => textOf(value) ?? []));
  return {
    index,
    queryText,
    offset,
    limit,
    isCursored: false,
    bypass: reasonToLeave(options, asked, offset, limit, queryText),
    history: [],
    ubi: NO_UBI,
    identity: identityOf(asked, new Set([named.name, limitName])),
  };
}

/** A whole number from 0; a text that says why it is none. */
function numberOf({ params, body }: Asked, name: string, fallback: number | undefined): number | string {
  const missing = `${name} is not given, and the configuration has no pageSize`;
  const isInUrl = paramOf(params, name) !== undefined;
  if (body === undefined) return isInUrl ? wholeNumberOf(name, params, undefined, 0) : (fallback ?? missing);
  if (isInUrl) return `${name} stands in the URL of a POST`;
  const place = placeOf(body, name);
  if (typeof place === "string") return place;
  if (!("value" in place)) return fallback ?? missing;
  const raw = new TextDecoder().decode(body.text.bytes.subarray(place.value.start, place.value.end));
  return /^\d{1,9}$/.test(raw) ? Number(raw) : `${name} is ${raw.slice(0, 40)}`;
}

/** Where a member of the body stands, or the object that would hold it and the names that are missing there. */
type Place = { readonly value: Span } | { readonly object: Span; readonly missing: readonly string[] };

/** A text says why it can be at no place. */
function placeOf({ text, span }: Body, name: string): Place | string {
  let at = span;
  const parts = partsOf(name);
  for (const [depth, key] of parts.entries()) {
    if (kindOf(text, at) !== "object") return `${parts.slice(0, depth).join(".")} is not an object`;
    const found = find(text, at, key);
    if (!found.ok) return found.error.message;
    if (found.value === undefined) return { object: at, missing: parts.slice(depth) };
    at = found.value;
  }
  return { value: at };
}

/** What a request says by this name, in its body and in its URL. */
function valuesOf({ params, body }: Asked, name: string): readonly unknown[] {
  return [
    ...(body === undefined ? [] : valuesAt(body.values, partsOf(name))),
    ...params.filter(({ key }) => key === name).map(({ value }) => value),
  ];
}

function valuesAt(value: unknown, [key, ...rest]: readonly string[]): readonly unknown[] {
  if (key === undefined) return [value];
  if (key === "*" && Array.isArray(value)) return value.flatMap((one) => valuesAt(one, rest));
  const inner = member(value, key);
  return inner === undefined ? [] : valuesAt(inner, rest);
}

function reasonToLeave(
  options: GenericOptions,
  asked: Asked,
  offset: number,
  limit: number,
  queryText: string | undefined,
): Bypass | undefined {
  const { leaveAlone, maxLimit } = options;
  for (const reason of LEAVE_REASONS) {
    const met = leaveAlone[reason]?.find((condition) => isMet(condition, asked));
    if (met !== undefined) return leave(reason, met.name);
  }
  const unnamed = unnamedIn(options, asked);
  if (unnamed !== undefined)
    return leave("request_not_understood", `The parameter ${unnamed} sounds like paging or sorting, and is nowhere in the index's generic`);
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "No text where the configuration says that it stands");
  if (maxLimit !== undefined && offset + limit > maxLimit) return leave("beyond_window", `The engine gives ${maxLimit} hits at once`);
  return undefined;
}

/** Names that say elsewhere which hits are wanted, or in which order: where the configuration knows nothing of them, something is forgotten. */
const TELLING =
  /^(?:page|p|pg|from|offset|start|skip|cursor|after|before|limit|size|rows|count|per_?page|page_?size|hits_?per_?page|sort|sorting|sort_?(?:by|order)|order|order_?by)$/i;

function unnamedIn(options: GenericOptions, { params, body }: Asked): string | undefined {
  const { offset, page, limit, query, leaveAlone, harmless } = options;
  const conditions = Object.values(leaveAlone).flatMap((all) => all?.map(({ name }) => name) ?? []);
  const known = new Set([offset, page, limit, ...query, ...conditions, ...harmless].map((name) => name?.split(".", 1)[0]));
  const given = [...params.map(({ key }) => key), ...Object.keys(body?.values ?? {})];
  return given.find((name) => TELLING.test(name) && !known.has(name));
}

function isMet({ name, unless }: LeaveCondition, asked: Asked): boolean {
  return valuesOf(asked, name).some((value) => isAskedFor(value) && !unless.includes(textOf(value) ?? ""));
}

function isAskedFor(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return Array.isArray(value) ? value.length > 0 : !isObject(value) || Object.keys(value).length > 0;
}

function widened({ own, params, body }: Asked, { first, limit }: Paging, size: number): EngineRequest {
  if (body !== undefined) {
    const edits = [...setAt(body, limit, size, true), ...setAt(body, first.name, first.value, false)];
    return { ...own, body: applyEdits(body.text.bytes, edits) };
  }
  const numbers = new Map([
    [limit, size],
    [first.name, first.value],
  ]);
  const kept = params.map(({ key, raw }) => {
    const number = numbers.get(key);
    return number === undefined ? raw : `${raw.split("=", 1)[0] ?? key}=${number}`;
  });
  const added = paramOf(params, limit) === undefined ? [`${encodeURIComponent(limit)}=${size}`] : [];
  return { ...own, search: searchOf([...kept, ...added]) };
}

/** `isNeeded`: the member is added where there is none. */
function setAt(body: Body, name: string, number: number, isNeeded: boolean): Edit[] {
  const place = placeOf(body, name);
  if (typeof place === "string") return [];
  if ("value" in place) return [{ ...place.value, text: String(number) }];
  if (!isNeeded) return [];
  const added = place.missing.reduceRight((inner, key, depth) => {
    const written = `${JSON.stringify(key)}:${inner}`;
    return depth === 0 ? written : `{${written}}`;
  }, String(number));
  const at = place.object.start + 1;
  return [{ start: at, end: at, text: members(body.text, place.object).length === 0 ? added : `${added},` }];
}

function identityOf({ params, body }: Asked, paging: ReadonlySet<string>): string {
  if (body === undefined) return JSON.stringify(params.filter(({ key }) => !paging.has(key)).map(({ raw }) => raw));
  const rest = withoutPaging(body.text, body.span, [...paging].map(partsOf));
  return JSON.stringify([params.map(({ raw }) => raw), rest]);
}

/** The members of an object without these, and without objects that hold nothing else. */
function withoutPaging(text: JsonText, object: Span, paths: readonly (readonly string[])[]): string {
  const decoder = new TextDecoder();
  return members(text, object)
    .flatMap(({ key, span, value }) => {
      const inside = paths.filter(([first]) => first === key).map(([, ...rest]) => rest);
      if (inside.length === 0) return [decoder.decode(text.bytes.subarray(span.start, span.end))];
      const rest = withoutPaging(text, value, inside);
      return rest === "" ? [] : [`${JSON.stringify(key)}:{${rest}}`];
    })
    .join();
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, { options, readItem }: Engine): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const read = readHits(text, text.root, partsOf(options.hits), (_, slot) => hitOf(text, slot, options, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const missing =
    hits.length === 0
      ? undefined
      : Object.entries(options.echo).find(([, path]) => path !== undefined && spanAt(text, partsOf(path)) === undefined);
  // Without it the shopper's page would bear the numbers of a wider one.
  if (missing !== undefined)
    return bypass("reply_not_search", `The reply has no ${missing[1]}, where generic.echo.${missing[0]} should be`);
  const isRedirect = options.redirect !== undefined && isThere(text, text.root, options.redirect);
  return replyOfOne(
    text,
    ok({
      hits,
      bypass: isRedirect ? leave("redirected", options.redirect ?? "") : undefined,
      edits: (places) => [...refill(text, array, slots, places), ...ownPage(text, options, plan.searches[0]!, places.length)],
    }),
  );
}

function hitOf(text: JsonText, slot: Span, { score, pinned }: GenericOptions, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  if (typeof item === "string") return item;
  return {
    ...item,
    score: score === undefined ? undefined : numberAt(text, slot, partsOf(score)),
    isPinned: pinned !== undefined && isThere(text, slot, pinned),
  };
}

const NOTHING: ReadonlySet<string> = new Set(["false", "null", '""']);

/** Anything but false, null, zero and what is empty. */
function isThere(text: JsonText, from: Span, path: string): boolean {
  const at = spanAt(text, partsOf(path), from);
  if (typeof at !== "object") return at !== undefined;
  const kind = kindOf(text, at);
  if (kind === "object") return members(text, at).length > 0;
  if (kind === "array") return elements(text, at).length > 0;
  return !NOTHING.has(new TextDecoder().decode(text.bytes.subarray(at.start, at.end))) && readNumber(text, at) !== 0;
}

/** The numbers that a reply repeats, as for the page that was asked for: as numbers or as texts, as the engine writes them. */
function ownPage(text: JsonText, { echo, firstPage }: GenericOptions, { offset, limit }: SearchPlan, count: number): Edit[] {
  const total = echo.total === undefined ? undefined : numberAt(text, text.root, partsOf(echo.total));
  const wanted = new Map([
    [echo.offset, offset],
    [echo.page, Math.floor(offset / limit) + firstPage],
    [echo.limit, limit],
    [echo.count, count],
    [echo.pages, total === undefined ? undefined : Math.ceil(total / limit)],
  ]);
  return [...wanted].flatMap(([path, number]) => {
    const at = path === undefined || number === undefined ? undefined : spanAt(text, partsOf(path));
    if (typeof at !== "object" || number === undefined) return [];
    const written = readString(text, at);
    if (written !== undefined) return /^\d+$/.test(written) && Number(written) !== number ? [{ ...at, text: `"${number}"` }] : [];
    return (readNumber(text, at) ?? number) === number ? [] : [{ ...at, text: String(number) }];
  });
}

function describeError(status: number, type: string, message: string): EngineError {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ error: { type, message }, status }) };
}
