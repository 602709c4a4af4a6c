/**
 * Two shares of shoppers in the browser, by the rules of the report, without its library for distributions: a confidence sequence on both
 * scales, the days until a lift shows, a sample-ratio test, and whether an arm has nothing at all. test/report/dashboard compares each with the report.
 */
import { estimatePair, NO_SUMS } from "../statistics/ratio.ts";
import { sequenceFactor } from "../statistics/sequential.ts";
import type { Effect } from "../summary.ts";

/** The report's defaults. */
const SEQUENCE = { alpha: 0.05, tuning: 5000 };
export const LIFT = 0.03;

/** Below it the report does not trust the normal approximation. */
const FEWEST_ACTIVE = 20;

/** Of the normal distribution, at a power of 80 %. */
const POWER_Z = 0.8416212335729143;

/** Of chi-square by degrees of freedom, from 1: what a sample ratio exceeds by chance once in a thousand times. */
export const MISMATCH: readonly number[] = [10.8276, 13.8155, 16.2662, 18.4668, 20.515, 22.4577, 24.3219, 26.1245, 27.8772, 29.5883];

/** Shoppers, and those of them who did it. */
export interface Share {
  readonly of: number;
  readonly n: number;
}

const sumsOf = ({ of, n }: Share) => ({ known: { clusters: of, active: n, y: n, x: of, yy: n, xx: of, xy: n }, alone: NO_SUMS });

/** `undefined` with too few events in either arm. */
export function compareShares(control: Share, variant: Share) {
  if (Math.min(control.n, variant.n) < FEWEST_ACTIVE) return undefined;
  const [a, b] = estimatePair([sumsOf(control), sumsOf(variant)], 1);
  if (a === undefined || b === undefined) return undefined;
  const log = Math.log(b.value / a.value);
  const error = Math.sqrt(a.variance / a.value ** 2 + b.variance / b.value ** 2);
  const units = control.of + variant.of;
  const half = sequenceFactor(units, SEQUENCE) * error;
  const linear = sequenceFactor(units, SEQUENCE) * Math.sqrt(a.variance + b.variance);
  const always = { low: Math.expm1(log - half), high: Math.expm1(log + half) };
  const verdict: Effect["verdict"] =
    Math.min(log - half, b.value - a.value - linear) > 0
      ? "higher"
      : Math.max(log + half, b.value - a.value + linear) < 0
        ? "lower"
        : "open";
  return { lift: Math.expm1(log), always, verdict, error, units };
}

/** More days until LIFT most likely shows, at the pace of the days so far. */
export function daysLeft({ error, units }: Record<"error" | "units", number>, days: number): number {
  let factor = 1;
  // The sequence's factor grows like √log n, so this settles quickly.
  for (let step = 0; step < 50; step++) factor = ((sequenceFactor(units * factor, SEQUENCE) + POWER_Z) * (error / Math.log1p(LIFT))) ** 2;
  return Math.max(0, days * (factor - 1));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** `undefined` where there is nothing to compare. */
export function isMismatch(counts: readonly number[], weights: readonly number[]): boolean | undefined {
  const limit = MISMATCH[weights.filter((weight) => weight > 0).length - 2];
  const [all, whole] = [sum(counts), sum(weights)];
  if (limit === undefined || all === 0) return undefined;
  return (
    sum(
      counts.map((count, i) =>
        count === (all * weights[i]!) / whole ? 0 : (count - (all * weights[i]!) / whole) ** 2 / ((all * weights[i]!) / whole),
      ),
    ) > limit
  );
}

/**
 * Whether an arm has nothing although `others` has so much that the split alone does not explain it, however often one looks: the mixture of
 * binomial likelihoods that the report's exact test uses, for a count of 0. `share`: of that arm in the split between the two.
 */
export function isMissing(others: number, share: number): boolean {
  return -others * Math.log1p(-share) - Math.log1p(others) >= -Math.log(SEQUENCE.alpha);
}
