/** Searches without words of a log → the lists that a table is learned from, and what is left out. */
import type { LoggedSearch } from "../lists/log.ts";
import { swapCells } from "../gate/exposure.ts";
import type { PageFilters } from "../../browse/table.ts";
import type { ShownList } from "../gate/click-model.ts";

/** One list of a page without words. Arrays are by item, in the engine's order. */
export interface BrowsedList extends ShownList {
  readonly queryId: string;
  /** Empty: unknown. */
  readonly unit: string;
  readonly atMs: number;
  readonly filters: PageFilters;
  readonly itemIds: readonly string[];
  /** 1-based, of the engine. */
  readonly ranks: readonly number[];
  /** Purchases too. */
  readonly carts: readonly number[];
  readonly purchases: readonly number[];
  /** Items that the shopper looked at before, most recent first. */
  readonly history: readonly string[];
}

/** `undefined` for a search with words, and for one whose record names no page. */
export function browsedList(search: LoggedSearch): BrowsedList | undefined {
  const { page, queryId, unit = "", atMs, itemIds, servedIds, actions, propensities } = search;
  if (page === undefined || search.query.trim() !== "" || itemIds.length < 2) return undefined;
  const positionOf = new Map(servedIds.map((id, i) => [id, search.positions?.[i] ?? i + 1]));
  const positions = itemIds.map((id) => positionOf.get(id) ?? 0);
  const chances = propensities && itemIds.map((id) => propensities.get(id) ?? 1);
  return {
    queryId,
    unit,
    atMs,
    filters: new Map(Object.entries(page).map(([field, values]) => [field, new Set(values)])),
    itemIds,
    ranks: search.ranks ?? itemIds.map((_, i) => i + 1),
    positions,
    clicks: itemIds.map((id) => Number(actions.click.has(id))),
    carts: itemIds.map((id) => Number(actions.add_to_cart.has(id) || actions.purchase.has(id))),
    purchases: itemIds.map((id) => Number(actions.purchase.has(id))),
    history: search.history,
    cells: chances && swapCells(positions, chances),
  };
}
