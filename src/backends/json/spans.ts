/**
 * JSON as byte spans: finds members and elements inside a checked text without building values, so that hits can be moved and paging can
 * be edited while every other byte (numbers beyond 2^53, key order, escapes, white space) stays the same. edits.ts changes texts by them.
 *
 * scanJson() checks a text in UTF-8 against RFC 8259, once and as a whole, so that a truncated reply is always noticed. It repairs nothing and
 * does not check that strings are UTF-8: they are passed on as bytes, and readString() checks.
 */
import { err, ok, type Result } from "../../result.ts";

/** Bytes `start` (inclusive) to `end` (exclusive). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonProblem {
  /** Byte offset of the first byte that is not JSON. */
  readonly offset: number;
  readonly message: string;
}

/** A checked JSON text. `root` leaves out a byte order mark and the white space around the value. */
export interface JsonText {
  readonly bytes: Uint8Array;
  readonly root: Span;
  /** Offsets at which objects and arrays begin (ascending) and, at the same index, end: skipping one is a lookup, not a second scan. */
  readonly opens: readonly number[];
  readonly closes: readonly number[];
  /** How many members all objects have together. */
  readonly names: number;
  /** A member's name is written with a backslash, so names cannot be compared byte by byte. */
  readonly hasEscapedKeys: boolean;
}

/** Deeper nesting than this is refused. Elasticsearch itself stops at 1000 levels of a document, around which a reply has a few more. */
export const MAX_DEPTH = 1024;

/** The containers around a place: their indexes in `opens`, and their closing bytes. A scan is never interrupted by another. */
const indexes = new Int32Array(MAX_DEPTH);
const ends = new Uint8Array(MAX_DEPTH);

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

/**
 * Checks all of `bytes`. The problem names the first offset that is not JSON; for a truncated text that is its length.
 *
 * One loop over plain numbers, without a call per byte: this is the most that the edge does to a reply. The functions below return the end
 * of a token, or `~offset` (a negative number) of its first wrong byte.
 */
export function scanJson(bytes: Uint8Array): Result<JsonText, JsonProblem> {
  const opens: number[] = [];
  const closes: number[] = [];
  let depth = 0;
  let names = 0;
  let hasEscapedKeys = false;

  const problem = (offset: number, message: string): Result<JsonText, JsonProblem> => {
    const isEarly = offset >= bytes.length;
    return err({ offset: Math.min(offset, bytes.length), message: isEarly ? "The text ends too early" : message });
  };

  const start = skipSpace(bytes, bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0);
  let at = start;
  for (;;) {
    // A value, or the end of a container that has none.
    const first = bytes[at];
    let isOpened = false;
    if (first === QUOTE) {
      const end = endOfString(bytes, at);
      if (end < 0) return problem(~end, describeString(bytes, ~end));
      at = end;
    } else if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      if (depth >= MAX_DEPTH) return problem(at, `Nested deeper than ${MAX_DEPTH} levels`);
      indexes[depth] = opens.length;
      ends[depth] = first === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
      depth++;
      opens.push(at);
      closes.push(0);
      at++;
      isOpened = true;
    } else {
      const end = endOfWord(bytes, at);
      if (end < 0) return problem(~end, describeWord(bytes, at, ~end));
      at = end;
    }

    // After it: ends of containers, then a comma and the next value, with its key in an object.
    for (;;) {
      if (bytes[at]! <= 0x20) at = skipSpace(bytes, at);
      if (depth === 0) {
        if (at < bytes.length) return problem(at, "Expected nothing after the value");
        return ok({ bytes, root: { start, end: endBefore(bytes, at) }, opens, closes, names, hasEscapedKeys });
      }
      const close = ends[depth - 1];
      const byte = bytes[at];
      if (byte === close) {
        at++;
        depth--;
        closes[indexes[depth]!] = at;
        isOpened = false;
        continue;
      }
      if (!isOpened) {
        if (byte !== COMMA) return problem(at, "Expected a comma or the end of the list");
        at++;
        if (bytes[at]! <= 0x20) at = skipSpace(bytes, at);
      }
      if (close === CLOSE_OBJECT) {
        if (bytes[at] !== QUOTE) return problem(at, "Expected a key");
        names++;
        const plain = endOfPlain(bytes, at + 1);
        const end = bytes[plain] === QUOTE ? plain + 1 : endOfString(bytes, at);
        if (end < 0) return problem(~end, describeString(bytes, ~end));
        if (end !== plain + 1) hasEscapedKeys = true;
        at = end;
        if (bytes[at]! <= 0x20) at = skipSpace(bytes, at);
        if (bytes[at] !== COLON) return problem(at, "Expected a colon");
        at++;
        if (bytes[at]! <= 0x20) at = skipSpace(bytes, at);
      }
      break;
    }
  }
}

/** The root ends where the white space after it begins. */
function endBefore(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at - 1])) at--;
  return at;
}

/** Index of the first quote, backslash or control character of a string, from `at` on. */
function endOfPlain(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]!;
  while (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) byte = bytes[++at]!;
  return at;
}

