/** The page of a search of Typesense, and the request for a wider one. */
import { ok, type Result } from "../../result.ts";
import { replaceParams, searchOf } from "../json/edits.ts";
import { digitsOf, type Param } from "../json/request.ts";

/** Parameters that name the page. `limit_hits` does not: it ends the list for every page. */
export const PAGING: ReadonlySet<string> = new Set(["page", "per_page", "offset", "limit"]);

export const VECTOR = "vector_query";

/** Neighbours that the engine looks for where a hybrid search names no `k`, unless the page ends later. */
const DEFAULT_NEIGHBOURS = 100;

const DEFAULT_LIMIT = 10;

export interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** As in the request; 0 where it names none. */
  readonly page: number;
  /** The reply repeats the offset, not the page. */
  readonly isOffset: boolean;
  /** The hits with which the list ends for every page. */
  readonly limitHits: number | undefined;
}

/** Errors name the value that is not a number. */
export function pageOf(values: ReadonlyMap<string, string>): Result<AskedPage, string> {
  for (const key of [...PAGING, "limit_hits"]) {
    const read = digitsOf(key, values.get(key) ?? "0");
    if (!read.ok) return read;
  }
  const limitHits = values.has("limit_hits") ? Number(values.get("limit_hits")) : undefined;
  // A search for values of a facet has no hits, unless `per_page` asks for them.
  const fallback = (values.get("facet_query") ?? "") === "" ? (values.get("limit") ?? DEFAULT_LIMIT) : 0;
  const limit = Number(values.get("per_page") ?? fallback);
  const page = Number(values.get("page") ?? 0);
  const offset = Number(values.get("offset") ?? 0);
  const isOffset = page === 0 && offset !== 0;
  return ok({ offset: isOffset ? offset : (Math.max(page, 1) - 1) * limit, limit, page, isOffset, limitHits });
}

export function pagingOf(url: readonly Param[]): (readonly [string, string])[] {
  return url.filter(({ key }) => PAGING.has(key)).map(({ key, value }) => [key, value] as const);
}

/** The paging for hits [0, size), by all names that are given, so that no two disagree. */
export function widePage(given: readonly { readonly key: string }[], size: number, page: Result<AskedPage, string>): Map<string, number> {
  const names = given.map(({ key }) => key).filter((key) => PAGING.has(key));
  const isSized = names.some((key) => key === "per_page" || key === "limit");
  const most = Math.min(size, (page.ok ? page.value.limitHits : undefined) ?? size);
  const wide = (key: string): number => (key === "page" ? 1 : key === "offset" ? 0 : most);
  return new Map([...names, ...(isSized ? [] : ["per_page"])].map((key) => [key, wide(key)]));
}

export function widenedUrl(url: readonly Param[], size: number, page: Result<AskedPage, string>): string {
  const wide = Object.fromEntries(widePage(url, size, page));
  const added = Object.entries(wide).filter(([name]) => url.every(({ key }) => key !== name));
  const raw = replaceParams(url, wide).map((written, i) => {
    const vector = url[i]?.key === VECTOR ? withNeighbours(url[i].value, size, page) : undefined;
    return vector === undefined ? written : `${VECTOR}=${encodeURIComponent(vector)}`;
  });
  return searchOf([...raw, ...added.map(([key, value]) => `${key}=${value}`)]);
}

/** A hybrid search with the number of neighbours that the own request has: it follows the end of the page. `undefined`: as it is. */
export function withNeighbours(vector: string, size: number, page: Result<AskedPage, string>): string | undefined {
  const end = vector.lastIndexOf(")");
  if (!page.ok || size <= DEFAULT_NEIGHBOURS || end === -1 || /[(,]\s*k\s*:/.test(vector)) return undefined;
  const neighbours = Math.max(DEFAULT_NEIGHBOURS, page.value.offset + page.value.limit);
  return `${vector.slice(0, end)}, k: ${neighbours}${vector.slice(end)}`;
}
