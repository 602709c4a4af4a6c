/** Quality of an order, and the interval of a difference. */

/** Sum over the first `k` of (2^grade - 1) / log2(1 + position). */
export function dcg(grades: readonly number[], k: number): number {
  return grades.slice(0, k).reduce((sum, grade, i) => sum + (2 ** grade - 1) / Math.log2(i + 2), 0);
}

/** DCG over the best possible DCG of the same grades, 0..1; `undefined` when nothing is relevant: such a query is left out and counted. */
export function ndcg(grades: readonly number[], k: number): number | undefined {
  const best = dcg(
    grades.toSorted((a, b) => b - a),
    k,
  );
  return best > 0 ? dcg(grades, k) / best : undefined;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

interface BootstrapOptions {
  /** How many resamples. */
  readonly resamples?: number;
  /** Share inside the interval. */
  readonly level?: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Percentile bootstrap of the mean (Efron 1979). For a paired comparison give one difference per query: queries are resampled,
 * and what both sides share cancels.
 */
export function bootstrapMean(values: readonly number[], options: BootstrapOptions): Interval {
  const { resamples = 2000, level = 0.95, random } = options;
  const n = values.length;
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN };
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor(random() * n)]!;
    return sum / n;
  }).toSorted();
  const at = (share: number): number => means[Math.min(resamples - 1, Math.max(0, Math.round(share * (resamples - 1))))]!;
  return { mean: mean(values), low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
