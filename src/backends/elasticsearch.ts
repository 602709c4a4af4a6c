/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`, `/_msearch` and `/<index>/_msearch`. Requests are read in
 * `elasticsearch-request.ts`, replies here.
 *
 * Scroll follow-ups and every other endpoint are no searches of ours and have no route.
 */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Dialect, DialectOptions, Hit, Refusal } from "./dialect.ts";
import { AUTHORIZATION, jsonError } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import { planSearch, planSearches } from "./elasticsearch-request.ts";
import type { CompleteHit, Index } from "./indexes.ts";
import { findIndex, readIndexes } from "./indexes.ts";
import { find, readNumber } from "./json/spans.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

const METHODS = ["GET", "POST"] as const;
const MULTI_PATH = "/_msearch";

export const ELASTICSEARCH = defineDialect({ names: ["elasticsearch", "opensearch"], create: createElasticsearch });

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

function createElasticsearch(options: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexes = readIndexes(options, "_id", completeHit);
  const indexOf = (name: string): Result<Index, Refusal> => findIndex(indexes, name, "index_not_found_exception");
  return {
    name: "elasticsearch",
    routes: [
      { path: "/:index/_search", methods: METHODS },
      { path: MULTI_PATH, methods: METHODS },
      { path: "/:index/_msearch", methods: METHODS },
    ],
    // The request of `client.ping()`. The reply to a GET would tell everybody the engine's version.
    probes: [{ path: "/", method: "HEAD" }],
    credentials: AUTHORIZATION,
    clientHeaders: [],
    plan(request, name) {
      if (name === undefined) return planSearches(MULTI_PATH, request, undefined, indexOf);
      const index = indexOf(name);
      if (!index.ok) return index;
      if (!request.path.endsWith(MULTI_PATH)) return ok(planSearch(index.value, request));
      return planSearches(`/${encodeURIComponent(name)}${MULTI_PATH}`, request, name, indexOf);
    },
    describeError(status, type, message) {
      const cause = { type, reason: message };
      // Without its header the client of Elasticsearch would complain of an unknown product, whatever else went wrong.
      return jsonError({ error: { root_cause: [cause], ...cause }, status }, { "x-elastic-product": "Elasticsearch" });
    },
  };
}

const completeHit: CompleteHit = (text, slot, itemId, values): Result<Hit, string> => {
  const found = find(text, slot, "_score");
  if (!found.ok) return err(found.error.message);
  const score = found.value === undefined ? undefined : readNumber(text, found.value);
  const isPinned = score !== undefined && score >= PINNED_SCORE;
  return ok({ itemId, score: isPinned ? undefined : score, isPinned, values });
};
