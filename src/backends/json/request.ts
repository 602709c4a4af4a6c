/**
 * Requests of all JSON dialects: parameters of the URL as written there, a body whose spans can be edited, and whole numbers for
 * paging. Knows no engine.
 */
import { EXPLAIN_PARAM, VARIANT_PARAM } from "../../protocol.ts";
import { err, ok, type Result } from "../../result.ts";
import type { ClientRequest, Refusal } from "../dialect.ts";
import { limitsOf, tooManySearches } from "../limits.ts";
import { elements, type JsonText, type Member, members, scanJson, type Span } from "./spans.ts";
import { isObject, type JsonObject, member } from "./values.ts";

/** Parameters that only the edge reads; an engine would refuse them as unknown. */
export const EDGE_PARAMS: ReadonlySet<string> = new Set([EXPLAIN_PARAM, VARIANT_PARAM]);

export interface Param {
  readonly key: string;
  readonly value: string;
  /** As written in the URL. */
  readonly raw: string;
}

/** In their order, without those of the edge. */
export function paramsOf(search: string): Param[] {
  return search
    .replace(/^\?/, "")
    .split("&")
    .filter((raw) => raw !== "")
    .map((raw) => {
      const [[key, value] = ["", ""]] = new URLSearchParams(raw.length > SHORT && raw.includes("+") ? withSpaces(raw) : raw);
      return { key, value, raw };
    })
    .filter((param) => !EDGE_PARAMS.has(param.key));
}

/** Longer texts are worth a copy. */
const SHORT = 100;

/** With spaces for plus signs, which engines of JavaScript replace forty times as slowly in a text. */
function withSpaces(raw: string): string {
  const bytes = new TextEncoder().encode(raw);
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === PLUS) bytes[at] = SPACE;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

const PLUS = 0x2b;
const SPACE = 0x20;

export function paramOf(params: readonly Param[], key: string): string | undefined {
  return params.find((param) => param.key === key)?.value;
}

