/** Metrics of a ranked list by graded judgments, and bootstrap intervals of their means. */

/** Sum over the first `k` of (2^grade - 1) / log2(1 + position). */
export function dcg(grades: readonly number[], k: number): number {
  return grades.slice(0, k).reduce((sum, grade, i) => sum + (2 ** grade - 1) / Math.log2(i + 2), 0);
}

/**
 * DCG over the best possible DCG of `judged`, 0..1; `undefined` when nothing is relevant: such a query is left out and counted. `judged`: all
 * grades of the query, those of items that the list lacks too. Default: the list's own.
 */
export function ndcg(grades: readonly number[], k: number, judged: readonly number[] = grades): number | undefined {
  const best = dcg(
    judged.toSorted((a, b) => b - a),
    k,
  );
  return best > 0 ? dcg(grades, k) / best : undefined;
}

/** 1 / position of the first relevant grade (above 0); 0 where there is none. */
export function reciprocalRank(grades: readonly number[]): number {
  return 1 / (grades.findIndex((grade) => grade > 0) + 1 || Infinity);
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface MeanInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap of the mean (Efron 1979), 95 % interval, of each of several columns. A column has one value per query: for a paired
 * comparison the difference, so that what both sides share cancels. All columns see the same draws of queries. `random` is uniform in [0, 1).
 */
export function bootstrapMeans(columns: readonly (readonly number[])[], random: () => number, draws: number): MeanInterval[] {
  const n = columns[0]?.length ?? 0;
  if (n === 0) return columns.map(() => ({ mean: Number.NaN, low: Number.NaN, high: Number.NaN }));
  const means = columns.map(() => new Float64Array(draws));
  const drawn = new Int32Array(n);
  for (let draw = 0; draw < draws; draw++) {
    for (let i = 0; i < n; i++) drawn[i] = Math.floor(random() * n);
    for (const [c, values] of columns.entries()) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += values[drawn[i]!]!;
      means[c]![draw] = sum / n;
    }
  }
  return columns.map((values, c) => {
    const sorted = means[c]!.toSorted();
    const at = (share: number): number => sorted[Math.round(share * (draws - 1))]!;
    return { mean: mean(values), low: at(0.025), high: at(0.975) };
  });
}

/** Indices of candidates by score, best first; equal scores keep their order. */
export function orderByScore(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!);
}
