/**
 * How much one shopper can weigh: caps at a percentile of the shoppers who have something, pooled over the arms and therefore the same in all of
 * them. A rule fixed before the test: the heaviest one percent, and at least one, count as much as the next one below.
 *
 * Winsorising at a pooled percentile is what GrowthBook and ep-stats do with revenue. Here it holds for every sum, and for the searches by
 * which a shopper weighs in a ratio: one script that searches ten thousand times would decide a click-through rate.
 */
import { type Metric, METRICS, type Totals } from "./metrics.ts";

/** Share of the shoppers with something who keep all of it. */
export const DEFAULT_CAP = 0.99;

/** What a shopper, or a search of an unknown one, adds to a metric: `y` is summed up and divided by the sum of `x`. */
export interface Weight {
  readonly y: number;
  readonly x: number;
}

export type Caps = ReturnType<typeof capsOf>;

/** A shopper with all searches (`isKnown`), or a search of an unknown one. */
export interface Cluster {
  readonly totals: Totals;
  readonly isKnown: boolean;
  /** So many alike. */
  readonly times?: number;
}

/** `share`: 1 caps nothing, and reads nothing. */
export function findCaps(clusters: Iterable<Cluster>, share: number): Caps {
  const counts = createCapCounts();
  if (share < 1) for (const cluster of clusters) counts.add(cluster);
  return counts.caps(share);
}

/** The metrics that have a cap. */
const CAPPED = METRICS.flatMap(({ kind, per, sumOf }, m) => (kind === "share" ? [] : [{ m, sumOf, isOfShoppers: per === "shopper" }]));

/** How many clusters come to how much. */
export function createCapCounts() {
  const counts = METRICS.map(() => new Map<number, number>());
  const searches = new Map<number, number>();
  return {
    /** `times` below 0 takes out what was added. */
    add({ totals, isKnown, times = 1 }: Cluster): void {
      if (isKnown) count(searches, totals.searches, times);
      for (const { m, sumOf, isOfShoppers } of CAPPED) {
        const y = isOfShoppers && !isKnown ? 0 : sumOf(totals);
        if (y > 0) count(counts[m]!, y, times);
      }
    },
    caps: (share: number): Caps =>
      capsOf(
        counts.map((counted, m) => (METRICS[m]!.kind === "share" ? Infinity : percentile(counted, share))),
        percentile(searches, share),
      ),
  };
}

/** `sums` are parallel to METRICS; Infinity caps nothing. */
export function capsOf(sums: readonly number[], searches: number) {
  return {
    /** Of the sum of a shopper; Infinity for none. */
    sumOf: (metric: Metric): number => sums[METRICS.indexOf(metric)] ?? Infinity,
    /** Searches by which a shopper weighs in a metric per search. */
    searches,
    isOver: (m: number, y: number, x: number): boolean => Math.abs(y) > (sums[m] ?? Infinity) || x > searches,
    /** As if only so many of the searches had been: the same sum per search, with less weight. Then the cap of the sum. */
    cut(m: number, { y, x }: Weight): Weight {
      const weight = Math.min(x, searches);
      const most = sums[m] ?? Infinity;
      return { y: Math.max(-most, Math.min(most, x > 0 ? (y * weight) / x : y)), x: weight };
    },
  };
}

function count(counts: Map<number, number>, value: number, times: number): void {
  const key = roundUp(value);
  const counted = (counts.get(key) ?? 0) + times;
  if (counted === 0) counts.delete(key);
  else counts.set(key, counted);
}

const rounded = new DataView(new ArrayBuffer(8));

/**
 * A number above 0 to ten binary digits, so that the memory for a percentile does not grow with the log. Never below the value; whole numbers below
 * 1,024 stay as they are.
 */
export function roundUp(value: number): number {
  // Sign, exponent and the first 20 binary digits after the leading one; a carry into the exponent is the next power of two.
  rounded.setFloat64(0, value);
  const high = rounded.getUint32(0);
  if ((high & 0x7ff) === 0 && rounded.getUint32(4) === 0) return value;
  rounded.setUint32(0, (high | 0x7ff) + 1);
  rounded.setUint32(4, 0);
  return rounded.getFloat64(0);
}

/** The value of the given rank from below; at least one value lies above it, unless there is only one. Infinity for a share of 1, or of nothing. */
export function percentile(counts: ReadonlyMap<number, number>, share: number): number {
  let total = 0;
  for (const n of counts.values()) total += n;
  if (share >= 1 || total === 0) return Infinity;
  let rank = Math.max(1, Math.min(total - 1, Math.floor(share * total)));
  for (const value of Float64Array.from(counts.keys()).toSorted()) {
    rank -= counts.get(value) ?? 0;
    if (rank <= 0) return value;
  }
  return Infinity;
}
