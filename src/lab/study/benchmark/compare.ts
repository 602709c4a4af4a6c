/** Judged runs of one level → rows: means over seeds, paired differences, what distillation kept, on all test lists and on slices of them. */
import { createRandom } from "../../../demo/catalogue/random.ts";
import { DEPTH } from "../evaluate/orders.ts";
import type { Level, PartName, Row } from "./benchmark-file.ts";
import { COLUMNS, type Judged, weightsOf } from "./judge.ts";
import { ENGINE, ENSEMBLE, pairsOf, STUDENT, TEACHER } from "./models.ts";
import { type ClusterBootstrap, createClusterBootstrap, meanOverSeeds } from "./statistics.ts";
import type { TestList, TestLists } from "./test-lists.ts";

export const NDCG = `nDCG@${DEPTH}`;
/** The figure by which a baseline counts as the strongest; training clicks follow the same click model. */
export const PURCHASES = `purchases@${DEPTH} pbm`;
/** Few, so that a table of slices stays readable. */
const SLICE_COLUMNS: readonly string[] = [NDCG, PURCHASES];

export const ALL = "test";
export const K_SLICES = ["K 2-20", "K 21-30", "K 31-40", "K 41-60", "K 61-100"] as const;
export const HISTORY_SLICES = ["history 0", "history 1-5", "history 6+"] as const;
export const COLD_SLICES = [`new item in the engine's first ${DEPTH}`, `no new item in the engine's first ${DEPTH}`] as const;

export function splitName(slice: string): string {
  return `${ALL}, ${slice}`;
}

/** "K 21-30", "history 6+", "history 0" */
const within = (value: number, name: string): boolean => {
  const bounds = /(\d+)(?:-(\d+)|(\+))?$/.exec(name);
  const low = Number(bounds?.[1]);
  return value >= low && value <= (bounds?.[3] === "+" ? Infinity : Number(bounds?.[2] ?? low));
};

/** Among the whole window nearly every list has an item that was never shown in training; among the first few, some have and some have not. */
const hasCold = (list: TestList): boolean => list.truth.cold_item.slice(0, DEPTH).some(Boolean);

/** Every query of the test split is unseen in training, so there is no slice of known queries to compare with. */
const SLICES: readonly { readonly name: string; readonly has: (list: TestList) => boolean }[] = [
  ...K_SLICES.map((name) => ({ name, has: ({ k }: TestList) => within(k, name) })),
  ...HISTORY_SLICES.map((name) => ({ name, has: ({ history }: TestList) => within(history, name) })),
  { name: COLD_SLICES[0], has: hasCold },
  { name: COLD_SLICES[1], has: (list) => !hasCold(list) },
];

export interface LevelRuns {
  readonly part: PartName;
  readonly level: Level;
  readonly test: TestLists;
  /** One entry per seed. */
  readonly models: ReadonlyMap<string, readonly Judged[]>;
  /** Figures of slices too: for the main tables. */
  readonly sliced: boolean;
}

type Figure = Omit<Row, "part" | "level">;

/** A column's mean over seeds, list by list. */
function perList(runs: readonly Judged[], column: string, length: number): Float64Array {
  const mean = new Float64Array(length);
  for (const { columns } of runs) columns.get(column)?.forEach((value, i) => (mean[i]! += value / runs.length));
  return mean;
}

function weightedMean(values: ArrayLike<number>, weights: Float64Array): number {
  let above = 0;
  let below = 0;
  weights.forEach((weight, i) => {
    if (Number.isNaN(values[i])) return;
    above += weight * values[i]!;
    below += weight;
  });
  return above / below;
}

interface View {
  readonly split: string;
  readonly columns: readonly string[];
  /** By column; 0 for a list outside the slice. */
  readonly weights: (column: string) => Float64Array;
}

function viewsOf({ test, sliced }: LevelRuns): View[] {
  const all = new Map(COLUMNS.map((column) => [column, weightsOf(column, test)]));
  const weights = (column: string): Float64Array => all.get(column) ?? new Float64Array(test.lists.length);
  const slices = (sliced ? SLICES : []).map(({ name, has }): View => {
    const inside = test.lists.map(has);
    return {
      split: splitName(name),
      columns: SLICE_COLUMNS,
      weights: (column) => weights(column).map((w, i) => (inside[i] === true ? w : 0)),
    };
  });
  return [{ split: ALL, columns: COLUMNS, weights }, ...slices];
}

