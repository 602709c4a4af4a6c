/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`, `/_msearch` and `/<index>/_msearch`. Requests are read in
 * `elasticsearch-request.ts`, replies here.
 *
 * Scroll follow-ups and every other endpoint are no searches of ours and have no route.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { Dialect, DialectOptions, EngineError, Hit, Refusal, RequestPlan, RequestReply } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import { planSearch, planSearches } from "./elasticsearch-request.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import { refill } from "./json-edits.ts";
import type { ReplyPart } from "./json-reply.ts";
import { annotateReply, numberAt, readHits, replyTo, scanReply } from "./json-reply.ts";
import { unknownIndex } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { find, readNumber } from "./json-spans.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

const METHODS = ["GET", "POST"] as const;
const MULTI_PATH = "/_msearch";
const INDEX_NOT_FOUND = "index_not_found_exception";
const DEFAULT_ID_FIELD = "_id";

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

export function createElasticsearch(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexOf = (name: string): string | Refusal => (indexes.has(name) ? name : unknownIndex(name, indexes, INDEX_NOT_FOUND));
  const readers = new Map([...indexes].map(([name, options]) => [name, hitItemReader(options, DEFAULT_ID_FIELD)]));
  return {
    name: "elasticsearch",
    routes: [
      { path: "/:index/_search", methods: METHODS },
      { path: MULTI_PATH, methods: METHODS },
      { path: "/:index/_msearch", methods: METHODS },
    ],
    // What `client.ping()` asks. The reply to a GET would tell everybody the engine's version.
    probes: [{ path: "/", method: "HEAD" }],
    credentials: { header: "authorization", clientHeaders: ["authorization"], clientParams: [] },
    clientHeaders: [],
    plan(request, name) {
      const index = name === undefined ? undefined : indexOf(name);
      if (typeof index === "object") return err(index);
      if (index !== undefined && !request.path.endsWith(MULTI_PATH)) return ok(planSearch(index, request));
      const path = index === undefined ? MULTI_PATH : `/${encodeURIComponent(index)}${MULTI_PATH}`;
      return planSearches(path, request, index, indexOf);
    },
    parseReply: (bytes, plan) => parseReply(bytes, plan, readers),
    annotate: annotateReply,
    describeError,
  };
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, readers: ReadonlyMap<string, HitItemReader>): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const partOf = (from: Span, i: number): Result<ReplyPart, Bypass> => {
    const code = numberAt(text, from, ["status"]);
    if (plan.isMulti && code !== undefined && code >= 300) return bypass("engine_status", `Search ${i + 1} of the request: ${code}`);
    return partAt(text, from, readers.get(plan.searches[i]!.index)!);
  };
  return replyTo(text, plan, ["responses"], partOf);
}

function partAt(text: JsonText, from: Span, readItem: HitItemReader): Result<ReplyPart, Bypass> {
  const read = readHits(text, from, ["hits", "hits"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  return ok({ hits, bypass: undefined, edits: (places) => refill(text, array, slots, places) });
}

function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  const score = find(text, slot, "_score");
  if (!score.ok) return score.error.message;
  if (typeof item === "string") return item;
  const value = score.value === undefined ? undefined : readNumber(text, score.value);
  const isPinned = value !== undefined && value >= PINNED_SCORE;
  return { ...item, score: isPinned ? undefined : value, isPinned };
}

function describeError(status: number, type: string, message: string): EngineError {
  const cause = { type, reason: message };
  // Without its header the client of Elasticsearch would complain of an unknown product, whatever else went wrong.
  const headers = { "content-type": "application/json", "x-elastic-product": "Elasticsearch" };
  return { headers, body: JSON.stringify({ error: { root_cause: [cause], ...cause }, status }) };
}