/** `at` is the opening quote. */
function endOfString(bytes: Uint8Array, at: number): number {
  at++;
  for (;;) {
    at = endOfPlain(bytes, at);
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return ~at;
    const escape = bytes[at + 1];
    if (escape === 0x75) {
      for (let i = 2; i < 6; i++) if (!isHex(bytes[at + i])) return ~(at + i);
      at += 6;
    } else if (escape !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(escape))) {
      at += 2;
    } else {
      return ~(at + 1);
    }
  }
}

function describeString(bytes: Uint8Array, offset: number): string {
  if (bytes[offset]! < 0x20) return "Expected a string without control characters";
  return bytes[offset - 1] === BACKSLASH ? "Expected an escape" : "Expected four hex digits";
}

const WORDS = ["true", "false", "null"] as const;

const wordAt = (bytes: Uint8Array, at: number): string | undefined => WORDS.find((word) => word.charCodeAt(0) === bytes[at]);

/** Numbers and the three words. */
function endOfWord(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS || isDigit(bytes[at])) return endOfNumber(bytes, at);
  const word = wordAt(bytes, at);
  if (word === undefined) return ~at;
  for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return ~(at + i);
  return at + word.length;
}

function describeWord(bytes: Uint8Array, at: number, offset: number): string {
  const word = wordAt(bytes, at);
  if (word !== undefined) return `Expected ${word}`;
  return offset === at ? "Expected a value" : "Expected a digit";
}

function endOfNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else at = endOfDigits(bytes, at);
  if (at >= 0 && bytes[at] === 0x2e) at = endOfDigits(bytes, at + 1);
  if (at >= 0 && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
    at = endOfDigits(bytes, at);
  }
  return at;
}

/** At least one. */
function endOfDigits(bytes: Uint8Array, at: number): number {
  const start = at;
  while (bytes[at]! >= ZERO && bytes[at]! <= 0x39) at++;
  return at === start ? ~at : at;
}

export interface Member {
  readonly key: string;
  /** From the opening quote of the key to the end of the value. */
  readonly span: Span;
  readonly value: Span;
}

export function kindOf(text: JsonText, span: Span): "object" | "array" | "string" | "number" | "boolean" | "null" {
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

/** The value at a path of member names, or `from` for an empty path; `undefined` when there is none. Problems as in find(). */
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
  const found = findAt(text, path, from);
  return found.ok ? found.value : undefined;
}

/** The number at a path of member names; `undefined` where there is none. */
export function numberAt(text: JsonText, path: readonly string[], from: Span = text.root): number | undefined {
  const at = spanAt(text, path, from);
  return at === undefined ? undefined : readNumber(text, at);
}

/** Whether the value at a path is not false, null, zero or empty; a repeated key could be anything. */
export function isThereAt(text: JsonText, path: readonly string[], from: Span = text.root): boolean {
  const found = findAt(text, path, from);
  if (!found.ok) return true;
  const at = found.value;
  if (at === undefined) return false;
  const kind = kindOf(text, at);
  if (kind === "object") return members(text, at).length > 0;
  if (kind === "array") return elements(text, at).length > 0;
  return !["false", "null", '""'].includes(rawText(text, at)) && readNumber(text, at) !== 0;
}

export function textAt(text: JsonText, path: readonly string[], from: Span): string | undefined {
  const at = spanAt(text, path, from);
  return at === undefined ? undefined : readString(text, at);
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

/** Members as they are written, with commas between them; neighbours with nothing else between them are read at once. */
export function membersText(text: JsonText, kept: readonly Member[]): string {
  const parts: string[] = [];
  for (let i = 0; i < kept.length;) {
    const { start } = kept[i]!.span;
    let { end } = kept[i]!.span;
    for (i++; kept[i]?.span.start === end + 1; i++) ({ end } = kept[i]!.span);
    parts.push(rawText(text, { start, end }));
  }
  return parts.join();
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

/** `undefined` where a byte past ASCII needs more care. */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let plain = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return undefined;
    if (byte !== BACKSLASH) {
      plain += String.fromCharCode(byte);
      continue;
    }
    const escape = bytes[++at]!;
    if (escape === 0x75) {
      let code = 0;
      for (let i = 1; i <= 4; i++) code = (code << 4) | hexDigit(bytes[at + i]!);
      plain += String.fromCharCode(code);
      at += 4;
    } else plain += ESCAPED[escape] ?? String.fromCharCode(escape);
  }
  return plain;
}

/** By the byte after the backslash, where it is not itself. */
const ESCAPED: Readonly<Record<number, string>> = { 0x62: "\b", 0x66: "\f", 0x6e: "\n", 0x72: "\r", 0x74: "\t" };

/** The digits are ASCII: those of letters are their low bits and nine. */
const hexDigit = (byte: number): number => (byte <= 0x39 ? byte - ZERO : (byte & 0x0f) + 9);

/** The nearest double of a number; `undefined` for any other kind, and where it overflows. */
export function readNumber(text: JsonText, span: Span): number | undefined {
  if (kindOf(text, span) !== "number") return undefined;
  const value = Number(readAscii(text.bytes, span.start, span.end));
  return Number.isFinite(value) ? value : undefined;
}
