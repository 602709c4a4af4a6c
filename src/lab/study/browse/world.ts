/**
 * Simulated shoppers who look through category pages and the home page of the drawn shop. The engine lists each page by popularity; the edge explores
 * (one pair of neighbours of the first ten is swapped by half a chance). What they click and buy follows from the same utilities as in the study's
 * searches: the words of a query are all that is missing.
 */
import { openItems } from "../../../cli/lists/dataset.ts";
import { splitOf, type Split } from "../../../cli/lists/split.ts";
import type { BrowsedList } from "../../../cli/browse/lists.ts";
import type { ItemVectors } from "../../../cli/browse/taste.ts";
import { embedCatalog } from "../../../cli/embed.ts";
import { swapCells } from "../../../cli/gate/exposure.ts";
import type { CatalogueOptions } from "../../../demo/catalogue/catalogue.ts";
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import { swapNeighbours } from "../../../ranking/interleave.ts";
import { MAX_HISTORY } from "../../../ranking/features.ts";
import { ALL_PARTS, attraction, carting, conversion, type Kind, utilities, utilitiesInOrder } from "../simulate/attraction.ts";
import { clickProbabilities, drawClicks } from "../simulate/clicks.ts";
import { drawnShop, drawnShopCatalog } from "../simulate/drawn-shop.ts";
import { lookCodes, type Shop, type ShopProduct } from "../simulate/shop.ts";
import { drawShopper, type Shopper } from "../simulate/shopper.ts";

/** Hits that the edge may move. */
export const WINDOW = 100;
const PAGE = 24;
const MOST_PAGES = 3;
const NEXT_PAGE = 0.35;
/** Of visits: the home page. */
const HOME = 0.15;
const START_MS = Date.UTC(2026, 8, 1);
const DAYS = 60;
const DAY_MS = 86_400_000;

export interface BrowsePage {
  /** `undefined`: the home page. */
  readonly category: string | undefined;
  /** In the engine's order. */
  readonly products: readonly ShopProduct[];
  readonly kinds: readonly Kind[];
}

export interface Visit {
  readonly shopper: Shopper;
  readonly page: BrowsePage;
  /** Of each product, whoever stands above it. */
  readonly u: readonly number[];
  /** Positions that are looked through. */
  readonly depth: number;
  readonly atMs: number;
  readonly queryId: string;
  readonly random: Random;
  /** What the shopper has clicked so far, oldest first: logging a visit adds to it. */
  readonly looked: string[];
}

/** `catalogue`: default one of its own per seed. */
export function openWorld(seed: number, catalogue: CatalogueOptions = { seed }) {
  const shop = drawnShop(catalogue);
  const pages = pagesOf(shop);
  return {
    pages,
    *visits(split: Split, shoppers: number, perShopper: number): Generator<Visit> {
      for (let s = 0, found = 0; found < shoppers; s++) {
        const id = `shopper-${s + 1}`;
        if (splitOf("shopper", id) !== split) continue;
        found++;
        const shopper = drawShopper(id, seed, shop);
        const random = createRandom(`${seed}:${id}:browse`);
        const looked: string[] = [];
        for (let i = 0; i < perShopper; i++)
          yield visit({ shopper, shop, pages, queryId: `${id}-b${i + 1}`, random, looked, from: i / perShopper, share: 1 / perShopper });
      }
    },
  };
}

/** The vectors that `armmt embed` makes of such a catalogue, kept in `folder`. Its picture encoder was trained on drawings like these. */
export async function embedWorld(catalogue: CatalogueOptions, folder: string): Promise<ItemVectors> {
  await embedCatalog({ catalog: "simulated", items: drawnShopCatalog(catalogue), out: folder, json: true });
  return openItems(folder);
}

