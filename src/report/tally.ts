/**
 * One pass over the searches, shopper by shopper, with the caps that what they come to says → sums per arm, day and segment. Memory grows with days,
 * arms and segments, not with the log.
 */
import type { Votes } from "./statistics/preference.ts";
import { mergeSums } from "./statistics/ratio.ts";
import { type Caps, DEFAULT_CAP, findCaps } from "./caps.ts";
import { addToCell, type ArmSums, CELL_SIZE, type Counted, emptyExtremes, NO_ARM, noteExtremes, readCell } from "./cells.ts";
import { createSegments, emptyTotals, type Metric, METRICS, type SegmentOf, spreadOf, type Totals } from "./metrics.ts";
import type { Stage, StagedSearch } from "./stage.ts";
import { createChecks } from "./checks.ts";
import { DAY_MS } from "../web.ts";

export type ArmTally = ReturnType<typeof emptyArm>;

export type Tally = NonNullable<ReturnType<typeof tally>>;

/** To the totals of its cluster. */
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
    /** Of shoppers: an unknown one may have had several of the others. */
    shopperVotes: { click: noVotes(), purchase: noVotes() },
  };
}

/**
 * `variants`: the arms in the order of the report; others are appended. `cap`: share of the shoppers whose sums no cap touches. `undefined` for a
 * log without a search.
 */
export function tally(stage: Stage, variants: readonly string[], segmented: Metric, cap = DEFAULT_CAP) {
  const period = stage.period();
  if (period === undefined) return undefined;
  const firstDay = Math.floor(period.firstMs / DAY_MS);
  const days = Math.floor(period.lastMs / DAY_MS) - firstDay + 1;
  const indices = new Map(variants.map((variant, i) => [variant, i]));
  const arms = variants.map(emptyArm);
  const caps = findCaps(stage.totals(), cap);
  const blocks: Float64Array[] = [];
  const blockOf = (arm: number): Float64Array => (blocks[arm] ??= new Float64Array(METRICS.length * days * CELL_SIZE));
  const extremes: ReturnType<typeof emptyExtremes>[][] = [];
  const extremesOf = (arm: number) => (extremes[arm] ??= METRICS.map(emptyExtremes));
  const segments = createSegments(stage.applications(8));
  const segmentSums = new Map<string, Map<string, Float64Array[]>>();
  const checks = createChecks(stage, { firstDay, days, caps }, segmented, addSearch);
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
    const last = addDays(blockOf(arm), cluster, { firstDay, days, caps });
    last.forEach((counted, m) => counted && noteExtremes(extremesOf(arm)[m]!, caps, m, counted));
    addSegments(segmentSums, segments, cluster, { arm, metric: segmented, caps });
    checks.add(arm, cluster);
  }
  checks.seal();
  for (const block of blocks) if (block !== undefined) accumulate(block, days);
  const sumsAt = (arm: number, metric: Metric, day: number): ArmSums => {
    const m = METRICS.indexOf(metric);
    const { heaviest, widest } = extremesOf(arm)[m]!;
    const found = day === days - 1 ? [heaviest, widest].flatMap((extreme) => extreme ?? []) : [];
    return readCell(blockOf(arm), (m * days + day) * CELL_SIZE, found);
  };
  return {
    arms,
    /** First day of all (UTC), and how many days follow. */
    firstDayMs: firstDay * DAY_MS,
    days,
    /** Shoppers who were seen in more than one arm; left out. */
    crossed,
    checks,
    caps,
    /** Up to and including that day; days count from 0. */
    sumsAt,
    /** The largest share of one shopper, or of one search of an unknown one, in the sum of the arm; null for an empty sum. */
    largestShare: (arm: number, metric: Metric): number | null => {
      const { known, alone } = sumsAt(arm, metric, days - 1).raw;
      const { y } = mergeSums(known, alone);
      return y > 0 ? Math.min(1, extremesOf(arm)[METRICS.indexOf(metric)]!.largest / y) : null;
    },
    /** Dimension → segment → sums per arm, of one metric. */
    segments: new Map(
      [...segmentSums].map(([dimension, found]) => [
        dimension,
        new Map(
          [...found].map(([segment, perArm]) => [
            segment,
            arms.map((_, i): ArmSums => (perArm[i] === undefined ? NO_ARM : readCell(perArm[i], 0, []))),
          ]),
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
    const vote = a === b ? "ties" : a > b ? "a" : "b";
    arm.votes[kind][vote]++;
    if (cluster[0]?.unit !== undefined) arm.shopperVotes[kind][vote]++;
  }
}

type Days = Record<"firstDay" | "days", number> & { readonly caps: Caps };

/**
 * From a day on, a returning shopper counts with all searches so far: the new sums replace the old ones. `firstDay`: since 1970. Returns what the
 * cluster comes to, parallel to METRICS.
 */
function addDays(block: Float64Array, cluster: readonly StagedSearch[], { firstDay, days, caps }: Days): readonly (Counted | undefined)[] {
  const isKnown = cluster[0]?.unit !== undefined;
  const totals = emptyTotals();
  const squares = new Float64Array(METRICS.length);
  let before: readonly (Counted | undefined)[] = [];
  for (let i = 0; i < cluster.length;) {
    const day = dayOf(cluster[i]!);
    for (; i < cluster.length && dayOf(cluster[i]!) === day; i++) {
      addSearch(totals, cluster[i]!);
      if (isKnown) addSquares(squares, cluster[i]!);
    }
    const earlier = before;
    before = METRICS.map((metric, m) => {
      if (metric.per === "shopper" && !isKnown) return undefined;
      const at = (m * days + day - firstDay) * CELL_SIZE;
      const counted = { y: metric.sumOf(totals), x: spreadOf(metric, totals), isKnown, squares: squares[m]! };
      if (earlier[m] !== undefined) addToCell(block, at, caps, m, earlier[m], -1);
      addToCell(block, at, caps, m, counted);
      return counted;
    });
  }
  return before;
}

/** Of a single search, for the metrics per search. */
function addSquares(squares: Float64Array, search: StagedSearch): void {
  if (search.clicks === 0 && search.carts === 0 && search.purchases === 0 && search.revenue === 0) return;
  const totals = emptyTotals();
  addSearch(totals, search);
  METRICS.forEach((metric, m) => {
    if (metric.per === "search") squares[m] = squares[m]! + metric.sumOf(totals) ** 2;
  });
}

function dayOf({ atMs }: StagedSearch): number {
  return Math.floor(atMs / DAY_MS);
}

/** Sums of each day → sums up to and including each day. */
function accumulate(block: Float64Array, days: number): void {
  for (let at = CELL_SIZE; at < block.length; at++) {
    const isFirstDay = Math.floor(at / CELL_SIZE) % days === 0;
    if (!isFirstDay) block[at] = block[at]! + block[at - CELL_SIZE]!;
  }
}

function addSegments(
  sums: Map<string, Map<string, Float64Array[]>>,
  segments: ReadonlyMap<string, SegmentOf>,
  cluster: readonly StagedSearch[],
  { arm, metric, caps }: { readonly arm: number; readonly metric: Metric; readonly caps: Caps },
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
      const counted = { y: metric.sumOf(totals), x: spreadOf(metric, totals), isKnown: first.unit !== undefined, squares: 0 };
      addToCell((perArm[arm] ??= new Float64Array(CELL_SIZE)), 0, caps, METRICS.indexOf(metric), counted);
    }
  }
}
