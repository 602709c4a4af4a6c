/**
 * JSON as byte spans: finds members and elements inside a checked text without building values, so that hits can be moved and paging can
 * be edited while every other byte (numbers beyond 2^53, key order, escapes, white space) stays the same.
 *
 * Reads; edits.ts changes texts by these spans.
 */
import { err, ok, type Result } from "../../result.ts";
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  isSpace,
  type JsonProblem,
  type JsonText,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
  type Span,
} from "./scan.ts";

export interface Member {
  readonly key: string;
  /** From the opening quote of the key to the end of the value. */
  readonly span: Span;
  readonly value: Span;
}

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

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

/** Where the next token begins, at or after `at`; most texts have no white space. */
function tokenAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! <= 0x20 ? skipSpace(bytes, at) : at;
}

/** Where the next member or element begins after a value that ends at `end`, or the container's last byte. */
export function nextAt(bytes: Uint8Array, end: number): number {
  const at = tokenAt(bytes, end);
  return bytes[at] === COMMA ? tokenAt(bytes, at + 1) : at;
}

/** Members of an object in their order, duplicates included; none for any other kind. */
export function members(text: JsonText, object: Span): Member[] {
  const found: Member[] = [];
  if (kindOf(text, object) !== "object") return found;
  const { bytes } = text;
  let at = tokenAt(bytes, object.start + 1);
  while (bytes[at] !== CLOSE_OBJECT) {
    const keyEnd = endOf(text, at);
    const start = tokenAt(bytes, tokenAt(bytes, keyEnd) + 1);
    const end = endOf(text, start);
    const key = readString(text, { start: at, end: keyEnd }) ?? "\ufffd";
    found.push({ key, span: { start: at, end }, value: { start, end } });
    at = nextAt(bytes, end);
  }
  return found;
}

/** Elements of an array in their order; none for any other kind. */
export function elements(text: JsonText, array: Span): Span[] {
  const found: Span[] = [];
  if (kindOf(text, array) !== "array") return found;
  const { bytes } = text;
  let at = tokenAt(bytes, array.start + 1);
  while (bytes[at] !== CLOSE_ARRAY) {
    const end = endOf(text, at);
    found.push({ start: at, end });
    at = nextAt(bytes, end);
  }
  return found;
}

/**
 * The value of one member; `undefined` when there is none. A repeated key is a problem: parsers differ on which one counts (JSON.parse
 * takes the last, Elasticsearch refuses), so a text that repeats a key we rely on is not understood.
 */
export function find(text: JsonText, object: Span, key: string): Result<Span | undefined, JsonProblem> {
  if (kindOf(text, object) !== "object") return ok(undefined);
  const { bytes } = text;
  let value: Span | undefined;
  let at = tokenAt(bytes, object.start + 1);
  while (bytes[at] !== CLOSE_OBJECT) {
    const keyEnd = endOf(text, at);
    const start = tokenAt(bytes, tokenAt(bytes, keyEnd) + 1);
    const end = endOf(text, start);
    if (isKey(text, at, keyEnd, key)) {
      if (value !== undefined) return err({ offset: at, message: `The key "${key}" is repeated` });
      value = { start, end };
    }
    at = nextAt(bytes, end);
  }
  return ok(value);
}

/**
 * The value at a path of member names, which is `from` itself for an empty path; `undefined` when there is none. Problems as in find().
 */
export function findAt(text: JsonText, path: readonly string[], from: Span = text.root): Result<Span | undefined, JsonProblem> {
  let found: Result<Span | undefined, JsonProblem> = ok(from);
  for (const key of path) {
    if (!found.ok || found.value === undefined) return found;
    found = find(text, found.value, key);
  }
  return found;
}

/** As findAt(), where a repeated key is as good as none. */
export function spanAt(text: JsonText, path: readonly string[], from: Span = text.root): Span | undefined {
  let at: Span | undefined = from;
  for (const key of path) {
    const found: Result<Span | undefined, JsonProblem> = find(text, at, key);
    if (!found.ok || found.value === undefined) return undefined;
    at = found.value;
  }
  return at;
}

/** The number at a path of member names; `undefined` where there is none. */
export function numberAt(text: JsonText, path: readonly string[], from: Span = text.root): number | undefined {
  const at = spanAt(text, path, from);
  return at === undefined ? undefined : readNumber(text, at);
}

export function isTrueAt(text: JsonText, path: readonly string[], from: Span): boolean {
  const at = spanAt(text, path, from);
  return at !== undefined && isTrue(text, at);
}

export function isTrue({ bytes }: JsonText, { start }: Span): boolean {
  return bytes[start] === 0x74; // t
}

/** Whether the key in quotes is `wanted`, which must be ASCII. Names are decoded only where one has escapes, because each hit has about five. */
function isKey(text: JsonText, start: number, end: number, wanted: string): boolean {
  const { bytes } = text;
  const length = end - start - 2;
  // Escapes make a name longer than its text.
  if (length > wanted.length && text.hasEscapedKeys) return readString(text, { start, end }) === wanted;
  if (length !== wanted.length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + 1 + i] !== wanted.charCodeAt(i)) return false;
  return true;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder();

/** The bytes of a value as they are written: a string with its quotes, a number with its digits. */
export function rawText({ bytes }: JsonText, { start, end }: Span): string {
  return lenient.decode(bytes.subarray(start, end));
}

/** Up to here building a string byte by byte is faster than the decoder. */
const SHORT = 40;

/** The text of a string; `undefined` for any other kind and for bytes that are not UTF-8. */
export function readString(text: JsonText, span: Span): string | undefined {
  if (kindOf(text, span) !== "string") return undefined;
  const plain = span.end - span.start <= SHORT ? readAscii(text.bytes, span.start + 1, span.end - 1) : undefined;
  if (plain !== undefined) return plain;
  try {
    const raw = utf8.decode(text.bytes.subarray(span.start, span.end));
    if (!raw.includes("\\")) return raw.slice(1, -1);
    const parsed: unknown = JSON.parse(raw);
    return typeof parsed === "string" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` where an escape or a byte past ASCII needs more care. */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let plain = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80 || byte === BACKSLASH) return undefined;
    plain += String.fromCharCode(byte);
  }
  return plain;
}

/** The nearest double of a number; `undefined` for any other kind, and where it overflows. */
export function readNumber(text: JsonText, span: Span): number | undefined {
  if (kindOf(text, span) !== "number") return undefined;
  const value = Number(readAscii(text.bytes, span.start, span.end));
  return Number.isFinite(value) ? value : undefined;
}
