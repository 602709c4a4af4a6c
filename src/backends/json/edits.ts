/**
 * Changes to a JSON text by byte spans: cut, replace, insert, and re-fill an array with its own elements in another order.
 *
 * Every byte outside an edit is copied as it is. Nothing here checks that the outcome is JSON: the callers' edits keep it so.
 */
import { joinBytes } from "../../web.ts";
import { type Body, memberAt, type Param } from "./request.ts";
import { elements, type JsonText, type Member, members, nextAt, readNumber, type Span, spanAt } from "./spans.ts";

/** Replaces `start`..`end` by `text` (bytes: in UTF-8); an empty span inserts, an empty text cuts. */
export interface Edit extends Span {
  readonly text: string | Uint8Array;
}

const NO_NAMES: ReadonlySet<string> = new Set();

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

/** The edit that takes the member at `index` out of its object, with one comma. */
export function cutMember(siblings: readonly Member[], index: number): Edit {
  const own = siblings[index]!.span;
  const before = siblings[index - 1]?.span;
  const after = siblings[index + 1]?.span;
  if (before !== undefined) return { start: before.end, end: own.end, text: "" };
  return { start: own.start, end: after?.start ?? own.end, text: "" };
}

/** As cutMember(), for all members of these names. */
export function cutMembers(siblings: readonly Member[], names: ReadonlySet<string>): Edit[] {
  let isFirst = true;
  return siblings.flatMap(({ key, span }, i) => {
    if (!names.has(key)) {
      isFirst = false;
      return [];
    }
    return [isFirst ? { start: span.start, end: siblings[i + 1]?.span.start ?? span.end, text: "" } : cutMember(siblings, i)];
  });
}

const EMPTY = new TextEncoder().encode("{ }");

/** The bytes of the object without its members of these names. Members that stay keep the separator before them. */
function withoutMembers({ bytes }: JsonText, object: Span, all: readonly Member[], names: ReadonlySet<string>): Uint8Array {
  const kept = all.filter(({ key }) => !names.has(key));
  if (kept.length === all.length) return bytes.subarray(object.start, object.end);
  const parts = [bytes.subarray(object.start, all[0]!.span.start)];
  // Engines that indent write one space into what is empty.
  if (kept.length === 0 && parts[0]!.length > 2) return EMPTY;
  all.forEach(({ key, span }, i) => {
    if (names.has(key)) return;
    const isFirst = parts.length === 1;
    parts.push(bytes.subarray(isFirst ? span.start : all[i - 1]!.span.end, span.end));
  });
  parts.push(bytes.subarray(all.at(-1)!.span.end, object.end));
  return joinBytes(parts);
}

/**
 * The edits that leave exactly these elements of an array, in this order: `picks` are indexes of `slots`, which are all elements, or some of
 * them where the others are to stay. Separators do not move, so the engine's own order needs no edits. `unasked`: members of the elements,
 * which are objects, that are cut: only the edge has asked for them.
 */
export function refill(
  text: JsonText,
  array: Span,
  slots: readonly Span[],
  picks: readonly number[],
  unasked: ReadonlySet<string> = NO_NAMES,
): Edit[] {
  const { bytes } = text;
  const edits: Edit[] = [];
  picks.forEach((pick, position) => {
    const from = slots[pick]!;
    if (unasked.size > 0) edits.push({ ...slots[position]!, text: withoutMembers(text, from, members(text, from), unasked) });
    else if (pick !== position) edits.push({ ...slots[position]!, text: bytes.subarray(from.start, from.end) });
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
  all.forEach((element, i) => {
    if (!isSurplus.has(element.start)) kept = element;
    // With the comma before it; with the one after it while nothing is kept yet.
    else if (kept === undefined) edits.push({ start: element.start, end: all[i + 1]?.start ?? element.end, text: "" });
    else edits.push({ start: all[i - 1]!.end, end: element.end, text: "" });
  });
  return edits;
}

/** Whether only separators lie between the slots from `first` on, so that a page is cut off in one piece. */
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

/** `?a=b&c=d` of raw parameters; empty for none. */
export function searchOf(raw: readonly string[]): string {
  return raw.length === 0 ? "" : `?${raw.join("&")}`;
}

/** Name of a parameter, member or field → its new value. */
type Numbers = Readonly<Record<string, number | boolean | undefined>>;

function numberFor(numbers: Numbers, name: string): number | boolean | undefined {
  return Object.hasOwn(numbers, name) ? numbers[name] : undefined;
}

/** The edits of a reply that give the fields at these paths (with dots, below `from`) other numbers, where they hold numbers. */
export function replaceNumbers(text: JsonText, numbers: Numbers, from: Span = text.root): Edit[] {
  return Object.entries(numbers).flatMap(([path, number]) => {
    const at = spanAt(text, path.split("."), from);
    if (at === undefined || number === undefined || (readNumber(text, at) ?? number) === number) return [];
    return [{ ...at, text: String(number) }];
  });
}

/** Raw parameters, those that `numbers` names with other values. `nameOf`: key → the name in `numbers`. */
export function replaceParams(params: readonly Param[], numbers: Numbers, nameOf: (key: string) => string = (key) => key): string[] {
  return params.map(({ key, raw }) => {
    const number = numberFor(numbers, nameOf(key));
    return number === undefined ? raw : `${raw.split("=", 1)[0] ?? key}=${number}`;
  });
}

/** Replaces the member's value, else adds it as the first. `isLast`: no other member will be left after it. */
export function setMember(body: Body, key: string, value: number | boolean, isLast: boolean = body.members.length === 0): Edit {
  const own = memberAt(body, key);
  if (own !== undefined) return { ...own.value, text: String(value) };
  const at = body.span.start + 1;
  return { start: at, end: at, text: `${JSON.stringify(key)}:${value}${isLast ? "" : ","}` };
}

/** The edits that put other numbers into the members that `numbers` names, where they are given. */
export function replaceMembers(
  body: Pick<Body, "members"> | undefined,
  numbers: Numbers,
  nameOf: (key: string) => string = (key) => key,
): Edit[] {
  return (body?.members ?? []).flatMap(({ key, value }) => {
    const number = numberFor(numbers, nameOf(key));
    return number === undefined ? [] : [{ ...value, text: String(number) }];
  });
}
