/** `model/benchmark.json` → the benchmark section of model/RESULTS.md. Nothing else is read. */
import { writeFileSync } from "node:fs";
import type { Cell } from "../../../report/format.ts";
import { holm } from "../../../report/statistics/compare.ts";
import { FIGURES } from "../assess/worth.ts";
import { replaceSection, table } from "../pipeline/card.ts";
import { type Benchmark, LEVELS, type PartName, PARTS, type Row, TABLES } from "./benchmark-file.ts";
import { ALL, ENGINE, ENSEMBLE, NDCG, type Pairs, PURCHASES, STUDENT, TEACHER } from "./names.ts";
import * as names from "./names.ts";
import { type PlotFile, plotsOf } from "./plots.ts";
import { withSeeds } from "./seeds.ts";

/** Decimals that leave about five digits. */
function decimalsOf(value: number): number {
  const size = Math.abs(value);
  return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4;
}

/** A t-interval is symmetric about the mean, so one number states it. */
function withSpread({ mean, high }: Row): string {
  const decimals = decimalsOf(mean);
  return high === null ? mean.toFixed(decimals) : `${mean.toFixed(decimals)} ± ${(high - mean).toFixed(decimals)}`;
}

/** A difference is printed with its sign. */
function withInterval({ mean, low, high, against }: Row): string {
  const decimals = decimalsOf(Math.max(Math.abs(mean), Math.abs(low ?? 0), Math.abs(high ?? 0)));
  const print = (value: number): string => `${against !== undefined && value >= 0 ? "+" : ""}${value.toFixed(decimals)}`;
  return low === null || high === null ? print(mean) : `${print(mean)} (${print(low)} .. ${print(high)})`;
}

const printP = (p: number): string => (p < 0.001 ? "< .001" : p.toFixed(3).replace("0.", "."));

type Found = readonly (Row | undefined)[];

const intervals = (found: Found): Cell[] => found.map((row) => row && withInterval(row));
/** A line of a table, unless none of its figures is there. */
const lineOf = (labels: readonly Cell[], found: Found): Cell[][] =>
  found.every((row) => row === undefined) ? [] : [[...labels, ...intervals(found)]];

function modelsOf(rows: readonly Row[]): string[] {
  return names.inTableOrder(rows.map(({ model }) => model).filter((model) => model !== names.DATA && model !== names.TRUE_CURVE));
}

const keyOf = ({ model, metric, split, against }: Partial<Row>): string => JSON.stringify([model, metric, split, against ?? ""]);

type Section = ReturnType<typeof openSection>;

/** The rows and plots of one part at one level, and tables of them. */
function openSection(rows: readonly Row[], plots: readonly PlotFile[]) {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  /** By model, metric, split and `against`. */
  const find = (wanted: Partial<Row>): Row | undefined => byKey.get(keyOf({ split: ALL, ...wanted }));
  const models = modelsOf(rows);
  return {
    rows,
    find,
    models,
    best: names.bestBaseline(rows),
    pictures: (about: PlotFile["about"]): string[] =>
      plots.filter((plot) => plot.about === about).map(({ file, title }) => `![${title}](plots/${file})`),
    means: (metrics: readonly string[], split = ALL): string => {
      const lines = modelsOf(rows.filter((row) => row.against === undefined && metrics.includes(row.metric))).map((model) => {
        const found = metrics.map((metric) => find({ model, metric, split }));
        const seeds = found.find((row) => row !== undefined)?.seeds;
        return [model, seeds, ...found.map((row) => row && withSpread(row))];
      });
      return table(["model", "seeds", ...metrics], lines);
    },
    /** With the p of purchases: of each alone, and corrected for all of a table by Holm where they are judged together. */
    differences: (pairs: Pairs, isFamily = false): string => {
      const metrics = [NDCG, PURCHASES, PURCHASES.replace("purchases", "revenue")];
      const lines = pairs.flatMap(([model, against]) => {
        const found = metrics.map((metric) => find({ model, against, metric }));
        return lineOf([`${model} - ${against}`], found).map((cells) => ({ cells, p: found[1]?.p ?? undefined }));
      });
      const known = lines.flatMap(({ p }) => p ?? []);
      const corrected = isFamily ? holm(known).values() : known.values();
      const heading = isFamily ? "p (Holm)" : "p";
      return table(
        ["difference", ...metrics, ...(known.length === 0 ? [] : [heading])],
        lines.map(({ cells, p }) => (p === undefined ? cells : [...cells, printP(corrected.next().value ?? p)])),
      );
    },
    /** Each whole model with each of its variants that lacks a piece. */
    ablations: models.filter(names.isAblation).flatMap((variant): Pairs => {
      const whole = names.wholeOf(variant, models);
      return whole === undefined ? [] : [[whole, variant]];
    }),
  };
}

