/**
 * Recently viewed products, most recent first, and where they are kept: at the edge's page in localStorage, and on the device in IndexedDB
 * (device.ts). No server keeps any.
 */
import { parseRecent, type RecentProduct } from "./reply.ts";

/** What each change leaves. */
export interface RecentProducts {
  load(): Promise<RecentProduct[]>;
  add(viewed: RecentProduct): Promise<RecentProduct[]>;
  remove(id: string): Promise<RecentProduct[]>;
  clear(): Promise<RecentProduct[]>;
}

const KEY = "armmt.recently-viewed";
/** As many as the edge uses. */
const MOST = 20;

/** The server sees their ids in a header of each search. */
export function createLocalRecent(storage: Storage): RecentProducts {
  let products = loadFrom(storage);
  const change = async (changed: RecentProduct[]): Promise<RecentProduct[]> => {
    products = changed;
    saveTo(storage, products);
    return products;
  };
  return {
    load: async () => products,
    add: (viewed) => change(addRecent(products, viewed)),
    remove: (id) => change(products.filter((product) => product.id !== id)),
    clear: () => change([]),
  };
}

/** A viewed product comes to the front; nothing stands twice. */
export function addRecent(products: readonly RecentProduct[], viewed: RecentProduct): RecentProduct[] {
  return [viewed, ...products.filter(({ id }) => id !== viewed.id)].slice(0, MOST);
}

function loadFrom(storage: Storage): RecentProduct[] {
  try {
    const json: unknown = JSON.parse(storage.getItem(KEY) ?? "[]");
    return parseRecent(json);
  } catch {
    return []; // not JSON, or storage is switched off
  }
}

function saveTo(storage: Storage, products: readonly RecentProduct[]): void {
  try {
    storage.setItem(KEY, JSON.stringify(products));
  } catch {
    // Storage full or switched off: the strip still works until the page is left.
  }
}
