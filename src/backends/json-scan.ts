/**
 * Checks a JSON text in UTF-8 against RFC 8259, once and as a whole, so that a truncated reply is always noticed, and notes where objects
 * and arrays begin and end.
 *
 * Builds no values, repairs nothing, and does not check that the bytes inside strings are UTF-8: they are passed on, and reading one as
 * text (json-spans.ts) does check.
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

/** Deeper nesting than this is refused: Elasticsearch itself stops at 1000, and no product nests 200 levels. */
export const MAX_DEPTH = 200;

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
