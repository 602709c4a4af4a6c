/**
 * Algolia: `POST /1/indexes/<index>/query`, `GET /1/indexes/<index>`, and several searches at once by `queries` of the index `*`.
 *
 * Parameters are in the URL (GET), in a JSON object, or in its member `params`, written like a URL's; a search that names one twice is left to
 * the engine. A page is named by `page` (from 0) and `hitsPerPage`, or by `offset` and `length`.
 *
 * Settings of an index are hidden from the edge: the size of a page for which a request names no number (such a page is re-ranked within
 * itself, unless `pageSize` repeats the setting), how many hits pages can reach (`paginationLimitedTo`), and groups (`distinct` above 1: noticed
 * by their surplus of hits, and left as they are). Hits that a rule promotes are marked only with `getRankingInfo`: the edge asks for it with
 * each window, and cuts from the reply what the shopper has not asked for.
 */
import { type Bypass, err, ok, type Result } from "../result.ts";
import { type ClientRequest, type DialectOptions, jsonError, type Refusal, type RequestPlan, SITE_HEADERS } from "./dialect.ts";
import {
  defineDialect,
  findIndex,
  type Index,
  type IndexDefinition,
  type Indexes,
  type IndexOptions,
  type PageSizeOption,
  readIndexes,
} from "./dialects.ts";
import { mergedFilters, pageFilters, readFilterList, readFilters } from "./filters.ts";
import { algoliaCalls } from "./algolia/calls.ts";
import { ABOUT_CLIENT as CLIENT_PARAMS, type Checks, createChecks } from "./algolia/params.ts";
import { sideCalls } from "./calls.ts";
import { MARKS, partReader } from "./algolia/reply.ts";
import { applyEdits, cutMembers, type Edit, replaceMembers, replaceParams, searchOf, setMember } from "./json/edits.ts";
import {
  besides,
  forAll,
  identityOf,
  leave,
  leftToEngine,
  ownRequest,
  plainPlan,
  planListed,
  planNone,
  type PlannedSearch,
  planOne,
  ubiOf,
} from "./json/plan.ts";
import {
  type Asked,
  type Body,
  bodyOf,
  memberAt,
  namedObjects,
  pageNumbersOf,
  type Param,
  paramsOf,
  repeatedKey,
  valueOf,
} from "./json/request.ts";
import { isTrueAt } from "./json/spans.ts";
import { type JsonObject, member, stringsOf, textOf, withoutNulls } from "./json/values.ts";
import { wordsOf } from "./words.ts";

const NOT_FOUND = "not_found";

/** In every hit, whatever `attributesToRetrieve` says. */
const DEFAULT_ID_FIELD = "objectID";

const MULTI_PATH = "/1/indexes/*/queries";

/** A header, or a parameter of the URL; `userToken` is a parameter of a search. */
const USER_TOKEN = "x-algolia-usertoken";

/** The engine's own page when neither the request nor the index's settings name one. */
const ENGINE_PAGE_SIZE = 20;

/** The largest `hitsPerPage` and `length`. */
const MAX_HITS = 1000;

/** Paging, parameters that only show, count and measure, and `params`, which holds parameters that are compared themselves. */
const NO_PART_OF_IDENTITY = /^(?:page|hitsPerPage|offset|length|getRankingInfo|analytics|analyticsTags|clickAnalytics|params)$/;

/** Where old clients put a long key. */
const KEY_IN_BODY: ReadonlySet<string> = new Set(["apiKey"]);

/** Parameters about the client: `x-algolia-api-key`, `x-algolia-application-id`, `x-algolia-usertoken`, `x-algolia-agent`, … */
const ABOUT_CLIENT = /^x-algolia-/i;
/** Those on which no order depends; browsers' clients name each request. */
const AGENT = /^x-algolia-(?:agent|request-id)$/i;

