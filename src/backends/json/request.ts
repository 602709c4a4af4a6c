/**
 * Requests of all JSON dialects: parameters of the URL as written there, a body whose spans can be edited, whole numbers for paging, and
 * parsed values of unknown shape, read without trusting them. Knows no engine.
 */
import { EXPLAIN_PARAM, VARIANT_PARAM } from "../../protocol.ts";
import type { BypassReason, Bypass, Result } from "../../result.ts";
import { err, ok } from "../../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "../dialect.ts";
import type { Edit } from "./edits.ts";
import { applyEdits } from "./edits.ts";
import type { PartReader } from "./reply.ts";
import { parseOne, parseSeveral } from "./reply.ts";
import type { JsonText, Span } from "./scan.ts";
import { scanJson } from "./scan.ts";
import type { Member } from "./spans.ts";
import { elements, members, rawText } from "./spans.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own members only: a body may name its keys `constructor` or `__proto__`. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Trimmed; `undefined` when nothing is left. Numbers become text, as in engines. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return undefined;
  const trimmed = value.trim();
  return trimmed === "" ? undefined : trimmed;
}

/** The texts of a list, empty ones left out; none for any other kind. */
export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string" && text !== "") : [];
}

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
      const [[key, value] = ["", ""]] = new URLSearchParams(raw);
      return { key, value, raw };
    })
    .filter((param) => !EDGE_PARAMS.has(param.key));
}

export function paramOf(params: readonly Param[], key: string): string | undefined {
  return params.find((param) => param.key === key)?.value;
}

/** `?a=b&c=d` of raw parameters; empty for none. */
export function searchOf(raw: readonly string[]): string {
  return raw.length === 0 ? "" : `?${raw.join("&")}`;
}

/** The shopper's request as the engine gets it at `path`: without the edge's parameters, and with a body where it has one. */
export function ownRequest({ method, search, body }: ClientRequest, path: string): EngineRequest {
  const raw = paramsOf(search).map((param) => param.raw);
  return { method, path, search: searchOf(raw), body: method === "POST" && body.length > 0 ? body : undefined };
}

/** Raw parameters, those that `numbers` names with other values. `nameOf`: key → the name in `numbers`. */
export function replaceParams(
  params: readonly Param[],
  numbers: ReadonlyMap<string, number>,
  nameOf: (key: string) => string = (key) => key,
): string[] {
  return params.map(({ key, raw }) => {
    const number = numbers.get(nameOf(key));
    return number === undefined ? raw : `${raw.split("=", 1)[0] ?? key}=${number}`;
  });
}

/** An object of a body that could be read: its spans for editing, its values for deciding. */
export interface Body {
  readonly text: JsonText;
  /** The object in the text: the root, or an element of a list. */
  readonly span: Span;
  readonly members: readonly Member[];
  readonly values: JsonObject;
}

/** `undefined` when there is no body. Errors are messages. */
export function bodyOf(bytes: Uint8Array): Result<Body | undefined, string> {
  if (bytes.length === 0) return ok(undefined);
  const text = scanJson(bytes);
  if (!text.ok) return err(`The body is not JSON: ${text.error.message} at byte ${text.error.offset}`);
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return err("The body is not UTF-8");
  }
  if (!isObject(values)) return err("The body is not an object");
  const all = members(text.value, text.value.root);
  const repeated = repeatedKey(all);
  if (repeated !== undefined) return err(`The key "${repeated}" is repeated`);
  return ok({ text: text.value, span: text.value.root, members: all, values });
}

/** Parsers differ on which of two equal keys counts. */
export function repeatedKey(siblings: readonly Member[]): string | undefined {
  return siblings.find(({ key }, i) => siblings.findIndex((other) => other.key === key) < i)?.key;
}

export function memberAt({ members: all }: Pick<Body, "members">, key: string): Member | undefined {
  return all.find((candidate) => candidate.key === key);
}

