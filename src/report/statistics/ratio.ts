/**
 * A metric of one arm from sums over its clusters, with its variance by the delta method: Σy / Σx.
 *
 * A cluster is a randomisation unit: a shopper, or a single search of an unknown shopper. With x = searches of the cluster the metric is per
 * search; with x = 1 it is a mean per shopper, and the formula is that of a mean.
 */

/** Sums over clusters. `active`: clusters with y ≠ 0. */
export type ClusterSums = Readonly<Record<"clusters" | "active" | "y" | "x" | "yy" | "xx" | "xy", number>>;

/** Numbers per ClusterSums in an array. */
export const SUM_COUNT = 7;

/** Adds (`times` 1) a cluster to the sums at `at`, or takes it out (`times` −1). */
export function addCluster(sums: Float64Array, at: number, y: number, x: number, times: 1 | -1 = 1): void {
  [1, y === 0 ? 0 : 1, y, x, y * y, x * x, x * y].forEach((value, offset) => {
    sums[at + offset] = (sums[at + offset] ?? 0) + times * value;
  });
}

export function readSums(sums: Float64Array, at: number): ClusterSums {
  const value = (offset: number): number => sums[at + offset] ?? 0;
  return { clusters: value(0), active: value(1), y: value(2), x: value(3), yy: value(4), xx: value(5), xy: value(6) };
}

export type Estimate = NonNullable<ReturnType<typeof estimateRatio>>;

/**
 * Var(ȳ/x̄) = (s²_y − 2 R s_xy + R² s²_x) / (n x̄²): Deng, Knoblich & Lu 2018, "Applying the Delta Method in Metric Analytics", section 3
 * (arXiv 1803.06336): the variance of the estimate, not of a cluster. `undefined` below two clusters or with nothing to divide by.
 */
export function estimateRatio({ clusters: n, active, y, x, yy, xx, xy }: ClusterSums) {
  if (n < 2 || !(x > 0)) return undefined;
  const value = y / x;
  const [meanY, meanX] = [y / n, x / n];
  const covariance = (product: number, a: number, b: number): number => (product - n * a * b) / (n - 1);
  const spread = covariance(yy, meanY, meanY) - 2 * value * covariance(xy, meanX, meanY) + value * value * covariance(xx, meanX, meanX);
  return { value, variance: Math.max(0, spread) / (n * meanX * meanX), clusters: n, active };
}
