/**
 * Algolia requests, from `ClientRequest` to `RequestPlan`: which page, which words, whether a search may be re-ranked, and the same request
 * for the whole window.
 *
 * Parameters stand in the URL (GET), in a JSON object, or in its member `params`, as text that is written like a URL's. Where a name stands
 * in two of these places only the engine knows which one counts, so such a search is left to it. Which page is named in two ways as well:
 * `page` (from 0) and `hitsPerPage`, or `offset` and `length`.
 */
import type { Bypass, Result } from "../result.ts";
import { ok } from "../result.ts";
import type { DialectOptions, ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "./dialect.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits } from "./json-edits.ts";
import type { Body, Param } from "./json-request.ts";
import {
  bodyOf,
  leave,
  leftToEngine,
  namedObjects,
  NO_UBI,
  objectsOf,
  paramOf,
  paramsOf,
  planOne,
  planSeveral,
  searchOf,
  setMember,
  wholeNumberOf,
  withoutNulls,
} from "./json-request.ts";
import type { Span } from "./json-scan.ts";
import type { JsonObject } from "./json-values.ts";
import { member, stringsOf, textOf } from "./json-values.ts";

/** Every hit has it, whatever `attributesToRetrieve` says. */
export const DEFAULT_ID_FIELD = "objectID";

export const MULTI_PATH = "/1/indexes/*/queries";

/** Where neither the request nor the index's settings say. */
const ENGINE_PAGE_SIZE = 20;

/** `hitsPerPage` and `length` go up to here. */
const MAX_HITS = 1000;

/** Every name that says which page, and names that only count and measure. */
const NO_PART_OF_IDENTITY: ReadonlySet<string> = new Set([
  "page",
  "hitsPerPage",
  "offset",
  "length",
  "analytics",
  "analyticsTags",
  "clickAnalytics",
]);

/** Who asks, in the URL: `x-algolia-api-key`, `x-algolia-application-id`, `x-algolia-agent`, … */
const ABOUT_CLIENT = /^x-algolia-/i;

/** What a request says of one search, wherever it says it: null is as good as nothing in a body. */
interface Asked {
  /** Of the URL, or of the text `params`. */
  readonly params: readonly Param[];
  readonly body: Body | undefined;
  /** Where the text `params` stands in the body. */
  readonly paramsSpan: Span | undefined;
  readonly values: JsonObject | undefined;
}

/** One search as it stands in a request. */
interface AskedSearch {
  readonly plan: SearchPlan;
  readonly widen: (size: number) => Widened;
}

interface Widened {
  /** Of the URL, as they stand there. */
  readonly params: readonly string[];
  /** To the body. */
  readonly edits: readonly Edit[];
}

/** `POST /1/indexes/<index>/query`, or `GET /1/indexes/<index>`. */
export function planSearch(index: string, request: ClientRequest, options: DialectOptions): RequestPlan {
  const isGet = request.method === "GET";
  const own: EngineRequest = {
    method: request.method,
    path: `/1/indexes/${encodeURIComponent(index)}${isGet ? "" : "/query"}`,
    search: searchOf(paramsOf(request.search).map(({ raw }) => raw)),
    body: isGet || request.body.length === 0 ? undefined : request.body,
  };
  const asked = readRequest(own);
  if (typeof asked === "string") return planOne(leftToEngine(index, asked), own);
  const { plan, widen } = readSearch(index, asked, options);
  return planOne(plan, own, (size) => {
    const { params, edits } = widen(size);
    return own.body === undefined ? { ...own, search: searchOf(params) } : { ...own, body: applyEdits(own.body, edits) };
  });
}

/** Several searches, each with its index (`MULTI_PATH`). Errors say what makes the request none that could be sent on. */
export function planSearches(
  request: ClientRequest,
  indexOf: (name: string) => string | Refusal,
  optionsOf: (index: string) => DialectOptions,
): Result<RequestPlan, Refusal> {
  const read = namedObjects(bodyOf(request.body), { list: "requests", name: "indexName", indexOf });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const params = paramsOf(request.search);
  const own = { method: "POST", path: MULTI_PATH, search: searchOf(params.map(({ raw }) => raw)), body: request.body } as const;
  const left = reasonToLeaveAll(params, body.values);
  const searches = objects.map(({ index, object }) => {
    const asked = left ?? readObject(object);
    const { plan, widen } = typeof asked === "string" ? leftAlone(index, asked) : readSearch(index, asked, optionsOf(index));
    return { plan, edits: (size: number) => widen(size).edits };
  });
  return ok(planSeveral(searches, own));
}

/** With that strategy a search that finds enough hits for its page ends the request: for a wider page it would not. */
function reasonToLeaveAll(params: readonly Param[], values: JsonObject): string | undefined {
  const strategy = paramOf(params, "strategy") ?? member(values, "strategy") ?? "none";
  if (strategy !== "none") return `strategy is ${JSON.stringify(strategy)}`;
  return otherParam(params);
}

/** Names of parameters that each search of a request gives, as far as it can be read. For what a reply repeats of them. */
export function givenNames({ own, isMulti }: RequestPlan): readonly ReadonlySet<string>[] {
  const body = isMulti && own.body !== undefined ? bodyOf(own.body) : undefined;
  const requests = typeof body === "object" ? objectsOf(body, "requests") : [];
  const all = isMulti ? (typeof requests === "string" ? [] : requests.map(readObject)) : [readRequest(own)];
  return all.map((asked) => {
    if (typeof asked === "string") return new Set<string>();
    return new Set([...asked.params.map(({ key }) => key), ...Object.keys(asked.values ?? {})]);
  });
}

/** A text says why a request is left to the engine. */
function readRequest({ method, search, body }: EngineRequest): Asked | string {
  const params = paramsOf(search);
  if (method === "GET") return consistent({ params, body: undefined, paramsSpan: undefined, values: undefined });
  const other = otherParam(params);
  if (other !== undefined) return other;
  const read = bodyOf(body ?? new Uint8Array());
  if (read === undefined) return { params: [], body: undefined, paramsSpan: undefined, values: undefined };
  return typeof read === "string" ? read : readObject(read);
}

function readObject(body: Body): Asked | string {
  const values = withoutNulls(body.values);
  const text = member(values, "params");
  if (text === undefined) return { params: [], body, paramsSpan: undefined, values };
  if (typeof text !== "string") return `params is ${JSON.stringify(text)}, no text`;
  const paramsSpan = body.members.find(({ key }) => key === "params")?.value;
  return consistent({ params: paramsOf(text), body, paramsSpan, values });
}

function consistent(asked: Asked): Asked | string {
  const names = asked.params.map(({ key }) => key);
  const twice = names.find((name, i) => names.indexOf(name) < i || member(asked.values, name) !== undefined);
  return twice === undefined ? asked : `The parameter ${twice} stands twice`;
}

/** The engine's documentation knows no parameters of a search in the URL of a POST. */
function otherParam(params: readonly Param[]): string | undefined {
  const other = params.find(({ key }) => !ABOUT_CLIENT.test(key));
  return other === undefined ? undefined : `The parameter ${other.key} stands in the URL of a POST`;
}

function valueOf({ params, values }: Asked, key: string): unknown {
  return paramOf(params, key) ?? member(values, key);
}

/** As text, a list is JSON or has commas. `undefined` where there is none. */
function listOf(asked: Asked, key: string): readonly string[] | undefined {
  const value = valueOf(asked, key);
  if (typeof value !== "string") return value === undefined ? undefined : stringsOf(value);
  if (!value.trimStart().startsWith("[")) return stringsOf(value.split(",").map((one) => one.trim()));
  try {
    return stringsOf(JSON.parse(value));
  } catch {
    return [];
  }
}

function leftAlone(index: string, detail: string): AskedSearch {
  return { plan: leftToEngine(index, detail), widen: () => ({ params: [], edits: [] }) };
}

function readSearch(index: string, asked: Asked, { idField = DEFAULT_ID_FIELD, pageSize }: DialectOptions): AskedSearch {
  const type = valueOf(asked, "type") ?? "default";
  if (type === "facet") {
    const bypass = leave("size_zero", "Values of a facet are asked for, no hits");
    return { ...leftAlone(index, ""), plan: { ...leftToEngine(index, ""), bypass } };
  }
  if (type !== "default") return leftAlone(index, `type is ${JSON.stringify(type)}`);
  const page = pageOf(asked, pageSize);
  if (typeof page === "string") return leftAlone(index, page);
  const queryText = textOf(valueOf(asked, "query"));
  const plan: SearchPlan = {
    index,
    queryText,
    offset: page.offset,
    limit: page.limit,
    // How many hits come before a page of unknown size only the engine knows.
    isCursored: !page.isSizeKnown,
    bypass: reasonToLeave(asked, page, queryText, idField),
    history: [],
    ubi: NO_UBI,
    identity: identityOf(asked, page.isSizeKnown ? undefined : page.offset),
  };
  return { plan, widen: (size) => widened(asked, page.isRange, size) };
}

interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** Asked for by `offset` and `length`. */
  readonly isRange: boolean;
  /** False where the number of hits stands in the index's settings, and the configuration does not repeat it: `limit` is a guess. */
  readonly isSizeKnown: boolean;
}

