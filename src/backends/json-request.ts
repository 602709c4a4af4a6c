/**
 * What requests of all JSON dialects have in common: parameters of the URL as they stood there, a body whose spans can be edited, and whole
 * numbers for paging. Knows no engine.
 */
import type { BypassReason, Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { EngineRequest, Refusal, RequestPlan, SearchPlan, UbiFields } from "./dialect.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits } from "./json-edits.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { elements, members } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member } from "./json-values.ts";
import { EXPLAIN_PARAM, VARIANT_PARAM } from "../protocol.ts";

/** Parameters that only the edge reads; an engine would refuse them as unknown. */
export const EDGE_PARAMS: ReadonlySet<string> = new Set([EXPLAIN_PARAM, VARIANT_PARAM]);

export interface Param {
  readonly key: string;
  readonly value: string;
  /** As it stood in the URL. */
  readonly raw: string;
}

/** An object of a body that could be read: its spans for editing, its values for deciding. */
export interface Body {
  readonly text: JsonText;
  /** Of the object in the text: the root, or one of a list. */
  readonly span: Span;
  readonly members: readonly Member[];
  readonly values: JsonObject;
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

/** `undefined` when there is no body, a text saying what is wrong when it cannot be read. */
export function bodyOf(bytes: Uint8Array): Body | string | undefined {
  if (bytes.length === 0) return undefined;
  const text = scanJson(bytes);
  if (!text.ok) return `The body is not JSON: ${text.error.message} at byte ${text.error.offset}`;
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return "The body is not UTF-8";
  }
  if (!isObject(values)) return "The body is not an object";
  const all = members(text.value, text.value.root);
  const twice = repeatedKey(all);
  if (twice !== undefined) return `The key "${twice}" stands twice`;
  return { text: text.value, span: text.value.root, members: all, values };
}

/** The objects of a list in a body; a text saying what is wrong where there is none. */
export function objectsOf(body: Body, key: string): readonly Body[] | string {
  const list = body.members.find((one) => one.key === key)?.value;
  const all = member(body.values, key);
  if (list === undefined || !Array.isArray(all) || all.length === 0) return `The body has no list ${key}`;
  const objects: Body[] = [];
  for (const [place, span] of elements(body.text, list).entries()) {
    const values: unknown = all[place];
    if (!isObject(values)) return `${key}[${place}] is not an object`;
    const own = members(body.text, span);
    const twice = repeatedKey(own);
    if (twice !== undefined) return `The key "${twice}" stands twice in ${key}[${place}]`;
    objects.push({ text: body.text, span, members: own, values });
  }
  return objects;
}

/** An object of a list, with the index that it names. */
export interface NamedObject {
  readonly index: string;
  readonly object: Body;
}

/**
 * The searches of a body that lists them under `list`, each naming its index as `name`. Errors say what makes it none that could be sent on:
 * without its index, nobody knows whether a search may be.
 */
export function namedObjects(
  body: Body | string | undefined,
  { list, name, indexOf }: { readonly list: string; readonly name: string; readonly indexOf: (name: string) => string | Refusal },
): Result<{ readonly body: Body; readonly objects: readonly NamedObject[] }, Refusal> {
  if (typeof body !== "object") return err(unreadable(body ?? `The body is empty: send {"${list}":[…]}`));
  const all = objectsOf(body, list);
  if (typeof all === "string") return err(unreadable(all));
  const objects: NamedObject[] = [];
  for (const [place, object] of all.entries()) {
    const named = member(object.values, name);
    if (typeof named !== "string") return err(unreadable(`${list}[${place}].${name} is ${JSON.stringify(named)}: name an index`));
    const index = indexOf(named);
    if (typeof index !== "string") return err(index);
    objects.push({ index, object });
  }
  return ok({ body, objects });
}

/** The plan of a request whose searches stand in one body; `edits` are the changes with which one asks for hits [0, size). */
export function planSeveral(
  searches: readonly { readonly plan: SearchPlan; readonly edits: (size: number) => readonly Edit[] }[],
  own: EngineRequest & { readonly body: Uint8Array },
): RequestPlan {
  return {
    searches: searches.map(({ plan }) => plan),
    isMulti: true,
    own,
    widen(sizes) {
      const edits = searches.flatMap((one, i) => {
        const size = sizes[i];
        return size === undefined ? [] : one.edits(size);
      });
      return { ...own, body: applyEdits(own.body, edits) };
    },
  };
}

/** As a client sends it that writes null for what it does not ask for. */
export function withoutNulls(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** Which of two equal keys counts differs from parser to parser. */
export function repeatedKey(siblings: readonly Member[]): string | undefined {
  return siblings.find((one, i) => siblings.findIndex((other) => other.key === one.key) < i)?.key;
}

/** A whole number from 0, else a text that names the value. */
export function wholeNumberOf(key: string, params: readonly Param[], values: JsonObject | undefined, fallback: number): number | string {
  const given = params.filter((param) => param.key === key);
  if (given.length > 1) return `The parameter ${key} stands twice`;
  const [param] = given;
  if (param !== undefined) return /^\d{1,9}$/.test(param.value) ? Number(param.value) : `${key} is ${JSON.stringify(param.value)}`;
  const value = member(values, key);
  if (value === undefined) return fallback;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : `${key} is ${JSON.stringify(value)}`;
}

export function leave(reason: BypassReason, detail: string): Bypass {
  return { reason, detail };
}

/** For dialects whose requests have no room for UBI's fields. */
export const NO_UBI: UbiFields = { queryId: undefined, clientId: undefined, application: undefined, objectIdField: undefined };

/** The plan of a search that the edge does not understand: it goes to the engine as it came, whose own error is the best answer. */
export function leftToEngine(index: string, detail: string): SearchPlan {
  return {
    index,
    queryText: undefined,
    offset: 0,
    limit: 1,
    isCursored: false,
    bypass: leave("request_not_understood", detail),
    history: [],
    ubi: NO_UBI,
    identity: "",
  };
}

/** The plan of a request that is one search. */
export function planOne(search: SearchPlan, own: EngineRequest, widen: (size: number) => EngineRequest = () => own): RequestPlan {
  return { searches: [search], isMulti: false, own, widen: ([size]) => (size === undefined ? own : widen(size)) };
}

/** Clients can name configured indexes only; lists and patterns of names are no name. */
export function unknownIndex(name: string, indexes: ReadonlyMap<string, unknown>, type: string): Refusal {
  return { status: 404, type, message: `No such index [${name}]: this edge serves ${[...indexes.keys()].join(", ")}` };
}

/** A request in which no search can be found, on a route where only its body could say which index it is for. */
export function unreadable(detail: string): Refusal {
  return { status: 400, type: "illegal_argument_exception", message: detail };
}

/** `?a=b&c=d` of raw parameters; empty for none. */
export function searchOf(raw: readonly string[]): string {
  return raw.length === 0 ? "" : `?${raw.join("&")}`;
}

/** Puts `value` in the place of the member that is there, else first into the object. `isLast`: no other member will be left after it. */
export function setMember(body: Body, key: string, value: number, isLast: boolean = body.members.length === 0): Edit {
  const own = body.members.find((one) => one.key === key);
  if (own !== undefined) return { ...own.value, text: String(value) };
  const at = body.span.start + 1;
  return { start: at, end: at, text: `${JSON.stringify(key)}:${value}${isLast ? "" : ","}` };
}
