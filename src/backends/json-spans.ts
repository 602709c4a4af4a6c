/**
 * JSON as byte spans: finds members and elements inside UTF-8 bytes without building values, so that hits can be moved and paging can be
 * edited while every other byte (numbers beyond 2^53, key order, escapes, white space) stays what it was.
 *
 * `scanJson` checks the whole text against RFC 8259 once, so a truncated reply is always noticed; it does not check that the bytes inside
 * strings are valid UTF-8 (they are passed on, and reading one as text does check). It never repairs and never prints JSON; `json-edits.ts` changes texts by
 * these spans.
 */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";

/** Bytes `start` (inclusive) to `end` (exclusive). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonProblem {
  /** Byte offset at which the text stops being what was expected. */
  readonly offset: number;
  readonly message: string;
}

/** A checked JSON text. `root` leaves out a byte order mark and the white space around the value. */
export interface JsonText {
  readonly bytes: Uint8Array;
  readonly root: Span;
  /** Where every object and array begins (ascending) and, at the same place, where it ends: skipping one is a lookup, not a second scan. */
  readonly opens: readonly number[];
  readonly closes: readonly number[];
}

export interface Member {
  readonly key: string;
  /** From the opening quote of the key to the end of the value. */
  readonly span: Span;
  readonly value: Span;
}

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** Deeper nesting than this is refused: Elasticsearch itself stops at 1000, and no product nests 200 levels. */
export const MAX_DEPTH = 200;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= 0x39;
const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && ((byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)));

function skipSpace(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at])) at++;
  return at;
}

/** Checks all of `bytes`. The problem names the first offset that is not JSON; for a truncated text that is its length. */
export function scanJson(bytes: Uint8Array, maxDepth: number = MAX_DEPTH): Result<JsonText, JsonProblem> {
  const opens: number[] = [];
  const closes: number[] = [];
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let problem: JsonProblem | undefined;

  // Every step below returns false after noting what it met; the first note stands.
  function fail(message: string, offset: number = at): false {
    problem ??= { offset: Math.min(offset, bytes.length), message: offset >= bytes.length ? "The text ends too early" : message };
    return false;
  }

  function string(): boolean {
    at++;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        at++;
        return true;
      }
      if (byte === undefined || byte < 0x20) return fail("Expected a string without control characters");
      if (byte !== BACKSLASH) {
        at++;
        continue;
      }
      const escape = bytes[at + 1];
      if (escape === 0x75) {
        for (let i = 2; i < 6; i++) if (!isHex(bytes[at + i])) return fail("Expected four hex digits", at + i);
        at += 6;
      } else if (escape !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(escape))) {
        at += 2;
      } else {
        return fail("Expected an escape", at + 1);
      }
    }
  }

  function digits(): boolean {
    if (!isDigit(bytes[at])) return fail("Expected a digit");
    while (isDigit(bytes[at])) at++;
    return true;
  }

  function number(): boolean {
    if (bytes[at] === MINUS) at++;
    if (bytes[at] === ZERO) at++;
    else if (!digits()) return false;
    if (bytes[at] === 0x2e) {
      at++;
      if (!digits()) return false;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
      if (!digits()) return false;
    }
    return true;
  }

  function word(text: "true" | "false" | "null"): boolean {
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return fail(`Expected ${text}`, at + i);
    at += text.length;
    return true;
  }

  function container(depth: number, isObject: boolean): boolean {
    if (depth >= maxDepth) return fail(`Nested deeper than ${maxDepth} levels`);
    const place = opens.length;
    opens.push(at);
    closes.push(0);
    const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
    at = skipSpace(bytes, at + 1);
    if (bytes[at] !== close) {
      for (;;) {
        if (isObject) {
          if (bytes[at] !== QUOTE) return fail("Expected a key");
          if (!string()) return false;
          at = skipSpace(bytes, at);
          if (bytes[at] !== COLON) return fail("Expected a colon");
          at = skipSpace(bytes, at + 1);
        }
        if (!value(depth + 1)) return false;
        at = skipSpace(bytes, at);
        if (bytes[at] === close) break;
        if (bytes[at] !== COMMA) return fail("Expected a comma or the end of the list");
        at = skipSpace(bytes, at + 1);
      }
    }
    at++;
    closes[place] = at;
    return true;
  }

  function value(depth: number): boolean {
    const byte = bytes[at];
    if (byte === QUOTE) return string();
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return container(depth, byte === OPEN_OBJECT);
    if (byte === MINUS || isDigit(byte)) return number();
    if (byte === 0x74) return word("true");
    if (byte === 0x66) return word("false");
    if (byte === 0x6e) return word("null");
    return fail("Expected a value");
  }

  at = skipSpace(bytes, at);
  const start = at;
  if (!value(0)) return err(problem ?? { offset: at, message: "Expected a value" });
  const end = at;
  at = skipSpace(bytes, at);
  if (at < bytes.length) return err({ offset: at, message: "Expected nothing after the value" });
  return ok({ bytes, root: { start, end }, opens, closes });
}