/** Mean of each model, with Student's interval over its seeds. */
function meanFigures(runs: LevelRuns, views: readonly View[]): Figure[] {
  const figures: Figure[] = [];
  for (const [model, seeds] of runs.models) {
    const add = (split: string, metric: string, values: readonly number[]): void => {
      const { mean, low, high } = meanOverSeeds(values);
      figures.push({ model, metric, split, mean, low: low ?? null, high: high ?? null, seeds: seeds.length });
    };
    for (const { split, columns, weights } of views) {
      for (const column of columns) {
        const weight = weights(column);
        add(
          split,
          column,
          seeds.map((seed) => weightedMean(seed.columns.get(column) ?? [], weight)),
        );
      }
    }
    const pooled = Object.keys(seeds[0]?.pooled ?? {}).filter((name) => seeds.every((seed) => seed.pooled[name] !== undefined));
    for (const name of pooled) {
      add(
        ALL,
        name,
        seeds.map((seed) => seed.pooled[name] ?? Number.NaN),
      );
    }
  }
  return figures;
}

/** Per-list difference of the means over seeds, resampled by query; on slices only against the engine. */
function differenceFigures(runs: LevelRuns, views: readonly View[], bootstrap: ClusterBootstrap): Figure[] {
  const length = runs.test.lists.length;
  return pairsOf([...runs.models.keys()]).flatMap(([model, against]) =>
    views
      .filter(({ split }) => split === ALL || against === ENGINE)
      .flatMap(({ split, columns, weights }) =>
        columns.map((metric): Figure => {
          const [ours, theirs] = [model, against].map((name) => perList(runs.models.get(name) ?? [], metric, length));
          const weight = weights(metric);
          const difference = weight.map((w, i) => w * (ours![i]! - theirs![i]!));
          // A list without the figure must not count below the line either.
          const counted = weight.map((w, i) => (Number.isNaN(difference[i]) ? Number.NaN : w));
          return { model, against, metric, split, ...bootstrap.ratio(difference, counted), seeds: runs.models.get(model)?.length ?? 1 };
        }),
      ),
  );
}

export function recoveryOf(teacher: string, column: string): string {
  return `share kept of ${teacher}'s gain, ${column}`;
}

/** (student - engine) / (teacher - engine), numerator and denominator resampled together. */
function recoveryFigures(runs: LevelRuns, { weights }: View, bootstrap: ClusterBootstrap): Figure[] {
  const length = runs.test.lists.length;
  const students = [...runs.models.keys()].filter((model) => model.startsWith(STUDENT));
  const teachers = [TEACHER, ENSEMBLE].filter((model) => runs.models.has(model));
  const engine = runs.models.get(ENGINE);
  if (engine === undefined) return [];
  return teachers.flatMap((teacher) =>
    students.flatMap((model) =>
      SLICE_COLUMNS.map((column): Figure => {
        const base = perList(engine, column, length);
        const weight = weights(column);
        const gain = (name: string): Float64Array =>
          perList(runs.models.get(name) ?? [], column, length).map((value, i) => weight[i]! * (value - base[i]!));
        const kept = bootstrap.ratio(gain(model), gain(teacher));
        return { model, metric: recoveryOf(teacher, column), split: ALL, ...kept, seeds: runs.models.get(model)?.length ?? 1 };
      }),
    ),
  );
}

/** Model name of rows that count lists. */
export const DATA = "data";

function countFigures({ test, models }: LevelRuns, views: readonly View[]): Figure[] {
  const ndcg = models.get(ENGINE)?.[0]?.columns.get(NDCG);
  return views.flatMap(({ split, weights }) => {
    const weight = weights(NDCG);
    const inside = test.lists.flatMap((_, i) => (weight[i] === 0 ? [] : [i]));
    const count = (metric: string, mean: number): Figure => ({ model: DATA, metric, split, mean, low: null, high: null, seeds: 1 });
    return [
      count("lists", inside.length),
      count("queries", new Set(inside.map((i) => test.queryOf[i])).size),
      count("lists with nothing relevant", inside.filter((i) => Number.isNaN(ndcg?.[i])).length),
    ];
  });
}

function isFigure({ mean, low, high }: Figure): boolean {
  return Number.isFinite(mean) && [low, high].every((edge) => edge === null || Number.isFinite(edge));
}

/** All rows of a level. A figure that no list has (an empty slice) has no row. */
export function compareModels(runs: LevelRuns): Row[] {
  const views = viewsOf(runs);
  const random = createRandom(`bootstrap:${runs.level}`);
  const bootstrap = createClusterBootstrap({ clusterOf: runs.test.queryOf, random: () => random.next() });
  const [all] = views;
  const figures = [
    ...meanFigures(runs, views),
    ...differenceFigures(runs, views, bootstrap),
    ...(all === undefined ? [] : recoveryFigures(runs, all, bootstrap)),
    ...countFigures(runs, views),
  ];
  return figures.filter(isFigure).map((figure) => ({ part: runs.part, level: runs.level, ...figure }));
}
