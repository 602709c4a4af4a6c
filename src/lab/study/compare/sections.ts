/** One part of the study at one level → paragraphs and tables of the model card. */
import type { Level, Row } from "./benchmark-file.ts";
import { differencesTable, finder, meansTable, modelsOf, withInterval } from "./figures.ts";
import { table } from "../pipeline/card.ts";
import {
  ABLATIONS_SHARE,
  ALL,
  AUCS,
  bestBaseline,
  CALIBRATION,
  COLD_SLICES,
  COLUMNS,
  COST_K,
  COSTS,
  DATA,
  ENGINE,
  ENSEMBLE,
  EXAMINATION_ERROR,
  GAUCS,
  HISTORY_SLICES,
  isAblation,
  K_SLICES,
  NDCG,
  POSITION_PAIRS,
  PURCHASES,
  recoveryOf,
  splitName,
  STUDENT,
  TEACHER,
  TRAIN_CLICKS,
  WASM_MS,
  wholeOf,
} from "./names.ts";
import type { PlotFile } from "./plots.ts";

const LOGGED: readonly string[] = [AUCS[0], GAUCS[0], AUCS[1], GAUCS[1]];
const isOrdering = (name: string): boolean => name.startsWith("nDCG") || name.startsWith("MRR");
/** Columns in groups that fit a page. */
const GROUPS: readonly { readonly name: string; readonly metrics: readonly string[] }[] = [
  { name: "By the simulator's true grades", metrics: COLUMNS.filter(isOrdering) },
  ...["clicks", "purchases", "revenue"].map((what) => ({
    name: `Expected ${what} per search under the true simulator, by click model`,
    metrics: COLUMNS.filter((name) => name.startsWith(what)),
  })),
  { name: "By logged labels (with their position bias)", metrics: LOGGED },
];

function slicesTable(rows: readonly Row[], level: Level): string {
  const find = finder(rows);
  const models = [bestBaseline(rows, PURCHASES, ALL), TEACHER, STUDENT].filter(
    (model): model is string => model !== undefined && modelsOf(rows).includes(model),
  );
  const lines = [...K_SLICES, ...HISTORY_SLICES, ...COLD_SLICES].flatMap((slice) => {
    const split = splitName(slice);
    const lists = find({ level, model: DATA, metric: "lists", split });
    const gains = models.map((model) => find({ level, model, against: ENGINE, metric: PURCHASES, split }));
    return lists === undefined || lists.mean === 0 ? [] : [[slice, lists.mean, ...gains.map((row) => row && withInterval(row))]];
  });
  return table(["slice", "lists", ...models.map((model) => `${model} - engine`)], lines);
}

function counts(rows: readonly Row[], level: Level): string {
  const find = finder(rows);
  const count = (metric: string): string => String(find({ level, model: DATA, metric, split: ALL })?.mean ?? 0);
  return (
    `${count("lists")} held-out simulated searches with ${count("queries")} different queries; shoppers and queries are all unseen in training, ` +
    `so there is no slice of known queries. ${count("lists with nothing relevant")} lists with nothing relevant are left out of nDCG.`
  );
}

function against(best: string | undefined): string {
  return best === undefined ? "No baseline has been run." : `The strongest baseline by its own test mean of ${PURCHASES} is **${best}**.`;
}

/** All rows of one part and level, and its plots. */
export interface Section {
  readonly rows: readonly Row[];
  readonly level: Level;
  readonly plots: readonly PlotFile[];
}

const picture = ({ file, title }: PlotFile): string => `![${title}](plots/${file})`;
const picturesOf = (plots: readonly PlotFile[], about: PlotFile["about"]): string[] =>
  plots.filter((plot) => plot.about === about).map(picture);

export function levelSection({ rows, level, plots }: Section): string[] {
  const best = bestBaseline(rows, PURCHASES, ALL);
  const ours = [TEACHER, ENSEMBLE, STUDENT];
  const pairs = ours.flatMap((model) => [...(best === undefined ? [] : [[model, best] as const]), [model, ENGINE] as const]);
  return [
    counts(rows, level),
    ...GROUPS.filter(({ metrics }) => metrics.length > 0).map(({ name, metrics }) => `${name}:\n\n${meansTable(rows, level, metrics)}`),
    `${against(best)} Differences, paired by list:`,
    differencesTable(rows, level, [...pairs, [STUDENT, "student-labels"], [TEACHER, "teacher-no-image"]]),
    `Gain in ${PURCHASES} by list length, by number of items in the history, and by whether an item is new to the shop's log:`,
    slicesTable(rows, level),
    ...picturesOf(plots, "gain"),
  ];
}