/** Columns in groups that fit a page. */
const GROUPS: readonly { readonly name: string; readonly metrics: readonly string[] }[] = [
  { name: "By the simulator's true grades", metrics: FIGURES.filter((name) => /^(nDCG|MRR)/.test(name)) },
  ...["clicks", "purchases", "revenue"].map((what) => ({
    name: `Expected ${what} per search under the true simulator, by click model`,
    metrics: FIGURES.filter((name) => name.startsWith(what)),
  })),
  {
    name: "By logged labels (with their position bias)",
    metrics: ["clicks", "purchases"].flatMap((what) => [`AUC ${what}`, `GAUC ${what}`]),
  },
];

function slicesTable({ best, models, find }: Section): string {
  const compared = [best, TEACHER, STUDENT].filter((model) => model !== undefined).filter((model) => models.includes(model));
  const lines = [...names.K_SLICES, ...names.HISTORY_SLICES, ...names.COLD_SLICES].flatMap((slice) => {
    const split = names.splitName(slice);
    const lists = find({ model: names.DATA, metric: "lists", split })?.mean ?? 0;
    const gains = compared.map((model) => find({ model, against: ENGINE, metric: PURCHASES, split }));
    return lists === 0 ? [] : [[slice, lists, ...intervals(gains)]];
  });
  return table(["slice", "lists", ...compared.map((model) => `${model} - engine`)], lines);
}

function levelSection(section: Section): string[] {
  const { best, find, means, differences, pictures } = section;
  const pairs = [TEACHER, ENSEMBLE, STUDENT].flatMap((model): Pairs => [
    ...(best === undefined ? [] : [[model, best] as const]),
    [model, ENGINE],
  ]);
  const count = (metric: string): number => find({ model: names.DATA, metric })?.mean ?? 0;
  const strongest =
    best === undefined ? "No baseline has been run." : `The strongest baseline by its own test mean of ${PURCHASES} is **${best}**.`;
  return [
    `${count("lists")} held-out simulated searches with ${count("queries")} different queries; shoppers and queries are all unseen in training, ` +
      `so there is no slice of known queries. ${count("lists with nothing relevant")} lists with nothing relevant are left out of nDCG.`,
    ...GROUPS.map(({ name, metrics }) => `${name}:\n\n${means(metrics)}`),
    `${strongest} Differences, paired by list:`,
    differences([...pairs, [STUDENT, names.STUDENT_LABELS], [TEACHER, "teacher-no-image"]]),
    `Gain in ${PURCHASES} by list length, by number of items in the history, and by whether an item is new to the shop's log:`,
    slicesTable(section),
    ...pictures("gain"),
  ];
}

function ablationSection({ rows, differences, ablations, means }: Section): string[] {
  const share = rows.some(({ part }) => part.startsWith("fashion")) ? names.ABLATIONS_SHARE : 1;
  return [
    `What each piece is worth: the whole model minus the same model trained without the piece, on ${share * 100} % of the training lists.`,
    differences(ablations, true),
    "p is of purchases, corrected for all pieces of the table (Holm): above .05, these seeds cannot tell.",
    means([NDCG, PURCHASES]),
  ];
}