/** For clients that write null for what they do not ask for. */
export function withoutNulls(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** The objects that a body lists under `list`. Errors: the body cannot be read, or holds no such list. */
export function listedObjects(
  bytes: Uint8Array,
  list: string,
): Result<{ readonly body: Body; readonly objects: readonly Body[] }, Refusal> {
  const read = bodyOf(bytes);
  if (!read.ok) return unreadable(read.error);
  const body = read.value;
  if (body === undefined) return unreadable(`The body is empty: send {"${list}":[…]}`);
  const span = memberAt(body, list)?.value;
  const all = member(body.values, list);
  if (span === undefined || !Array.isArray(all) || all.length === 0) return unreadable(`The body has no list ${list}`);
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

/** One search of a request that has several. */
export interface PlannedSearch {
  readonly plan: SearchPlan;
  /** The changes with which it asks for hits [0, size). */
  readonly edits: (size: number) => readonly Edit[];
  readonly readPart: PartReader;
}

/** The searches that a body lists under `list`, each naming its index as `name`. Errors: a search without a known index cannot be sent on. */
export function namedObjects<T>(
  bytes: Uint8Array,
  { list, name, indexOf }: { readonly list: string; readonly name: string; readonly indexOf: (name: string) => Result<T, Refusal> },
): Result<{ readonly body: Body; readonly objects: readonly { readonly index: T; readonly object: Body }[] }, Refusal> {
  const read = listedObjects(bytes, list);
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

/** A whole number from 0. Errors name the value. */
function wholeNumberOf(key: string, params: readonly Param[], values: JsonObject | undefined, fallback: number): Result<number, string> {
  const given = params.filter((param) => param.key === key);
  if (given.length > 1) return err(`The parameter ${key} is repeated`);
  const [param] = given;
  if (param !== undefined) return digitsOf(key, param.value);
  const value = member(values, key);
  if (value === undefined) return ok(fallback);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? ok(value) : err(`${key} is ${JSON.stringify(value)}`);
}

/** The first wanted hit or page and the number of hits, each by its name and default. */
export function pageNumbersOf(
  first: readonly [string, number],
  limit: readonly [string, number],
  params: readonly Param[],
  values?: JsonObject,
): Result<{ readonly first: number; readonly limit: number }, string> {
  const firstRead = wholeNumberOf(first[0], params, values, first[1]);
  if (!firstRead.ok) return firstRead;
  const limitRead = wholeNumberOf(limit[0], params, values, limit[1]);
  return limitRead.ok ? ok({ first: firstRead.value, limit: limitRead.value }) : limitRead;
}

/** A whole number from 0, written in digits. Errors name the value. */
export function digitsOf(key: string, written: string): Result<number, string> {
  return /^\d{1,9}$/.test(written) ? ok(Number(written)) : err(`${key} is ${JSON.stringify(written)}`);
}

export function leave(reason: BypassReason, detail: string): Bypass {
  return { reason, detail };
}

/** A search of an engine whose requests hold neither cursors, nor a history, nor UBI's fields. */
export function plainPlan(plan: Omit<SearchPlan, "isCursored" | "history" | "ubi"> & Partial<SearchPlan>): SearchPlan {
  const ubi = { queryId: undefined, clientId: undefined, application: undefined, objectIdField: undefined };
  return { isCursored: false, history: [], ubi, ...plan };
}

/** The plan of a search that the edge does not understand: it goes to the engine as it came, whose own error is the best answer. */
export function leftToEngine(index: string, detail: string): SearchPlan {
  const bypass = leave("request_not_understood", detail);
  return plainPlan({ index, queryText: undefined, offset: 0, limit: 1, bypass, identity: "" });
}

/** The plan of a request that is one search. */
export function planOne(
  search: SearchPlan,
  own: EngineRequest,
  readPart: PartReader,
  widen: (size: number) => EngineRequest = () => own,
): RequestPlan {
  return {
    searches: [search],
    isMulti: false,
    own,
    widen: ([size]) => (size === undefined ? own : widen(size)),
    parseReply: (bytes) => parseOne(bytes, readPart),
  };
}

/** The plan of a request whose searches are in one body, and their results in a list of the reply. */
export function planSeveral(
  searches: readonly PlannedSearch[],
  own: EngineRequest & { readonly body: Uint8Array },
  results: string,
): RequestPlan {
  return {
    searches: searches.map(({ plan }) => plan),
    isMulti: true,
    own,
    widen(sizes) {
      const edits = searches.flatMap((search, i) => {
        const size = sizes[i];
        return size === undefined ? [] : search.edits(size);
      });
      return { ...own, body: applyEdits(own.body, edits) };
    },
    parseReply(bytes) {
      return parseSeveral(
        bytes,
        results,
        searches.map(({ readPart }) => readPart),
      );
    },
  };
}

/** A request in which no search can be found, on a route where only its body could say which index it is for. */
export function unreadable(detail: string): Result<never, Refusal> {
  return err({ status: 400, type: "illegal_argument_exception", message: detail });
}

/** Replaces the member's value, else adds it as the first. `isLast`: no other member will be left after it. */
export function setMember(body: Body, key: string, value: number, isLast: boolean = body.members.length === 0): Edit {
  const own = memberAt(body, key);
  if (own !== undefined) return { ...own.value, text: String(value) };
  const at = body.span.start + 1;
  return { start: at, end: at, text: `${JSON.stringify(key)}:${value}${isLast ? "" : ","}` };
}

/** The edits that put other numbers into the members that `numbers` names, where they are given. */
export function replaceMembers(
  body: Body | undefined,
  numbers: ReadonlyMap<string, number>,
  nameOf: (key: string) => string = (key) => key,
): Edit[] {
  return (body?.members ?? []).flatMap(({ key, value }) => {
    const number = numbers.get(nameOf(key));
    return number === undefined ? [] : [{ ...value, text: String(number) }];
  });
}

/** The request without what `isLeftOut` names, as one text. */
export function identityOf(
  params: readonly Param[],
  body: Body | undefined,
  isLeftOut: (key: string) => boolean,
  ...more: readonly unknown[]
): string {
  const kept = (body?.members ?? []).filter(({ key }) => !isLeftOut(key));
  return JSON.stringify([
    params.filter(({ key }) => !isLeftOut(key)).map(({ raw }) => raw),
    kept.map(({ span }) => (body === undefined ? "" : rawText(body.text, span))),
    ...more,
  ]);
}
