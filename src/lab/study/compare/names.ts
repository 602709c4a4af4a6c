/** Names of the study's models, metrics and slices as rows of model/benchmark.json carry them, and which models are compared with which. */
import { DEPTH } from "../assess/worth.ts";
import type { Level, Row } from "./benchmark-file.ts";

export const ENGINE = "engine";
export const SHUFFLE = "shuffle";
/** The engine and the meaning of words and pictures, as they are served where nothing has been learned. */
export const SEMANTIC = "semantic";
export const TEACHER = "teacher";
export const ENSEMBLE = "teacher-ensemble";
export const STUDENT = "student";
/** Taught by clicks alone, without a teacher. */
export const STUDENT_LABELS = "student-labels";
/** A ranker by others, from PyPI. */
export const ALLRANK = "allrank";

/** World 2 of a shop, and its doses of pictures. */
function worldTwoNames(): Record<string, string> {
  const shops = { fashion: "real photographs", drawn: "the drawn catalogue" };
  const doses = [["", ""], ...["0", "0.05", "0.35"].map((dose) => [` dose ${dose}`, `, pictures decide ${Number(dose) * 100} %`])];
  return Object.fromEntries(
    Object.entries(shops).flatMap(([shop, name]) =>
      doses.map(([dose = "", words = ""]) => [`${shop} world 2${dose}`, `simulated shoppers of world 2 over ${name}${words}`]),
    ),
  );
}

/** A level in words; every heading and plot says whether its shoppers are simulated. */
export function levelName(level: Level): string {
  const [kind = "", part] = level.split(" without ");
  const kinds: Readonly<Record<string, string>> = {
    fashion: "simulated shoppers over real photographs",
    drawn: "simulated shoppers over the drawn catalogue",
    ...worldTwoNames(),
    "open bandit": "logged propensities of Open Bandit",
    chorus: "real human judgments (Chorus)",
  };
  return `${kinds[kind] ?? kind}${part === undefined ? "" : `, ${part} part switched off`}`;
}

/** Models that the teacher and the student are measured against: each alone, and the plainest with an ensemble and teachers as the student has. */
const BASELINES = [
  SEMANTIC,
  "pointwise",
  "pointwise-ensemble",
  "pointwise-distilled",
  "pointwise-of-teachers",
  "lambdamart",
  "dlcm",
  "prm",
  "setrank",
  ALLRANK,
  "generator",
] as const;

const OURS = [TEACHER, ENSEMBLE, "tree-and-nets", "teacher-no-image", STUDENT, STUDENT_LABELS, "student-of-tree-and-nets"] as const;
const SHOWN = [SHUFFLE, ENGINE, ...BASELINES, ...OURS] as const;

/** A teacher or student without one component, or with one more. */
export const isAblation = (model: string): boolean => /-(?:no|with)-/.test(model);

function tableIndex(model: string): number {
  const index = SHOWN.findIndex((name) => name === model);
  if (index >= 0) return index;
  const family = SHOWN.findLastIndex((name) => model.startsWith(`${name.split("-")[0]}-`));
  return family < 0 ? SHOWN.length : family + 0.5;
}

/** Known models in the order of the tables, then other variants after their family, then all others by name. */
export function inTableOrder(models: Iterable<string>): string[] {
  return [...new Set(models)].toSorted((a, b) => tableIndex(a) - tableIndex(b) || (a < b ? -1 : 1));
}

/** The model of which `model` is a variant: "teacher" of "teacher-no-image"; `undefined` when none of `models` is. */
export function wholeOf(model: string, models: readonly string[]): string | undefined {
  return models.filter((name) => model.startsWith(`${name}-`)).toSorted((a, b) => b.length - a.length)[0];
}

/** Share of the level's training lists for the models of the ablations: 33 trainings, each a quarter of an hour on all lists. */
export const ABLATIONS_SHARE = 0.25;

export type Pairs = readonly (readonly [model: string, against: string])[];

/** Ways to handle position bias. */
export const POSITION_PAIRS: Pairs = [
  ["position-tower", "position-naive"],
  ["position-known", "position-naive"],
  ["position-unbiased", "position-naive"],
  ["position-unbiased", "position-tower"],
  // The cost of bias at the same number of clicks, and the cost of fewer clicks without bias.
  ["position-naive", "position-thinned"],
  ["position-tower", "position-thinned"],
  ["position-known", "position-thinned"],
  ["position-unbiased", "position-thinned"],
];

/** Those that learn from the same clicks and nothing else. */
export const OUTSIDER_PAIRS: Pairs = [
  [STUDENT_LABELS, ALLRANK],
  ["lambdamart", ALLRANK],
];

/** The differences that rows state: whole models and their variants, ours and the baselines, all and the engine. */
export function pairsOf(models: readonly string[]): Pairs {
  const pairs: Pairs = [
    ...models.map((model) => [model, ENGINE] as const),
    ...[TEACHER, ENSEMBLE, STUDENT].flatMap((model) => BASELINES.map((baseline) => [model, baseline] as const)),
    ...models.map((model) => [wholeOf(model, models) ?? model, model] as const),
    ...POSITION_PAIRS,
    [STUDENT, TEACHER],
    [STUDENT, ENSEMBLE],
    ...OUTSIDER_PAIRS,
  ];
  return pairs.filter(([model, against]) => model !== against && models.includes(model) && models.includes(against));
}

/** The strongest baseline by its own mean of PURCHASES on the test lists. Chosen on test data, so the choice favours the baselines. */
export function bestBaseline(rows: readonly Row[]): string | undefined {
  const means = rows.filter(({ metric, split, against }) => metric === PURCHASES && split === ALL && against === undefined);
  return means.filter(({ model }) => BASELINES.some((name) => name === model)).toSorted((a, b) => b.mean - a.mean)[0]?.model;
}

/** Model name of rows that count lists. */
export const DATA = "data";
/** Model name of the simulator's own examination curve. */
export const TRUE_CURVE = "true examination";

export const NDCG = `nDCG@${DEPTH}`;
/** The figure that decides which baseline is the strongest; training clicks follow the same click model. */
export const PURCHASES = `purchases@${DEPTH} pbm`;
export const CALIBRATION = "ECE clicks";
/** New items among the first DEPTH of the engine's order: decides the slice; not a row. */
export const NEW_ITEMS = `new items@${DEPTH}`;
export const TRAIN_CLICKS = "clicks per training list";
export const EXAMINATION_ERROR = "examination error";
export const examinationAt = (position: number): string => `examination@${position}`;
export const recoveryOf = (teacher: string, column: string): string => `share kept of ${teacher}'s gain, ${column}`;

/** Candidates per run of the model when its cost is measured: the widest window that serving allows. */
export const COST_K = 100;
export const FLOPS = `FLOPs, K ${COST_K}`;
export const WASM_MS = `wasm ms, K ${COST_K}`;
export const COSTS = ["parameters", "parameters of the token table", "graph, bytes", FLOPS, WASM_MS, "training seconds"] as const;

export const ALL = "test";
export const splitName = (slice: string): string => `${ALL}, ${slice}`;
export const K_SLICES = ["K 2-20", "K 21-30", "K 31-40", "K 41-60", "K 61-100"] as const;
export const HISTORY_SLICES = ["history 0", "history 1-5", "history 6+"] as const;
/** Nearly every whole window has an item that was never shown in training, so only the first few decide. */
export const COLD_SLICES = [`new item in the engine's first ${DEPTH}`, `no new item in the engine's first ${DEPTH}`] as const;
