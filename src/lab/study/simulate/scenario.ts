/**
 * Runs the simulated shop: shoppers browse, search, see the engine's own order (a share of searches shuffled), click and buy. Yields a
 * shop's log and, beside it, the truth that no shop knows. The same options give the same records, byte for byte.
 */
import { createEventRecord, createQueryRecord, type UbiEventRecord, type UbiQueryRecord } from "../../../events/ubi.ts";
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import { attraction, carting, conversion, gradeOf, type Kind, type Parts, utilities, utilitiesInOrder } from "./attraction.ts";
import { drawClicks, type LogModel } from "./clicks.ts";
import { type Hits, lookCodes, type Shop, type ShopProduct, type Wish } from "./shop.ts";
import { browse, drawShopper, type Shopper } from "./shopper.ts";
import { isCold, type Split, splitOf } from "./split.ts";
import type { Truth } from "./records.ts";
import { DAY_MS } from "../../../web.ts";

interface ScenarioOptions {
  readonly shop: Shop;
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly parts: Parts;
  readonly seed: number;
}

/** An event of the edge's beacons, or a view of the shop's own tracking. */
type SimulatedEvent = Omit<UbiEventRecord, "action_name" | "query_id" | "event_attributes"> & {
  readonly action_name: UbiEventRecord["action_name"] | "view";
  readonly query_id?: string;
  readonly event_attributes: {
    readonly object: UbiEventRecord["event_attributes"]["object"];
    readonly position?: { readonly ordinal: number };
  };
};

/** One search and all that happened before and after it. */
export interface Session {
  /** Views before the search, oldest first; only at a shopper's first search. */
  readonly views: readonly SimulatedEvent[];
  readonly query: UbiQueryRecord;
  readonly events: readonly SimulatedEvent[];
  readonly truth: Truth;
}

const SHUFFLED_SHARE = 0.15;
const FEWEST_HITS = 8;
const ATTEMPTS = 400;

/** The first search; both catalogues' newest product is a day old then. */
const START_MS = Date.UTC(2026, 10, 16);
const DAYS = 30;

/** Half of the words asked for follow the shopper's taste. */
function likes(shopper: Shopper): (word: string) => number {
  return (word) => 1 + 3 * Math.max(0, shopper.taste.get(word) ?? 0);
}

/** The products on sale to some of the shoppers. */
interface Range {
  readonly products: readonly ShopProduct[];
  /** The engine's hits for a query, the widest window. */
  readonly hits: (query: string) => Hits;
}

function openRange(shop: Shop, products: readonly ShopProduct[]): Range {
  const engine = shop.openEngine(products);
  const asked = new Map<string, Hits>(); // many shoppers ask the same
  return {
    products,
    hits: (query) => {
      const hits = asked.get(query) ?? engine.hits(query, Math.max(...shop.windows));
      asked.set(query, hits);
      return hits;
    },
  };
}

interface Found {
  readonly wish: Wish;
  readonly hits: Hits;
}

/** A query of the shopper's own split with enough hits; `undefined` when no attempt finds one. */
function findSomething(shopper: Shopper, shop: Shop, range: Range, random: Random): Found | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const wish = shop.makeWish(shopper.interests, likes(shopper), random);
    if (splitOf("query", wish.text) !== shopper.split) continue;
    const hits = range.hits(wish.text).slice(0, random.pick(shop.windows));
    if (hits.length >= FEWEST_HITS) return { wish, hits };
  }
  return undefined;
}

