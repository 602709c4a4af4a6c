/** Shoppers browse, search, click and buy: a shop's log, and the truth behind it. The same options give the same records, byte for byte. */
import { createEventRecord, createQueryRecord, type UbiEventRecord, type UbiQueryRecord } from "../../../events/ubi.ts";
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import { attraction, carting, conversion, gradeOf, type Parts, utilitiesInOrder } from "./attraction.ts";
import { drawClicks, type LogModel } from "./clicks.ts";
import { type Hits, lookCodes, type Shop, type ShopProduct, type Wish } from "./shop.ts";
import { browse, drawShopper, type Shopper } from "./shopper.ts";
import { type Split, splitOf } from "../../../cli/lists/split.ts";
import { isCold } from "./cold.ts";
import { type Before, type PeopledShop, plainWorld } from "./world.ts";
import type { Truth } from "./truth.ts";
import { DAY_MS } from "../../../web.ts";

export interface ScenarioOptions {
  readonly shop: PeopledShop;
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly parts: Parts;
  readonly seed: number;
  /** Told of every search what the log does not hold. */
  readonly onSearch?: (search: Searched) => void;
}

/** Who asked what, and the engine's list. */
export interface Searched {
  readonly shopper: Shopper;
  readonly wish: Wish;
  readonly candidates: readonly ShopProduct[];
  readonly truth: Truth;
}

/** One search and all that happened before and after it. */
export interface Session {
  /** Views and the like before the search, oldest first; only at a shopper's first search. */
  readonly views: readonly ReturnType<typeof beforeEvent>[];
  readonly query: UbiQueryRecord;
  readonly events: readonly UbiEventRecord[];
  readonly truth: Truth;
}

const SHUFFLED_SHARE = 0.15;
const FEWEST_HITS = 8;
const ATTEMPTS = 400;

/** The first search; both catalogues' newest product is a day old then. */
const START_MS = Date.UTC(2026, 10, 16);
const DAYS = 30;

/** The products on sale to some of the shoppers. */
type Range = ReturnType<typeof openRange>;

function openRange(shop: Shop, products: readonly ShopProduct[]) {
  const engine = shop.openEngine(products);
  const asked = new Map<string, Hits>(); // many shoppers ask the same
  return {
    products,
    /** The engine's hits for a query, the widest window. */
    hits: (query: string): Hits => {
      const hits = asked.get(query) ?? engine.hits(query, Math.max(...shop.windows));
      asked.set(query, hits);
      return hits;
    },
  };
}

type Found = Readonly<{ wish: Wish; hits: Hits }>;

/** A query of the shopper's own split with enough hits; `undefined` when no attempt finds one. */
function findSomething(shopper: Shopper, shop: Shop, range: Range, random: Random): Found | undefined {
  // Half of the words asked for follow the shopper's taste.
  const likes = (word: string): number => 1 + 3 * Math.max(0, shopper.taste.get(word) ?? 0);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const wish = shop.makeWish(shopper.interests, likes, random);
    if (splitOf("query", wish.text) !== shopper.split) continue;
    const hits = range.hits(wish.text).slice(0, random.pick(shop.windows));
    if (hits.length >= FEWEST_HITS) return { wish, hits };
  }
  return undefined;
}

/** Products by id, with their codes in the parts of a look by which products seem alike. */
export function candidatesOf(shop: PeopledShop) {
  const codes = lookCodes(shop);
  const kindOf =
    shop.world?.kindOf ?? (({ look }: ShopProduct): number[] => codes.map(({ part, words }) => words.indexOf(look[part] ?? "")));
  return new Map(shop.products.map((product) => [product.id, { product, kind: kindOf(product) }]));
}

export function* simulate(options: ScenarioOptions): Generator<Session> {
  const { seed, shop } = options;
  const candidates = candidatesOf(shop);
  const warmProducts = shop.products.filter((product) => !isCold(product.id));
  const warm = openRange(shop, warmProducts);
  const ranges: Readonly<Record<Split, Range>> = { train: warm, validation: warm, test: openRange(shop, shop.products) };
  const perShopper = options.searches / options.shoppers;

  let done = 0;
  for (let s = 0; s < options.shoppers && done < options.searches; s++) {
    const shopper = drawShopper(`shopper-${s + 1}`, seed, shop);
    const random = createRandom(`${seed}:${shopper.id}:life`);
    const range = ranges[shopper.split];
    // The last shoppers take what rounding left over.
    const count = s === options.shoppers - 1 ? options.searches - done : Math.round((s + 1) * perShopper) - Math.round(s * perShopper);
    let now = START_MS + random.next() * (DAYS - 5) * DAY_MS;
    const browsed = shop.world?.before?.(shopper, range.products, random) ?? viewsOf(browse(shopper, range.products, random));
    for (let i = 0; i < count; i++) {
      const found = findSomething(shopper, shop, range, random);
      if (found === undefined) break;
      const views = i > 0 ? [] : browsed.map((before, v) => beforeEvent(shopper, before, now - (browsed.length - v) * 40_000));
      const queryId = `${shopper.id}-q${i + 1}`;
      yield { views, ...runSearch({ ...found, shopper, queryId, nowMs: now, random }, candidates, options) };
      done++;
      now += (0.02 + random.next()) * DAY_MS;
    }
  }
}

