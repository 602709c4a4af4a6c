/** Lists of held-out shoppers, each with the orders that are compared → what each order would have had, and differences with intervals. Reads no files. */
import { createRandom } from "../../demo/catalogue/random.ts";
import { bootstrapMeans } from "../evaluate/metrics.ts";
import { type Curve, STEPS } from "./click-model.ts";
import { carry, type Carried, doublyRobust, ips, type JudgedList, looksBefore, match, rankedClicks, selfNormaliser } from "./estimate.ts";
import { type Cells, DEPTH } from "./exposure.ts";

/** The order that is judged. */
export const MODEL = "model";

/** The most evidence first. All of the first DEPTH positions, per list. */
export const FIGURES = ["clicks", "purchases", "clicks DR", "clicks IPS", "clicks SNIPS", "nDCG@10", "MRR"] as const;
export type Figure = (typeof FIGURES)[number];

export interface GateList extends JudgedList {
  /** Empty: unknown. Such lists count as of one shopper each. */
  readonly unit: string;
  readonly queryId: string;
  /** By name; candidates, best first. One is MODEL. */
  readonly orders: ReadonlyMap<string, readonly number[]>;
}

export interface EvidenceInput {
  readonly lists: readonly GateList[];
  readonly curve: Curve;
  /** Purchases per click, of the training split. */
  readonly perClick: number;
  readonly draws?: number;
}

/** Of MODEL minus `against`. */
export interface Comparison {
  readonly against: string;
  readonly figure: Figure;
  readonly mean: number;
  /** 95 %. */
  readonly low: number;
  readonly high: number;
  /** Of `against`. */
  readonly base: number;
}

const DRAWS = 2000;
const Z = 1.96;

/** One list under one order. */
type Values = Readonly<Record<Figure, number>>;

export function gatherEvidence({ lists, curve, perClick, draws = DRAWS }: EvidenceInput) {
  const names = [...(lists[0]?.orders.keys() ?? [])];
  const { looks } = curve;
  const normalisers = new Map(names.map((name) => [name, selfNormaliser()]));
  for (const list of lists) {
    if (!isRandomised(list)) continue;
    for (const [name, order] of list.orders) normalisers.get(name)!.add(match(list, order, looks));
  }

  const units = new Map<string, number>();
  const unitOf = lists.map(({ unit, queryId }) => {
    const key = unit === "" ? `query ${queryId}` : unit;
    const known = units.get(key) ?? units.size;
    units.set(key, known);
    return known;
  });
  const totals = new Map(names.map((name) => [name, emptyTotals()]));
  const others = names.filter((name) => name !== MODEL);
  const wanted = others.flatMap((against) => FIGURES.map((figure) => ({ against, figure })));
  const sums = wanted.map(() => new Float64Array(units.size));
  const counts = { all: new Float64Array(units.size), randomised: new Float64Array(units.size), clicked: new Float64Array(units.size) };
  const slopes = new Map(names.map((name) => [name, new Float64Array(STEPS)]));

  for (const [index, list] of lists.entries()) {
    const unit = unitOf[index]!;
    const values = new Map<string, Values>();
    const before = looksBefore(list, looks);
    counts.all[unit]!++;
    if (isRandomised(list)) counts.randomised[unit]!++;
    if (list.clicks.some((click) => click > 0)) counts.clicked[unit]!++;
    for (const [name, order] of list.orders) {
      const carried = carry(list, order, before, looks, perClick);
      const matched = isRandomised(list) ? match(list, order, looks) : [];
      const ranked = rankedClicks(list, order, before);
      const slope = slopes.get(name)!;
      for (let step = 0; step < STEPS; step++) slope[step]! += carried.slopes[step]! / lists.length;
      const normaliser = normalisers.get(name)!;
      const each: Values = {
        clicks: carried.clicks,
        purchases: carried.purchases,
        "clicks DR": doublyRobust(matched, carried.parts),
        "clicks IPS": ips(matched),
        "clicks SNIPS": matched.length === 0 ? 0 : normaliser.value() + normaliser.influence(matched),
        "nDCG@10": ranked?.ndcg ?? 0,
        MRR: ranked?.mrr ?? 0,
      };
      values.set(name, each);
      addTotals(totals.get(name)!, each, carried, matched);
    }
    for (const [c, { against, figure }] of wanted.entries()) {
      sums[c]![unit]! += values.get(MODEL)![figure] - values.get(against)![figure];
    }
  }

  const columns = wanted.map(({ figure }, c) => linearise(sums[c]!, counts[COUNTED[figure]]));
  const intervals = bootstrapMeans(columns, createRandom("armmt gate").next, draws);
  const comparisons = wanted.map(({ against, figure }, c): Comparison => {
    const { mean, low, high } = intervals[c]!;
    const share = figure === "clicks" ? 1 : figure === "purchases" ? perClick : 0;
    const spread = share * Z * Math.sqrt(varianceOf(slopes.get(MODEL)!, slopes.get(against)!, curve));
    const base = totals.get(against)![figure] / Math.max(1, sumOf(counts[COUNTED[figure]]));
    return { against, figure, mean, low: mean - Math.hypot(mean - low, spread), high: mean + Math.hypot(high - mean, spread), base };
  });
  const listCounts = { lists: lists.length, randomised: sumOf(counts.randomised), clicked: sumOf(counts.clicked) };
  return {
    ...listCounts,
    shoppers: new Set(lists.flatMap(({ unit }) => (unit === "" ? [] : [unit]))).size,
    withoutShopper: lists.filter(({ unit }) => unit === "").length,
    clicks: sumOf(lists.map(({ clicks }) => clicks.filter((click) => click > 0).length)),
    purchases: sumOf(lists.map(({ purchases }) => sumOf(purchases))),
    curve,
    orders: names.map((name) => {
      const { weight, squares, unseen, cut, possible, cutMatches, matches, ...figures } = totals.get(name)!;
      const per = (figure: Figure): number => figures[figure] / Math.max(1, listCounts[NUMBER[COUNTED[figure]]]);
      return {
        name,
        figures: Object.fromEntries(FIGURES.map((figure) => [figure, per(figure)])),
        /** Clicks that would say as much if each were carried with a weight of 1. */
        effectiveClicks: squares > 0 ? weight ** 2 / squares : 0,
        /** Randomised lists that would say as much. */
        effectiveLists: normalisers.get(name)!.effective(),
        /** Share of the places of randomised lists at which the edge could have shown this order's item: IPS is silent on the others. */
        supported: listCounts.randomised === 0 ? 0 : possible / (listCounts.randomised * DEPTH),
        /** Share of the looks that go to items which were never shown: the click model alone speaks of them. */
        unseen: unseen / (lists.length * sumOf(looks.slice(0, DEPTH))),
        /** Clicks per list that cut weights may hide. */
        cut: cut / Math.max(1, lists.length),
        cutMatches: matches === 0 ? 0 : cutMatches / matches,
      };
    }),
    comparisons,
  };
}

