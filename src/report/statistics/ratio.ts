/**
 * A metric of one arm from sums over its clusters, with its variance by the delta method: Σy / Σx.
 *
 * A cluster is a randomisation unit: a shopper, or a single search of an unknown shopper. With x = searches of the cluster the metric is per
 * search; with x = 1 it is a mean per shopper, and the formula is that of a mean.
 */

/** Sums over clusters. `active`: clusters with y ≠ 0. */
export type ClusterSums = Readonly<Record<"clusters" | "active" | "y" | "x" | "yy" | "xx" | "xy", number>>;

export const NO_SUMS: ClusterSums = { clusters: 0, active: 0, y: 0, x: 0, yy: 0, xx: 0, xy: 0 };

/** Share of the clusters of both arms. */
const SMALL_ARM = 1 / 3;

/** Numbers per ClusterSums in an array. */
export const SUM_COUNT = 7;

/** Adds (`times` 1, or so many alike) a cluster to the sums at `at`, or takes it out (`times` −1). */
export function addCluster(sums: Float64Array, at: number, y: number, x: number, times = 1): void {
  sums[at] = (sums[at] ?? 0) + times;
  if (y !== 0) {
    sums[at + 1] = (sums[at + 1] ?? 0) + times;
    sums[at + 2] = (sums[at + 2] ?? 0) + times * y;
    sums[at + 4] = (sums[at + 4] ?? 0) + times * y * y;
    sums[at + 6] = (sums[at + 6] ?? 0) + times * x * y;
  }
  sums[at + 3] = (sums[at + 3] ?? 0) + times * x;
  sums[at + 5] = (sums[at + 5] ?? 0) + times * x * x;
}

export function mergeSums(a: ClusterSums, b: ClusterSums): ClusterSums {
  return {
    clusters: a.clusters + b.clusters,
    active: a.active + b.active,
    y: a.y + b.y,
    x: a.x + b.x,
    yy: a.yy + b.yy,
    xx: a.xx + b.xx,
    xy: a.xy + b.xy,
  };
}

/** The sums without one of their clusters. */
export function withoutCluster(sums: ClusterSums, { y, x }: Record<"y" | "x", number>): ClusterSums {
  const cluster = { clusters: -1, active: y === 0 ? 0 : -1, y: -y, x: -x, yy: -y * y, xx: -x * x, xy: -x * y };
  return mergeSums(sums, cluster);
}

export function readSums(sums: Float64Array, at: number): ClusterSums {
  const value = (offset: number): number => sums[at + offset] ?? 0;
  return { clusters: value(0), active: value(1), y: value(2), x: value(3), yy: value(4), xx: value(5), xy: value(6) };
}

export type Estimate = NonNullable<ReturnType<typeof estimateRatio>>;

export type Pair<T> = readonly [control: T, variant: T];

/**
 * Var(ȳ/x̄) = (s²_y − 2 R s_xy + R² s²_x) / (n x̄²): Deng, Knoblich & Lu 2018, "Applying the Delta Method in Metric Analytics", section 3
 * (arXiv 1803.06336): the variance of the estimate, not of a cluster. `undefined` below two clusters or with nothing to divide by.
 */
export function estimateRatio(sums: ClusterSums) {
  return estimate(sums, NO_SUMS, 1, { relative: 0, absolute: 0 });
}

/**
 * Both arms of a comparison, each with at least the coefficient of variation that both have together: in a small arm that heavy shoppers have not
 * come to yet, its own would be too small, and its interval with it. An effect that multiplies leaves the coefficient as it is. An arm with less than
 * a third of the clusters has at least the variance of both as well: a mean that is small because nobody heavy has come would lower the other bound.
 *
 * `alone`: single searches of unknown shoppers, which hang together. Each counts as 1 / `inflation` of a cluster, the design effect (Kish 1965), so
 * that their part of the variance is that much larger.
 */
export function estimatePair(arms: Pair<Record<"known" | "alone", ClusterSums>>, inflation: number): Pair<Estimate | undefined> {
  const sum = (of: (known: ClusterSums, alone: ClusterSums) => number): number =>
    arms.reduce((total, { known, alone }) => total + of(known, alone), 0);
  const y = sum((known, alone) => known.y + alone.y);
  const squares = sum((known, alone) => squaresOf(known, alone, inflation));
  const clusters = sum((known, alone) => known.clusters + alone.clusters);
  const relative = y > 0 ? (squares * clusters) / y ** 2 : 0;
  const estimateArm = ({ known, alone }: Record<"known" | "alone", ClusterSums>) => {
    const mine = known.clusters + alone.clusters;
    return estimate(known, alone, inflation, { relative, absolute: mine < SMALL_ARM * clusters ? squares / clusters : 0 });
  };
  const [control, variant] = arms;
  return [estimateArm(control), estimateArm(variant)];
}

interface Floor {
  /** Of the squared coefficient of variation. */
  readonly relative: number;
  /** Of the squared residual per cluster. */
  readonly absolute: number;
}

function estimate(known: ClusterSums, alone: ClusterSums, inflation: number, { relative, absolute }: Floor) {
  const { clusters, y, x } = mergeSums(known, alone);
  if (clusters < 2 || !(x > 0)) return undefined;
  const squares = Math.max(squaresOf(known, alone, inflation), (relative * y * y) / clusters, absolute * clusters);
  return {
    value: y / x,
    variance: (squares * clusters) / ((clusters - 1) * x * x),
    clusters: known.clusters + alone.clusters / inflation,
    active: known.active + alone.active / inflation,
  };
}

/** Of y − R x, whose mean over all clusters together is 0. */
function squaresOf(known: ClusterSums, alone: ClusterSums, inflation: number): number {
  const x = known.x + alone.x;
  if (!(x > 0)) return 0;
  const ratio = (known.y + alone.y) / x;
  return Math.max(0, residualSquares(known, ratio) + inflation * residualSquares(alone, ratio));
}

/** Σ (y − ratio · x)² over the clusters. */
export function residualSquares({ yy, xy, xx }: ClusterSums, ratio: number): number {
  return yy - 2 * ratio * xy + ratio * ratio * xx;
}