export const ALGOLIA = defineDialect({
  names: ["algolia"],
  create(options) {
    const indexes = readIndexes(options, DEFAULT_ID_FIELD, (text, slot, itemId, values) =>
      ok({ itemId, score: undefined, isPinned: isTrueAt(text, ["_rankingInfo", "promoted"], slot), values }),
    );
    const checks = createChecks(options);
    return {
      name: "algolia",
      routes: [
        { path: "/1/indexes/:index/query", methods: ["POST"] },
        { path: "/1/indexes/:index", methods: ["GET"] },
        // The index is a star.
        { path: "/1/indexes/:index/queries", methods: ["POST"], label: "/1/indexes/*/queries" },
      ],
      calls: sideCalls({ indexes: options, notFound: NOT_FOUND, aboutClient: CLIENT_PARAMS }, algoliaCalls(options)),
      credentials: {
        header: "x-algolia-api-key",
        clientHeaders: ["x-algolia-api-key", ...SITE_HEADERS],
        clientParams: ["x-algolia-api-key"],
      },
      // The application's id is not a secret: it goes to the engine wherever the client puts it, and the configuration's own header wins.
      clientHeaders: ["x-algolia-application-id", USER_TOKEN, "x-algolia-agent"],
      shopperHeaders: [USER_TOKEN],
      eventsPath: "/1/events",
      plan(request, name = "") {
        const isMulti = request.method === "POST" && request.path.endsWith("/queries");
        if (isMulti && name === "*") return planSearches(request, indexes, checks);
        if (isMulti) {
          const message = `No route for ${request.path}: several searches go to ${MULTI_PATH}, each with its indexName`;
          return err({ status: 404, type: NOT_FOUND, message });
        }
        const index = findIndex(indexes, name, NOT_FOUND);
        return index.ok ? planSearch(index.value, request, checks) : index;
      },
      describeError: (status, _, message) => jsonError({ message, status }),
    };
  },
});

export interface AlgoliaOptions extends IndexOptions, PageSizeOption, Pick<DialectOptions, "paginationLimitedTo"> {}

/**
 * An index in Algolia. The application id goes into `headers`, the search key into `authorization`.
 *
 * @example
 * const headers = { "x-algolia-application-id": "APPID" };
 * const products = algolia({ url: "https://APPID-dsn.algolia.net", window: 100, headers, authorization: env.ALGOLIA_KEY });
 */
export function algolia(options: AlgoliaOptions): IndexDefinition<AlgoliaOptions> {
  return { ...options, dialect: ALGOLIA, backend: "algolia" };
}

/** One search of a request. `widen`: raw parameters of the URL and edits of the body that ask for hits [0, size). */
interface AskedSearch extends Pick<PlannedSearch, "plan" | "readPart"> {
  readonly widen: (size: number) => { readonly params: readonly string[]; readonly edits: readonly Edit[] };
}

/** `POST /1/indexes/<index>/query`, or `GET /1/indexes/<index>`. Errors: what must not reach the engine with the edge's key. */
function planSearch(index: Index, given: ClientRequest, checks: Checks): Result<RequestPlan, Refusal> {
  const request = index.options.forwardCredentials === true ? given : withoutKey(given);
  const own = ownRequest(request, `/1/indexes/${encodeURIComponent(index.name)}${request.method === "GET" ? "" : "/query"}`);
  const url = paramsOf(own.search);
  const asked = own.method === "GET" ? ok({ params: url, body: undefined, values: undefined }) : readBody(own.body);
  const refusal = checks.refusalOf(index, own.method === "GET" ? [] : url, asked);
  if (refusal !== undefined) return err(refusal);
  const left = own.method === "GET" ? undefined : otherParam(url);
  const { plan, widen, readPart } = readSearch(index, left === undefined ? consistent(asked) : err(left));
  return ok(
    planOne(own.method === "GET" ? plan : forAll(plan, aboutClient(own.search)), own, readPart, (size) => {
      const { params, edits } = widen(size);
      return own.body === undefined ? { ...own, search: searchOf(params) } : { ...own, body: applyEdits(own.body, edits) };
    }),
  );
}

/** The client's own key is withheld. Written in another way, it is refused. */
function withoutKey(request: ClientRequest): ClientRequest {
  if (!new TextDecoder().decode(request.body).includes('"apiKey"')) return request;
  const read = bodyOf(request.body);
  const all = read.ok ? (read.value?.members ?? []) : [];
  const isThere = all.some(({ key }) => KEY_IN_BODY.has(key));
  return isThere ? { ...request, body: applyEdits(request.body, cutMembers(all, KEY_IN_BODY)) } : request;
}

/** Several searches, each with its index (`MULTI_PATH`). Errors: a request that cannot be sent on. */
function planSearches(given: ClientRequest, indexes: Indexes, checks: Checks): Result<RequestPlan, Refusal> {
  const isWithheld = [...indexes.values()].some(({ options }) => options.forwardCredentials !== true);
  const request = isWithheld ? withoutKey(given) : given;
  const read = namedObjects(request, { list: "requests", name: "indexName", indexOf: (name) => findIndex(indexes, name, NOT_FOUND) });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const url = paramsOf(request.search);
  const own = { ...ownRequest(request, MULTI_PATH), body: request.body };
  if (objects.length === 0) return planNone(indexes, own, (name) => checks.url(name, url) ?? checks.around(name, { params: [], body }));
  const left = reasonToLeaveAll(url, body.values);
  const said = aboutClient(request.search) + besides(body, "requests");
  const searches: PlannedSearch[] = [];
  for (const { index, object } of objects) {
    const asked = readObject(object);
    const refusal = checks.around(index.name, { params: [], body }) ?? checks.refusalOf(index, url, asked);
    if (refusal !== undefined) return err(refusal);
    const { plan, widen, readPart } = readSearch(index, left === undefined ? consistent(asked) : err(left));
    searches.push({ plan: forAll(plan, said), edits: (size: number) => widen(size).edits, readPart });
  }
  return ok(planListed(searches, own));
}

