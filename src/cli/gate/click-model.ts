/**
 * What a click says, fitted on the lists of the training split: a click needs a look and an attraction, P(click) = P(looked at, by position) ×
 * P(click | looked at, by item), the position-based model (PBM; Richardson, Dominowska & Ragno 2007; Craswell et al. 2008).
 *
 * The curve of looks comes from what the edge randomised alone: candidates that chance put at one position or another (interventions of Joachims,
 * Swaminathan & Schnabel 2017, section 5.3; of several arms: Agarwal et al. 2019, "Estimating Position Bias without Intrusive Interventions"). So no
 * quality of an item can pass for a look.
 */
import { solve } from "../../report/statistics/solve.ts";
import type { Cells } from "./exposure.ts";

/** One shown list. Arrays are by candidate, in engine order. */
export interface ShownList {
  /** From 1, 0: not shown. */
  readonly positions: readonly number[];
  readonly clicks: readonly number[];
  /** `undefined` where nothing was randomised. */
  readonly cells: Cells | undefined;
}

/** Deeper positions share a number: they are looked at little, and alike. Ends of the steps. */
const STEP_ENDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 40, Infinity];
export const STEPS = STEP_ENDS.length;
const STEP_OF = Uint8Array.from({ length: 42 }, (_, position) => STEP_ENDS.findIndex((end) => position <= end));

export const stepOf = (position: number): number => STEP_OF[Math.min(position, 41)]!;

/** How much positions are looked at, relative to the first. */
export interface Curve {
  /** By step: P(looked at), 1 for the first. */
  readonly looks: readonly number[];
  /** Of the logarithms: how uncertain the clicks leave them. */
  readonly covariance: readonly (readonly number[])[];
  /** Clicks on candidates that chance put where they stood: what the curve rests on. */
  readonly clicks: number;
}

/** By position, from 1; 0 where it was not shown. */
export function lookAt(looks: readonly number[], position: number): number {
  return position === 0 ? 0 : looks[stepOf(position)]!;
}

/**
 * What is believed before a click is seen: each step is looked at a twelfth less than the one before, give or take a third. It joins steps that few clicks speak of.
 */
const DECLINE = -0.08;
const SPREAD = 0.35;
const NEWTON = 25;

/**
 * Of a candidate that was clicked, and that chance put at one of several positions: P(it stood at k | clicked) is P(k) look(k) / Σ P(j) look(j),
 * whatever its attraction (which is in every term). The logarithms of the looks by maximum likelihood: a conditional logit with known offsets.
 */
export function measureLooks(lists: Iterable<ShownList>): Curve {
  const clicked: { readonly step: number; readonly at: readonly (readonly [step: number, chance: number])[] }[] = [];
  for (const { positions, clicks, cells } of lists) {
    if (cells === undefined) continue;
    for (const [candidate, position] of positions.entries()) {
      if (clicks[candidate] === 0 || position === 0 || position > cells.length) continue;
      const chances = new Map<number, number>();
      for (const [k, each] of cells.entries()) {
        const chance = each.find((cell) => cell.candidate === candidate)?.chance ?? 0;
        if (chance > 0) chances.set(stepOf(k + 1), (chances.get(stepOf(k + 1)) ?? 0) + chance);
      }
      if (chances.size > 1 && chances.has(stepOf(position))) clicked.push({ step: stepOf(position), at: [...chances] });
    }
  }
  const logs = Array.from({ length: STEPS }, (_, step) => DECLINE * step);
  let information: number[][] = [];
  for (let round = 0; round < NEWTON; round++) {
    information = logs.map(() => logs.map(() => 0));
    const score = logs.map(() => 0);
    for (const { step, at } of clicked) {
      const total = at.reduce((sum, [other, chance]) => sum + chance * Math.exp(logs[other]!), 0);
      const shares = at.map(([other, chance]) => (chance * Math.exp(logs[other]!)) / total);
      score[step]! += 1;
      for (const [i, [one]] of at.entries()) {
        score[one]! -= shares[i]!;
        information[one]![one]! += shares[i]!;
        for (const [j, [two]] of at.entries()) information[one]![two]! -= shares[i]! * shares[j]!;
      }
    }
    for (let step = 1; step < STEPS; step++) {
      const pull = (logs[step]! - logs[step - 1]! - DECLINE) / SPREAD ** 2;
      score[step]! -= pull;
      score[step - 1]! += pull;
      information[step]![step]! += 1 / SPREAD ** 2;
      information[step - 1]![step - 1]! += 1 / SPREAD ** 2;
      information[step]![step - 1]! -= 1 / SPREAD ** 2;
      information[step - 1]![step]! -= 1 / SPREAD ** 2;
    }
    // The first is 0: all are relative to it.
    const change = solve(
      information.slice(1).map((row) => row.slice(1)),
      score.slice(1),
    );
    if (change === undefined) break;
    change.forEach((value, i) => (logs[i + 1]! += value));
    if (Math.max(...change.map(Math.abs)) < 1e-9) break;
  }
  const inner = information.slice(1).map((row) => row.slice(1));
  const covariance = logs.map((_, i) => {
    const column =
      i === 0
        ? undefined
        : solve(
            inner,
            inner.map((__, j) => (j === i - 1 ? 1 : 0)),
          );
    return [0, ...(column ?? inner.map(() => 0))];
  });
  return { looks: logs.map(Math.exp), covariance, clicks: clicked.length };
}

