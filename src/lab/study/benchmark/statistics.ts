/**
 * How sure the benchmark is of a mean over seeds and of a difference between two models. Pure arithmetic.
 *
 * Two questions, two intervals, never mixed: Student's t over seeds says how much another seed would change a model's mean on these lists;
 * the bootstrap over queries says how much other queries would change a difference between these trained models.
 */
import type { Interval } from "../metrics.ts";

/** P(|T| < t) for `df` degrees of freedom: the finite sums of Abramowitz & Stegun, 26.7.3 (odd) and 26.7.4 (even). `t` = √df · tan(angle). */
function centralProbability(angle: number, df: number): number {
  const isOdd = df % 2 === 1;
  const cosine = Math.cos(angle);
  let term = isOdd ? cosine : 1;
  let sum = df === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= df - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/** The t that a Student variable with `df` ≥ 1 (whole) degrees of freedom stays within, on both sides, with probability `level`. */
export function studentQuantile(df: number, level: number): number {
  if (!Number.isInteger(df) || df < 1) throw new RangeError(`Degrees of freedom must be a whole number from 1, not ${df}`);
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, df) < level) low = middle;
    else high = middle;
  }
  return Math.sqrt(df) * Math.tan((low + high) / 2);
}

/** A mean with its interval; a single value has none. */
export interface Estimate {
  readonly mean: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Mean of one value per seed ± t · s / √n (Student 1908). */
export function meanOverSeeds(values: readonly number[], level = 0.95): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, low: undefined, high: undefined };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = studentQuantile(n - 1, level) * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half };
}

export interface ClusterBootstrap {
  /**
   * Σ numerators / Σ denominators over all lists, with its percentile interval. A mean has the weights as denominators, a share recovered
   * has one gain over another. A list whose numerator or denominator is NaN is left out.
   */
  ratio(numerators: ArrayLike<number>, denominators: ArrayLike<number>): Interval;
}

export interface ClusterBootstrapOptions {
  /** Cluster of each list, 0 .. clusters - 1. */
  readonly clusterOf: Int32Array;
  readonly resamples?: number;
  readonly level?: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const MOST_TIMES = 255;

/**
 * Percentile bootstrap that draws whole clusters with replacement (Davison & Hinkley 1997, 3.8; Field & Welsh 2007): lists of the same query
 * rise and fall together, and drawn one by one they would make the interval too narrow. The draws are made once, so every figure of every
 * model is judged on the same resamples.
 */
export function createClusterBootstrap(options: ClusterBootstrapOptions): ClusterBootstrap {
  const { clusterOf, resamples = 2000, level = 0.95, random } = options;
  const clusters = clusterOf.reduce((most, cluster) => Math.max(most, cluster + 1), 0);
  const times = new Uint8Array(resamples * clusters);
  for (let r = 0; r < resamples; r++) {
    for (let draw = 0; draw < clusters; draw++) {
      const at = r * clusters + Math.floor(random() * clusters);
      times[at] = Math.min(MOST_TIMES, times[at]! + 1);
    }
  }
  return {
    ratio(numerators, denominators) {
      const above = new Float64Array(clusters);
      const below = new Float64Array(clusters);
      clusterOf.forEach((cluster, i) => {
        const [numerator, denominator] = [numerators[i]!, denominators[i]!];
        if (Number.isNaN(numerator) || Number.isNaN(denominator)) return;
        above[cluster]! += numerator;
        below[cluster]! += denominator;
      });
      const drawn = new Float64Array(resamples);
      for (let r = 0; r < resamples; r++) {
        let numerator = 0;
        let denominator = 0;
        for (let c = 0, at = r * clusters; c < clusters; c++, at++) {
          numerator += times[at]! * above[c]!;
          denominator += times[at]! * below[c]!;
        }
        drawn[r] = numerator / denominator;
      }
      return { mean: sum(above) / sum(below), ...percentiles(drawn, level) };
    },
  };
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** A resample in which nothing counts (0 / 0) is no value; a small slice can have some. */
function percentiles(drawn: Float64Array, level: number): { low: number; high: number } {
  const values = drawn.filter((value) => !Number.isNaN(value)).toSorted();
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
