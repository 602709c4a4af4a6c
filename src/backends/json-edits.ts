/**
 * Changes to a JSON text by byte spans: cut, replace, insert, and re-fill an array with its own elements in another order.
 *
 * Every byte outside an edit is copied as it is. Nothing here checks that the outcome is JSON: the callers' edits keep it so.
 */
import type { JsonText, Span } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { members } from "./json-spans.ts";

/** Replaces `start`..`end` by `text`; an empty span inserts, an empty text cuts. */
export interface Edit extends Span {
  readonly text: string;
}

/** Applies edits, which must not overlap; every other byte is copied. */
export function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(bytes.subarray(at, edit.start), encoder.encode(edit.text));
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
 * An object at the root with its hits array re-filled: `picks` are places in `slots` (the array's elements). Separators keep their
 * places, so the same picks in the same order give the same bytes. `others` are edits outside the array.
 */
export function fillArray(
  text: JsonText,
  array: Span,
  slots: readonly Span[],
  picks: readonly number[],
  others: readonly Edit[] = [],
): Uint8Array<ArrayBuffer> {
  const { bytes } = text;
  const before = (end: number): Uint8Array => {
    const edits = others.filter((edit) => edit.end <= array.start);
    return edits.length === 0 ? bytes.subarray(0, end) : applyEdits(bytes.subarray(0, end), edits);
  };
  const after = (start: number): Uint8Array => {
    const edits = others.filter((edit) => edit.start >= array.end);
    const moved = edits.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
    return moved.length === 0 ? bytes.subarray(start) : applyEdits(bytes.subarray(start), moved);
  };
  const first = slots[0];
  const last = slots[slots.length - 1];
  if (first === undefined || last === undefined) return joinBytes([before(array.start), after(array.start)]);
  if (picks.length === 0) return joinBytes([before(array.start + 1), after(array.end - 1)]);
  const parts: Uint8Array[] = [before(first.start)];
  picks.forEach((pick, position) => {
    if (position > 0) parts.push(bytes.subarray(slots[position - 1]!.end, slots[position]!.start));
    parts.push(bytes.subarray(slots[pick]!.start, slots[pick]!.end));
  });
  parts.push(after(last.end));
  return joinBytes(parts);
}

/** Adds one last member to the object at the root. */
export function appendMember(text: JsonText, key: string, json: string): Uint8Array<ArrayBuffer> {
  const at = text.root.end - 1;
  const comma = members(text, text.root).length > 0 ? "," : "";
  return applyEdits(text.bytes, [{ start: at, end: at, text: `${comma}${JSON.stringify(key)}:${json}` }]);
}
