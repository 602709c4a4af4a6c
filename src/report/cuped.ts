/**
 * CUPED (Deng, Xu, Kohavi & Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data"): a shopper
 * who clicked much before the experiment clicks much in it, in every arm. That part of the variance says nothing about the arms, and is taken out.
 *
 * The covariate z of a shopper is the metric itself over the time before the first exposure, less its mean; 0, the mean, for shoppers of whom
 * nothing is known. Of a metric per search it is (earlier sum) − (earlier ratio) × (earlier searches), which is 0 for them by itself. One slope θ
 * for all arms, the pooled slope within them: that of an ordinary regression on arms and z.
 *
 * Why the confidence sequence may go by it: z is fixed before the arm can matter, so that θ·z shifts no arm's mean, whatever θ is; and θ, estimated
 * from the same shoppers, changes the difference of two arms by (θ̂ − θ)(z̄_b − z̄_a), a product of two errors that each shrink like √(log log n / n):
 * the adjusted difference is a mean of independent terms up to o(√(log log n / n)), which is what an asymptotic confidence sequence needs
 * (Waudby-Smith et al. 2024, section 3, for such estimates). Below FEWEST_KNOWN shoppers θ is 0 and the figures are the raw ones.
 */
import type { Caps, Weight } from "./caps.ts";
import type { Earlier, Past } from "./earlier.ts";
import { emptyTotals, type Metric, METRICS, spreadOf, type Totals } from "./metrics.ts";
import type { StagedSearch } from "./stage.ts";
import { type ClusterSums, type Estimate, estimateRatio } from "./statistics/ratio.ts";
import { DAY_MS } from "../web.ts";

/** Sums over the clusters of an arm; `known`: those with a covariate. */
export type CovariateSums = Readonly<Record<"known" | "z" | "zz" | "yz" | "xz", number>>;

const COUNT = 5;

/** Shoppers with a covariate, in all arms together. */
const FEWEST_KNOWN = 100;

/** Of the largest arm: as in ratio.ts, a third of both together. */
const SMALL_ARM = 0.5;

/** Share of the variance that always stays, where an estimate is not the one that the shift was found for. */
const LEAST_LEFT = 0.05;

/** What the adjustment does to the estimate of one arm. */
export interface Shift {
  /** Taken from the value. */
  readonly value: number;
  /** Added to the variance; below 0 where something is known. */
  readonly variance: number;
}

export interface Adjustment {
  readonly theta: number;
  /** Shoppers with something known from before. */
  readonly known: number;
  /** Parallel to the arms. */
  readonly shifts: readonly Shift[];
}

/** `sums` and `covariates` are those of the arms, of one metric and one day. `undefined` where there is nothing to adjust by. */
export function findAdjustment(sums: readonly ClusterSums[], covariates: readonly CovariateSums[]): Adjustment | undefined {
  const known = total(covariates.map((sum) => sum.known));
  if (known < FEWEST_KNOWN) return undefined;
  const moments = sums.map((sum, arm) => momentsOf(sum, covariates[arm]));
  const weights = moments.map(({ n }) => Math.max(0, n - 1));
  const pooled = (of: (moment: Moments) => number): number =>
    total(moments.map((moment, arm) => weights[arm]! * of(moment))) / total(weights);
  const [zz, uz] = [pooled((moment) => moment.zz), pooled((moment) => moment.uz)];
  if (!(zz > 0)) return undefined;
  const theta = uz / zz;
  const middle = total(moments.map(({ n, z }) => n * z)) / total(moments.map(({ n }) => n));
  const largest = Math.max(...moments.map(({ n }) => n));
  const shifts = moments.map((own) => {
    if (own.n === 0) return { value: 0, variance: 0 };
    const removed = theta * (2 * own.uz - theta * own.zz);
    // In a small arm its own covariance may be chance.
    const trusted = own.n < SMALL_ARM * largest ? Math.min(removed, theta * uz) : removed;
    return { value: theta * (own.z - middle), variance: -trusted / own.n };
  });
  // A rare event can be adjusted below nothing.
  const isBelow = moments.some(({ value }, arm) => value > 0 && value <= shifts[arm]!.value);
  return isBelow ? undefined : { theta, known, shifts };
}

export function shifted(estimate: Estimate | undefined, shift: Shift | undefined): Estimate | undefined {
  if (estimate === undefined || shift === undefined) return estimate;
  const { value, variance } = estimate;
  return { ...estimate, value: value - shift.value, variance: Math.max(LEAST_LEFT * variance, variance + shift.variance) };
}