/** A list with what is known of its candidates. */
export interface DescribedList extends ShownList {
  /** [candidates × width], row by row. */
  readonly features: ArrayLike<number>;
}

const ROUNDS = 12;
/** As if as many lists had said nothing: weights of features that hardly occur stay small. */
const RIDGE = 5;

/**
 * P(click | looked at) by features, from lists of the training split: a logistic curve times the look (Fisher scoring). Returns the function of one
 * list's features.
 */
export function fitAttraction(
  lists: readonly DescribedList[],
  width: number,
  looks: readonly number[],
): (features: ArrayLike<number>) => Float64Array {
  const size = width + 1;
  const weights = new Float64Array(size);
  const shown = lists.reduce((sum, { positions }) => sum + positions.filter((position) => position > 0).length, 0);
  const clicked = lists.reduce((sum, { positions, clicks }) => sum + clicks.filter((click, i) => click > 0 && positions[i]! > 0).length, 0);
  const share = Math.min(0.5, Math.max(1e-4, (2 * clicked) / Math.max(1, shown)));
  weights[width] = Math.log(share / (1 - share));
  const at = (features: ArrayLike<number>, row: number): number => {
    let sum = weights[width]!;
    for (let f = 0; f < width; f++) sum += weights[f]! * features[row * width + f]!;
    return 1 / (1 + Math.exp(-sum));
  };
  for (let round = 0; round < ROUNDS; round++) {
    const information = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => (i === j && i < width ? RIDGE : 0)));
    const score = Array.from({ length: size }, (_, i) => (i < width ? -RIDGE * weights[i]! : 0));
    const x = new Float64Array(size).fill(1);
    for (const { positions, clicks, features } of lists) {
      for (let row = 0; row < positions.length; row++) {
        const look = lookAt(looks, positions[row]!);
        if (look === 0) continue;
        const attraction = at(features, row);
        const chance = Math.min(1 - 1e-9, look * attraction);
        const slope = look * attraction * (1 - attraction);
        const variance = chance * (1 - chance);
        for (let f = 0; f < width; f++) x[f] = features[row * width + f]!;
        const pull = ((clicks[row]! > 0 ? 1 : 0) - chance) * (slope / variance);
        const weight = (slope * slope) / variance;
        for (let i = 0; i < size; i++) {
          score[i]! += pull * x[i]!;
          const line = information[i]!;
          const scaled = weight * x[i]!;
          for (let j = i; j < size; j++) line[j]! += scaled * x[j]!;
        }
      }
    }
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) information[i]![j] = information[j]![i]!;
    const change = solve(information, score);
    if (change === undefined || change.some((value) => !Number.isFinite(value))) break;
    const longest = Math.max(...change.map(Math.abs));
    // A longer step may leave the region in which the curve is nearly straight.
    change.forEach((value, i) => (weights[i]! += value * Math.min(1, 2 / longest)));
    if (longest < 1e-5) break;
  }
  return (features) => Float64Array.from({ length: features.length / width }, (_, row) => at(features, row));
}
