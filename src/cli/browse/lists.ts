/** Searches without words of a log → the lists that a table is learned from, and what is left out. */
import type { LoggedSearch } from "../lists/log.ts";
import { swapCells } from "../gate/exposure.ts";
import type { BrowsedList } from "./learn.ts";

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