/** An object of a body that could be read: its spans for editing, its values for deciding. */
export interface Body {
  readonly text: JsonText;
  /** The object in the text: the root, or an element of a list. */
  readonly span: Span;
  readonly members: readonly Member[];
  readonly values: JsonObject;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** `undefined` where it is not UTF-8: an engine could read such bytes differently. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** `undefined` when there is no body. Errors are messages. */
export function bodyOf(bytes: Uint8Array): Result<Body | undefined, string> {
  if (bytes.length === 0) return ok(undefined);
  const text = scanJson(bytes);
  if (!text.ok) return err(`The body is not JSON: ${text.error.message} at byte ${text.error.offset}`);
  const source = utf8Text(bytes);
  if (source === undefined) return err("The body is not UTF-8");
  const values: unknown = JSON.parse(source);
  if (!isObject(values)) return err("The body is not an object");
  const all = members(text.value, text.value.root);
  const repeated = repeatedKey(all);
  if (repeated !== undefined) return err(`The key "${repeated}" is repeated`);
  return ok({ text: text.value, span: text.value.root, members: all, values });
}

/** Up to here, comparing all with all is faster than a set. */
const FEW = 12;

/** Parsers differ on which of two equal keys counts. */
export function repeatedKey(siblings: readonly { readonly key: string }[]): string | undefined {
  if (siblings.length > FEW) {
    const seen = new Set<string>();
    return siblings.find(({ key }) => seen.size === seen.add(key).size)?.key;
  }
  for (let i = 1; i < siblings.length; i++) {
    const { key } = siblings[i]!;
    for (let before = 0; before < i; before++) if (siblings[before]!.key === key) return key;
  }
  return undefined;
}

export function memberAt({ members: all }: Pick<Body, "members">, key: string): Member | undefined {
  return all.find((candidate) => candidate.key === key);
}

/** A request in which no search can be found, on a route where only its body could say which index it is for. */
export function unreadable(detail: string): Result<never, Refusal> {
  return err({ status: 400, type: "illegal_argument_exception", message: detail });
}

/** The objects that a body lists under `list`. Errors: the body cannot be read, or holds no such list. */
export function listedObjects(
  request: Pick<ClientRequest, "body" | "limits">,
  list: string,
): Result<{ readonly body: Body; readonly objects: readonly Body[] }, Refusal> {
  const read = bodyOf(request.body);
  if (!read.ok) return unreadable(read.error);
  const body = read.value;
  if (body === undefined) return unreadable(`The body is empty: send {"${list}":[…]}`);
  const span = memberAt(body, list)?.value;
  const all = member(body.values, list);
  if (span === undefined || !Array.isArray(all)) return unreadable(`The body has no list ${list}`);
  const limits = limitsOf(request);
  if (all.length > limits.searches) return tooManySearches(all.length, limits);
  const objects: Body[] = [];
  for (const [i, element] of elements(body.text, span).entries()) {
    const values: unknown = all[i];
    if (!isObject(values)) return unreadable(`${list}[${i}] is not an object`);
    const own = members(body.text, element);
    const repeated = repeatedKey(own);
    if (repeated !== undefined) return unreadable(`The key "${repeated}" is repeated in ${list}[${i}]`);
    objects.push({ text: body.text, span: element, members: own, values });
  }
  return ok({ body, objects });
}

/** The searches that a body lists under `list`, each naming its index as `name`. Errors: a search without a known index cannot be sent on. */
export function namedObjects<T>(
  request: Pick<ClientRequest, "body" | "limits">,
  { list, name, indexOf }: { readonly list: string; readonly name: string; readonly indexOf: (name: string) => Result<T, Refusal> },
): Result<{ readonly body: Body; readonly objects: readonly { readonly index: T; readonly object: Body }[] }, Refusal> {
  const read = listedObjects(request, list);
  if (!read.ok) return read;
  const objects: { readonly index: T; readonly object: Body }[] = [];
  for (const [i, object] of read.value.objects.entries()) {
    const named = member(object.values, name);
    if (typeof named !== "string") return unreadable(`${list}[${i}].${name} is ${JSON.stringify(named)}: name an index`);
    const index = indexOf(named);
    if (!index.ok) return index;
    objects.push({ index: index.value, object });
  }
  return ok({ body: read.value.body, objects });
}

/** The parameters of one search: those of the URL, and the body's. */
export interface Asked {
  readonly params: readonly Param[];
  readonly body: Body | undefined;
  readonly values: JsonObject | undefined;
}

/** The URL wins. */
export function valueOf({ params, values }: Pick<Asked, "params" | "values">, key: string): unknown {
  return paramOf(params, key) ?? member(values, key);
}

/** A whole number from 0. Errors name the parameter, not the value: they go into the log. */
function wholeNumberOf({ params, values }: Pick<Asked, "params" | "values">, [key, fallback]: Named): Result<number, string> {
  const given = params.filter((param) => param.key === key);
  if (given.length > 1) return err(`The parameter ${key} is repeated`);
  const [param] = given;
  if (param !== undefined) return digitsOf(key, param.value);
  const value = member(values, key);
  if (value === undefined) return ok(fallback);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? ok(value) : err(notWhole(key));
}

/** A parameter and its default. */
type Named = readonly [name: string, fallback: number];

/** The first wanted hit or page, and the number of hits. */
export function pageNumbersOf(
  asked: Pick<Asked, "params" | "values">,
  first: Named,
  limit: Named,
): Result<{ readonly first: number; readonly limit: number }, string> {
  const firstRead = wholeNumberOf(asked, first);
  if (!firstRead.ok) return firstRead;
  const limitRead = wholeNumberOf(asked, limit);
  return limitRead.ok ? ok({ first: firstRead.value, limit: limitRead.value }) : limitRead;
}

const notWhole = (key: string): string => `${key} is not a whole number from 0`;

/** A whole number from 0, written in digits. Errors as above. */
export function digitsOf(key: string, written: string): Result<number, string> {
  return /^\d{1,9}$/.test(written) ? ok(Number(written)) : err(notWhole(key));
}
