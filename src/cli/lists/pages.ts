/** The pages of one search as one list. A client gives all of them one query id; each is a record with the hits that it showed. */
import type { ItemValues } from "../../ranking/item-values.ts";
import { ITEM_VALUES } from "../../ranking/item-values.ts";
import { err, ok, type Result } from "../../result.ts";
import type { ListAttributes, PageRecord } from "./records.ts";

/** What the records of the pages know of the whole list. */
export interface JoinedPages {
  /** Engine order. */
  readonly itemIds: readonly string[];
  /** Parallel to `itemIds`: 1-based engine ranks. */
  readonly ranks: readonly number[];
  /** Parallel to `itemIds`; absent where a page has none. */
  readonly scores: readonly (number | undefined)[] | undefined;
  /** That the hits brought. */
  readonly values: ReadonlyMap<string, ItemValues>;
  readonly servedIds: readonly string[];
  /** Parallel to `servedIds`: 1-based, in the whole list. */
  readonly positions: readonly number[];
  /** 1: a, 2: b. */
  readonly teams: ReadonlyMap<string, number>;
  /** Of shown items; absent where nothing was explored. */
  readonly propensities: ReadonlyMap<string, number> | undefined;
}

/** Why pages make no list; the texts stand in the command's table. */
export type NoList = "a page at a place that only the engine knows" | "one query id for several shoppers, texts or arms";

const TEAMS: Readonly<Record<string, number>> = { a: 1, b: 2 };

/** Two pages from before offsets were recorded cannot be placed either. */
export function joinPages(pages: readonly PageRecord[]): Result<JoinedPages, NoList> {
  const [first] = pages;
  if (first === undefined || pages.some((page) => searchKey(page) !== searchKey(first))) {
    return err("one query id for several shoppers, texts or arms");
  }
  const ranked = new Map<string, { rank: number; score: number | undefined }>();
  const [shown, values, teams, propensities] = [
    new Map<string, number>(),
    new Map<string, ItemValues>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const { armmt } of pages) {
    const { offset = pages.length === 1 ? 0 : null } = armmt;
    if (offset === null) return err("a page at a place that only the engine knows");
    const { original_ids: ids, original_scores: scores, served_ids: served, window } = armmt;
    const before = isOwnPage(armmt) ? offset : 0;
    // Hits behind the window are in no list that a model is asked to order.
    for (const [i, id] of ids.slice(0, window ?? ids.length).entries()) {
      if (ranked.has(id)) continue;
      ranked.set(id, { rank: before + i + 1, score: scores?.[i] ?? undefined });
      const own = valuesAt(armmt, i);
      if (own !== undefined) values.set(id, own);
    }
    for (const [i, id] of served.entries()) {
      if (shown.has(id)) continue;
      shown.set(id, offset + i + 1);
      const team = TEAMS[armmt.teams?.[i] ?? ""];
      if (team !== undefined) teams.set(id, team);
      const propensity = armmt.propensities?.[i];
      if (propensity !== undefined) propensities.set(id, propensity);
    }
  }
  const inOrder = [...ranked].toSorted(([, a], [, b]) => a.rank - b.rank);
  return ok({
    itemIds: inOrder.map(([id]) => id),
    ranks: inOrder.map(([, { rank }]) => rank),
    scores: pages.every(({ armmt }) => armmt.original_scores) ? inOrder.map(([, { score }]) => score) : undefined,
    values,
    servedIds: [...shown.keys()],
    positions: [...shown.values()],
    teams,
    propensities: propensities.size === 0 ? undefined : propensities,
  });
}

/** The record knows that page only. Otherwise it holds the window, which begins the list. */
function isOwnPage({ original_ids: ids, served_ids: served }: ListAttributes): boolean {
  if (ids.length !== served.length) return false;
  const known = new Set(ids);
  return served.every((id) => known.has(id));
}

function valuesAt({ original_values: columns }: ListAttributes, i: number): ItemValues | undefined {
  const known = ITEM_VALUES.flatMap((name) => {
    const value = columns?.[name]?.[i] ?? undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/** The same for pages of one search. */
function searchKey({ unit, user_query: words, armmt: { experiment, variant, page } }: PageRecord): string {
  return JSON.stringify([unit ?? null, words, experiment ?? null, variant ?? null, page ?? null]);
}
