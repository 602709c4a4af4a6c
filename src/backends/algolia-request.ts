/**
 * Algolia requests, from `ClientRequest` to `RequestPlan`: which page, which words, whether a search may be re-ranked, and the same request
 * for the whole window.
 *
 * Parameters are in the URL (GET), in a JSON object, or in its member `params`, as text that is written like a URL's. Where a name is given
 * twice only the engine knows which value counts, so such a search is left to it. A page too is named in two ways: `page` (from 0) and
 * `hitsPerPage`, or `offset` and `length`.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "./dialect.ts";
import type { Index } from "./indexes.ts";
import type { Edit } from "./json/edits.ts";
import { applyEdits } from "./json/edits.ts";
import type { PartReader } from "./json/reply.ts";
import type { Body, JsonObject, Param } from "./json/request.ts";
import {
  bodyOf,
  identityOf,
  leave,
  leftToEngine,
  member,
  memberAt,
  namedObjects,
  ownRequest,
  pageNumbersOf,
  paramOf,
  paramsOf,
  plainPlan,
  planOne,
  planSeveral,
  replaceMembers,
  replaceParams,
  searchOf,
  setMember,
  stringsOf,
  textOf,
  withoutNulls,
} from "./json/request.ts";
import type { Span } from "./json/scan.ts";

/** In every hit, whatever `attributesToRetrieve` says. */
export const DEFAULT_ID_FIELD = "objectID";

export const MULTI_PATH = "/1/indexes/*/queries";

/** The engine's own page when neither the request nor the index's settings name one. */
const ENGINE_PAGE_SIZE = 20;

/** The largest `hitsPerPage` and `length`. */
const MAX_HITS = 1000;

/** Paging, and parameters that only count and measure. */
const NO_PART_OF_IDENTITY: ReadonlySet<string> = new Set([
  "page",
  "hitsPerPage",
  "offset",
  "length",
  "analytics",
  "analyticsTags",
  "clickAnalytics",
]);

/** Parameters about the client: `x-algolia-api-key`, `x-algolia-application-id`, `x-algolia-agent`, … */
const ABOUT_CLIENT = /^x-algolia-/i;

/** `params` holds parameters, which are compared themselves. */
const isWithoutEffect = (key: string): boolean => key === "params" || NO_PART_OF_IDENTITY.has(key) || ABOUT_CLIENT.test(key);

/** The parameters of one search, wherever they are: null in a body is as good as nothing. */
interface Asked {
  /** In the URL, or in the text `params`. */
  readonly params: readonly Param[];
  readonly body: Body | undefined;
  /** The text `params` in the body. */
  readonly paramsSpan: Span | undefined;
  readonly values: JsonObject | undefined;
}

/** One search of a request. */
interface AskedSearch {
  readonly plan: SearchPlan;
  readonly widen: (size: number) => Widened;
  /** Names of the parameters that it gives. */
  readonly given: ReadonlySet<string>;
}

/** Reads the reply to one search, as far as it depends on the request. */
export type ReaderOf = (index: Index, plan: SearchPlan, given: ReadonlySet<string>) => PartReader;

interface Widened {
  /** In the URL, raw. */
  readonly params: readonly string[];
  /** To the body. */
  readonly edits: readonly Edit[];
}

/** `POST /1/indexes/<index>/query`, or `GET /1/indexes/<index>`. */
export function planSearch(index: Index, request: ClientRequest, readerOf: ReaderOf): RequestPlan {
  const own = ownRequest(request, `/1/indexes/${encodeURIComponent(index.name)}${request.method === "GET" ? "" : "/query"}`);
  const { plan, widen, given } = readSearch(index, readRequest(own));
  return planOne(plan, own, readerOf(index, plan, given), (size) => {
    const { params, edits } = widen(size);
    return own.body === undefined ? { ...own, search: searchOf(params) } : { ...own, body: applyEdits(own.body, edits) };
  });
}