/** The parameters in the URL of a POST, on whose key and user token the engine's order may depend. */
function aboutClient(search: string): string {
  const said = paramsOf(search).filter(({ key }) => ABOUT_CLIENT.test(key) && !AGENT.test(key));
  return said.map(({ raw }) => raw).join("&");
}

/** With another strategy the searches depend on each other: one that fills its page ends the request. */
function reasonToLeaveAll(params: readonly Param[], values: JsonObject): string | undefined {
  const strategy = valueOf({ params, values }, "strategy") ?? "none";
  if (strategy !== "none") return "strategy is another than none";
  return otherParam(params);
}

/** Errors say why a body cannot be read. */
function readBody(bytes: Uint8Array | undefined): Result<Asked, string> {
  const read = bodyOf(bytes ?? new Uint8Array());
  if (!read.ok) return read;
  return read.value === undefined ? ok({ params: [], body: undefined, values: undefined }) : readObject(read.value);
}

/** Null in a body is as good as nothing. */
function readObject(body: Body): Result<Asked, string> {
  const values = withoutNulls(body.values);
  const text = member(values, "params");
  if (text === undefined) return ok({ params: [], body, values });
  return typeof text === "string" ? ok({ params: paramsOf(text), body, values }) : err("params is no text");
}

/** Errors say why a request is left to the engine. */
function consistent(asked: Result<Asked, string>): Result<Asked, string> {
  if (!asked.ok) return asked;
  const { params, values } = asked.value;
  const repeated = repeatedKey(params) ?? params.find(({ key }) => member(values, key) !== undefined)?.key;
  return repeated === undefined ? asked : err(`The parameter "${repeated}" is repeated`);
}

/** The engine's documentation knows no parameters of a search in the URL of a POST. */
function otherParam(params: readonly Param[]): string | undefined {
  const other = params.find(({ key }) => !ABOUT_CLIENT.test(key));
  return other === undefined ? undefined : `The parameter "${other.key}" is in the URL of a POST`;
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
  const left = (detail: string, reason = leave("request_not_understood", detail)): AskedSearch => {
    const plan = { ...leftToEngine(index.name, detail), bypass: reason };
    return { plan, widen: () => ({ params: [], edits: [] }), readPart: partReader(index, plan, new Set()) };
  };
  if (!asked.ok) return left(asked.error);
  const { params, body, values } = asked.value;
  const type = valueOf(asked.value, "type") ?? "default";
  if (type === "facet") return left("", leave("size_zero", "Values of a facet are asked for, no hits"));
  if (type !== "default") return left("type is another than default and facet");
  const read = pageOf(asked.value, index.options.pageSize);
  if (!read.ok) return left(read.error);
  const page = read.value;
  const typed = textOf(valueOf(asked.value, "query"));
  const hasMinus = typed !== undefined && [true, "true", 1, "1"].some((on) => valueOf(asked.value, "advancedSyntax") === on);
  const queryText = hasMinus ? wordsOf(typed) : typed;
  // Pages of unknown size are each ranked on their own, and told apart by their position.
  const position = page.isSizeKnown ? [] : [page.offset];
  const given = new Set([...params.map(({ key }) => key), ...Object.keys(values ?? {})]);
  const isMarked = [true, "true", 1, "1"].some((shown) => valueOf(asked.value, MARKS) === shown);
  const plan = plainPlan({
    index: index.name,
    queryText,
    offset: page.offset,
    limit: page.limit,
    // Only the engine knows how many hits come before a page of unknown size.
    isCursored: !page.isSizeKnown,
    // Of several hits per group, a page counts the groups.
    isPlaceUnknown: page.offset > 0 && (!page.isSizeKnown || Number(valueOf(asked.value, "distinct")) > 1),
    isAlwaysWidened: !isMarked,
    bypass: reasonToLeave(asked.value, page, queryText, index),
    filters: () => filtersOf(asked.value),
    ubi: ubiOf(valueOf(asked.value, "userToken")),
    page: () =>
      OTHER_LISTS.some((name) => valueOf(asked.value, name) !== undefined) ? undefined : pageFilters(filtersOf(asked.value), index),
    identity: identityOf(params, body, (key) => NO_PART_OF_IDENTITY.test(key) || AGENT.test(key), ...position),
  });
  const names = page.isSizeKnown ? namesOf(page.isRange) : undefined;
  return { plan, widen: (size) => widened(asked.value, names, size), readPart: partReader(index, plan, given) };
}

