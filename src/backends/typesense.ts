/**
 * Typesense: `GET /collections/<collection>/documents/search` and `POST /multi_search`, as several lists or merged into one (`union`).
 * Requests are read in `typesense-request.ts`, replies here.
 *
 * A reply names its page as the request did, by `page` or by `offset`, and repeats its size and the words as it completed them: a page that
 * was cut from a wider reply gets its own of each.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Dialect, DialectOptions, EngineError, Hit, RequestPlan, RequestReply } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { cutMember, refill } from "./json-edits.ts";
import type { ReplyPart } from "./json-reply.ts";
import { annotateReply, numberAt, readHits, replyTo, scanReply, spanAt } from "./json-reply.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { elements, members, readNumber } from "./json-spans.ts";
import type { AskedPage } from "./typesense-request.ts";
import { API_KEY, DEFAULT_ID_FIELD, MULTI_PATH, pagesOf, planSearch, planSearches, USER_ID } from "./typesense-request.ts";

export const TYPESENSE = defineDialect({ names: ["typesense"], create: createTypesense, limits: { maxWindow: 250 } });

/**
 * A collection in Typesense.
 *
 * @example
 * const products = typesense({ url: "https://search.example.com:8108", window: 100, authorization: env.TYPESENSE_KEY });
 */
export function typesense(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: TYPESENSE, backend: "typesense" };
}

export function createTypesense(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const readers = new Map([...indexes].map(([name, options]) => [name, hitItemReader(options, DEFAULT_ID_FIELD)]));
  return {
    name: "typesense",
    routes: [
      { path: "/collections/:index/documents/search", methods: ["GET"] },
      { path: MULTI_PATH, methods: ["POST"] },
    ],
    probes: [{ path: "/health", method: "GET" }],
    // A key inside a search of a body is that search's own: it stays there, and the search is left to the engine.
    credentials: { header: API_KEY, clientHeaders: [API_KEY], clientParams: [API_KEY] },
    clientHeaders: [USER_ID],
    plan: (request, name) => (name === undefined ? planSearches(request, indexes) : planSearch(name, request, indexes)),
    parseReply: (bytes, plan) => parseReply(bytes, plan, readers),
    annotate: annotateReply,
    describeError,
  };
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, readers: ReadonlyMap<string, HitItemReader>): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const pages = pagesOf(plan.own);
  const partOf = (from: Span, i: number): Result<ReplyPart, Bypass> => {
    const page = pages[i];
    return partAt(text, from, typeof page === "object" ? page : undefined, readers.get(plan.searches[i]!.index)!);
  };
  return replyTo(text, plan, ["results"], partOf);
}

function partAt(text: JsonText, from: Span, page: AskedPage | undefined, readItem: HitItemReader): Result<ReplyPart, Bypass> {
  // An error of one search, or of a union, stands in a reply whose own status is 200.
  const code = numberAt(text, from, ["code"]);
  if (code !== undefined) return bypass("engine_status", `The engine answered a search with ${code}`);
  // Another engine may have a list of the same name.
  if (numberAt(text, from, ["found"]) === undefined) return bypass("reply_not_search", "The reply has no found");
  const read = readHits(text, from, ["hits"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  if (page === undefined) return ok({ hits, bypass: undefined, edits: (places) => refill(text, array, slots, places) });
  if (!isOfPage(text, from, page)) return bypass("reply_not_search", "The engine gave another page than it was asked for");
  return ok({ hits, bypass: undefined, edits: (places) => [...refill(text, array, slots, places), ...ownPage(text, from, slots, page)] });
}

function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  if (typeof item === "string") return item;
  const curated = spanAt(text, ["curated"], slot);
  const isPinned = typeof curated === "object" && text.bytes[curated.start] === 0x74; // true
  return { ...item, score: scoreOf(text, slot), isPinned };
}

/** The same kind for all hits of a list: fused ranks, else what the text is worth (beyond 2^53: the nearest double), else nearness. */
function scoreOf(text: JsonText, slot: Span): number | undefined {
  const score = numberAt(text, slot, ["hybrid_search_info", "rank_fusion_score"]) ?? numberAt(text, slot, ["text_match"]);
  if (score !== undefined) return score;
  const distance = numberAt(text, slot, ["vector_distance"]);
  return distance === undefined ? undefined : -distance;
}

/** A scoped key of the client wins over the request: with a page of its own, no other can be cut from this reply. */
function isOfPage(text: JsonText, from: Span, { offset, limit }: AskedPage): boolean {
  const count = numberAt(text, from, ["request_params", "per_page"]);
  if (count === undefined) return true;
  const first = numberAt(text, from, ["offset"]) ?? ((numberAt(text, from, ["page"]) ?? 1) - 1) * count;
  return (first === offset && count === limit) || (first === 0 && count >= offset + limit);
}

/** What a reply repeats of the page, as for the page that was asked for. `slots`: hits of the whole reply. */
function ownPage(text: JsonText, from: Span, slots: readonly Span[], asked: AskedPage): Edit[] {
  const edits: Edit[] = [];
  const put = (at: Span, value: number): void => {
    if (readNumber(text, at) !== value) edits.push({ ...at, text: String(value) });
  };
  const union = spanAt(text, ["union_request_params"], from);
  const isMerged = typeof union === "object";
  const named = members(text, from).find(({ key }) => key === "page");
  if (named !== undefined && asked.isOffset && !isMerged) edits.push({ ...named.span, text: `"offset":${asked.offset}` });
  // A union repeats what the URL says, which may be nothing.
  else if (named !== undefined) put(named.value, isMerged ? asked.page : Math.max(asked.page, 1));

  const single = spanAt(text, ["request_params"], from);
  const echoes = isMerged ? elements(text, union) : typeof single === "object" ? [single] : [];
  const own = slots.slice(asked.offset, asked.offset + asked.limit);
  echoes.forEach((echo, i) => {
    const all = members(text, echo);
    const find = (name: string): number => all.findIndex(({ key }) => key === name);
    const size = all[find("per_page")];
    if (size !== undefined) put(size.value, asked.limit);
    // The words, as completed by the first hit: on the first page only, and in a union only with hits of that search.
    const place = find("first_q");
    const first = all[place];
    const words = all[find("q")];
    if (first === undefined) return;
    if (isMerged && own.every((slot) => numberAt(text, slot, ["search_index"]) !== i)) edits.push(cutMember(all, place));
    else if (asked.offset > 0 && words !== undefined)
      edits.push({ ...first.value, text: text.bytes.subarray(words.value.start, words.value.end) });
  });
  return edits;
}

function describeError(_status: number, _type: string, message: string): EngineError {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ message }) };
}