/** Several searches, each with its index (`MULTI_PATH`). Errors: a request that cannot be sent on. */
export function planSearches(
  request: ClientRequest,
  indexOf: (name: string) => Result<Index, Refusal>,
  readerOf: ReaderOf,
): Result<RequestPlan, Refusal> {
  const read = namedObjects(request.body, { list: "requests", name: "indexName", indexOf });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const left = reasonToLeaveAll(paramsOf(request.search), body.values);
  const searches = objects.map(({ index, object }) => {
    const asked = readObject(object);
    const { plan, widen, given } = readSearch(index, left === undefined ? asked : err(left));
    return { plan, edits: (size: number) => widen(size).edits, readPart: readerOf(index, plan, given) };
  });
  return ok(planSeveral(searches, { ...ownRequest(request, MULTI_PATH), body: request.body }, "results"));
}

/** With another strategy the searches depend on each other: one that fills its page ends the request. */
function reasonToLeaveAll(params: readonly Param[], values: JsonObject): string | undefined {
  const strategy = paramOf(params, "strategy") ?? member(values, "strategy") ?? "none";
  if (strategy !== "none") return `strategy is ${JSON.stringify(strategy)}`;
  return otherParam(params);
}

/** Errors say why a request is left to the engine. */
function readRequest({ method, search, body }: EngineRequest): Result<Asked, string> {
  const params = paramsOf(search);
  const nothing = { params: [], body: undefined, paramsSpan: undefined, values: undefined };
  if (method === "GET") return consistent({ ...nothing, params });
  const other = otherParam(params);
  if (other !== undefined) return err(other);
  const read = bodyOf(body ?? new Uint8Array());
  if (!read.ok) return read;
  return read.value === undefined ? ok(nothing) : readObject(read.value);
}

function readObject(body: Body): Result<Asked, string> {
  const values = withoutNulls(body.values);
  const text = member(values, "params");
  if (text === undefined) return ok({ params: [], body, paramsSpan: undefined, values });
  if (typeof text !== "string") return err(`params is ${JSON.stringify(text)}, no text`);
  return consistent({ params: paramsOf(text), body, paramsSpan: memberAt(body, "params")?.value, values });
}

function consistent(asked: Asked): Result<Asked, string> {
  const names = asked.params.map(({ key }) => key);
  const repeated = names.find((name, i) => names.indexOf(name) < i || member(asked.values, name) !== undefined);
  return repeated === undefined ? ok(asked) : err(`The parameter ${repeated} is repeated`);
}

/** The engine's documentation knows no parameters of a search in the URL of a POST. */
function otherParam(params: readonly Param[]): string | undefined {
  const other = params.find(({ key }) => !ABOUT_CLIENT.test(key));
  return other === undefined ? undefined : `The parameter ${other.key} is in the URL of a POST`;
}

function valueOf({ params, values }: Asked, key: string): unknown {
  return paramOf(params, key) ?? member(values, key);
}

/** As text, a list is JSON or has commas. `undefined` where there is none. */
function listOf(asked: Asked, key: string): readonly string[] | undefined {
  const value = valueOf(asked, key);
  if (typeof value !== "string") return value === undefined ? undefined : stringsOf(value);
  if (!value.trimStart().startsWith("[")) return stringsOf(value.split(",").map((name) => name.trim()));
  try {
    return stringsOf(JSON.parse(value));
  } catch {
    return [];
  }
}

function readSearch(index: Index, asked: Result<Asked, string>): AskedSearch {
  const left = (detail: string): AskedSearch => ({
    plan: leftToEngine(index.name, detail),
    widen: () => ({ params: [], edits: [] }),
    given: new Set(),
  });
  if (!asked.ok) return left(asked.error);
  const { params, body, values } = asked.value;
  const given = new Set([...params.map(({ key }) => key), ...Object.keys(values ?? {})]);
  const type = valueOf(asked.value, "type") ?? "default";
  if (type === "facet") {
    const bypass = leave("size_zero", "Values of a facet are asked for, no hits");
    return { ...left(""), plan: { ...leftToEngine(index.name, ""), bypass } };
  }
  if (type !== "default") return left(`type is ${JSON.stringify(type)}`);
  const read = pageOf(asked.value, index.options.pageSize);
  if (!read.ok) return left(read.error);
  const page = read.value;
  const queryText = textOf(valueOf(asked.value, "query"));
  // Pages of unknown size are each ranked on their own, and told apart by their position.
  const position = page.isSizeKnown ? [] : [page.offset];
  const plan = plainPlan({
    index: index.name,
    queryText,
    offset: page.offset,
    limit: page.limit,
    // Only the engine knows how many hits come before a page of unknown size.
    isCursored: !page.isSizeKnown,
    bypass: reasonToLeave(asked.value, page, queryText, index.idField),
    identity: identityOf(params, body, isWithoutEffect, ...position),
  });
  return { plan, widen: (size) => widened(asked.value, page.isRange, size), given };
}

interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** Asked for by `offset` and `length`. */
  readonly isRange: boolean;
  /** False where only the index's settings name the number of hits: then `limit` is a guess. */
  readonly isSizeKnown: boolean;
}

const namesOf = (isRange: boolean) => (isRange ? (["offset", "length"] as const) : (["page", "hitsPerPage"] as const));

/** Errors: values that are no numbers, and names that the documentation does not combine. */
function pageOf(asked: Asked, pageSize: number | undefined): Result<AskedPage, string> {
  const { params, values } = asked;
  const isGiven = (key: string): boolean => valueOf(asked, key) !== undefined;
  const isRange = isGiven("offset");
  const other = ["page", "hitsPerPage"].find(isGiven);
  if (isRange && other !== undefined) return err(`offset and ${other} are both given`);
  if (isRange && !isGiven("length")) return err("offset is given without length");
  const [first, count] = namesOf(isRange);
  const read = pageNumbersOf([first, 0], [count, pageSize ?? ENGINE_PAGE_SIZE], params, values);
  if (!read.ok) return read;
  const isSizeKnown = isRange || isGiven("hitsPerPage") || pageSize !== undefined;
  const { limit } = read.value;
  return ok({ offset: isRange ? read.value.first : read.value.first * limit, limit, isRange, isSizeKnown });
}

function reasonToLeave(
  asked: Asked,
  { offset, limit, isRange }: AskedPage,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  if (listOf(asked, "ranking")?.some((criterion) => /^(?:asc|desc)\(/.test(criterion)) === true) return leave("explicit_sort", "ranking");
  // true is 1: one hit of each group.
  if (Number(valueOf(asked, "distinct")) > 1) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  const attributes = listOf(asked, "attributesToRetrieve");
  // Older versions of InstantSearch ask for the counts of a facet in this way.
  if (limit === 1 && attributes?.length === 0) return leave("size_zero", "One hit without attributes is asked for");
  if (queryText === undefined) return leave("no_query_text", "query is empty");
  const missing = ["hits", "nbHits", namesOf(isRange)[1]].find((field) => isLeftOut(field, listOf(asked, "responseFields")));
  if (missing !== undefined) return leave("request_not_understood", `responseFields leaves out ${missing}`);
  if (idField !== DEFAULT_ID_FIELD && isLeftOut(idField, attributes)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  if (offset + limit > MAX_HITS)
    return leave("beyond_window", `The page ends after hit ${MAX_HITS}, the last that one request can ask for`);
  return undefined;
}

/** Lists name members or whole objects; `-` in front excludes a member of a star. */
function isLeftOut(path: string, fields: readonly string[] | undefined): boolean {
  if (fields === undefined) return false;
  const parts = path.split(".");
  const names = parts.map((_, i) => parts.slice(0, i + 1).join("."));
  return (
    fields.some((field) => field.startsWith("-") && names.includes(field.slice(1))) ||
    !["*", ...names].some((name) => fields.includes(name))
  );
}

function widened({ params, body, paramsSpan }: Asked, isRange: boolean, size: number): Widened {
  const [first, count] = namesOf(isRange);
  const numbers = new Map<string, number>([
    [first, 0],
    [count, size],
  ]);
  const raw = replaceParams(params, numbers);
  const edits = replaceMembers(body, numbers);
  const isGiven = [...params, ...(body?.members ?? [])].some(({ key }) => key === count);
  if (!isGiven && body !== undefined && paramsSpan === undefined) edits.push(setMember(body, count, size));
  else if (!isGiven) raw.push(`${count}=${size}`);
  const isSame = raw.length === params.length && raw.every((written, i) => written === params[i]?.raw);
  if (paramsSpan !== undefined && !isSame) edits.push({ ...paramsSpan, text: JSON.stringify(raw.join("&")) });
  return { params: raw, edits };
}