const APPLICATION = "armmt-simulator";

const viewsOf = (products: readonly ShopProduct[]): Before[] => products.map((product) => ({ product, action: "view" }));

/** The edge does not log views, nor what follows no search; a shop's own tracking does. */
function beforeEvent(shopper: Shopper, { product, action }: Before, atMs: number) {
  return {
    application: APPLICATION,
    action_name: action,
    client_id: shopper.id,
    timestamp: new Date(Math.floor(atMs)).toISOString(),
    event_attributes: { object: { object_id: product.id, object_id_type: "product" } },
  };
}

type Search = Found & Readonly<{ shopper: Shopper; queryId: string; nowMs: number; random: Random }>;

function runSearch(search: Search, known: ReturnType<typeof candidatesOf>, options: ScenarioOptions): Omit<Session, "views"> {
  const { parts, clickModel, shop, onSearch } = options;
  const world = shop.world ?? plainWorld;
  const { shopper, wish, hits, queryId, nowMs, random } = search;
  const candidates = hits.map(({ id }) => {
    const candidate = known.get(id);
    if (candidate === undefined) throw new Error(`The engine returned "${id}", which is not in the catalogue`);
    return candidate;
  });
  const products = candidates.map(({ product }) => product);
  const ids = products.map(({ id }) => id);
  const u = world.utilities(shopper, wish, products, world.offIn(parts));
  const isShuffled = random.chance(SHUFFLED_SHARE);
  const keyed = candidates.map((candidate, i) => ({ ...candidate, u: u[i]!, key: isShuffled ? random.next() : i }));
  const shown = keyed.toSorted((a, b) => a.key - b.key);
  const inOrder = { u: shown.map((candidate) => candidate.u), kinds: shown.map(({ kind }) => kind) };
  const shownU = utilitiesInOrder(inOrder.u, inOrder.kinds, parts);
  const clicks = drawClicks(clickModel, shownU.map(attraction), random);

  const events: UbiEventRecord[] = [];
  shown.forEach(({ product }, i) => {
    const value = shownU[i]!;
    // Drawn for every position, so that one click does not shift the chance of the next.
    const outcome = random.next();
    if (clicks[i] !== true) return;
    const actions: UbiEventRecord["action_name"][] = ["click"];
    if (outcome < carting(value, product.inStock)) actions.push("add_to_cart");
    if (outcome < conversion(value, product.inStock)) actions.push("purchase");
    actions.forEach((action, a) => {
      const timeMs = Math.floor(nowMs) + (i + 1) * 4000 + a * 1000;
      const event = { application: APPLICATION, action, queryId, clientId: shopper.id, itemId: product.id, position: i + 1, timeMs };
      events.push(createEventRecord(event));
    });
  });

  const truth: Truth = {
    query_id: queryId,
    split: shopper.split,
    ids,
    utility: u.map((value) => Number(value.toFixed(4))),
    grade: u.map(gradeOf),
    in_stock: products.map(({ inStock }) => inStock),
    price: products.map(({ price }) => price),
    look: candidates.flatMap(({ kind }) => kind),
    cold_item: ids.map(isCold),
    modality: Number(world.modalityOf(shopper, wish).toFixed(3)),
  };
  onSearch?.({ shopper, wish, candidates: products, truth });
  return {
    query: createQueryRecord({
      application: APPLICATION,
      queryId,
      clientId: shopper.id,
      userQuery: wish.text,
      timeMs: Math.floor(nowMs),
      armmt: {
        experiment: "simulation",
        variant: isShuffled ? "shuffle" : "control",
        window: products.length,
        original_ids: ids,
        original_scores: hits.map(({ score }) => Number(score.toFixed(4))),
        served_ids: shown.map(({ product }) => product.id),
      },
    }),
    events,
    truth,
  };
}