function pagesOf(shop: Shop): ReadonlyMap<string, BrowsePage> {
  const codes = lookCodes(shop);
  const pageOf = (category: string | undefined, products: readonly ShopProduct[]): BrowsePage => {
    const shown = products.toSorted((a, b) => b.popularity - a.popularity).slice(0, WINDOW);
    return { category, products: shown, kinds: shown.map(({ look }) => codes.map(({ part, words }) => words.indexOf(look[part] ?? ""))) };
  };
  return new Map([
    ["", pageOf(undefined, shop.products)],
    ...[...Map.groupBy(shop.products, ({ category }) => category)].map(([category, products]): [string, BrowsePage] => [
      category,
      pageOf(category, products),
    ]),
  ]);
}

interface Visiting extends Pick<Visit, "shopper" | "queryId" | "random" | "looked"> {
  /** Of the time: a shopper's visits follow each other. */
  readonly from: number;
  readonly share: number;
  readonly shop: Shop;
  readonly pages: ReadonlyMap<string, BrowsePage>;
}

function visit({ shopper, pages, queryId, random, looked, from, share }: Visiting): Visit {
  const wanted = random.pick(shopper.interests);
  const page = pages.get(random.chance(HOME) ? "" : wanted)!;
  const u = utilities(shopper, { text: "", category: wanted, asked: [] }, page.products, ALL_PARTS);
  let depth = PAGE;
  while (depth < MOST_PAGES * PAGE && random.chance(NEXT_PAGE)) depth += PAGE;
  return {
    shopper,
    page,
    u,
    depth: Math.min(depth, page.products.length),
    atMs: START_MS + (from + share * random.next()) * DAYS * DAY_MS,
    queryId,
    random,
    looked,
  };
}

const shownUtilities = ({ u, page, depth }: Visit, order: readonly number[]): number[] => {
  const shown = order.slice(0, depth);
  return utilitiesInOrder(
    shown.map((i) => u[i]!),
    shown.map((i) => page.kinds[i]!),
    ALL_PARTS,
  );
};

/** What the edge's log says of a visit, under the engine's order with an exploration. */
export function logVisit(visited: Visit): BrowsedList {
  const { page, shopper, random, queryId, atMs, looked } = visited;
  const history = [...new Set(looked.toReversed())].slice(0, MAX_HISTORY);
  const engine = [...page.products.keys()];
  const { order, propensities } = swapNeighbours(
    engine,
    engine.map(() => false),
    queryId,
  );
  const shown = shownUtilities(visited, order);
  const clicked = drawClicks("pbm", shown.map(attraction), random);
  const [positions, clicks, carts, purchases, chances] = [0, 0, 0, 0, 1].map((fill) => engine.map(() => fill));
  for (const [k, u] of shown.entries()) {
    const i = order[k]!;
    const outcome = random.next();
    positions![i] = k + 1;
    chances![i] = propensities[k]!;
    if (clicked[k] !== true) continue;
    clicks![i] = 1;
    looked.push(page.products[i]!.id);
    if (outcome < carting(u, page.products[i]!.inStock)) carts![i] = 1;
    if (outcome < conversion(u, page.products[i]!.inStock)) purchases![i] = 1;
  }
  return {
    queryId,
    unit: shopper.id,
    atMs,
    filters: new Map(page.category === undefined ? [] : [["category", new Set([page.category])]]),
    itemIds: page.products.map(({ id }) => id),
    ranks: engine.map((i) => i + 1),
    positions: positions!,
    clicks: clicks!,
    carts: carts!,
    purchases: purchases!,
    history,
    cells: swapCells(positions!, chances!),
  };
}

/** The truth: clicks on the first `depth` positions of an order, which is what the gate estimates. */
export function expectedClicks(visited: Visit, order: readonly number[], depth: number): number {
  const clicks = clickProbabilities("pbm", shownUtilities(visited, order).map(attraction));
  return clicks.slice(0, depth).reduce((sum, click) => sum + click, 0);
}

/** The truth: purchases that an order can expect of a visit. */
export function expectedPurchases(visited: Visit, order: readonly number[]): number {
  const shown = shownUtilities(visited, order);
  const clicks = clickProbabilities("pbm", shown.map(attraction));
  return shown.reduce((sum, u, k) => sum + clicks[k]! * conversion(u, visited.page.products[order[k]!]!.inStock), 0);
}
