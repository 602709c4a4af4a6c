/** Sample size and power, two-sided. `lift` is relative: 0.03 is three percent more than the base. */
import { normalQuantile, normalTail } from "./distributions.ts";
import { inflationOf } from "./group-sequential.ts";
import { sequenceFactor, type SequenceOptions } from "./sequential.ts";

export interface Wanted {
  readonly alpha: number;
  /** Probability of detecting a lift of that size. */
  readonly power: number;
}

/**
 * Units per arm to see `base` → `base · (1 + lift)` in a proportion: Fleiss, Levin & Paik 2003, equation 4.14 (without continuity
 * correction), as R's power.prop.test. Throws a RangeError where that is not a proportion.
 */
export function unitsForProportion(base: number, lift: number, { alpha, power }: Wanted): number {
  const other = base * (1 + lift);
  if (!(base > 0 && base < 1 && other > 0 && other < 1) || lift === 0) {
    throw new RangeError(`A lift of ${lift} makes no other proportion out of ${base}`);
  }
  const middle = (base + other) / 2;
  const spread =
    normalQuantile(1 - alpha / 2) * Math.sqrt(2 * middle * (1 - middle)) +
    normalQuantile(power) * Math.sqrt(base * (1 - base) + other * (1 - other));
  return Math.ceil((spread / (other - base)) ** 2);
}

/** Units per arm to see `mean` → `mean · (1 + lift)`, with `variance` of one unit in both arms: 2 (z₁ + z₂)² σ² / δ² (Kohavi et al. 2009, equation 7). */
export function unitsForMean(mean: number, variance: number, lift: number, { alpha, power }: Wanted): number {
  const z = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  return Math.ceil((2 * z * z * variance) / (mean * lift) ** 2);
}

/**
 * Factor on the units of a fixed-length plan with which the confidence sequence has the same power at the end. It often stops
 * long before: an upper bound. `units`: of both arms together.
 */
export function alwaysValidFactor(units: number, { power, alpha }: Wanted, tuning: number): number {
  const fixed = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  // The sequence's factor grows like √log n, so this settles quickly.
  let factor = 1;
  for (let step = 0; step < 50; step++) factor = ((sequenceFactor(units * factor, { alpha, tuning }) + normalQuantile(power)) / fixed) ** 2;
  return factor;
}

/** The smallest share, above one half, that `votes` can tell from a coin, by the sign test's normal approximation (Noether 1987). */
export function shareForVotes(votes: number, { alpha, power }: Wanted): number {
  let [low, high] = [0.5, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const spread = normalQuantile(1 - alpha / 2) * 0.5 + normalQuantile(power) * Math.sqrt(middle * (1 - middle));
    if ((spread / (middle - 0.5)) ** 2 <= votes) high = middle;
    else low = middle;
  }
  return high;
}

/** Of a running experiment: probability of seeing `lift` now, in one look. `standardError`: of the logarithm of the ratio. */
export function powerNow(lift: number, standardError: number, alpha: number): number {
  const [effect, bound] = [Math.abs(Math.log1p(lift)) / standardError, normalQuantile(1 - alpha / 2)];
  return normalTail(bound - effect) + normalTail(bound + effect);
}

/**
 * Days in all until `lift` can be seen with that power, as long as clusters keep coming at the pace so far. `standardError`: of the logarithm of
 * the ratio; `clusters`: of both arms together.
 */
export function daysUntil(
  lift: number,
  { standardError, clusters, days }: Record<"standardError" | "clusters" | "days", number>,
  { alpha, power }: Wanted,
  sequence?: SequenceOptions,
): number {
  const effect = Math.abs(Math.log1p(lift));
  const fixed = ((normalQuantile(1 - alpha / 2) + normalQuantile(power)) * (standardError / effect)) ** 2;
  return days * (sequence === undefined ? fixed : fixed * alwaysValidFactor(clusters * fixed, { alpha, power }, sequence.tuning));
}

/** In all, for an experiment whose planned end is the last of its daily looks. `fixed`: with one look. `used`: error of all looks together (planned.ts). */
export function plannedDays(fixed: number, wanted: Wanted, used: number): number {
  // Hardly more for more looks than that.
  const looks = Math.max(1, Math.min(MOST_LOOKS, Math.ceil(fixed)));
  const key = `${looks} ${wanted.alpha} ${wanted.power} ${used}`;
  let factor = inflations.get(key);
  if (factor === undefined) inflations.set(key, (factor = inflationOf(looks, wanted, used)));
  return fixed * factor;
}

const MOST_LOOKS = 60;

const inflations = new Map<string, number>();

/** The smallest lift that can be seen now with that power, in one look. */
export function liftSeenNow(standardError: number, { alpha, power }: Wanted): number {
  return Math.expm1((normalQuantile(1 - alpha / 2) + normalQuantile(power)) * standardError);
}
