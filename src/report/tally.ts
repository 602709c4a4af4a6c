/** One pass over the searches, shopper by shopper → sums per arm, day and segment. Memory grows with days, arms and segments, not with the log. */
import type { Votes } from "./statistics/preference.ts";
import { addCluster, readSums, SUM_COUNT } from "./statistics/ratio.ts";
import { createSegments, emptyTotals, type Metric, METRICS, type SegmentOf, spreadOf, type Totals } from "./metrics.ts";
import type { Stage, StagedSearch } from "./stage.ts";
import { DAY_MS } from "../web.ts";

export type ArmTally = ReturnType<typeof emptyArm>;

export type Tally = NonNullable<ReturnType<typeof tally>>;

function addSearch(totals: Totals, { clicks, carts, purchases, orders, items, gross, revenue }: StagedSearch): void {
  totals.searches++;
  if (clicks > 0) totals.clicked++;
  totals.clicks += clicks;
  totals.carts += carts;
  totals.purchases += purchases;
  totals.orders += orders;
  totals.items += items;
  totals.gross += gross;
  totals.revenue += revenue;
}

const noVotes = (): Record<keyof Votes, number> => ({ a: 0, b: 0, ties: 0 });

function emptyArm(variant: string) {
  return {
    variant,
    searches: 0,
    shoppers: 0,
    /** Searches of known shoppers, and the sum of their squares per shopper. */
    shopperSearches: 0,
    squaredShopperSearches: 0,
    /** Reason → searches. */
    bypasses: new Map<string, number>(),
    interleaved: 0,
    /** One vote per shopper, or per search of an unknown one. */
    votes: { click: noVotes(), purchase: noVotes() },
  };
}

/** `variants`: the arms in the order of the report; others are appended. `undefined` for a log without a search. */
export function tally(stage: Stage, variants: readonly string[], segmented: Metric) {
  const period = stage.period();
  if (period === undefined) return undefined;
  const firstDay = Math.floor(period.firstMs / DAY_MS);
  const days = Math.floor(period.lastMs / DAY_MS) - firstDay + 1;
  const indices = new Map(variants.map((variant, i) => [variant, i]));
  const arms = variants.map(emptyArm);
  const sums: Float64Array[] = [];
  const blockOf = (arm: number): Float64Array => (sums[arm] ??= new Float64Array(METRICS.length * days * SUM_COUNT));
  const segments = createSegments(stage.applications(8));
  const segmentSums = new Map<string, Map<string, Float64Array[]>>();
  let crossed = 0;

  for (const cluster of stage.clusters()) {
    const [first] = cluster;
    if (first === undefined) continue;
    if (cluster.some(({ variant }) => variant !== first.variant)) {
      crossed++;
      continue;
    }
    let arm = indices.get(first.variant);
    if (arm === undefined) {
      arm = arms.length;
      indices.set(first.variant, arm);
      arms.push(emptyArm(first.variant));
    }
    countCluster(arms[arm]!, cluster);
    addDays(blockOf(arm), cluster, { firstDay, days });
    addSegments(segmentSums, segments, cluster, { arm, metric: segmented });
  }
  for (const block of sums) if (block !== undefined) accumulate(block, days);
  return {
    arms,
    /** First day of all (UTC), and how many days follow. */
    firstDayMs: firstDay * DAY_MS,
    days,
    /** Shoppers who were seen in more than one arm; left out. */
    crossed,
    /** Up to and including that day; days count from 0. */
    sumsAt: (arm: number, metric: Metric, day: number) => readSums(blockOf(arm), (METRICS.indexOf(metric) * days + day) * SUM_COUNT),
    /** Dimension → segment → sums per arm, of one metric. */
    segments: new Map(
      [...segmentSums].map(([dimension, found]) => [
        dimension,
        new Map(
          [...found].map(([segment, perArm]) => [segment, arms.map((_, i) => readSums(perArm[i] ?? new Float64Array(SUM_COUNT), 0))]),
        ),
      ]),
    ),
  };
}

function countCluster(arm: ArmTally, cluster: readonly StagedSearch[]): void {
  arm.searches += cluster.length;
  if (cluster[0]?.unit !== undefined) {
    arm.shoppers++;
    arm.shopperSearches += cluster.length;
    arm.squaredShopperSearches += cluster.length ** 2;
  }
  for (const { bypass } of cluster) if (bypass !== undefined) arm.bypasses.set(bypass, (arm.bypasses.get(bypass) ?? 0) + 1);
  const drafted = cluster.filter(({ isInterleaved }) => isInterleaved);
  arm.interleaved += drafted.length;
  for (const kind of ["click", "purchase"] as const) {
    const [a, b] = (["a", "b"] as const).map((team) => drafted.reduce((sum, search) => sum + search[`${kind}_${team}`], 0));
    if (a === undefined || b === undefined || a + b === 0) continue;
    arm.votes[kind][a === b ? "ties" : a > b ? "a" : "b"]++;
  }
}

/** From a day on, a returning shopper counts with all searches so far: the new sums replace the old ones. `firstDay`: since 1970. */
function addDays(block: Float64Array, cluster: readonly StagedSearch[], { firstDay, days }: Record<"firstDay" | "days", number>): void {
  const isKnown = cluster[0]?.unit !== undefined;
  const totals = emptyTotals();
  let before: Totals | undefined;
  for (let i = 0; i < cluster.length;) {
    const day = dayOf(cluster[i]!);
    for (; i < cluster.length && dayOf(cluster[i]!) === day; i++) addSearch(totals, cluster[i]!);
    METRICS.forEach((metric, m) => {
      if (metric.per === "shopper" && !isKnown) return;
      const at = (m * days + day - firstDay) * SUM_COUNT;
      if (before !== undefined) addCluster(block, at, metric.sumOf(before), spreadOf(metric, before), -1);
      addCluster(block, at, metric.sumOf(totals), spreadOf(metric, totals));
    });
    before = { ...totals };
  }
}

function dayOf({ atMs }: StagedSearch): number {
  return Math.floor(atMs / DAY_MS);
}

/** Sums of each day → sums up to and including each day. */
function accumulate(block: Float64Array, days: number): void {
  for (let at = SUM_COUNT; at < block.length; at++) {
    const isFirstDay = Math.floor(at / SUM_COUNT) % days === 0;
    if (!isFirstDay) block[at] = block[at]! + block[at - SUM_COUNT]!;
  }
}

function addSegments(
  sums: Map<string, Map<string, Float64Array[]>>,
  segments: ReadonlyMap<string, SegmentOf>,
  cluster: readonly StagedSearch[],
  { arm, metric }: { readonly arm: number; readonly metric: Metric },
): void {
  const first = cluster[0];
  if (first === undefined || (metric.per === "shopper" && first.unit === undefined)) return;
  for (const [dimension, segmentOf] of segments) {
    const found = new Map<string, Totals>();
    for (const search of cluster) {
      const segment = segmentOf(search, first);
      if (segment === undefined) continue;
      const totals = found.get(segment) ?? emptyTotals();
      addSearch(totals, search);
      found.set(segment, totals);
    }
    const known = sums.get(dimension) ?? new Map<string, Float64Array[]>();
    sums.set(dimension, known);
    for (const [segment, totals] of found) {
      const perArm = known.get(segment) ?? [];
      known.set(segment, perArm);
      addCluster((perArm[arm] ??= new Float64Array(SUM_COUNT)), 0, metric.sumOf(totals), spreadOf(metric, totals));
    }
  }
}
