/** The pages of one search as one list. A client gives all of them one query id; each is a record with the hits that it showed. */
import type { QueryRecord } from "../../report/ubi-log.ts";

/** What the record of a page knows of the whole list. */
export interface JoinedPages {
  /** Engine order. */
  readonly itemIds: readonly string[];
  /** Parallel to `itemIds`: 1-based engine ranks. */
  readonly ranks: readonly number[];
  /** Parallel to `itemIds`; absent where a page has none. */
  readonly scores: readonly number[] | undefined;
  readonly servedIds: readonly string[];
  /** Parallel to `servedIds`: 1-based, in the whole list. */
  readonly positions: readonly number[];
}

/**
 * `undefined` where the pages make no list: one of them is at a place that only the engine knows, or they are searches of several shoppers, texts or
 * arms, or two pages from before offsets were recorded.
 */
export function joinPages(pages: readonly QueryRecord[]): JoinedPages | undefined {
  const [first] = pages;
  if (first === undefined || pages.some((page) => searchKey(page) !== searchKey(first))) return undefined;
  const placed = pages.flatMap((page) => {
    const { offset = pages.length === 1 ? 0 : null } = page.query_attributes.armmt;
    return offset === null ? [] : [{ ...page.query_attributes.armmt, offset }];
  });
  if (placed.length < pages.length) return undefined;
  const [ranked, shown] = [new Map<string, { rank: number; score: number | undefined }>(), new Map<string, number>()];
  for (const { original_ids: ids, original_scores: scores, served_ids: served, offset } of placed) {
    // The window, which begins the list, holds more than a page further down.
    const before = ids.length === served.length ? offset : 0;
    for (const [i, id] of ids.entries()) if (!ranked.has(id)) ranked.set(id, { rank: before + i + 1, score: scores?.[i] });
    for (const [i, id] of served.entries()) if (!shown.has(id)) shown.set(id, offset + i + 1);
  }
  const inOrder = [...ranked].toSorted(([, a], [, b]) => a.rank - b.rank);
  const scores = inOrder.flatMap(([, { score }]) => score ?? []);
  return {
    itemIds: inOrder.map(([id]) => id),
    ranks: inOrder.map(([, { rank }]) => rank),
    scores: scores.length === inOrder.length ? scores : undefined,
    servedIds: [...shown.keys()],
    positions: [...shown.values()],
  };
}

/** The same for pages of one search. */
function searchKey({ client_id: client, user_query: words, query_attributes: { armmt } }: QueryRecord): string {
  return JSON.stringify([client, words, armmt["experiment"], armmt.variant]);
}

/** Brings the pages of one search together, however far apart they are in the log: holds those whose others are still to come. */
export function createPageHolder(counts: ReadonlyMap<string, number>) {
  const held = new Map<string, QueryRecord[]>();
  /** All pages of the record's search, once it is the last of them. */
  return (record: QueryRecord): readonly QueryRecord[] | undefined => {
    const count = counts.get(record.query_id) ?? 1;
    if (count === 1) return [record];
    const pages = [...(held.get(record.query_id) ?? []), record];
    held.set(record.query_id, pages);
    if (pages.length < count) return undefined;
    held.delete(record.query_id);
    return pages;
  };
}
