/** What a search of Elasticsearch or OpenSearch asks for, read as the engines read it: its page, its order and the format of its reply. */
import { err, ok, type Result } from "../../result.ts";
import { type Param, paramOf, paramsOf } from "../json/request.ts";
import { isObject, type JsonObject, member } from "../json/values.ts";

/** In their order. A semicolon ends one too. */
export const paramsOfSearch = (search: string): readonly Param[] => paramsOf(search.replaceAll(";", "&"));

/** Whether engines refuse the URL: a percent sign that begins no escape. */
export const hasBadEscape = (search: string): boolean => /%(?![\dA-Fa-f]{2})/.test(search);

export interface Page {
  readonly offset: number;
  readonly limit: number;
  /** `size` of the body: some parts of a search go by it, whatever the URL says. */
  readonly bodySize: number | undefined;
}

/** Errors name the member, not its value: they go into the log. */
export function pageOf(params: readonly Param[], values: JsonObject | undefined, defaultSize: number): Result<Page, string> {
  const bodySize = inBody(values, "size");
  const bodyFrom = inBody(values, "from");
  const size = inUrl(params, "size") ?? bodySize ?? defaultSize;
  const from = inUrl(params, "from") ?? bodyFrom ?? 0;
  if (size === "odd" || bodySize === "odd") return err("size is not a whole number from 0");
  if (from === "odd" || bodyFrom === "odd") return err("from is not a whole number from 0");
  return ok({ offset: from, limit: size, bodySize });
}

function inUrl(params: readonly Param[], key: string): number | "odd" | undefined {
  const value = paramOf(params, key);
  if (value === undefined) return undefined;
  return /^\+?\d{1,9}$/.test(value) ? Number(value) : "odd";
}

/** Engines read texts as numbers, and drop what is behind the point. */
function inBody(values: JsonObject | undefined, key: string): number | "odd" | undefined {
  const value = member(values, key);
  if (value === undefined) return undefined;
  const number = typeof value === "string" && /^ *\+?\d{1,9}(?:\.\d*)? *$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 0 && number < 1e9 ? Math.trunc(number) : "odd";
}

export interface Order {
  /** In descending order of `_score`, whatever follows it. */
  readonly isByScore: boolean;
  /** Hits of one score are sorted by something else. */
  readonly isTied: boolean;
}

/** The keys of the URL follow those of the body. */
export function orderOf(params: readonly Param[], values: JsonObject | undefined): Order {
  const sort = member(values, "sort");
  const inBodyKeys = (Array.isArray(sort) ? sort : sort === undefined ? [] : [sort]).flatMap(keysOf);
  const inUrlKeys = (paramOf(params, "sort") ?? "").split(",").filter(Boolean).map(keyOfText);
  const [first, ...more] = [...inBodyKeys, ...inUrlKeys];
  return { isByScore: first === undefined || first === "score", isTied: more.length > 0 };
}

type SortKey = "score" | "other";

function keysOf(key: unknown): readonly SortKey[] {
  if (!isObject(key)) return [key === "_score" ? "score" : "other"];
  return Object.entries(key).map(([field, how]) => {
    if (field !== "_score") return "other";
    const order = isObject(how) ? (member(how, "order") ?? "desc") : how;
    return typeof order === "string" && order.toLowerCase() === "desc" ? "score" : "other";
  });
}

/** `field:order`, of which only `asc` turns the order of scores. */
function keyOfText(key: string): SortKey {
  const colon = key.lastIndexOf(":");
  const field = colon < 0 ? key : key.slice(0, colon);
  return field === "_score" && key.slice(colon) !== ":asc" ? "score" : "other";
}

/** Whether the reply is JSON: `format` counts more than the header `accept`, whose unknown types engines read over. */
export function isJson(format: string | undefined, accept: string | undefined): boolean {
  const named = format === undefined || format === "" ? undefined : format.toLowerCase();
  if (named !== undefined) return named === "json" || named === "application/json";
  return accept === undefined || !/[/+](?:x-)?(?:yaml|cbor|smile)\b/i.test(accept);
}
