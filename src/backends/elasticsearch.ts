/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`, `/_msearch` and `/<index>/_msearch`. No other endpoint has a route.
 *
 * Parameters of the URL win over the body, as in the engine. With the edge's key, a request that is not understood is refused
 * (elasticsearch/allowed.ts). With the client's own it is left to the engine, whose error is the best answer.
 */
import { type Bypass, err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, jsonError, type Refusal, type RequestPlan } from "./dialect.ts";
import { NOT_CHECKED, type OwnIndexes, readHeader, strangeInBody, strangeInParams, strangeType } from "./elasticsearch/allowed.ts";
import { MULTI_PARAMS, SEARCH_PARAMS } from "./elasticsearch/members.ts";
import {
  defineDialect,
  findIndex,
  type Index,
  type IndexDefinition,
  type IndexOptions,
  isWithOwnKey,
  ownIndexes,
  readIndexes,
} from "./dialects.ts";
import { applyEdits, cutMember, type Edit, replaceParams, searchOf, setMember } from "./json/edits.ts";
import { forAll, leave, leftToEngine, plainPlan, type PlannedSearch, planOne, planSeveral } from "./json/plan.ts";
import { limitsOf, tooManySearches } from "./limits.ts";
import { incompleteBy, partOf, type PartReader, readHits, refusedPart, type Sign } from "./json/reply.ts";
import { type Body, bodyOf, memberAt, pageNumbersOf, type Param, paramOf, paramsOf, repeatedKey, unreadable } from "./json/request.ts";
import { find, type Member, members, numberAt, rawText, readNumber, type Span, spanAt } from "./json/spans.ts";
import { isObject, type JsonObject, member, stringsOf, textOf } from "./json/values.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

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

const METHODS = ["GET", "POST"] as const;
const MULTI_PATH = "/_msearch";

const PAGING = new Set(["from", "size"]);

/** With a client's own key: a second key, and the user for whom it searches, whose rights decide what is found. */
const IMPERSONATION = ["es-secondary-authorization", "es-security-runas-user", "opendistro_security_impersonate_as"];

/** Members of `ext.ubi` that may be others on each page. */
const UBI_OF_PAGE = new Set(["query_id", "query_attributes"]);

export const ELASTICSEARCH = defineDialect({
  names: ["elasticsearch", "opensearch"],
  create(options) {
    const indexes = readIndexes(options, "_id", (text, slot, itemId, values) => {
      const found = find(text, slot, "_score");
      if (!found.ok) return err(found.error.message);
      const score = found.value === undefined ? undefined : readNumber(text, found.value);
      const isPinned = score !== undefined && score >= PINNED_SCORE;
      return ok({ itemId, score: isPinned ? undefined : score, isPinned, values });
    });
    const indexOf = (name: string): Result<Index, Refusal> => findIndex(indexes, name, "index_not_found_exception");
    /** Worked out once: nothing of it changes. */
    const owned = new Map(
      [...indexes.values()].map((index) => [index, isWithOwnKey(index) ? ownIndexes(indexes, index) : undefined] as const),
    );
    const found = { indexOf, ownOf: (index: Index) => owned.get(index) };
    return {
      name: "elasticsearch",
      routes: [
        { path: "/:index/_search", methods: METHODS },
        { path: MULTI_PATH, methods: METHODS },
        { path: "/:index/_msearch", methods: METHODS },
      ],
      // The request of `client.ping()`. The reply to a GET would tell everybody the engine's version.
      probes: [{ path: "/", method: "HEAD" }],
      // No origin: where CORS is on, the engine refuses those that its settings do not name.
      credentials: { ...AUTHORIZATION, clientHeaders: ["authorization", "referer", ...IMPERSONATION] },
      clientHeaders: ["x-opaque-id"],
      plan(request, name) {
        if (name === undefined) return planSearches(MULTI_PATH, request, undefined, found);
        const index = indexOf(name);
        if (!index.ok) return index;
        if (!request.path.endsWith(MULTI_PATH)) return planSearch(index.value, request, found.ownOf(index.value));
        return planSearches(`/${encodeURIComponent(name)}${MULTI_PATH}`, request, name, found);
      },
      describeError(status, type, message) {
        const cause = { type, reason: message };
        // Without its header the client of Elasticsearch would complain of an unknown product, whatever else went wrong.
        return jsonError({ error: { root_cause: [cause], ...cause }, status }, { "x-elastic-product": "Elasticsearch" });
      },
    };
  },
});

/**
 * An index in Elasticsearch.
 *
 * @example
 * const products = elasticsearch({ url: "https://search.example.com:9200", window: 100 });
 */
export function elasticsearch(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: ELASTICSEARCH, backend: "elasticsearch" };
}

/**
 * An index in OpenSearch.
 *
 * @example
 * const products = opensearch({ url: "https://search.example.com:9200", window: 100 });
 */
export function opensearch(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: ELASTICSEARCH, backend: "opensearch" };
}

/** One search of a request. */
interface AskedSearch extends Pick<PlannedSearch, "plan"> {
  /** Its parameters and its body, asking for hits [0, size), or for the shopper's own page. */
  write(size: number | undefined): { readonly params: readonly string[]; readonly body: Uint8Array | undefined };
}

/** `POST|GET /<index>/_search` */
function planSearch(index: Index, request: ClientRequest, own: OwnIndexes | undefined): Result<RequestPlan, Refusal> {
  const given = paramsOf(request.search);
  const strange = own !== undefined ? (strangeInParams(given, SEARCH_PARAMS) ?? strangeBodyType(request)) : undefined;
  if (strange !== undefined) return unreadable(strange);
  const read = readSearch(index.name, given, request.body, own);
  if (!read.ok) return unreadable(read.error);
  const asked = read.value;
  const write = (size: number | undefined): EngineRequest => {
    const { params, body } = asked.write(size);
    // fetch cannot send a body with GET.
    const method = body === undefined ? request.method : "POST";
    return { method, path: `/${encodeURIComponent(index.name)}/_search`, search: searchOf(params), body };
  };
  return ok(planOne(asked.plan, write(undefined), partReader(index), write));
}

function strangeBodyType({ body, contentType }: ClientRequest): string | undefined {
  return body.length === 0 ? undefined : strangeType(contentType);
}

function partReader({ readHit }: Index): PartReader {
  return (text, from) => {
    const list = readHits(text, ["hits", "hits"], from, readHit);
    // A number in older versions; with `relation: "gte"` there are more.
    const total = numberAt(text, ["hits", "total", "value"], from) ?? numberAt(text, ["hits", "total"], from);
    return list.ok ? partOf(text, list.value, { total, bypass: incompleteBy(text, INCOMPLETE, from) }) : list;
  };
}

/**
 * `POST|GET /_msearch` and `/<index>/_msearch`: lines of JSON, a header (which may be empty) before each body. Errors: a request that
 * cannot be sent on.
 */
function planSearches(
  path: string,
  request: ClientRequest,
  pathIndex: string | undefined,
  {
    indexOf,
    ownOf,
  }: { readonly indexOf: (name: string) => Result<Index, Refusal>; readonly ownOf: (index: Index) => OwnIndexes | undefined },
): Result<RequestPlan, Refusal> {
  const params = paramsOf(request.search);
  if (paramOf(params, "source") !== undefined) return unreadable("The searches are in the parameter source: send them as the body");
  const lines = linesOf(request.body);
  if (lines.length === 0 || lines.length % 2 === 1) {
    return unreadable(`The body has ${lines.length} lines: send a header line and a body line for each search`);
  }
  const limits = limitsOf(request);
  if (lines.length / 2 > limits.searches) return tooManySearches(lines.length / 2, limits);
  // Which page is in the body alone; of the parameters, only the format of the reply concerns a search.
  const shared = params.filter(({ key }) => key === "format");
  const inUrl = searchOf(params.map(({ raw }) => raw));
  const searches: (AskedSearch & { readonly line: Span; readonly header: Edit | undefined; readonly readPart: PartReader })[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const line = lines[i + 1]!;
    const header = bodyOf(request.body.slice(lines[i]!.start, lines[i]!.end));
    if (!header.ok) return unreadable(`Line ${i + 1}: ${header.error}`);
    // Null is not left out: engines do not take the index of the path then, but fail.
    const inHeader = member(header.value?.values, "index");
    const named = inHeader === undefined ? pathIndex : inHeader;
    const [only, ...more] = Array.isArray(named) ? named : [named];
    if (typeof only !== "string" || more.length > 0) return unreadable(`Line ${i + 1}: name one index, as text`);
    const index = indexOf(only);
    if (!index.ok) return index;
    const own = ownOf(index.value);
    const strange = own !== undefined ? (strangeInParams(params, MULTI_PARAMS) ?? strangeBodyType(request)) : undefined;
    if (strange !== undefined) return unreadable(strange);
    const anew = own !== undefined ? readHeader(header.value?.values ?? {}) : undefined;
    if (anew?.ok === false) return unreadable(`Line ${i + 1}: ${anew.error}`);
    const asked = readSearch(only, shared, request.body.slice(line.start, line.end), own);
    if (!asked.ok) return unreadable(`Line ${i + 2}: ${asked.error}`);
    const written = header.value === undefined ? "" : rawText(header.value.text, header.value.span);
    const plan = forAll(asked.value.plan, `${inUrl}\n${written}`);
    const readPart = statusReader(searches.length + 1, partReader(index.value));
    searches.push({ ...asked.value, plan, line, header: anew && { ...lines[i]!, text: anew.value }, readPart });
  }
  const write = (sizes: readonly (number | undefined)[]): EngineRequest => {
    const edits = searches.flatMap((search, i): Edit[] => {
      const body = { ...search.line, text: search.write(sizes[i]).body ?? "{}" };
      return search.header === undefined ? [body] : [search.header, body];
    });
    return { method: "POST", path, search: inUrl, body: applyEdits(request.body, edits) };
  };
  return ok(planSeveral(searches, write([]), "responses", write));
}

/** Each search of `_msearch` has its own status. */
function statusReader(position: number, readPart: PartReader): PartReader {
  return (text, from) => {
    const status = numberAt(text, ["status"], from);
    if (status !== undefined && status >= 300) return refusedPart(text, from, status, `Search ${position} of the request: ${status}`);
    return readPart(text, from);
  };
}

/** Lines without their ends; no empty one after the last line end. */
function linesOf(bytes: Uint8Array): Span[] {
  const lines: Span[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    lines.push({ start, end });
    start = end + 1;
  }
  return lines;
}

/** `own`: with the edge's key, which indexes it is for. Errors: a search that must not be sent. */
function readSearch(index: string, params: readonly Param[], bytes: Uint8Array, own: OwnIndexes | undefined): Result<AskedSearch, string> {
  const rawParams = params.map((param) => param.raw);
  const left = (detail: string): Result<AskedSearch, string> =>
    ok({
      plan: leftToEngine(index, detail),
      write: () => ({ params: rawParams, body: bytes.length === 0 ? undefined : bytes }),
    });
  const read = bodyOf(bytes);
  if (!read.ok) return own === undefined ? left(read.error) : err(`${read.error}: ${NOT_CHECKED}`);
  const body = read.value;
  const strange = own === undefined || body === undefined ? undefined : strangeInBody(body, own);
  if (strange !== undefined) return err(strange);
  const repeated = repeatedKey(sectionsOf(body));
  if (repeated !== undefined) return left(`The key "${repeated}" is repeated in ext`);

  const values = body?.values;
  const page = pageNumbersOf({ params, values }, ["from", 0], ["size", 10]);
  if (!page.ok) return left(page.error);
  const { first: offset, limit } = page.value;

  const ext = member(values, "ext");
  const queryText =
    textOf(member(member(ext, "ubi"), "user_query")) ??
    textOf(member(member(ext, "armmt"), "query")) ??
    textOf(paramOf(params, "q")) ??
    queryTextOf(member(values, "query"));
  const cut = body === undefined ? undefined : cutOwnSection(body);
  const edits = cut === undefined ? [] : [cut.edit];

  return ok({
    plan: plainPlan({
      index,
      queryText,
      offset,
      limit,
      bypass: reasonToLeave(params, values, limit, queryText),
      history: stringsOf(member(member(ext, "armmt"), "history")),
      ubi: ubiOf(member(ext, "ubi")),
      identity: identityOf(params, body, queryText),
    }),
    write(size) {
      if (size === undefined) return { params: rawParams, body: body && applyEdits(body.text.bytes, edits) };
      const search = replaceParams(params, { from: 0, size });
      const has = (key: string) => params.some((param) => param.key === key);
      if (body === undefined) return { params: has("size") ? search : [...search, `size=${size}`], body: undefined };
      const changes = [...edits];
      const from = memberAt(body, "from");
      if (from !== undefined && !has("from")) changes.push({ ...from.value, text: "0" });
      if (!has("size")) changes.push(setMember(body, "size", size, body.members.length === (cut?.isWholeExt === true ? 1 : 0)));
      return { params: search, body: applyEdits(body.text.bytes, changes) };
    },
  });
}

function reasonToLeave(
  params: readonly Param[],
  values: JsonObject | undefined,
  limit: number,
  queryText: string | undefined,
): Bypass | undefined {
  if (paramOf(params, "source") !== undefined) return leave("request_not_understood", "The body is in the parameter source");
  if ((paramOf(params, "format") ?? "json") !== "json")
    return leave("request_not_understood", "The reply is asked for in another format than JSON");
  if (paramOf(params, "scroll") !== undefined) return leave("cursor", "scroll");
  for (const key of ["search_after", "pit", "slice"]) if (member(values, key) !== undefined) return leave("cursor", key);
  if (!isByScore(params, values)) return leave("explicit_sort", "sort");
  if (member(values, "collapse") !== undefined) return leave("grouped", "collapse");
  if (limit === 0) return leave("size_zero", "size is 0");
  if (queryText === undefined) return leave("no_query_text", "No full-text clause, no q, no ext.ubi.user_query");
  return undefined;
}

/** Whether hits come in descending order of `_score` and of nothing else. */
function isByScore(params: readonly Param[], values: JsonObject | undefined): boolean {
  const param = paramOf(params, "sort");
  if (param !== undefined) return param === "_score" || param === "_score:desc";
  const sort = member(values, "sort");
  if (sort === undefined) return true;
  const keys: readonly unknown[] = Array.isArray(sort) ? sort : [sort];
  return keys.length <= 1 && keys.every(isScoreDescending);
}

function isScoreDescending(key: unknown): boolean {
  if (key === "_score") return true;
  const order = member(key, "_score");
  if (!isObject(key) || Object.keys(key).length !== 1 || order === undefined) return false;
  return order === "desc" || (isObject(order) && (member(order, "order") ?? "desc") === "desc");
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

function identityOf(params: readonly Param[], body: Body | undefined, queryText: string | undefined): string {
  const own = (body?.members ?? []).filter(({ key }) => !PAGING.has(key) && key !== "ext");
  const sections = sectionsOf(body).filter(({ key }) => key !== "armmt" && key !== "ubi");
  const ubi = sectionsOf(body, "ubi").filter(({ key }) => !UBI_OF_PAGE.has(key));
  const search = params.filter((param) => !PAGING.has(param.key)).map((param) => param.raw);
  const written = [own, sections, ubi].map((kept) => kept.map(({ span }) => (body === undefined ? "" : rawText(body.text, span))));
  return JSON.stringify([queryText ?? "", search, ...written]);
}

/** `{ clause: { <any field>: text | { query: text } } }` */
const FIELD_CLAUSES = ["match", "match_phrase", "match_phrase_prefix", "match_bool_prefix"];

/** `{ clause: { query: text } }` */
const TEXT_CLAUSES = ["multi_match", "combined_fields", "query_string", "simple_query_string"];

/** Clause → the members that hold queries (one or a list), most telling first. */
const WRAPPERS: readonly (readonly [string, readonly string[]])[] = [
  ["bool", ["must", "should"]],
  ["function_score", ["query"]],
  ["script_score", ["query"]],
  ["dis_max", ["queries"]],
  ["hybrid", ["queries"]],
  ["boosting", ["positive"]],
  ["constant_score", ["filter"]],
  ["nested", ["query"]],
  ["pinned", ["organic"]],
];

const MAX_CLAUSE_DEPTH = 30;

/**
 * The words of the first full-text clause in `query`, looking through clauses that only wrap others. Filters, exclusions and exact terms
 * are not the shopper's words.
 */
function queryTextOf(query: unknown, depth: number = 0): string | undefined {
  if (!isObject(query) || depth > MAX_CLAUSE_DEPTH) return undefined;
  for (const clause of FIELD_CLAUSES) {
    const fields = member(query, clause);
    if (!isObject(fields)) continue;
    const [condition] = Object.values(fields);
    const text = textOf(condition) ?? textOf(member(condition, "query"));
    if (text !== undefined) return text;
  }
  for (const clause of TEXT_CLAUSES) {
    const text = textOf(member(member(query, clause), "query"));
    if (text !== undefined) return text;
  }
  for (const [clause, keys] of WRAPPERS) {
    const wrapper = member(query, clause);
    for (const key of keys) {
      const inner = member(wrapper, key);
      for (const wrapped of Array.isArray(inner) ? inner : [inner]) {
        const text = queryTextOf(wrapped, depth + 1);
        if (text !== undefined) return text;
      }
    }
  }
  return undefined;
}
