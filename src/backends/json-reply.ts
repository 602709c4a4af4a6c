/** What replies of all JSON dialects have in common: one list of hits somewhere, each with an id that no other has. Knows no engine. */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Hit } from "./backend.ts";
import { appendMember } from "./json-edits.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import { elements, find, kindOf } from "./json-spans.ts";

export interface HitList {
  readonly text: JsonText;
  readonly array: Span;
  /** The array's elements; parallel to `hits`. */
  readonly slots: readonly Span[];
  readonly hits: readonly Hit[];
}

/** A text says why there is no hit to be read. */
export type HitReader = (text: JsonText, slot: Span) => Hit | string;

/** `path`: member names from the root to the array. Reasons: reply_not_json, reply_not_search, duplicate_ids. */
export function readHits(bytes: Uint8Array, path: readonly string[], hitOf: HitReader): Result<HitList, Bypass> {
  const scanned = scanJson(bytes);
  if (!scanned.ok) return bypass("reply_not_json", `${scanned.error.message} at byte ${scanned.error.offset} of ${bytes.length}`);
  const text = scanned.value;
  const name = path.join(".");
  const array = spanAt(text, path);
  if (typeof array === "string") return bypass("reply_not_search", array);
  if (array === undefined) return bypass("reply_not_search", `The reply has no ${name}`);
  if (kindOf(text, array) !== "array") return bypass("reply_not_search", `${name} is of kind ${kindOf(text, array)}`);

  const slots = elements(text, array);
  const hits: Hit[] = [];
  const seen = new Set<string>();
  for (const [place, slot] of slots.entries()) {
    const hit = hitOf(text, slot);
    if (typeof hit === "string") return bypass("reply_not_search", `${name}[${place}]: ${hit}`);
    if (seen.has(hit.itemId)) return bypass("duplicate_ids", `${name}[${place}] repeats the id of another hit`);
    seen.add(hit.itemId);
    hits.push(hit);
  }
  return ok({ text, array, slots, hits });
}

/** The value at a path of member names; `undefined` where there is none, a text where a name stands twice. */
export function spanAt(text: JsonText, path: readonly string[]): Span | string | undefined {
  let at: Span | undefined = text.root;
  for (const key of path) {
    const found: Result<Span | undefined, { readonly message: string }> = find(text, at, key);
    if (!found.ok) return found.error.message;
    if (found.value === undefined) return undefined;
    at = found.value;
  }
  return at;
}

/** Adds one last member to the object at the root; the same bytes where that cannot be done. */
export function annotateReply(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer> {
  const text = scanJson(bytes);
  if (!text.ok || kindOf(text.value, text.value.root) !== "object") return bytes;
  return appendMember(text.value, key, JSON.stringify(value));
}
