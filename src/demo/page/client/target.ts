/**
 * Where searches are re-ranked: at the edge (`/`), or on this device (`/private/`, device.ts). The page is the same; it differs in where
 * recently viewed products are kept. No server keeps any.
 */
import * as v from "valibot";
import type { Catalog, SearchOptions } from "./api.ts";

/** Recently viewed products, most recent first. */
const recentSchema = v.array(v.object({ id: v.string(), title: v.string(), image: v.string() }));

export type RecentProduct = v.InferOutput<typeof recentSchema>[number];

/** Each change resolves to the new list. */
export interface RecentProducts {
  load(): Promise<RecentProduct[]>;
  add(viewed: RecentProduct): Promise<RecentProduct[]>;
  remove(id: string): Promise<RecentProduct[]>;
  clear(): Promise<RecentProduct[]>;
}

export interface Target {
  /** Who re-ranks, as part of a sentence. */
  readonly name: "the edge" | "this device";
  readonly recent: RecentProducts;
  /** Under the strip while it is empty. */
  readonly recentNote: string;
  /** Resolves when the first search may begin. */
  start(): Promise<void>;
  /** Options of a re-ranked search; `viewed`: product ids, most recent first. */
  options(viewed: readonly string[], catalog: Catalog | undefined): SearchOptions;
  /** Called after each search. */
  searched(): void;
}

/** The edge gets the ids of viewed products in a header of each search. */
export function createEdgeTarget(storage: Storage): Target {
  return {
    name: "the edge",
    recent: createRecent(storage),
    recentNote: "Choose any product: the re-ranked list adapts at once. This stays in your browser.",
    start: async () => undefined,
    options: (viewed, catalog) => ({
      history: viewed,
      explain: catalog?.explainToken !== undefined,
      explainToken: catalog?.explainToken,
    }),
    searched: () => undefined,
  };
}

const KEY = "armmt.recently-viewed";
/** As many as the edge uses. */
const MAX_RECENT = 20;

/** Kept in `storage`; without one, as long as the page. */
export function createRecent(storage?: Storage): RecentProducts {
  let products = loadFrom(storage);
  const change = async (changed: RecentProduct[]): Promise<RecentProduct[]> => {
    products = changed;
    try {
      storage?.setItem(KEY, JSON.stringify(products));
    } catch {
      // Storage full or switched off: the strip still works until the page is left.
    }
    return products;
  };
  return {
    load: async () => products,
    add: (viewed) => change(addRecent(products, viewed)),
    remove: (id) => change(products.filter((product) => product.id !== id)),
    clear: () => change([]),
  };
}

function loadFrom(storage: Storage | undefined): RecentProduct[] {
  try {
    return parseRecent(storage?.getItem(KEY) ?? "[]");
  } catch {
    return []; // storage is switched off
  }
}

/** A viewed product comes to the front, without duplicates. */
export function addRecent(products: readonly RecentProduct[], viewed: RecentProduct): RecentProduct[] {
  return [viewed, ...products.filter(({ id }) => id !== viewed.id)].slice(0, MAX_RECENT);
}

/** Anything but a list of products reads as none. */
export function parseRecent(text: string): RecentProduct[] {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), recentSchema), text);
  return parsed.success ? parsed.output : [];
}