/** A text that names the value where a number is none, or where the documentation does not say what becomes of the names together. */
function pageOf(asked: Asked, pageSize: number | undefined): AskedPage | string {
  const { params, values } = asked;
  const isGiven = (key: string): boolean => valueOf(asked, key) !== undefined;
  const isRange = isGiven("offset");
  const other = ["page", "hitsPerPage"].find(isGiven);
  if (isRange && other !== undefined) return `offset and ${other} are both given`;
  if (isRange && !isGiven("length")) return "offset is given without length";
  const first = wholeNumberOf(isRange ? "offset" : "page", params, values, 0);
  const limit = wholeNumberOf(isRange ? "length" : "hitsPerPage", params, values, pageSize ?? ENGINE_PAGE_SIZE);
  if (typeof first === "string") return first;
  if (typeof limit === "string") return limit;
  const isSizeKnown = isRange || isGiven("hitsPerPage") || pageSize !== undefined;
  return { offset: isRange ? first : first * limit, limit, isRange, isSizeKnown };
}

function reasonToLeave(
  asked: Asked,
  { offset, limit, isRange }: AskedPage,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  if (listOf(asked, "ranking")?.some((one) => /^(?:asc|desc)\(/.test(one)) === true) return leave("explicit_sort", "ranking");
  // true is 1: one hit of each group.
  if (Number(valueOf(asked, "distinct")) > 1) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  const attributes = listOf(asked, "attributesToRetrieve");
  // How InstantSearch asks for the counts of a facet, before it asked for no hits at all.
  if (limit === 1 && attributes?.length === 0) return leave("size_zero", "One hit without attributes is asked for");
  if (queryText === undefined) return leave("no_query_text", "query is empty");
  const missing = ["hits", "nbHits", isRange ? "length" : "hitsPerPage"].find((field) => isLeftOut(field, listOf(asked, "responseFields")));
  if (missing !== undefined) return leave("request_not_understood", `responseFields leaves out ${missing}`);
  if (idField !== DEFAULT_ID_FIELD && isLeftOut(idField, attributes)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  if (offset + limit > MAX_HITS)
    return leave("beyond_window", `The page ends after hit ${MAX_HITS}, the last that one request can ask for`);
  return undefined;
}

/** Lists name members or whole objects; `-` in front takes out again what a star has brought. */
function isLeftOut(path: string, fields: readonly string[] | undefined): boolean {
  if (fields === undefined) return false;
  const parts = path.split(".");
  const names = parts.map((_, i) => parts.slice(0, i + 1).join("."));
  return (
    fields.some((one) => names.includes(one.replace(/^-/, "")) && one.startsWith("-")) ||
    !["*", ...names].some((one) => fields.includes(one))
  );
}

function widened({ params, body, paramsSpan }: Asked, isRange: boolean, size: number): Widened {
  const count = isRange ? "length" : "hitsPerPage";
  const wanted = new Map<string, number>([
    [isRange ? "offset" : "page", 0],
    [count, size],
  ]);
  const raw = params.map((param) => (wanted.has(param.key) ? `${param.key}=${wanted.get(param.key)}` : param.raw));
  const edits: Edit[] = [];
  for (const { key, value } of body?.members ?? []) {
    const number = wanted.get(key);
    if (number !== undefined) edits.push({ ...value, text: String(number) });
  }
  const isGiven = [...params, ...(body?.members ?? [])].some(({ key }) => key === count);
  if (!isGiven && body !== undefined && paramsSpan === undefined) edits.push(setMember(body, count, size));
  else if (!isGiven) raw.push(`${count}=${size}`);
  const isSame = raw.length === params.length && raw.every((one, i) => one === params[i]?.raw);
  if (paramsSpan !== undefined && !isSame) edits.push({ ...paramsSpan, text: JSON.stringify(raw.join("&")) });
  return { params: raw, edits };
}

/** `page`: where nothing else tells the pages of one search apart that are each ranked on their own. */
function identityOf({ params, body }: Asked, page: number | undefined): string {
  const decoder = new TextDecoder();
  const kept = (body?.members ?? []).filter(({ key }) => key !== "params" && !NO_PART_OF_IDENTITY.has(key));
  return JSON.stringify([
    params.filter(({ key }) => !NO_PART_OF_IDENTITY.has(key) && !ABOUT_CLIENT.test(key)).map(({ raw }) => raw),
    kept.map(({ span }) => decoder.decode(body?.text.bytes.subarray(span.start, span.end))),
    ...(page === undefined ? [] : [page]),
  ]);
}
