/**
 * Simulated searches with known truth, by which the gate itself is checked. Simulated shoppers look by position and click by attraction; the log is
 * made as the edge makes it, with its own team draft and swaps. A model is a function of one candidate: nothing is trained.
 */
import { createRandom, type Random } from "../../demo/catalogue/random.ts";
import { draftTeams, swapNeighbours } from "../../ranking/interleave.ts";
import { orderByScore } from "../evaluate/metrics.ts";
import { draftCells, exploredCells, mixCells, servedCells } from "./exposure.ts";
import type { DescribedList } from "./click-model.ts";

/** What a candidate is, each standard normal. Attraction is a sum of them; `hidden` is known to no feature, only to shoppers and to models. */
export const QUALITIES = ["engine", "words", "picture", "price", "hidden"] as const;
export type Quality = (typeof QUALITIES)[number];
export type Qualities = Readonly<Record<Quality, number>>;

/** Of the logit of P(click | looked at). */
const ATTRACTION: Qualities = { engine: 0.5, words: 0.5, picture: 0.5, price: -0.2, hidden: 0.6 };
const BASE = -2.2;
/** Of the logit of P(purchase | click). */
const PURCHASE: Qualities = { engine: 0.2, words: 0.1, picture: 0, price: -0.4, hidden: 0.4 };
const PURCHASE_BASE = -1.8;

/** Readers: "pbm" is what the click model believes; a reader of "dcm" stops after one click in three. */
export const READERS = ["pbm", "dcm"] as const;
export type Reader = (typeof READERS)[number];

export const SIZE = 24;
const PAGE = 20;
const STOP = 1 / 3;

/** Not of the shape that the curve of looks has. */
const LOOKS = [0.82, 0.78, 0.69, 0.58, 0.53, 0.45, 0.33, 0.32, 0.28, 0.245];
export const trueLook = (position: number): number => LOOKS[Math.min(position, LOOKS.length) - 1]!;

export interface SimulatedList extends DescribedList {
  readonly unit: string;
  readonly queryId: string;
  readonly isTest: boolean;
  readonly purchases: readonly number[];
  readonly candidates: readonly Qualities[];
  /** P(click | looked at). */
  readonly attractions: readonly number[];
  readonly engine: readonly number[];
  readonly semantic: readonly number[];
}

export interface SimulationOptions {
  readonly seed: string;
  readonly searches: number;
  readonly reader: Reader;
  /** Of the searches: explored, interleaved. The rest is served by the engine and by meaning, half each. */
  readonly explored: number;
  readonly interleaved: number;
}

const logistic = (value: number): number => 1 / (1 + Math.exp(-value));
const dot = (weights: Qualities, of: Qualities): number => QUALITIES.reduce((sum, name) => sum + weights[name] * of[name], 0);

export const attractionOf = (of: Qualities): number => logistic(BASE + dot(ATTRACTION, of));
export const purchaseOf = (of: Qualities): number => logistic(PURCHASE_BASE + dot(PURCHASE, of));

/** Features that the click model sees: all but what is hidden, and the engine's rank. */
export const WIDTH = 5;

/** Shoppers search three times on average. */
export function* simulateLists(options: SimulationOptions): Generator<SimulatedList> {
  const random = createRandom(`gate:${options.seed}`);
  let shopper = 0;
  for (let search = 0; search < options.searches; search++) {
    if (random.chance(1 / 3)) shopper++;
    yield drawList(random, `unit ${options.seed} ${shopper}`, `${options.seed} ${search}`, options);
  }
}

function drawList(random: Random, unit: string, queryId: string, { reader, explored, interleaved }: SimulationOptions): SimulatedList {
  const drawn = Array.from({ length: SIZE }, (): Qualities => ({
    engine: random.normal(),
    words: random.normal(),
    picture: random.normal(),
    price: random.normal(),
    hidden: random.normal(),
  }));
  // In engine order, as a window is.
  const candidates = orderByScore(drawn.map(({ engine }) => engine)).map((i) => drawn[i]!);
  const engine = candidates.map((_, i) => i);
  const semantic = orderByScore(candidates.map((each) => each.engine + 0.6 * each.words + 0.4 * each.picture));
  const seed = `${queryId} seed`;
  const how = random.next();
  const isExplored = how < explored;
  const isInterleaved = !isExplored && how < explored + interleaved;
  const swapped = isExplored ? swapNeighbours(semantic, [], seed) : undefined;
  const drafted = isInterleaved ? draftTeams(engine, semantic, [], seed) : undefined;
  const order = swapped?.order ?? drafted?.order ?? (random.chance(0.5) ? engine : semantic);
  const positions = engine.map(() => 0);
  order.slice(0, PAGE).forEach((candidate, k) => (positions[candidate] = k + 1));
  const attractions = candidates.map(attractionOf);
  const [clicks, purchases] = [engine.map(() => 0), engine.map(() => 0)];
  for (const [k, candidate] of order.slice(0, PAGE).entries()) {
    const isLooked = random.chance(reader === "pbm" ? trueLook(k + 1) : 0.9);
    if (!isLooked || !random.chance(attractions[candidate]!)) continue;
    clicks[candidate] = 1;
    if (random.chance(purchaseOf(candidates[candidate]!))) purchases[candidate] = 1;
    if (reader === "dcm" && random.chance(STOP)) break;
  }
  return {
    unit,
    queryId,
    // Shoppers are alike, so any part of them is a fair test.
    isTest: createRandom(unit).next() < 0.5,
    candidates,
    attractions,
    engine,
    semantic,
    positions,
    clicks,
    purchases,
    cells: mixCells([
      { share: explored, cells: exploredCells(semantic, PAGE) },
      { share: interleaved, cells: draftCells(engine, semantic, PAGE) },
      { share: (1 - explored - interleaved) / 2, cells: servedCells(engine, PAGE) },
      { share: (1 - explored - interleaved) / 2, cells: servedCells(semantic, PAGE) },
    ]),
    features: candidates.flatMap(({ engine: score, words, picture, price }, i) => [score, words, picture, price, Math.log(1 + i)]),
  };
}

/** Expected clicks in the first ten, and purchases, under an order: the truth. */
export function truthOf(
  { candidates, attractions }: SimulatedList,
  order: readonly number[],
  reader: Reader,
): Record<"clicks" | "purchases", number> {
  let [clicks, purchases, reading] = [0, 0, 1];
  for (let k = 0; k < 10; k++) {
    const candidate = order[k]!;
    const chance = reader === "pbm" ? trueLook(k + 1) * attractions[candidate]! : reading * 0.9 * attractions[candidate]!;
    if (reader === "dcm") reading -= chance * STOP;
    clicks += chance;
    purchases += chance * purchaseOf(candidates[candidate]!);
  }
  return { clicks, purchases };
}