/** With one of these, an empty query is a list of another kind: like a text, or near a place. */
const OTHER_LISTS = ["similarQuery", "aroundLatLng", "aroundLatLngViaIP"];

/** `facetFilters` as text is JSON. */
function filtersOf(asked: Asked): ReturnType<typeof readFilters> {
  const given = valueOf(asked, "facetFilters");
  const list = typeof given === "string" && given.trimStart().startsWith("[") ? parsedList(given) : given;
  return mergedFilters(readFilters(textOf(valueOf(asked, "filters")) ?? ""), readFilterList(list));
}

function parsedList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
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
  const isGiven = (key: string): boolean => valueOf(asked, key) !== undefined;
  const isRange = isGiven("offset");
  const other = ["page", "hitsPerPage"].find(isGiven);
  if (isRange && other !== undefined) return err(`offset and ${other} are both given`);
  if (isRange && !isGiven("length")) return err("offset is given without length");
  const [first, count] = namesOf(isRange);
  const read = pageNumbersOf(asked, [first, 0], [count, pageSize ?? ENGINE_PAGE_SIZE]);
  if (!read.ok) return read;
  const isSizeKnown = isRange || isGiven("hitsPerPage") || pageSize !== undefined;
  const { limit } = read.value;
  return ok({ offset: isRange ? read.value.first : read.value.first * limit, limit, isRange, isSizeKnown });
}

function reasonToLeave(
  asked: Asked,
  { offset, limit, isRange }: AskedPage,
  queryText: string | undefined,
  { idField, options: { paginationLimitedTo } }: Index,
): Bypass | undefined {
  if (listOf(asked, "ranking")?.some((criterion) => /^(?:asc|desc)\(/.test(criterion)) === true) return leave("explicit_sort", "ranking");
  // true is 1: one hit of each group.
  if (Number(valueOf(asked, "distinct")) > 1) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  const attributes = listOf(asked, "attributesToRetrieve");
  // Older versions of InstantSearch ask for the counts of a facet in this way.
  if (limit === 1 && attributes?.length === 0) return leave("size_zero", "One hit without attributes is asked for");
  const missing = ["hits", "nbHits", namesOf(isRange)[1]].find((field) => isLeftOut(field, listOf(asked, "responseFields")));
  if (missing !== undefined) return leave("request_not_understood", `responseFields leaves out ${missing}`);
  if (idField !== DEFAULT_ID_FIELD && isLeftOut(idField, attributes)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  if (paginationLimitedTo !== undefined && offset >= paginationLimitedTo)
    return leave("beyond_window", `The engine gives ${paginationLimitedTo} hits (paginationLimitedTo)`);
  if (offset + limit > MAX_HITS)
    return leave("beyond_window", `The page ends after hit ${MAX_HITS}, the last that one request can ask for`);
  return queryText === undefined ? leave("no_query_text", "query is empty") : undefined;
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

/** `names`: of the page, where it changes. */
function widened(
  { params, body, values }: Asked,
  names: ReturnType<typeof namesOf> | undefined,
  size: number,
): ReturnType<AskedSearch["widen"]> {
  const paramsSpan = body === undefined || member(values, "params") === undefined ? undefined : memberAt(body, "params")?.value;
  const needed: Readonly<Record<string, number | boolean>> = { ...(names !== undefined && { [names[1]]: size }), [MARKS]: true };
  const wanted = { ...needed, ...(names !== undefined && { [names[0]]: 0 }) };
  const raw = replaceParams(params, wanted);
  const edits = replaceMembers(body, wanted);
  const given = new Set([...params, ...(body?.members ?? [])].map(({ key }) => key));
  for (const [name, value] of Object.entries(needed)) {
    if (given.has(name)) continue;
    if (body !== undefined && paramsSpan === undefined) edits.push(setMember(body, name, value));
    else raw.push(`${name}=${value}`);
  }
  const isSame = raw.length === params.length && raw.every((written, i) => written === params[i]?.raw);
  if (paramsSpan !== undefined && !isSame) edits.push({ ...paramsSpan, text: JSON.stringify(raw.join("&")) });
  return { params: raw, edits };
}