function shuffle<T>(from: readonly T[], random: Random): T[] {
  return from
    .map((value) => ({ value, key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

/** A product and its codes in the parts of a look by which products seem alike. */
interface CandidateInfo {
  readonly product: ShopProduct;
  readonly kind: Kind & readonly number[];
}

function candidatesOf(shop: Shop): ReadonlyMap<string, CandidateInfo> {
  const codes = lookCodes(shop);
  const kindOf = ({ look }: ShopProduct): number[] => codes.map(({ part, words }) => words.indexOf(look[part] ?? ""));
  return new Map(shop.products.map((product) => [product.id, { product, kind: kindOf(product) }]));
}

export function* simulate(options: ScenarioOptions): Generator<Session> {
  const { seed, shop } = options;
  const candidates = candidatesOf(shop);
  const warm = shop.products.filter((product) => !isCold(product.id));
  const known = openRange(shop, warm);
  const ranges: Readonly<Record<Split, Range>> = { train: known, validation: known, test: openRange(shop, shop.products) };
  const perShopper = options.searches / options.shoppers;

  let done = 0;
  for (let s = 0; s < options.shoppers && done < options.searches; s++) {
    const shopper = drawShopper(`shopper-${s + 1}`, seed, shop);
    const random = createRandom(`${seed}:${shopper.id}:life`);
    const range = ranges[shopper.split];
    // The last shoppers take what rounding left over.
    const count = s === options.shoppers - 1 ? options.searches - done : Math.round((s + 1) * perShopper) - Math.round(s * perShopper);
    let now = START_MS + random.next() * (DAYS - 5) * DAY_MS;
    const browsed = browse(shopper, range.products, random);
    for (let i = 0; i < count; i++) {
      const found = findSomething(shopper, shop, range, random);
      if (found === undefined) break;
      const views = i > 0 ? [] : browsed.map((product, v) => viewEvent(shopper, product, now - (browsed.length - v) * 40_000));
      const queryId = `${shopper.id}-q${i + 1}`;
      yield runSearch({ shopper, found, queryId, nowMs: now, views, random }, candidates, options);
      done++;
      now += (0.02 + random.next()) * DAY_MS;
    }
  }
}

function timestamp(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}

const APPLICATION = "armmt-simulator";

/** The edge does not log views; a shop's own tracking does. */
function viewEvent(shopper: Shopper, product: ShopProduct, atMs: number): SimulatedEvent {
  return {
    application: APPLICATION,
    action_name: "view",
    client_id: shopper.id,
    timestamp: timestamp(atMs),
    event_attributes: { object: { object_id: product.id, object_id_type: "product" } },
  };
}

interface Search {
  readonly shopper: Shopper;
  readonly found: Found;
  readonly queryId: string;
  readonly nowMs: number;
  readonly views: readonly SimulatedEvent[];
  readonly random: Random;
}

function runSearch(search: Search, known: ReadonlyMap<string, CandidateInfo>, { parts, clickModel }: ScenarioOptions): Session {
  const { shopper, found, queryId, nowMs, views, random } = search;
  const infos = found.hits.map(({ id }) => {
    const info = known.get(id);
    if (info === undefined) throw new Error(`The engine returned "${id}", which is not in the catalogue`);
    return info;
  });
  const candidates = infos.map(({ product }) => product);
  const u = utilities(shopper, found.wish, candidates, parts);
  const ranks = candidates.map((_, i) => i);
  const shuffled = random.chance(SHUFFLED_SHARE);
  const order = shuffled ? shuffle(ranks, random) : ranks;
  const shown = order.flatMap((rank) => candidates[rank] ?? []);
  const shownU = utilitiesInOrder(
    order.map((rank) => u[rank] ?? 0),
    order.map((rank) => infos[rank]?.kind ?? []),
    parts,
  );
  const clicks = drawClicks(clickModel, shownU.map(attraction), random);

  const events: SimulatedEvent[] = [];
  shown.forEach((product, i) => {
    const value = shownU[i] ?? 0;
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

  return {
    views,
    query: createQueryRecord({
      application: APPLICATION,
      queryId,
      clientId: shopper.id,
      userQuery: found.wish.text,
      timeMs: Math.floor(nowMs),
      armmt: {
        experiment: "simulation",
        variant: shuffled ? "shuffle" : "control",
        window: candidates.length,
        original_ids: candidates.map((product) => product.id),
        original_scores: found.hits.map(({ score }) => Number(score.toFixed(4))),
        served_ids: shown.map((product) => product.id),
      },
    }),
    events,
    truth: {
      query_id: queryId,
      split: shopper.split,
      ids: candidates.map((product) => product.id),
      utility: u.map((value) => Number(value.toFixed(4))),
      grade: u.map(gradeOf),
      in_stock: candidates.map((product) => product.inStock),
      price: candidates.map((product) => product.price),
      look: infos.flatMap(({ kind }) => kind),
      cold_item: candidates.map((product) => isCold(product.id)),
      modality: Number(shopper.modality.toFixed(3)),
    },
  };
}
