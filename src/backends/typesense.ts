/**
 * Typesense: `GET /collections/<collection>/documents/search` and `POST /multi_search`, as several lists or merged into one (`union`).
 * Requests are read in `typesense-request.ts`, replies here.
 *
 * A reply names its page as the request did, by `page` or by `offset`, and repeats its size and the completed words: a page that is cut from
 * a wider reply gets its own of each.
 */
import { bypass, ok } from "../result.ts";
import type { Dialect, DialectOptions } from "./dialect.ts";
import { jsonError } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import { readIndexes } from "./indexes.ts";
import type { Edit } from "./json/edits.ts";
import { cutMember } from "./json/edits.ts";
import { partOf, readHits } from "./json/reply.ts";
import type { JsonText, Span } from "./json/scan.ts";
import { elements, isTrueAt, members, numberAt, readNumber, spanAt } from "./json/spans.ts";
import type { AskedPage, ReaderOf } from "./typesense-request.ts";
import { API_KEY, DEFAULT_ID_FIELD, MULTI_PATH, planSearch, planSearches, USER_ID } from "./typesense-request.ts";

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

function createTypesense(options: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexes = readIndexes(options, DEFAULT_ID_FIELD, (text, slot, itemId, values) =>
    ok({ itemId, score: scoreOf(text, slot), isPinned: isTrueAt(text, ["curated"], slot), values }),
  );
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
    plan(request, name) {
      return name === undefined ? planSearches(request, indexes, readerOf) : planSearch(name, request, indexes, readerOf);
    },
    describeError: (_status, _type, message) => jsonError({ message }),
  };
}

/** Without a page that could be read, the reply is not edited. */
const readerOf: ReaderOf = (index, page) => (text, from) => {
  // An error of one search, or of a union, comes in a reply whose own status is 200.
  const code = numberAt(text, ["code"], from);
  if (code !== undefined) return bypass("engine_status", `The engine answered a search with ${code}`);
  // Another engine may have a list of the same name.
  if (numberAt(text, ["found"], from) === undefined) return bypass("reply_not_search", "The reply has no found");
  const read = readHits(text, ["hits"], from, index.readHit);
  if (!read.ok) return read;
  if (!page.ok) return partOf(text, read.value);
  if (!isOfPage(text, from, page.value)) return bypass("reply_not_search", "The engine gave another page than it was asked for");
  return partOf(text, read.value, { edits: () => ownPage(text, from, read.value.slots, page.value) });
};

/** One kind for all hits of a list: fused ranks, else the text's score (beyond 2^53: the nearest double), else nearness. */
function scoreOf(text: JsonText, slot: Span): number | undefined {
  const score = numberAt(text, ["hybrid_search_info", "rank_fusion_score"], slot) ?? numberAt(text, ["text_match"], slot);
  if (score !== undefined) return score;
  const distance = numberAt(text, ["vector_distance"], slot);
  return distance === undefined ? undefined : -distance;
}

/** A scoped key of the client may set another page, from which the wanted one cannot be cut. */
function isOfPage(text: JsonText, from: Span, { offset, limit }: AskedPage): boolean {
  const count = numberAt(text, ["request_params", "per_page"], from);
  if (count === undefined) return true;
  const first = numberAt(text, ["offset"], from) ?? ((numberAt(text, ["page"], from) ?? 1) - 1) * count;
  return (first === offset && count === limit) || (first === 0 && count >= offset + limit);
}

/** The paging that a reply repeats, as for the page that was asked for. `slots`: hits of the whole reply. */
function ownPage(text: JsonText, from: Span, slots: readonly Span[], asked: AskedPage): Edit[] {
  const edits: Edit[] = [];
  const put = (at: Span, value: number): void => {
    if (readNumber(text, at) !== value) edits.push({ ...at, text: String(value) });
  };
  const union = spanAt(text, ["union_request_params"], from);
  const isMerged = union !== undefined;
  const named = members(text, from).find(({ key }) => key === "page");
  if (named !== undefined && asked.isOffset && !isMerged) edits.push({ ...named.span, text: `"offset":${asked.offset}` });
  // A union repeats the page of the URL, which may be none.
  else if (named !== undefined) put(named.value, isMerged ? asked.page : Math.max(asked.page, 1));

  const single = spanAt(text, ["request_params"], from);
  const echoes = isMerged ? elements(text, union) : single !== undefined ? [single] : [];
  const own = slots.slice(asked.offset, asked.offset + asked.limit);
  echoes.forEach((echo, i) => {
    const all = members(text, echo);
    const find = (name: string): number => all.findIndex(({ key }) => key === name);
    const size = all[find("per_page")];
    if (size !== undefined) put(size.value, asked.limit);
    // The words, as completed by the first hit: on the first page only, and in a union only with hits of that search.
    const firstAt = find("first_q");
    const first = all[firstAt];
    const words = all[find("q")];
    if (first === undefined) return;
    if (isMerged && own.every((slot) => numberAt(text, ["search_index"], slot) !== i)) edits.push(cutMember(all, firstAt));
    else if (asked.offset > 0 && words !== undefined)
      edits.push({ ...first.value, text: text.bytes.subarray(words.value.start, words.value.end) });
  });
  return edits;
}
