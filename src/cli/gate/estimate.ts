/**
 * What an order that was not shown would have had, from the log of orders that were: sums over the first DEPTH positions, one value per list.
 *
 * Item-position weights (IPS, SNIPS, DR) use lists that the edge randomised and no click model: a click counts where the order has the item at the
 * very position where it was shown, over the chance of that (Li, Abbasi-Yadkori, Kveton et al. 2018, "Offline Evaluation of Ranking Policies with
 * Click Models", item-position model; doubly robust: Dudík, Langford & Li 2011).
 *
 * Carried clicks use all lists and the curve of looks: a click is carried to the position that the order gives the item, over how much the item was
 * looked at (PBM estimator of Li et al.; doubly robust: Oosterhuis 2022, "Doubly-Robust Estimation for Correcting Position-Bias in Click Feedback").
 */
import { ndcg } from "../evaluate/metrics.ts";
import { lookAt, type ShownList, STEPS, stepOf } from "./click-model.ts";
import { type Cells, DEPTH, type Places, placesOf } from "./exposure.ts";

/** A list that is judged. */
export interface JudgedList extends ShownList {
  readonly purchases: readonly number[];
  /** By candidate: what the click model, which has not seen this list, expects of a look. */
  readonly attraction: ArrayLike<number>;
}

/** Weights above it are cut there, which biases towards the click model (DR, carried) or towards no click (IPS). A swap's are at most 18. */
export const CLIP = 20;

const NOWHERE: Places = [];
const FIRST_ONLY: readonly Places[] = Array.from({ length: 128 }, (_, position) => (position === 0 ? NOWHERE : [[position, 1]]));

/** Where a candidate can stand, and how likely; of a fixed list, where it stood. */
function placesIn({ positions, cells }: ShownList, candidate: number): Places {
  const position = positions[candidate]!;
  if (cells !== undefined && position <= cells.length) return placesOf(cells).get(candidate) ?? NOWHERE;
  return FIRST_ONLY[position] ?? [[position, 1]];
}

/** By candidate: P(looked at) over what the edge could have shown. */
export function looksBefore(list: ShownList, looks: readonly number[]): Float64Array {
  const before = new Float64Array(list.positions.length);
  for (let candidate = 0; candidate < before.length; candidate++) {
    for (const [position, chance] of placesIn(list, candidate)) before[candidate]! += chance * lookAt(looks, position);
  }
  return before;
}

/** Sums of one list under one order. */
export interface Carried {
  readonly clicks: number;
  readonly purchases: number;
  /** By the click model alone. */
  readonly expected: number;
  /** Σ of the weights of clicks, and of their squares: how many clicks they are worth. */
  readonly weight: number;
  readonly squares: number;
  /** Looks of the first DEPTH positions at items that were never shown: the click model alone speaks of them. */
  readonly unseen: number;
  /** The most that cutting weights may have changed, if the click model errs as much as it says. */
  readonly cut: number;
  /** Of `clicks`, by position of the order. */
  readonly parts: Float64Array;
  /** What `clicks` changes by with the logarithm of each step's look: how it hangs on the curve. */
  readonly slopes: Float64Array;
}

/** `order`: candidates, best first. `before`: of looksBefore. `perClick`: purchases per click. */
export function carry(
  list: JudgedList,
  order: readonly number[],
  before: Float64Array,
  looks: readonly number[],
  perClick: number,
): Carried {
  let [purchases, expected, weight, squares, unseen, cut] = [0, 0, 0, 0, 0, 0];
  const slopes = new Float64Array(STEPS);
  const parts = new Float64Array(Math.min(DEPTH, order.length));
  for (let k = 0; k < parts.length; k++) {
    const candidate = order[k]!;
    const look = lookAt(looks, k + 1);
    const attraction = list.attraction[candidate]!;
    const seen = before[candidate]!;
    parts[k] = look * attraction;
    purchases += look * attraction * perClick;
    expected += look * attraction;
    slopes[stepOf(k + 1)]! += look * attraction;
    if (!(seen > 0)) {
      unseen += look;
      continue;
    }
    const factor = Math.min(CLIP, look / seen);
    if (look / seen > CLIP) cut += look * attraction * (1 - (CLIP * seen) / look);
    const predicted = lookAt(looks, list.positions[candidate]!) * attraction;
    parts[k]! += factor * (list.clicks[candidate]! - predicted);
    purchases += factor * (list.purchases[candidate]! - predicted * perClick);
    if (list.clicks[candidate]! > 0) {
      weight += factor;
      squares += factor * factor;
    }
    const rest = list.clicks[candidate]! - predicted;
    slopes[stepOf(k + 1)]! += factor * rest;
    if (list.positions[candidate]! > 0) slopes[stepOf(list.positions[candidate]!)]! -= factor * predicted;
    for (const [position, chance] of placesIn(list, candidate)) {
      slopes[stepOf(position)]! -= (factor * rest * chance * lookAt(looks, position)) / seen;
    }
  }
  const clicks = parts.reduce((sum, part) => sum + part, 0);
  return { clicks, purchases, expected, weight, squares, unseen, cut, parts, slopes };
}

