/** One `_search` request, from body and URL, with everything around the query: paging, sort, source filter, aggregations, total. */
import type { Product } from "./catalogue/catalogue.ts";
import {
  type Field,
  FIELDS,
  fieldOf,
  illegal,
  isObject,
  quote,
  readCount,
  readObject,
  readOnly,
  readText,
  readOptions,
  unparsable,
} from "./dialect.ts";
import { parseQuery, type Query, textQuery } from "./query.ts";

export interface SortKey {
  readonly name: string;
  readonly descending: boolean;
  /** Undefined for `_score`. */
  readonly field: Field | undefined;
}

export interface TermsAggregation {
  readonly name: string;
  readonly field: Field;
  /** Maximum number of buckets. */
  readonly size: number;
}

export interface SearchRequest {
  readonly query: Query;
  /** Applied to the hits after the aggregations have counted. */
  readonly postFilter: Query | undefined;
  readonly from: number;
  readonly size: number;
  /** Empty: by score. */
  readonly sort: readonly SortKey[];
  readonly aggregations: readonly TermsAggregation[];
  /** Fields of `_source`; undefined leaves it out. */
  readonly source: readonly string[] | undefined;
  /** The total is exact up to this number; undefined leaves it out. */
  readonly countUpTo: number | undefined;
}

/** Elasticsearch's `index.max_result_window`. */
const MAX_WINDOW = 10_000;

const BODY_KEYS = "query post_filter from size sort aggs aggregations _source track_total_hits track_scores timeout ext".split(" ");
const URL_KEYS = "q from size sort _source track_total_hits timeout pretty preference request_cache ignore_unavailable".split(" ");

const SHOWN = [...FIELDS].filter(([, field]) => field.shown).map(([name]) => name);

function sortKey(name: string, order: unknown): SortKey {
  const field = name === "_score" ? undefined : fieldOf(name, "sort on");
  if (field?.kind === "text")
    throw illegal(`Text fields such as [${name}] cannot be sorted on; use _score, price, rating, popularity or created_at`);
  if (order !== undefined && order !== "asc" && order !== "desc")
    throw illegal(`[sort] order of [${name}] must be "asc" or "desc", found ${quote(order)}`);
  return { name, field, descending: order === undefined ? field === undefined : order === "desc" };
}

function readSort(value: unknown): SortKey[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((entry) => {
    if (typeof entry === "string") return sortKey(entry, undefined);
    const [name, order] = readOnly(entry, "sort");
    return sortKey(name, isObject(order) ? order["order"] : order);
  });
}

function readUrlSort(text: string | undefined): SortKey[] | undefined {
  return text?.split(",").map((entry) => {
    const [name = "", order] = entry.split(":");
    return sortKey(name, order);
  });
}

function readAggregations(value: unknown): TermsAggregation[] {
  if (value === undefined) return [];
  return Object.entries(readObject(value, "aggs")).map(([name, spec]) => {
    const [kind, given] = readOnly(spec, `aggs.${name}`);
    if (kind !== "terms") throw unparsable(`Unknown aggregation type [${kind}] in [aggs.${name}]; this engine knows terms`);
    const options = readOptions(given, ["field", "size"], `aggs.${name}.terms`);
    const field = readText(options["field"], `aggs.${name}.terms.field`);
    const found = fieldOf(field, "aggregate on");
    if (found.kind === "text") throw illegal(`Text fields such as [${field}] cannot be aggregated on; use category`);
    const size = readCount(options["size"] ?? 10, `aggs.${name}.terms.size`);
    if (size === 0) throw illegal(`[aggs.${name}.terms.size] must be greater than 0, found [0]`);
    return { name, field: found, size };
  });
}

function readSource(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === true || value === "true") return SHOWN;
  if (value === false || value === "false") return undefined;
  const names = typeof value === "string" ? value.split(",") : isObject(value) ? (value["includes"] ?? SHOWN) : value;
  if (!Array.isArray(names)) throw unparsable(`[_source] must be true, false, a field or a list of fields, found ${quote(value)}`);
  const wanted = new Set(names.map((name) => readText(name, "_source")));
  // As in Elasticsearch, unknown fields are left out.
  return SHOWN.filter((name) => wanted.has(name));
}

function readTotal(value: unknown): number | undefined {
  if (value === undefined) return MAX_WINDOW;
  if (value === true || value === "true") return Infinity;
  if (value === false || value === "false") return undefined;
  return readCount(value, "track_total_hits");
}

/** Throws an ElasticError that names the value and the fix. URL parameters win over the body, as in Elasticsearch. */
export function parseRequest(body: unknown, params: URLSearchParams): SearchRequest {
  const given = readOptions(body ?? {}, BODY_KEYS, "search body");
  for (const key of params.keys()) {
    if (!URL_KEYS.includes(key))
      throw illegal(`request contains unrecognized parameter: [${key}]; this engine knows ${URL_KEYS.join(", ")}`);
  }
  const url = (name: string): string | undefined => params.get(name) ?? undefined;
  const text = url("q");
  const from = readCount(url("from") ?? given["from"] ?? 0, "from");
  const size = readCount(url("size") ?? given["size"] ?? 10, "size");
  if (from + size > MAX_WINDOW) {
    throw illegal(`Result window is too large, from + size must be less than or equal to: [${MAX_WINDOW}] but was [${from + size}]`);
  }
  const query = given["query"];
  const postFilter = given["post_filter"];
  return {
    query: text !== undefined ? textQuery(text) : query === undefined ? { kind: "all", boost: 1 } : parseQuery(query),
    postFilter: postFilter === undefined ? undefined : parseQuery(postFilter),
    from,
    size,
    sort: readUrlSort(url("sort")) ?? readSort(given["sort"]),
    aggregations: readAggregations(given["aggs"] ?? given["aggregations"]),
    source: readSource(url("_source") ?? given["_source"]),
    countUpTo: readTotal(url("track_total_hits") ?? given["track_total_hits"]),
  };
}

/** `_source` of a hit: the fields asked for that the product has. */
export function sourceOf(product: Product, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, FIELDS.get(name)?.of(product)]).filter(([, value]) => value !== undefined));
}