export type Evidence = ReturnType<typeof gatherEvidence>;

const COUNTED: Readonly<Record<Figure, "all" | "randomised" | "clicked">> = {
  clicks: "all",
  purchases: "all",
  "clicks DR": "randomised",
  "clicks IPS": "randomised",
  "clicks SNIPS": "randomised",
  "nDCG@10": "clicked",
  MRR: "clicked",
};
const NUMBER = { all: "lists", randomised: "randomised", clicked: "clicked" } as const;

function isRandomised<T extends JudgedList>(list: T): list is T & { readonly cells: Cells } {
  return list.cells !== undefined;
}

function emptyTotals() {
  return {
    clicks: 0,
    purchases: 0,
    "clicks DR": 0,
    "clicks IPS": 0,
    "clicks SNIPS": 0,
    "nDCG@10": 0,
    MRR: 0,
    weight: 0,
    squares: 0,
    unseen: 0,
    cut: 0,
    possible: 0,
    matches: 0,
    cutMatches: 0,
  };
}

function addTotals(totals: ReturnType<typeof emptyTotals>, values: Values, carried: Carried, matched: ReturnType<typeof match>): void {
  for (const figure of FIGURES) totals[figure] += values[figure];
  totals.weight += carried.weight;
  totals.squares += carried.squares;
  totals.unseen += carried.unseen;
  totals.cut += carried.cut;
  for (const { isPossible, isCut, weight } of matched) {
    if (isPossible) totals.possible++;
    if (weight > 0) totals.matches++;
    if (isCut) totals.cutMatches++;
  }
}

/** Sums and numbers of lists per shopper → one value per shopper whose mean is the ratio of the sums, and varies as it does (delta method). */
function linearise(sums: Float64Array, counts: Float64Array): number[] {
  const count = sumOf(counts);
  if (count === 0) return Array.from(sums, () => 0);
  const ratio = sumOf(sums) / count;
  const mean = count / counts.length;
  return Array.from(sums, (sum, unit) => ratio + (sum - ratio * counts[unit]!) / mean);
}

/** Of the difference of two orders' clicks, by the curve's uncertainty. */
function varianceOf(model: Float64Array, against: Float64Array, { covariance }: Curve): number {
  const slope = model.map((value, step) => value - against[step]!);
  return Math.max(
    0,
    covariance.reduce((sum, row, i) => sum + slope[i]! * row.reduce((inner, value, j) => inner + value * slope[j]!, 0), 0),
  );
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
