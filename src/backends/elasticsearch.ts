/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`. Requests are read in `elasticsearch-request.ts`, replies here.
 *
 * `_msearch`, scroll follow-ups and every other endpoint are no searches of ours and have no route.
 */
import type { Bypass, Result } from "../result.ts";
import { ok } from "../result.ts";
import type { Backend, BackendOptions, EngineErrorBody, Hit, SearchReply } from "./backend.ts";
import { planSearch } from "./elasticsearch-request.ts";
import { readId } from "./item-id.ts";
import { fillArray } from "./json-edits.ts";
import { annotateReply, readHits } from "./json-reply.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { find, readNumber } from "./json-spans.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

const ROUTE = { path: "/:index/_search", methods: ["GET", "POST"] } as const;

export function createElasticsearch({ idField = "_id" }: BackendOptions = {}): Backend {
  const parse = (bytes: Uint8Array) => parseReply(bytes, idField);
  const indexNotFound = "index_not_found_exception";
  return {
    name: "elasticsearch",
    routes: [ROUTE],
    indexNotFound,
    refuse: () => undefined,
    plan: planSearch,
    parseReply: parse,
    annotate: annotateReply,
    describeError,
  };
}

function parseReply(bytes: Uint8Array, idField: string): Result<SearchReply, Bypass> {
  const read = readHits(bytes, ["hits", "hits"], (text, slot) => hitOf(text, slot, idField));
  if (!read.ok) return read;
  const { text, array, slots, hits } = read.value;
  return ok({ hits, assemble: (places) => fillArray(text, array, slots, places) });
}

function hitOf(text: JsonText, slot: Span, idField: string): Hit | string {
  const itemId = readId(text, slot, idField);
  const score = find(text, slot, "_score");
  if (!score.ok) return score.error.message;
  if (itemId === undefined) return `no readable ${idField}`;
  const value = score.value === undefined ? undefined : readNumber(text, score.value);
  const isPinned = value !== undefined && value >= PINNED_SCORE;
  return { itemId, score: isPinned ? undefined : value, isPinned };
}

function describeError(status: number, type: string, message: string): EngineErrorBody {
  const cause = { type, reason: message };
  return { contentType: "application/json", body: JSON.stringify({ error: { root_cause: [cause], ...cause }, status }) };
}