type Moments = ReturnType<typeof momentsOf>;

/** Of one arm: shoppers, the mean of z, and the (co)variances of z and u = (y − R·x) / x̄, of which the arm's estimate R is a mean. */
function momentsOf(sums: ClusterSums, covariate: CovariateSums | undefined) {
  const estimate = estimateRatio(sums);
  if (estimate === undefined || covariate === undefined) return { n: 0, value: 0, z: 0, zz: 0, uz: 0 };
  const { clusters: n, x } = sums;
  const { z, zz, yz, xz } = covariate;
  // u adds up to 0, so its covariance needs no means.
  const uz = (yz - estimate.value * xz) / (x / n) / (n - 1);
  return { n, value: estimate.value, z: z / n, zz: (zz - (z * z) / n) / (n - 1), uz };
}

interface Counting {
  /** Since 1970. */
  readonly firstDay: number;
  readonly days: number;
  readonly caps: Caps;
}

/** Sums of the covariates by arm, metric and day. */
export function createCovariates(earlier: Earlier, { firstDay, days, caps }: Counting) {
  const means = meansOf(earlier);
  const sums: Float64Array[] = [];
  const covariatesOf = (unit: string | undefined): readonly number[] | undefined => {
    const past = unit === undefined ? undefined : earlier.of(unit);
    if (past === undefined) return undefined;
    const before = totalsOf(past);
    return METRICS.map((metric, m) => metric.sumOf(before) - means[m]! * spreadOf(metric, before));
  };
  return {
    /** A shopper's searches, in the order of time. */
    add(arm: number, cluster: readonly StagedSearch[], addSearch: (totals: Totals, search: StagedSearch) => void): void {
      const z = covariatesOf(cluster[0]?.unit);
      if (z === undefined) return;
      const block = (sums[arm] ??= new Float64Array(METRICS.length * days * COUNT));
      const totals = emptyTotals();
      let before: readonly Weight[] = [];
      for (let i = 0; i < cluster.length;) {
        const day = Math.floor(cluster[i]!.atMs / DAY_MS) - firstDay;
        const isFirst = i === 0;
        for (; i < cluster.length && Math.floor(cluster[i]!.atMs / DAY_MS) - firstDay === day; i++) addSearch(totals, cluster[i]!);
        const now = METRICS.map((metric, m) => {
          const [y, x] = [metric.sumOf(totals), spreadOf(metric, totals)];
          return caps.isOver(m, y, x) ? caps.cut(m, { y, x }) : { y, x };
        });
        now.forEach(({ y, x }, m) => {
          const at = (m * days + day) * COUNT;
          const own = z[m]!;
          const added = isFirst ? [1, own, own * own, 0, 0] : [0, 0, 0, 0, 0];
          added[3] = (y - (before[m]?.y ?? 0)) * own;
          added[4] = (x - (before[m]?.x ?? 0)) * own;
          added.forEach((value, offset) => (block[at + offset] = block[at + offset]! + value));
        });
        before = now;
      }
    },
    /** Sums of each day → up to and including each day. */
    seal(): void {
      for (const block of sums)
        if (block !== undefined)
          for (let at = COUNT; at < block.length; at++)
            if (Math.floor(at / COUNT) % days !== 0) block[at] = block[at]! + block[at - COUNT]!;
    },
    at(arm: number, metric: Metric, day: number): CovariateSums {
      const at = (METRICS.indexOf(metric) * days + day) * COUNT;
      const value = (offset: number): number => sums[arm]?.[at + offset] ?? 0;
      return { known: value(0), z: value(1), zz: value(2), yz: value(3), xz: value(4) };
    },
  };
}

/** What was taken back is not known of the time before: a covariate may be anything that was known. */
function totalsOf(past: Past): Totals {
  return { ...emptyTotals(), ...past, gross: past.revenue };
}

/** Of each metric before the experiment, over all its shoppers. */
function meansOf(earlier: Earlier): readonly number[] {
  const sums = METRICS.map(() => ({ y: 0, x: 0 }));
  for (const past of earlier.all()) {
    const totals = totalsOf(past);
    METRICS.forEach((metric, m) => {
      sums[m]!.y += metric.sumOf(totals);
      sums[m]!.x += spreadOf(metric, totals);
    });
  }
  return sums.map(({ y, x }) => (x > 0 ? y / x : 0));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