function outsiderSection({ differences, means }: Section): string[] {
  return [
    "allRank 1.4.3 (PyPI; its context-aware network, loss, loop) on the columns that LambdaMART reads, beside models that learn from the same " +
      "clicks without a teacher. It has no answer to position bias of its own, so clicks weighed by inverse propensity are among the six " +
      "settings that it chose from, as every model of the study does.",
    means([NDCG, PURCHASES]),
    differences([...names.OUTSIDER_PAIRS, [names.ALLRANK, ENGINE]]),
  ];
}

function controlSection({ differences, ablations, means }: Section): string[] {
  return [differences([...ablations, [TEACHER, ENGINE], [STUDENT, ENGINE]]), means([NDCG, PURCHASES])];
}

function examinationSection({ rows, means, differences, pictures }: Section): string[] {
  const hasClicks = rows.some(({ metric }) => metric === names.TRAIN_CLICKS);
  return [
    "Examination that the tower learned from biased clicks, and two estimates without a ranker, against the one by which the simulated " +
      "shoppers clicked: mean absolute error over positions 2 to 10, relative to the first. The tower's starting point (the middle of the " +
      "sigmoid) was picked among about ten by looking at this curve.",
    means([names.EXAMINATION_ERROR], "train"),
    ...pictures("examination"),
    "What the same teacher is worth under the true simulator when it is trained on biased clicks as they are (naive), with the tower, with " +
      "clicks weighted by the true propensities (known), and on clicks without position bias (unbiased):",
    means([NDCG, PURCHASES]),
    differences(names.POSITION_PAIRS),
    ...(hasClicks
      ? [
          "Where every position is examined there is more to learn from. “thinned” is trained on a random part of those clicks, as many as the " +
            "biased log has: of the two logs without bias, only that one differs from the biased log by the bias alone.",
          means([names.TRAIN_CLICKS], "train"),
        ]
      : []),
  ];
}

/** All figures of a part on real data. */
function listSection({ rows }: Section): string[] {
  const lines = rows.map((row) => {
    const model = row.against === undefined ? row.model : `${row.model} - ${row.against}`;
    return [model, row.metric, row.split, row.seeds, withInterval(row)];
  });
  return [
    "Not simulated. Figures and intervals are those of the Python package, which has the data's own truth to compare with.",
    table(["model", "figure", "split", "seeds", "mean (95 %)"], lines),
  ];
}

function costOf({ metric, mean, low, high }: Row): Cell {
  return metric === names.WASM_MS ? `${mean.toFixed(2)} (${low?.toFixed(2)} .. ${high?.toFixed(2)})` : Math.round(mean);
}

function costSection({ models, find, pictures }: Section): string[] {
  const lines = models.map((model) => {
    const found = names.COSTS.map((metric) => find({ model, metric, split: "none" }));
    return [model, ...found.map((row) => row && costOf(row))];
  });
  return [
    `FLOPs and time are of one run over ${names.COST_K} candidates; wasm on one thread of the machine that ran the benchmark, median and the range of 95 % of the runs.`,
    table(["model", ...names.COSTS], lines),
    ...pictures("cost"),
  ];
}

function recoverySection({ models, find }: Section): string[] {
  const lines = [TEACHER, ENSEMBLE].flatMap((teacher) =>
    models.flatMap((model) => {
      const found = [NDCG, PURCHASES].map((column) => find({ model, metric: names.recoveryOf(teacher, column) }));
      return lineOf([model, teacher], found);
    }),
  );
  if (lines.length === 0) return [];
  return ["(student - engine) / (teacher - engine), resampled together:", table(["model", "teacher", NDCG, PURCHASES], lines)];
}