/** One position of one randomised list under one order. */
export interface Matched {
  /** Over the chance of the item at this position; 0 where another item was shown there. */
  readonly weight: number;
  readonly click: number;
  /** Of the click model for the order's item here. */
  readonly expected: number;
  /** Of the click model for the item that was shown here. */
  readonly predicted: number;
  /** Whether the edge could have shown the order's item here. */
  readonly isPossible: boolean;
  readonly isCut: boolean;
}

/** By position, from the first. */
export function match(list: JudgedList & { readonly cells: Cells }, order: readonly number[], looks: readonly number[]): Matched[] {
  const shown = new Map(list.positions.map((position, candidate) => [position, candidate]));
  return list.cells.slice(0, DEPTH).map((_, k) => {
    const [wanted, there] = [order[k]!, shown.get(k + 1)];
    const chance =
      placesOf(list.cells)
        .get(wanted)
        ?.find(([position]) => position === k + 1)?.[1] ?? 0;
    const isMatch = there === wanted && chance > 0;
    return {
      weight: isMatch ? Math.min(CLIP, 1 / chance) : 0,
      click: there === undefined ? 0 : list.clicks[there]!,
      expected: lookAt(looks, k + 1) * list.attraction[wanted]!,
      predicted: there === undefined ? 0 : lookAt(looks, k + 1) * list.attraction[there]!,
      isPossible: chance > 0,
      isCut: isMatch && 1 / chance > CLIP,
    };
  });
}

/** Of one list under one order: nothing where the edge could not have shown the order's item. */
export const ips = (matched: readonly Matched[]): number => matched.reduce((sum, { weight, click }) => sum + weight * click, 0);

/** Where the edge could not have shown the order's item, its clicks are carried there: `parts` of the same order. */
export const doublyRobust = (matched: readonly Matched[], parts: ArrayLike<number>): number =>
  matched.reduce(
    (sum, { weight, click, expected, predicted, isPossible }, k) =>
      sum + (isPossible ? expected + weight * (click - predicted) : (parts[k] ?? 0)),
    0,
  );

/** Σ weight · click and Σ weight per position, over lists. */
export function selfNormaliser() {
  const [clicks, weights, squares] = [new Float64Array(DEPTH), new Float64Array(DEPTH), new Float64Array(DEPTH)];
  let lists = 0;
  return {
    add(matched: readonly Matched[]): void {
      lists++;
      for (const [k, { weight, click }] of matched.entries()) {
        clicks[k]! += weight * click;
        weights[k]! += weight;
        squares[k]! += weight * weight;
      }
    },
    /** SNIPS: Σ over positions of the weighted mean of their clicks (Swaminathan & Joachims 2015). */
    value: (): number => clicks.reduce((sum, value, k) => sum + (weights[k]! > 0 ? value / weights[k]! : 0), 0),
    /** Part of the value's linearisation that a list brings: their mean is 0. */
    influence: (matched: readonly Matched[]): number =>
      matched.reduce(
        (sum, { weight, click }, k) => sum + (weights[k]! > 0 ? (weight * (click - clicks[k]! / weights[k]!) * lists) / weights[k]! : 0),
        0,
      ),
    /** Kish 1965, (Σw)² / Σw², mean over the positions: lists that would say as much if each counted once. */
    effective: (): number => weights.reduce((sum, weight, k) => sum + (squares[k]! > 0 ? weight ** 2 / squares[k]! : 0), 0) / DEPTH,
  };
}

/** nDCG@10 and reciprocal rank of a clicked list, each click worth 1 over how much its item was looked at; `undefined` without a click. */
export function rankedClicks(
  list: ShownList,
  order: readonly number[],
  before: Float64Array,
): { readonly ndcg: number; readonly mrr: number } | undefined {
  const worth = list.clicks.map((click, candidate) => (click > 0 && before[candidate]! > 0 ? Math.min(CLIP, 1 / before[candidate]!) : 0));
  const total = worth.reduce((sum, value) => sum + value, 0);
  if (total === 0) return undefined;
  // A gain of 2^grade - 1 is the worth itself.
  const value = ndcg(
    order.map((candidate) => Math.log2(1 + worth[candidate]!)),
    DEPTH,
  );
  return { ndcg: value ?? 0, mrr: order.reduce((sum, candidate, k) => sum + worth[candidate]! / (k + 1), 0) / total };
}
