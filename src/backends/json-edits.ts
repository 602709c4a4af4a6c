/**
 * Changes to a JSON text by byte spans: cut, replace, insert, and re-fill an array with its own elements in another order.
 *
 * Every byte outside an edit is copied as it is. Nothing here checks that the outcome is JSON: the callers' edits keep it so.
 */
import type { JsonText, Span } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { elements, members, nextAt } from "./json-spans.ts";

/** Replaces `start`..`end` by `text` (bytes: in UTF-8); an empty span inserts, an empty text cuts. */
export interface Edit extends Span {
  readonly text: string | Uint8Array;
}

/** Applies edits, which must not overlap; every other byte is copied. */
export function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(bytes.subarray(at, edit.start), typeof edit.text === "string" ? encoder.encode(edit.text) : edit.text);
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return joinBytes(parts);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The edit that takes the member at `place` out of its object, with the comma that it no longer needs. */
export function cutMember(siblings: readonly Member[], place: number): Edit {
  const own = siblings[place]!.span;
  const before = siblings[place - 1]?.span;
  const after = siblings[place + 1]?.span;
  if (before !== undefined) return { start: before.end, end: own.end, text: "" };
  return { start: own.start, end: after?.start ?? own.end, text: "" };
}

/**
 * The edits that leave exactly these elements of an array, in this order: `picks` are places in `slots`, which are all elements, or some of
 * them where the others are to stay. Separators keep their places, so the engine's own order is no edit at all.
 */
export function refill(text: JsonText, array: Span, slots: readonly Span[], picks: readonly number[]): Edit[] {
  const { bytes } = text;
  const edits: Edit[] = [];
  picks.forEach((pick, place) => {
    const from = slots[pick]!;
    if (pick !== place) edits.push({ ...slots[place]!, text: bytes.subarray(from.start, from.end) });
  });
  const surplus = slots.slice(picks.length);
  if (surplus.length === 0) return edits;
  const last = slots[picks.length - 1];
  if (last !== undefined && isRun(text, slots, picks.length - 1)) {
    edits.push({ start: last.end, end: surplus.at(-1)!.end, text: "" });
    return edits;
  }
  const all = elements(text, array);
  if (surplus.length === all.length) return [{ start: array.start + 1, end: array.end - 1, text: "" }];
  const isSurplus = new Set(surplus.map((slot) => slot.start));
  let kept: Span | undefined;
  all.forEach((one, place) => {
    if (!isSurplus.has(one.start)) kept = one;
    // The comma that goes with it is the one before, as long as there is something before it.
    else if (kept === undefined) edits.push({ start: one.start, end: all[place + 1]?.start ?? one.end, text: "" });
    else edits.push({ start: all[place - 1]!.end, end: one.end, text: "" });
  });
  return edits;
}

/** Whether nothing stands between the slots from `first` on but their separators: then a page is cut off in one piece. */
function isRun({ bytes }: JsonText, slots: readonly Span[], first: number): boolean {
  for (let i = first + 1; i < slots.length; i++) {
    if (nextAt(bytes, slots[i - 1]!.end) !== slots[i]!.start) return false;
  }
  return true;
}

/** Adds one last member to the object at the root. */
export function appendMember(text: JsonText, key: string, json: string): Uint8Array<ArrayBuffer> {
  const at = text.root.end - 1;
  const comma = members(text, text.root).length > 0 ? "," : "";
  return applyEdits(text.bytes, [{ start: at, end: at, text: `${comma}${JSON.stringify(key)}:${json}` }]);
}
