/** Intervals of differences that an earlier edition gave over queries alone, with what training on other seeds would change added. */
import { betaQuantile, incompleteBeta, normalQuantile } from "../../../report/statistics/distributions.ts";
import type { PartName, Row } from "./benchmark-file.ts";

const LEVEL = 0.95;

/** Student's t: two-sided quantile of a share in the middle, and two-sided p. */
const studentQuantile = (share: number, freedom: number): number => {
  const x = betaQuantile(1 - share, freedom / 2, 0.5);
  return Math.sqrt((freedom * (1 - x)) / x);
};
const studentP = (t: number, freedom: number): number => incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);

/** Parts of that edition whose means have intervals over seeds. */
const OVER_SEEDS: readonly PartName[] = [
  "fashion table",
  "drawn table",
  "fashion ablations",
  "fashion controls",
  "drawn controls",
  "position bias",
];

const keyOf = (row: Row, model: string): string => JSON.stringify([row.part, row.level, row.metric, row.split, model]);

/**
 * The rows as they are where they have a p, or nothing to add. Otherwise the variances of the queries (from a difference's own interval) and of both
 * models' means over seeds (from theirs) are added; degrees of freedom by Satterthwaite, the queries being many.
 */
export function withSeeds(rows: readonly Row[]): Row[] {
  const means = new Map(rows.filter(({ against }) => against === undefined).map((row) => [keyOf(row, row.model), row]));
  return rows.map((row) => {
    const { part, model, against, low, high, p, mean } = row;
    if (against === undefined || p !== undefined || low === null || high === null || !OVER_SEEDS.includes(part)) return row;
    const variances = [model, against].flatMap((name) => {
      const known = means.get(keyOf(row, name));
      if (known === undefined || known.seeds < 2 || known.high === null) return [];
      const freedom = known.seeds - 1;
      return [{ variance: ((known.high - known.mean) / studentQuantile(LEVEL, freedom)) ** 2, freedom }];
    });
    const ofQueries = ((high - low) / 2 / normalQuantile((1 + LEVEL) / 2)) ** 2;
    const total = variances.reduce((sum, { variance }) => sum + variance, ofQueries);
    const parts = variances.reduce((sum, { variance, freedom }) => sum + variance ** 2 / freedom, 0);
    if (parts === 0) return row;
    const freedom = total ** 2 / parts;
    const half = Math.sqrt(total) * studentQuantile(LEVEL, freedom);
    return { ...row, low: mean - half, high: mean + half, p: studentP(mean / Math.sqrt(total), freedom) };
  });
}
