/**
 * Elasticsearch and OpenSearch: `POST|GET /<index>/_search`. Requests are read in `elasticsearch-request.ts`, replies here.
 *
 * `_msearch`, scroll follow-ups and every other endpoint are no searches of ours and have no route.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Backend, BackendOptions, EngineErrorBody, Hit, SearchReply } from "./backend.ts";
import { planSearch } from "./elasticsearch-request.ts";
import { readId } from "./item-id.ts";
import { appendMember, fillArray } from "./json-edits.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import { elements, find, kindOf, readNumber } from "./json-spans.ts";

/** The `pinned` query gives its documents scores above the largest one that an organic hit can have (2^127). */
const PINNED_SCORE = 2 ** 127;

const ROUTE = { path: "/:index/_search", methods: ["GET", "POST"] } as const;

export function createElasticsearch({ idField = "_id" }: BackendOptions = {}): Backend {
  const parse = (bytes: Uint8Array) => parseReply(bytes, idField);
  const indexNotFound = "index_not_found_exception";
  return { name: "elasticsearch", routes: [ROUTE], indexNotFound, plan: planSearch, parseReply: parse, annotate, describeError };
}

function parseReply(bytes: Uint8Array, idField: string): Result<SearchReply, Bypass> {
  const scanned = scanJson(bytes);
  if (!scanned.ok) return bypass("reply_not_json", `${scanned.error.message} at byte ${scanned.error.offset} of ${bytes.length}`);
  const text = scanned.value;
  const array = hitsArrayOf(text);
  if (!array.ok) return array;

  const slots = elements(text, array.value);
  const hits: Hit[] = [];
  const seen = new Set<string>();
  for (const [place, slot] of slots.entries()) {
    const hit = hitOf(text, slot, place, idField);
    if (!hit.ok) return hit;
    if (seen.has(hit.value.itemId)) return bypass("duplicate_ids", `hits.hits[${place}] repeats an ${idField}`);
    seen.add(hit.value.itemId);
    hits.push(hit.value);
  }
  return ok({ hits, assemble: (places) => fillArray(text, array.value, slots, places) });
}

function hitsArrayOf(text: JsonText): Result<Span, Bypass> {
  let at: Span | undefined = text.root;
  for (const key of ["hits", "hits"]) {
    const found = find(text, at, key);
    if (!found.ok) return bypass("reply_not_search", found.error.message);
    if (found.value === undefined) return bypass("reply_not_search", "The reply has no hits.hits");
    at = found.value;
  }
  return kindOf(text, at) === "array" ? ok(at) : bypass("reply_not_search", `hits.hits is of kind ${kindOf(text, at)}`);
}

function hitOf(text: JsonText, slot: Span, place: number, idField: string): Result<Hit, Bypass> {
  const itemId = readId(text, slot, idField);
  const score = find(text, slot, "_score");
  if (!score.ok) return bypass("reply_not_search", `hits.hits[${place}]: ${score.error.message}`);
  if (itemId === undefined) return bypass("reply_not_search", `hits.hits[${place}] has no readable ${idField}`);
  const value = score.value === undefined ? undefined : readNumber(text, score.value);
  const isPinned = value !== undefined && value >= PINNED_SCORE;
  return ok({ itemId, score: isPinned ? undefined : value, isPinned });
}

function annotate(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer> {
  const text = scanJson(bytes);
  if (!text.ok || kindOf(text.value, text.value.root) !== "object") return bytes;
  return appendMember(text.value, key, JSON.stringify(value));
}

function describeError(status: number, type: string, message: string): EngineErrorBody {
  const cause = { type, reason: message };
  return { contentType: "application/json", body: JSON.stringify({ error: { root_cause: [cause], ...cause }, status }) };
}
