/** Orders of judged queries → their metrics, paired differences with intervals, and the queries that lose most. Reads no files. */
import { createRandom } from "../../demo/catalogue/random.ts";
import { bootstrapMeans, mean, ndcg, reciprocalRank } from "./metrics.ts";
import type { Ratings } from "./judgments.ts";

/** With " judged": products that nobody judged are taken out of the list first; without, they count as irrelevant. */
export const METRICS = ["nDCG@10", "nDCG@10 judged", "nDCG@5", "nDCG@5 judged", "MRR", "MRR judged"] as const;
export type Metric = (typeof METRICS)[number];

/** Share of the first ten that is judged. */
export const SHARE_JUDGED = "judged@10";

const DEPTH = 10;
const DRAWS = 10_000;
const WORST = 10;
/** Below it a difference is rounding. */
const EQUAL = 1e-9;

/** One query with what was found for it, in each order. */
export interface RankedQuery {
  readonly query: string;
  /** At least one above 0. */
  readonly ratings: Ratings;
  /** In the engine's order. */
  readonly ids: readonly string[];
  /** By the order's name: indices of `ids`, best first. */
  readonly orders: ReadonlyMap<string, readonly number[]>;
}

export type OrderFigures = { readonly name: string } & Readonly<Record<Metric | typeof SHARE_JUDGED, number>>;

/** `of` minus `against`, paired by query. */
export interface Difference {
  readonly of: string;
  readonly against: string;
  readonly metric: Metric;
  readonly mean: number;
  /** 95 %, bootstrap over queries. */
  readonly low: number;
  readonly high: number;
  /** Queries. */
  readonly worse: number;
  readonly better: number;
}

export interface Pair {
  readonly of: string;
  readonly against: string;
}

/** One query under two orders. */
export interface SideBySide extends Pair {
  readonly query: string;
  readonly metric: Metric;
  readonly before: number;
  readonly after: number;
  /** The first ten product ids, by the name of the order. */
  readonly top: Readonly<Record<string, readonly string[]>>;
}

/** By order and metric, one value per query. */
type Columns = ReadonlyMap<string, Readonly<Record<Metric, readonly number[]>>>;

/** Of one list in the order in which it is shown. */
export function metricsOf(shown: readonly string[], ratings: Ratings): Record<Metric, number> {
  const all = [...ratings.values()];
  const strict = shown.map((id) => ratings.get(id) ?? 0);
  const judged = shown.flatMap((id) => ratings.get(id) ?? []);
  return {
    "nDCG@10": ndcg(strict, 10, all) ?? Number.NaN,
    "nDCG@10 judged": ndcg(judged, 10, all) ?? Number.NaN,
    "nDCG@5": ndcg(strict, 5, all) ?? Number.NaN,
    "nDCG@5 judged": ndcg(judged, 5, all) ?? Number.NaN,
    MRR: reciprocalRank(strict),
    "MRR judged": reciprocalRank(judged),
  };
}

const shownBy = ({ ids, orders }: RankedQuery, name: string): string[] => (orders.get(name) ?? []).map((i) => ids[i]!);

export function columnsOf(queries: readonly RankedQuery[], names: readonly string[]): Columns {
  return new Map(
    names.map((name) => {
      const each = queries.map((query) => metricsOf(shownBy(query, name), query.ratings));
      return [name, recordOf((metric) => each.map((figures) => figures[metric]))];
    }),
  );
}

function recordOf<T>(value: (metric: Metric) => T): Record<Metric, T> {
  return {
    "nDCG@10": value("nDCG@10"),
    "nDCG@10 judged": value("nDCG@10 judged"),
    "nDCG@5": value("nDCG@5"),
    "nDCG@5 judged": value("nDCG@5 judged"),
    MRR: value("MRR"),
    "MRR judged": value("MRR judged"),
  };
}

/** Means over the queries. The share is that of all first tens together: 0 where nothing was found. */
export function figuresOf(queries: readonly RankedQuery[], columns: Columns): OrderFigures[] {
  return Array.from(columns, ([name, values]) => {
    const tops = queries.map((query) => ({ query, top: shownBy(query, name).slice(0, DEPTH) }));
    const shown = tops.reduce((sum, { top }) => sum + top.length, 0);
    const judged = tops.reduce((sum, { query, top }) => sum + top.filter((id) => query.ratings.has(id)).length, 0);
    return { name, ...recordOf((metric) => mean(values[metric])), [SHARE_JUDGED]: shown === 0 ? 0 : judged / shown };
  });
}

/** The same seed for all: two runs over the same files print the same figures. */
export function differencesOf(columns: Columns, pairs: readonly Pair[]): Difference[] {
  const wanted = pairs.flatMap((pair) => METRICS.map((metric) => ({ ...pair, metric })));
  const values = wanted.map(({ of, against, metric }) => {
    const before = columns.get(against)?.[metric] ?? [];
    return (columns.get(of)?.[metric] ?? []).map((after, i) => after - before[i]!);
  });
  const intervals = bootstrapMeans(values, createRandom("armmt evaluate").next, DRAWS);
  return wanted.map((pair, i) => ({
    ...pair,
    ...intervals[i]!,
    worse: values[i]!.filter((value) => value < -EQUAL).length,
    better: values[i]!.filter((value) => value > EQUAL).length,
  }));
}

/** The queries that lose by the first metric. */
export function worstOf(queries: readonly RankedQuery[], columns: Columns, { of, against }: Pair): SideBySide[] {
  const metric = METRICS[0];
  return queries
    .map((query, i): SideBySide => {
      const top = { [against]: shownBy(query, against).slice(0, DEPTH), [of]: shownBy(query, of).slice(0, DEPTH) };
      const [before, after] = [columns.get(against)![metric][i]!, columns.get(of)![metric][i]!];
      return { query: query.query, of, against, metric, before, after, top };
    })
    .filter(({ before, after }) => after - before < -EQUAL);
}

/** Those that lose most, at most ten. */
export function worstFirst<T extends SideBySide>(queries: readonly T[]): readonly T[] {
  return queries.toSorted((a, b) => a.after - a.before - (b.after - b.before)).slice(0, WORST);
}

/** Of several engines: the mean of each query's values over them. Parallel to the queries, which all of them have. */
export function meanColumns(parts: readonly Columns[]): Columns {
  const [first] = parts;
  if (first === undefined) return new Map();
  return new Map(
    Array.from(first, ([name, values]) => [
      name,
      recordOf((metric) => values[metric].map((_, i) => mean(parts.map((part) => part.get(name)?.[metric][i] ?? Number.NaN)))),
    ]),
  );
}