export function kindOf(text: JsonText, span: Span): JsonKind {
  const byte = text.bytes[span.start];
  if (byte === OPEN_OBJECT) return "object";
  if (byte === OPEN_ARRAY) return "array";
  if (byte === QUOTE) return "string";
  if (byte === 0x74 || byte === 0x66) return "boolean";
  return byte === 0x6e ? "null" : "number";
}

/** End of the value that begins at `at`, in a text that `scanJson` has accepted. */
function endOf(text: JsonText, at: number): number {
  const { bytes, opens, closes } = text;
  const first = bytes[at];
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
    let low = 0;
    let high = opens.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (opens[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return closes[low]!;
  }
  if (first === QUOTE) {
    at++;
    while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    return at + 1;
  }
  while (at < bytes.length && !isSpace(bytes[at]) && bytes[at] !== COMMA && bytes[at] !== CLOSE_OBJECT && bytes[at] !== CLOSE_ARRAY) at++;
  return at;
}

/** Members of an object in their order, duplicates included; none for any other kind. */
export function members(text: JsonText, object: Span): Member[] {
  const found: Member[] = [];
  if (kindOf(text, object) !== "object") return found;
  const { bytes } = text;
  let at = skipSpace(bytes, object.start + 1);
  while (bytes[at] !== CLOSE_OBJECT) {
    const keyEnd = endOf(text, at);
    const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const end = endOf(text, start);
    const key = readString(text, { start: at, end: keyEnd }) ?? "\ufffd";
    found.push({ key, span: { start: at, end }, value: { start, end } });
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return found;
}

/** Elements of an array in their order; none for any other kind. */
export function elements(text: JsonText, array: Span): Span[] {
  const found: Span[] = [];
  if (kindOf(text, array) !== "array") return found;
  const { bytes } = text;
  let at = skipSpace(bytes, array.start + 1);
  while (bytes[at] !== CLOSE_ARRAY) {
    const end = endOf(text, at);
    found.push({ start: at, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return found;
}

/**
 * The value of one member; `undefined` when there is none. A key that stands twice is a problem, not the last one: parsers differ on
 * which one counts (JSON.parse takes the last, Elasticsearch refuses), so a text that repeats a key we rely on is not understood.
 */
export function find(text: JsonText, object: Span, key: string): Result<Span | undefined, JsonProblem> {
  let value: Span | undefined;
  for (const member of members(text, object)) {
    if (member.key !== key) continue;
    if (value !== undefined) return err({ offset: member.span.start, message: `The key "${key}" stands twice` });
    value = member.value;
  }
  return ok(value);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a string; `undefined` for any other kind and for bytes that are not UTF-8. */
export function readString(text: JsonText, span: Span): string | undefined {
  if (kindOf(text, span) !== "string") return undefined;
  try {
    const raw = utf8.decode(text.bytes.subarray(span.start, span.end));
    if (!raw.includes("\\")) return raw.slice(1, -1);
    const parsed: unknown = JSON.parse(raw);
    return typeof parsed === "string" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The nearest double of a number; `undefined` for any other kind, and where it overflows. */
export function readNumber(text: JsonText, span: Span): number | undefined {
  if (kindOf(text, span) !== "number") return undefined;
  const value = Number(utf8.decode(text.bytes.subarray(span.start, span.end)));
  return Number.isFinite(value) ? value : undefined;
}
