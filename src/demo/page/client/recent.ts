/**
 * Recently viewed products: in localStorage only, most recent first. The server sees ids in a header of each search and keeps none.
 */
import { parseRecent, type RecentProduct } from "./reply.ts";

const KEY = "armmt.recently-viewed";
/** As many as the edge uses. */
const MOST = 20;

export function loadRecent(storage: Storage): RecentProduct[] {
  try {
    const json: unknown = JSON.parse(storage.getItem(KEY) ?? "[]");
    return parseRecent(json);
  } catch {
    return []; // not JSON, or storage is switched off
  }
}

export function saveRecent(storage: Storage, products: readonly RecentProduct[]): void {
  try {
    storage.setItem(KEY, JSON.stringify(products));
  } catch {
    // Storage full or switched off: the strip still works until the page is left.
  }
}

/** A viewed product comes to the front; nothing stands twice. */
export function addRecent(products: readonly RecentProduct[], viewed: RecentProduct): RecentProduct[] {
  return [viewed, ...products.filter((product) => product.id !== viewed.id)].slice(0, MOST);
}
