/** The two fits of empirical Bayes: what the engine's order makes expect, and how much what was known weighs against what was seen. */
import { logBeta } from "../../report/statistics/distributions.ts";
import { solve } from "../../report/statistics/solve.ts";

/** Of a log of hardly any clicks. */
const LEVELS = [0.05, 20] as const;

/** A steeper or flatter order than these cannot be told from a log of few lists. */
const LEAST_DECLINE = 0.02;
const MOST_DECLINE = 2;

/** Poisson regression of clicks on ln rank, with the expected ones as offset: Newton's method. */
export function fitPrior(byRank: ReadonlyMap<number, { readonly expected: number; readonly clicks: number }>) {
  let [level, slope] = [0, -0.1];
  for (let round = 0; round < 50; round++) {
    const score = [0, 0];
    // A weak belief in a decline of a tenth, as much as ten clicks: without it, one rank would have no slope.
    const information = [
      [1e-6, 0],
      [0, 10],
    ];
    score[1]! -= 10 * (slope + 0.1);
    for (const [rank, { expected, clicks }] of byRank) {
      const x = Math.log(rank);
      const mean = expected * Math.exp(level + slope * x);
      score[0]! += clicks - mean;
      score[1]! += (clicks - mean) * x;
      information[0]![0]! += mean;
      information[0]![1]! += mean * x;
      information[1]![0]! += mean * x;
      information[1]![1]! += mean * x * x;
    }
    const change = solve(information, score);
    if (change === undefined || !change.every(Number.isFinite)) break;
    level += Math.max(-1, Math.min(1, change[0]!));
    slope += Math.max(-1, Math.min(1, change[1]!));
    if (Math.max(...change.map(Math.abs)) < 1e-9) break;
  }
  return {
    level: Math.min(LEVELS[1], Math.max(LEVELS[0], Math.exp(level))),
    decline: Math.min(MOST_DECLINE, Math.max(LEAST_DECLINE, -slope)),
  };
}

export interface Observed {
  readonly expected: number;
  readonly observed: number;
  /** Of the gamma distribution. */
  readonly mean: number;
}

/** As many expected events as what was known weighs: from one, so that a single event never outweighs it, to 10 000. */
const WEIGHTS = Array.from({ length: 49 }, (_, i) => 10 ** (i / 12));

/** The weight with the largest marginal likelihood: `observed` ~ negative binomial with shape k · mean. */
export function fitWeight(all: readonly Observed[]): number {
  let [best, most] = [WEIGHTS.at(-1)!, -Infinity];
  for (const k of WEIGHTS) {
    let sum = 0;
    for (const { expected, observed, mean } of all) {
      const shape = k * mean;
      // ln Γ(observed + shape) - ln Γ(shape), but for what does not depend on k.
      sum += (observed > 0 ? -logBeta(shape, observed) : 0) + shape * Math.log(k / (k + expected)) - observed * Math.log(k + expected);
    }
    if (sum > most) [best, most] = [k, sum];
  }
  return best;
}
