/**
 * Sample-ratio mismatch: do the arms have the sizes that their weights promise? Where they do not, units were lost or doubled on the way,
 * most likely not at random, and no other figure of the experiment can be trusted.
 *
 * Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (KDD): chi-square goodness of fit.
 */
import { upperGamma } from "./gamma.ts";

/** Below it the test fires, as at GrowthBook: rare enough for a test that is looked at every day. */
export const MISMATCH_P = 0.001;

export interface SampleRatioTest {
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
  readonly isMismatch: boolean;
  /** Parallel to the counts. */
  readonly expected: readonly number[];
}

/** Upper tail of the chi-square distribution. DLMF 8.2.4 with a = df/2. */
export function chiSquareTail(chiSquare: number, degreesOfFreedom: number): number {
  return upperGamma(degreesOfFreedom / 2, chiSquare / 2);
}

/**
 * `counts` of units (or searches) per arm, `weights` parallel to them, of any positive sum. `undefined` where there is nothing to compare:
 * fewer than two arms with a weight, or no count at all. An arm of weight 0 that has units is a mismatch whatever else.
 * `inflation` (>= 1): the design effect (Kish 1965), by how much counts vary more than independent ones, because they come in clusters.
 */
export function testSampleRatio(counts: readonly number[], weights: readonly number[], inflation = 1): SampleRatioTest | undefined {
  const total = sum(counts);
  const whole = sum(weights);
  const arms = weights.filter((weight) => weight > 0).length;
  if (arms < 2 || total === 0) return undefined;
  const expected = weights.map((weight) => (total * weight) / whole);
  const isIntruded = counts.some((count, i) => count > 0 && expected[i] === 0);
  const distances = counts.map((count, i) => {
    const wanted = expected[i] ?? 0;
    return wanted === 0 ? 0 : (count - wanted) ** 2 / wanted;
  });
  const chiSquare = isIntruded ? Infinity : sum(distances) / inflation;
  const p = isIntruded ? 0 : chiSquareTail(chiSquare, arms - 1);
  return { chiSquare, degreesOfFreedom: arms - 1, p, isMismatch: p < MISMATCH_P, expected };
}

/** How much a count of things that come in clusters varies more than one of single things: Σn² / Σn over the clusters' sizes. */
export function designEffect(sumOfSizes: number, sumOfSquaredSizes: number): number {
  return sumOfSizes > 0 ? Math.max(1, sumOfSquaredSizes / sumOfSizes) : 1;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