/** Each whole model with each of its variants of a kind. */
function variantsIn(rows: readonly Row[], isVariant: (model: string) => boolean): [string, string][] {
  const models = modelsOf(rows);
  return models.filter(isVariant).flatMap((variant): [string, string][] => {
    const whole = wholeOf(variant, models);
    return whole === undefined ? [] : [[whole, variant]];
  });
}

export function ablationSection({ rows, level }: Section): string[] {
  return [
    `What each piece is worth: the whole model minus the same model trained without the piece, on ${ABLATIONS_SHARE * 100} % of the training lists.`,
    differencesTable(rows, level, variantsIn(rows, isAblation)),
    meansTable(rows, level, [NDCG, PURCHASES]),
  ];
}

export function controlSection({ rows, level }: Section): string[] {
  return [
    differencesTable(rows, level, [...variantsIn(rows, isAblation), [TEACHER, ENGINE], [STUDENT, ENGINE]]),
    meansTable(rows, level, [NDCG, PURCHASES]),
  ];
}

export function examinationSection({ rows, level, plots }: Section): string[] {
  const hasClicks = rows.some(({ metric }) => metric === TRAIN_CLICKS);
  return [
    "Examination that the tower learned from biased clicks, and two estimates without a ranker, against the one by which the simulated " +
      "shoppers clicked: mean absolute error over positions 2 to 10, relative to the first. The tower's starting point (the middle of the " +
      "sigmoid) was picked among about ten by looking at this curve.",
    meansTable(rows, level, [EXAMINATION_ERROR], "train"),
    ...picturesOf(plots, "examination"),
    "What the same teacher is worth under the true simulator when it is trained on biased clicks as they are (naive), with the tower, with " +
      "clicks weighted by the true propensities (known), and on clicks without position bias (unbiased):",
    meansTable(rows, level, [NDCG, PURCHASES]),
    differencesTable(rows, level, POSITION_PAIRS),
    ...(hasClicks
      ? [
          "Where every position is examined there is more to learn from. “thinned” is trained on a random part of those clicks, as many as the " +
            "biased log has: of the two logs without bias, only that one differs from the biased log by the bias alone.",
          meansTable(rows, level, [TRAIN_CLICKS], "train"),
        ]
      : []),
  ];
}

/** All figures of a part on real data. */
export function listSection({ rows }: Section): string[] {
  const lines = rows.map((row) => [
    row.against === undefined ? row.model : `${row.model} - ${row.against}`,
    row.metric,
    row.split,
    row.seeds,
    withInterval(row),
  ]);
  return [
    "Not simulated. Figures and intervals are those of the Python package, which has the data's own truth to compare with.",
    table(["model", "figure", "split", "seeds", "mean (95 %)"], lines),
  ];
}

export function costSection({ rows, level, plots }: Section): string[] {
  const find = finder(rows);
  const lines = modelsOf(rows).map((model) => [
    model,
    ...COSTS.map((metric) => {
      const row = find({ level, model, metric, split: "none" });
      if (row === undefined) return undefined;
      return metric === WASM_MS ? `${row.mean.toFixed(2)} (${row.low?.toFixed(2)} .. ${row.high?.toFixed(2)})` : Math.round(row.mean);
    }),
  ]);
  return [
    `FLOPs and time are of one run over ${COST_K} candidates; wasm on one thread of the machine that ran the benchmark, median and the range of 95 % of the runs.`,
    table(["model", ...COSTS], lines),
    ...picturesOf(plots, "cost"),
  ];
}

export function recoverySection({ rows, level }: Section): string[] {
  const find = finder(rows);
  const lines = [TEACHER, ENSEMBLE].flatMap((teacher) =>
    modelsOf(rows).flatMap((model) => {
      const found = [NDCG, PURCHASES].map((column) => find({ level, model, metric: recoveryOf(teacher, column), split: ALL }));
      return found.every((row) => row === undefined) ? [] : [[model, teacher, ...found.map((row) => row && withInterval(row))]];
    }),
  );
  return lines.length === 0
    ? []
    : ["(student - engine) / (teacher - engine), resampled together:", table(["model", "teacher", NDCG, PURCHASES], lines)];
}

export function calibrationSection({ rows, level }: Section): string[] {
  return rows.some(({ metric }) => metric === CALIBRATION)
    ? [
        "Expected calibration error of P(click) at the logged position, ten bins of equal mass, against logged simulated clicks:",
        meansTable(rows, level, [CALIBRATION]),
      ]
    : [];
}
