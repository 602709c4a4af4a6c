/** What replies of all JSON dialects have in common: lists of hits, each with an id that no other of its list has. Knows no engine. */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Hit, RequestPlan, RequestReply, SearchReply } from "./dialect.ts";
import type { Edit } from "./json-edits.ts";
import { appendMember, applyEdits } from "./json-edits.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import { elements, find, kindOf, readNumber } from "./json-spans.ts";

/** Where the hits of one search stand. */
export interface HitList {
  readonly array: Span;
  /** Parallel to `hits`. */
  readonly slots: readonly Span[];
  readonly hits: readonly Hit[];
}

/** One search's part of a reply. */
export interface ReplyPart extends SearchReply {
  /** What changes where exactly these hits are shown, in this order. */
  edits(places: readonly number[]): readonly Edit[];
}

/** A text says why there is no hit to be read; `undefined` that the element is none and stays where it is. */
export type HitReader = (text: JsonText, slot: Span) => Hit | string | undefined;

/** Reasons: reply_not_json. */
export function scanReply(bytes: Uint8Array): Result<JsonText, Bypass> {
  const scanned = scanJson(bytes);
  if (scanned.ok) return scanned;
  return bypass("reply_not_json", `${scanned.error.message} at byte ${scanned.error.offset} of ${bytes.length}`);
}

/** `path`: member names from `from` to the array, none where it is that itself. Reasons: reply_not_search, duplicate_ids. */
export function readHits(text: JsonText, from: Span, path: readonly string[], hitOf: HitReader): Result<HitList, Bypass> {
  const name = path.join(".") || "The reply";
  const array = spanAt(text, path, from);
  if (typeof array === "string") return bypass("reply_not_search", array);
  if (array === undefined) return bypass("reply_not_search", `The reply has no ${name}`);
  if (kindOf(text, array) !== "array") return bypass("reply_not_search", `${name} is of kind ${kindOf(text, array)}`);

  const slots: Span[] = [];
  const hits: Hit[] = [];
  const seen = new Set<string>();
  for (const [place, slot] of elements(text, array).entries()) {
    const hit = hitOf(text, slot);
    if (hit === undefined) continue;
    if (typeof hit === "string") return bypass("reply_not_search", `${name}[${place}]: ${hit}`);
    if (seen.has(hit.itemId)) return bypass("duplicate_ids", `${name}[${place}] repeats the id of another hit`);
    seen.add(hit.itemId);
    slots.push(slot);
    hits.push(hit);
  }
  return ok({ array, slots, hits });
}

/** `parts` are parallel to the plan's searches. */
export function replyOf(text: JsonText, parts: readonly Result<ReplyPart, Bypass>[]): RequestReply {
  return {
    searches: parts,
    assemble: (places) =>
      applyEdits(
        text.bytes,
        parts.flatMap((part, i) => {
          const shown = places[i];
          return part.ok && shown !== undefined ? part.value.edits(shown) : [];
        }),
      ),
  };
}

/** A reply that is one search's: what is wrong with that, is wrong with the reply. */
export function replyOfOne(text: JsonText, part: Result<ReplyPart, Bypass>): Result<RequestReply, Bypass> {
  return part.ok ? ok(replyOf(text, [part])) : part;
}

/**
 * A reply that lists one result per search. `path`: member names from the root to that list. Reasons: reply_not_search, where there is no
 * such list or it has another length.
 */
function replyOfSeveral(
  text: JsonText,
  path: readonly string[],
  count: number,
  partOf: (result: Span, i: number) => Result<ReplyPart, Bypass>,
): Result<RequestReply, Bypass> {
  const name = path.join(".");
  const list = spanAt(text, path);
  if (typeof list === "string") return bypass("reply_not_search", list);
  if (list === undefined || kindOf(text, list) !== "array") return bypass("reply_not_search", `The reply has no list ${name}`);
  const results = elements(text, list);
  if (results.length !== count) return bypass("reply_not_search", `${name} holds ${results.length} results for ${count} searches`);
  return ok(replyOf(text, results.map(partOf)));
}

/** A reply to a plan: one search's, or one result per search in the list at `path`. Reasons: those of replyOfSeveral(). */
export function replyTo(
  text: JsonText,
  plan: RequestPlan,
  path: readonly string[],
  partOf: (result: Span, i: number) => Result<ReplyPart, Bypass>,
): Result<RequestReply, Bypass> {
  return plan.isMulti ? replyOfSeveral(text, path, plan.searches.length, partOf) : replyOfOne(text, partOf(text.root, 0));
}

/** The value at a path of member names; `undefined` where there is none, a text where a name stands twice. */
export function spanAt(text: JsonText, path: readonly string[], from: Span = text.root): Span | string | undefined {
  let at: Span | undefined = from;
  for (const key of path) {
    const found: Result<Span | undefined, { readonly message: string }> = find(text, at, key);
    if (!found.ok) return found.error.message;
    if (found.value === undefined) return undefined;
    at = found.value;
  }
  return at;
}

/** The number at a path of member names; `undefined` where there is none. */
export function numberAt(text: JsonText, from: Span, path: readonly string[]): number | undefined {
  const at = spanAt(text, path, from);
  return typeof at === "object" ? readNumber(text, at) : undefined;
}

/** Adds one last member to the object at the root; the same bytes where that cannot be done. */
export function annotateReply(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer> {
  const text = scanJson(bytes);
  if (!text.ok || kindOf(text.value, text.value.root) !== "object") return bytes;
  return appendMember(text.value, key, JSON.stringify(value));
}
