/**
 * Checks a JSON text in UTF-8 against RFC 8259, once and as a whole, so that a truncated reply is always noticed, and notes where objects
 * and arrays begin and end.
 *
 * Does not build values, repair anything, or check that strings are UTF-8: they are passed on as bytes, and readString() (spans.ts) checks.
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
  /** A member's name is written with a backslash, so names cannot be compared byte by byte. */
  readonly hasEscapedKeys: boolean;
}

/** Deeper nesting than this is refused: Elasticsearch itself stops at 1000, and no product nests 200 levels. */
const MAX_DEPTH = 200;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

export const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= 0x39;
const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && ((byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)));

export function skipSpace(bytes: Uint8Array, at: number): number {
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
  /** The containers around `at`: their indexes in `opens`, and their closing bytes. */
  const indexes = new Int32Array(MAX_DEPTH);
  const ends = new Uint8Array(MAX_DEPTH);
  let depth = 0;
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
        return ok({ bytes, root: { start, end: endBefore(bytes, at) }, opens, closes, hasEscapedKeys });
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
