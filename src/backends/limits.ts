/**
 * Limits of a request, looked at before a dialect reads it: the reading itself is linear in the bytes, but one request must not hold the
 * others of its isolate.
 *
 * Knows no dialect: counts bytes, not values, and stops at the first thing too many.
 */
import { err, type Result } from "../result.ts";
import type { ClientRequest, Dialect, Refusal, RequestLimits } from "./dialect.ts";

/**
 * More than real clients send: 10,000 ids in a filter, four vectors of 4,096 numbers, 30 nested `bool` queries (Elasticsearch's own limit, of
 * three levels each), 50 searches at once (Typesense's). As many buckets as Elasticsearch makes.
 */
export const DEFAULT_LIMITS: RequestLimits = {
  bodyBytes: 1_048_576,
  searches: 100,
  members: 20_000,
  depth: 100,
  params: 1000,
  buckets: 65_536,
};

/** The most levels that the configuration may allow: requests are read by functions that call themselves. */
export const MAX_REQUEST_DEPTH = 200;

export function limitsOf({ limits = DEFAULT_LIMITS }: Pick<ClientRequest, "limits">): RequestLimits {
  return limits;
}

/** The dialect for requests within their limits; it refuses the others. */
export function withinLimits(dialect: Dialect): Dialect {
  return {
    ...dialect,
    plan(request, index) {
      const limits = limitsOf(request);
      const excess = excessOf(request);
      if (excess !== undefined) return tooMuch(excess);
      const plan = dialect.plan(request, index);
      return plan.ok && plan.value.searches.length > limits.searches ? tooManySearches(plan.value.searches.length, limits) : plan;
    },
  };
}

function tooMuch(message: string): Result<never, Refusal> {
  return err({ status: 400, type: "illegal_argument_exception", message });
}

/** Dialects that can count the searches ask before they read them. */
export function tooManySearches(count: number, { searches }: RequestLimits): Result<never, Refusal> {
  return tooMuch(`The request has ${count} searches, more than ${searches}: send several requests, or raise REQUEST_LIMITS.searches`);
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const AMPERSAND = 0x26;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
/** \u0026 */
const ESCAPED_AMPERSAND = [0x5c, 0x75, 0x30, 0x30, 0x32, 0x36];
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What of the request is beyond its limits, as a message; `undefined` where nothing is. */
export function excessOf(request: Pick<ClientRequest, "search" | "body" | "limits">): string | undefined {
  const { search, body } = request;
  const limits = limitsOf(request);
  const inUrl = search.length > limits.params ? search.split("&").length : 0;
  if (inUrl > limits.params) return tooManyParams(inUrl, limits);
  if (body.length === 0) return undefined;
  // After a byte order mark.
  let start = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (body[start]! <= 0x20) start++;
  if (body[start] === OPEN_OBJECT || body[start] === OPEN_ARRAY) return excessOfJson(body, start, limits);
  if (body.length <= limits.params) return undefined;
  let inForm = 1;
  for (let at = body.indexOf(AMPERSAND); at >= 0; at = body.indexOf(AMPERSAND, at + 1)) inForm++;
  return inForm > limits.params ? tooManyParams(inForm, limits) : undefined;
}

function tooManyParams(count: number, { params }: RequestLimits): string {
  return `The request has ${count} parameters, more than ${params}: send less, or raise REQUEST_LIMITS.params`;
}

/**
 * Of a JSON text or of lines of them, which need not be valid: what is not valid is read by nobody. Each member and each element counts as
 * one, and so does each parameter in a text that is written like a URL's.
 */
function excessOfJson(bytes: Uint8Array, start: number, limits: RequestLimits): string | undefined {
  const { members: maxMembers, depth: maxDepth } = limits;
  if (bytes.length <= maxMembers && !opensMoreThan(bytes, maxDepth)) return undefined;
  let members = 0;
  let depth = 0;
  for (let at = start; at < bytes.length && members <= maxMembers; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      // A text ends with its line, so that a broken line hides nothing of the next one.
      for (at++; at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== NEWLINE; at++) {
        if (bytes[at] === AMPERSAND) members++;
        else if (bytes[at] === BACKSLASH) {
          if (ESCAPED_AMPERSAND.every((escaped, i) => bytes[at + i] === escaped)) members++;
          at++;
        }
      }
    } else if (byte === COMMA) members++;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      members++;
      depth++;
      if (depth > maxDepth) return `The body is nested deeper than ${maxDepth} levels: send less, or raise REQUEST_LIMITS.depth`;
    } else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && depth > 0) depth--;
  }
  if (members <= maxMembers) return undefined;
  return `The body has more than ${maxMembers} members and elements: send less, or raise REQUEST_LIMITS.members`;
}

/** What ordinary requests are looked at for: whether there are that many opening brackets at all, in texts or not. */
function opensMoreThan(bytes: Uint8Array, count: number): boolean {
  let opens = 0;
  // Both differ in this bit only.
  for (let at = 0; at < bytes.length; at++) if ((bytes[at]! | 0x20) === OPEN_OBJECT) opens++;
  return opens > count;
}
