/**
 * What requests of all JSON dialects have in common: parameters of the URL as they stood there, a body whose spans can be edited, and whole
 * numbers for paging. Knows no engine.
 */
import type { BypassReason, Bypass } from "../result.ts";
import type { EngineRequest, SearchPlan, UbiFields } from "./backend.ts";
import type { Edit } from "./json-edits.ts";
import type { JsonText } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { members } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member } from "./json-values.ts";

/** Parameters that only the edge reads; an engine would refuse them as unknown. */
const EDGE_PARAMS = new Set(["armmt_explain", "armmt_variant"]);

export interface Param {
  readonly key: string;
  readonly value: string;
  /** As it stood in the URL. */
  readonly raw: string;
}

/** A body that could be read: its spans for editing, its values for deciding. */
export interface Body {
  readonly text: JsonText;
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
  return { text: text.value, members: all, values };
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

/** The plan of a request that the edge does not understand: it goes to the engine as it came, whose own error is the best answer. */
export function leaveToEngine(own: EngineRequest, detail: string): SearchPlan {
  return {
    queryText: undefined,
    offset: 0,
    limit: 1,
    bypass: leave("request_not_understood", detail),
    history: [],
    ubi: NO_UBI,
    own,
    identity: "",
    widen: () => own,
  };
}

/** `?a=b&c=d` of raw parameters; empty for none. */
export function searchOf(raw: readonly string[]): string {
  return raw.length === 0 ? "" : `?${raw.join("&")}`;
}

/** Puts `value` in the place of the member that is there, else first into the body. `isLast`: no other member will be left after it. */
export function setMember(body: Body, key: string, value: number, isLast: boolean): Edit {
  const own = body.members.find((one) => one.key === key);
  if (own !== undefined) return { ...own.value, text: String(value) };
  const at = body.text.root.start + 1;
  return { start: at, end: at, text: `${JSON.stringify(key)}:${value}${isLast ? "" : ","}` };
}
