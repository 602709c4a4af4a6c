/**
 * Does the effect depend on how long a shopper has known the arm (novelty, or learning), or on the day of the week? One chi-square test of equal
 * lifts per arm and dimension (Wald), with the covariance of a shopper who is in several parts, corrected by Holm's procedure for their number.
 */
import { emptyTotals, type Metric, spreadOf, type Totals } from "./metrics.ts";
import type { StagedSearch } from "./stage.ts";
import { FEWEST_ACTIVE, holm } from "./statistics/compare.ts";
import { chiSquareTail, normalQuantile } from "./statistics/distributions.ts";
import { solve } from "./statistics/solve.ts";
import { DAY_MS } from "../web.ts";

interface Dimension {
  readonly name: string;
  readonly parts: readonly string[];
  /** Index of the search's part; `undefined` where the shopper is unknown. */
  readonly partOf: (search: StagedSearch, first: StagedSearch) => number | undefined;
}

const dayOf = ({ atMs }: StagedSearch): number => Math.floor(atMs / DAY_MS);

/** From which day on after a shopper's first search in the experiment. */
const AGES = [0, 1, 7, 14] as const;

const DIMENSIONS: readonly Dimension[] = [
  {
    name: "days since the first search",
    parts: ["first day", "1 to 6 days", "7 to 13 days", "14 days or more"],
    partOf: (search, first) => (search.unit === undefined ? undefined : AGES.findLastIndex((from) => dayOf(search) - dayOf(first) >= from)),
  },
  {
    name: "weekday (UTC)",
    parts: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    // 1 January 1970 was a Thursday.
    partOf: (search) => (dayOf(search) + 3) % 7,
  },
];

/** p below which a note is printed: rare enough for a report that is read every day. */
export const NOTED_P = 0.01;

/** Sums of one arm: of v = (y of each part, x of each part), of its products, and clusters with y ≠ 0. */
interface PartSums {
  clusters: number;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly active: Float64Array;
}

export type OverTime = ReturnType<typeof createOverTime>;

export function createOverTime(metric: Metric) {
  const sums: PartSums[][] = DIMENSIONS.map(() => []);
  return {
    add(arm: number, cluster: readonly StagedSearch[], addSearch: (totals: Totals, search: StagedSearch) => void): void {
      const first = cluster[0];
      if (first === undefined || (metric.per === "shopper" && first.unit === undefined)) return;
      DIMENSIONS.forEach(({ parts, partOf }, d) => {
        const found = new Map<number, Totals>();
        for (const search of cluster) {
          const part = partOf(search, first);
          if (part === undefined) continue;
          const totals = found.get(part) ?? emptyTotals();
          addSearch(totals, search);
          found.set(part, totals);
        }
        addParts((sums[d]![arm] ??= emptySums(parts.length)), found, metric);
      });
    },
    /** Every arm of `compared` against `base`, as indices. */
    results(base: number, compared: readonly number[], alpha: number) {
      const rows = DIMENSIONS.flatMap(({ name, parts }, d) =>
        compared.flatMap((arm) => {
          const [mine, theirs] = [sums[d]![arm], sums[d]![base]];
          const tested = mine && theirs && compareParts(theirs, mine, parts, alpha);
          return tested === undefined ? [] : [{ dimension: name, arm, ...tested }];
        }),
      );
      const corrected = holm(rows.map(({ p }) => p));
      return rows.map((row, i) => ({ ...row, p: corrected[i] ?? 1 }));
    },
  };
}

function emptySums(parts: number): PartSums {
  const size = 2 * parts;
  return { clusters: 0, first: new Float64Array(size), second: new Float64Array(size * size), active: new Float64Array(parts) };
}

function addParts(sums: PartSums, found: ReadonlyMap<number, Totals>, metric: Metric): void {
  const parts = sums.active.length;
  const values = [...found].flatMap(([part, totals]): [number, number][] => [
    [part, metric.sumOf(totals)],
    [parts + part, spreadOf(metric, totals)],
  ]);
  sums.clusters++;
  for (const [i, value] of values) {
    sums.first[i]! += value;
    if (i < parts && value !== 0) sums.active[i]!++;
    for (const [j, other] of values) sums.second[i * 2 * parts + j]! += value * other;
  }
}

/** Lifts of the parts, and the test that they are one. `undefined` with fewer than two parts that can be compared. */
function compareParts(control: PartSums, arm: PartSums, names: readonly string[], alpha: number) {
  const z = normalQuantile(1 - alpha / 2);
  const kept = names.flatMap((_, k) => (control.active[k]! >= FEWEST_ACTIVE && arm.active[k]! >= FEWEST_ACTIVE ? [k] : []));
  if (kept.length < 2) return undefined;
  const [a, b] = [logsOf(control, kept), logsOf(arm, kept)];
  const lifts = kept.map((_, i) => b.logs[i]! - a.logs[i]!);
  const covariance = kept.map((_, i) => kept.map((__, j) => a.covariance[i]![j]! + b.covariance[i]![j]!));
  // Contrasts with the first part.
  const contrasts = lifts.slice(1).map((lift) => lift - lifts[0]!);
  const spread = contrasts.map((_, i) =>
    contrasts.map((__, j) => covariance[i + 1]![j + 1]! - covariance[i + 1]![0]! - covariance[0]![j + 1]! + covariance[0]![0]!),
  );
  const solved = solve(spread, contrasts);
  if (solved === undefined) return undefined;
  const chiSquare = Math.max(
    0,
    contrasts.reduce((sum, contrast, i) => sum + contrast * solved[i]!, 0),
  );
  return {
    parts: kept.map((k, i) => {
      const half = z * Math.sqrt(covariance[i]![i]!);
      return {
        part: names[k]!,
        control: Math.exp(a.logs[i]!),
        value: Math.exp(b.logs[i]!),
        lift: Math.expm1(lifts[i]!),
        fixed: { low: Math.expm1(lifts[i]! - half), high: Math.expm1(lifts[i]! + half) },
      };
    }),
    chiSquare,
    degreesOfFreedom: contrasts.length,
    p: chiSquareTail(chiSquare, contrasts.length),
  };
}

/** Logarithms of the parts' ratios, and their covariance by the delta method: the influence of a shopper on log(y/x) is y/Y − x/X. */
function logsOf({ clusters: n, first, second, active }: PartSums, kept: readonly number[]) {
  const parts = active.length;
  const product = (i: number, j: number): number => second[i * 2 * parts + j]!;
  const [y, x] = [(k: number) => first[k]!, (k: number) => first[parts + k]!];
  const covariance = kept.map((k) =>
    kept.map(
      (l) =>
        (n / (n - 1)) *
        (product(k, l) / (y(k) * y(l)) -
          product(k, parts + l) / (y(k) * x(l)) -
          product(parts + k, l) / (x(k) * y(l)) +
          product(parts + k, parts + l) / (x(k) * x(l))),
    ),
  );
  return { logs: kept.map((k) => Math.log(y(k) / x(k))), covariance };
}