function calibrationSection({ rows, means }: Section): string[] {
  if (!rows.some(({ metric }) => metric === names.CALIBRATION)) return [];
  return [
    "Expected calibration error of P(click) at the logged position, ten bins of equal mass, against logged simulated clicks:",
    means([names.CALIBRATION]),
  ];
}

type Chapter = Readonly<{ title: string; parts: readonly PartName[]; describe: (section: Section) => string[] }>;
const CHAPTERS: readonly Chapter[] = [
  { title: "All models", parts: TABLES, describe: levelSection },
  { title: "Ablations", parts: ["fashion ablations", "drawn world 2 ablations", "fashion world 2 ablations"], describe: ablationSection },
  {
    title: "What pictures bring by their share of what decides",
    parts: ["drawn world 2 doses", "fashion world 2 doses"],
    describe: controlSection,
  },
  { title: "A ranker by others", parts: ["drawn world 2 outsider"], describe: outsiderSection },
  { title: "Negative controls", parts: ["fashion controls", "drawn controls"], describe: controlSection },
  { title: "Distillation: share of the teacher's gain that the student keeps", parts: TABLES, describe: recoverySection },
  { title: "Calibration", parts: TABLES, describe: calibrationSection },
  { title: "Position bias", parts: ["position bias"], describe: examinationSection },
  { title: "Estimators against known propensities (Open Bandit)", parts: ["open bandit"], describe: listSection },
  { title: "Real judgments (Chorus)", parts: ["chorus"], describe: listSection },
  { title: "Cost", parts: ["cost"], describe: costSection },
];

function chapterText({ title, parts, describe }: Chapter, rows: readonly Row[], plots: readonly PlotFile[]): string[] {
  const text = parts.flatMap((part) => {
    const mine = rows.filter((row) => row.part === part);
    if (mine.length === 0) return [`Not run yet: \`npm run model -- --benchmark --only "${part}"\`.`];
    return LEVELS.flatMap((level) => {
      const here = mine.filter((row) => row.level === level);
      if (here.length === 0) return [];
      const shown = plots.filter((plot) => plot.level === level);
      const name = names.levelName(level);
      return [`**${name.charAt(0).toUpperCase()}${name.slice(1)}** (level \`${level}\`)`, ...describe(openSection(here, shown))];
    });
  });
  return [`### ${title}`, ...text];
}

const INTRODUCTION =
  "Written from `benchmark.json` alone. Intervals are 95 %. “a - b (low .. high)” is a paired difference, averaged over seeds, with what other " +
  "seeds of both models and other queries (all lists of a query together) would change; p is two-sided, that it comes of chance. In parts of " +
  "edition 2 the two variances are added and “±” of a mean is over seeds alone; since then both come of a two-way bootstrap. " +
  `\`${names.SHUFFLE}\` is ${ENGINE} order shuffled. Data levels are never mixed: each table says which one it is about.`;

/** The Markdown of the card's benchmark section. */
export function describeBenchmark(benchmark: Benchmark): string {
  const plots = plotsOf(benchmark);
  const rows = withSeeds(benchmark.rows);
  const finished = benchmark.parts.map(({ name, seconds, finished: day }) => [name, seconds, day]);
  return [
    INTRODUCTION,
    ...CHAPTERS.flatMap((chapter) => chapterText(chapter, rows, plots)),
    "### Parts of the study",
    finished.length === 0 ? `None of ${PARTS.length} parts has been run yet.` : table(["part", "seconds", "finished"], finished),
  ].join("\n\n");
}

const START = "<!-- benchmark: written by `npm run model -- --benchmark`, do not edit -->";
const END = "<!-- end of benchmark -->";

/** The card with the section of a benchmark; throws a UserError when the markers are missing. */
export function cardWithBenchmark(path: string, benchmark: Benchmark): string {
  return replaceSection(path, START, END, describeBenchmark(benchmark));
}

export function writeBenchmarkCard(path: string, benchmark: Benchmark): void {
  writeFileSync(path, cardWithBenchmark(path, benchmark));
}
