/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`, `/_msearch` and `/<index>/_msearch`; with a client's own key also the further
 * pages of its scrolls and points in time. No other endpoint has a route.
 *
 * Parameters of the URL win over the body, as in the engine. With the edge's key, a request that is not understood is refused
 * (elasticsearch/allowed.ts). With the client's own it is left to the engine, whose error is the best answer.
 */
import type { ItemValues } from "../ranking/item-values.ts";
import { err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, type Hit, jsonError, type Refusal, type RequestPlan } from "./dialect.ts";
import { sideCalls } from "./calls.ts";
import { strangeInParams, strangeType } from "./elasticsearch/allowed.ts";
import { elasticsearchCalls } from "./elasticsearch/calls.ts";
import { SEARCH_PARAMS } from "./elasticsearch/members.ts";
import { planSearches } from "./elasticsearch/multi.ts";
import { paramsOfSearch } from "./elasticsearch/reading.ts";
import { readSearch, type SearchedIndex } from "./elasticsearch/search.ts";
import {
  defineDialect,
  findIndex,
  hitReader,
  type IndexDefinition,
  type IndexOptions,
  isWithOwnKey,
  ownIndexes,
  readIndexes,
} from "./dialects.ts";
import { searchOf } from "./json/edits.ts";
import { leave, leftToEngine, ownRequest, planOne } from "./json/plan.ts";
import { bodyOf, type Param, paramOf, unreadable } from "./json/request.ts";
import { find, type JsonText, readNumber, type Span } from "./json/spans.ts";
import { member } from "./json/values.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

const UNKNOWN_INDEX = "index_not_found_exception";
const METHODS = ["GET", "POST"] as const;
const MULTI_PATH = "/_msearch";
const SCROLL_PATH = "/_search/scroll";
const POINT_PATH = "/_search";

/** With a client's own key: a second key, and the user for whom it searches, whose rights decide what is found. */
const IMPERSONATION = ["es-secondary-authorization", "es-security-runas-user", "opendistro_security_impersonate_as"];

export const ELASTICSEARCH = defineDialect({
  names: ["elasticsearch", "opensearch"],
  create(options) {
    const indexes = readIndexes(options, "_id", completeHit);
    /** Worked out once: nothing of it changes. */
    const searched = new Map<string, SearchedIndex>(
      [...indexes.values()].map((index) => {
        const readBy = (idField: string) => hitReader({ ...index.options, idField }, completeHit);
        return [index.name, { index, own: isWithOwnKey(index) ? ownIndexes(indexes, index) : undefined, readBy }];
      }),
    );
    const findSearched = (name: string): Result<SearchedIndex, Refusal> => findIndex(searched, name, UNKNOWN_INDEX);
    return {
      name: "elasticsearch",
      routes: [
        { path: "/:index/_search", methods: METHODS },
        { path: MULTI_PATH, methods: METHODS },
        { path: "/:index/_msearch", methods: METHODS },
        { path: SCROLL_PATH, methods: METHODS },
        { path: POINT_PATH, methods: METHODS },
      ],
      calls: sideCalls(
        { indexes: options, notFound: UNKNOWN_INDEX },
        elasticsearchCalls((name) => searched.get(name)?.own ?? new Set()),
      ),
      // No origin: where CORS is on, the engine refuses those that its settings do not name.
      credentials: { ...AUTHORIZATION, clientHeaders: ["authorization", "referer", ...IMPERSONATION] },
      clientHeaders: ["x-opaque-id"],
      plan(given, name) {
        if (name === undefined && !given.path.endsWith(MULTI_PATH)) return planFurtherPage(given, searched);
        const { request, params } = withSource(given);
        if (request.path.endsWith(MULTI_PATH)) {
          const path = name === undefined ? MULTI_PATH : `/${encodeURIComponent(name)}${MULTI_PATH}`;
          if (name !== undefined) {
            const index = findSearched(name);
            if (!index.ok) return index;
          }
          return planSearches(request, { path, pathIndex: name, params, find: findSearched });
        }
        const index = findSearched(name ?? "");
        return index.ok ? planSearch(index.value, request, params) : index;
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

function completeHit(text: JsonText, slot: Span, itemId: string, values: ItemValues | undefined): Result<Hit, string> {
  const found = find(text, slot, "_score");
  if (!found.ok) return err(found.error.message);
  const score = found.value === undefined ? undefined : readNumber(text, found.value);
  const isPinned = score !== undefined && score >= PINNED_SCORE;
  return ok({ itemId, score: isPinned ? undefined : score, isPinned, values });
}

/** The parameters, and the request with the body that is written in its URL, for clients that cannot send one with GET. */
function withSource(request: ClientRequest): { readonly request: ClientRequest; readonly params: readonly Param[] } {
  const params = paramsOfSearch(request.search);
  const last = params.toReversed();
  const source = request.body.length > 0 ? undefined : paramOf(last, "source");
  const contentType = paramOf(last, "source_content_type");
  if (source === undefined || source === "" || contentType === undefined) return { request, params };
  const body = new TextEncoder().encode(source);
  return {
    request: { ...request, body, contentType },
    params: params.filter(({ key }) => key !== "source" && key !== "source_content_type"),
  };
}

/** `POST|GET /<index>/_search` */
function planSearch(index: SearchedIndex, request: ClientRequest, params: readonly Param[]): Result<RequestPlan, Refusal> {
  const { name } = index.index;
  const strange = index.own !== undefined ? (strangeInParams(params, SEARCH_PARAMS) ?? strangeType(request)) : undefined;
  if (strange !== undefined) return unreadable(strange);
  const { search, body: bytes, accept, contentType } = request;
  const read = readSearch(index, { params, search, bytes, accept, isPart: false });
  if (!read.ok) return unreadable(read.error);
  const asked = read.value;
  const write = (size: number | undefined): EngineRequest => {
    const { params: written, body } = asked.write(size);
    // fetch cannot send a body with GET.
    const method = body === undefined ? request.method : "POST";
    return { method, path: `/${encodeURIComponent(name)}/_search`, search: searchOf(written), body, contentType };
  };
  return ok(planOne(asked.plan, write(undefined), asked.readPart, write));
}

/**
 * The next page of a scroll, and a search in a point in time: which index they are for, only the engine knows. So they pass with the client's
 * own key, where all indexes that take it are on one engine.
 */
function planFurtherPage(request: ClientRequest, searched: ReadonlyMap<string, SearchedIndex>): Result<RequestPlan, Refusal> {
  const open = [...searched.values()].filter(({ own }) => own === undefined);
  const [first] = open;
  const isOnOne = open.every(({ index }) => index.options.url === first?.index.options.url);
  const isScroll = request.path.endsWith(SCROLL_PATH);
  if (first === undefined || !isOnOne || !(isScroll || isInPoint(request))) {
    const message =
      "Without an index in its path a search passes as a scroll or in a point in time, with the client's own key: ask /<index>/_search";
    return err({ status: 400, type: "illegal_argument_exception", message });
  }
  const plan = { ...leftToEngine(first.index.name, ""), bypass: leave("cursor", isScroll ? "scroll" : "pit") };
  const own = ownRequest({ ...request, method: request.body.length > 0 ? "POST" : request.method }, isScroll ? SCROLL_PATH : POINT_PATH);
  return ok(planOne(plan, own, () => ok({ hits: [], bypass: undefined, edits: () => [] })));
}

function isInPoint({ body }: ClientRequest): boolean {
  const read = bodyOf(body);
  return read.ok && member(read.value?.values, "pit") !== undefined;
}
