/** Names of the study's models, metrics and slices as rows of model/benchmark.json carry them, and which models are compared with which. */
import { DEPTH, FIGURES } from "../evaluate/worth.ts";
import type { Row } from "./benchmark-file.ts";

export const ENGINE = "engine";
export const SHUFFLE = "shuffle";
export const TEACHER = "teacher";
export const ENSEMBLE = "teacher-ensemble";
export const STUDENT = "student";

/** Models that the teacher and the student are measured against. */
const BASELINES = ["pointwise", "lambdamart", "dlcm", "prm", "setrank", "generator"] as const;

const SHOWN = [SHUFFLE, ENGINE, ...BASELINES, TEACHER, ENSEMBLE, "teacher-no-image", STUDENT, "student-labels"] as const;

/** A teacher or student without one component. */
export function isAblation(model: string): boolean {
  return model.includes("-no-");
}

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

/** Ways to handle position bias, [model, against]. */
export const POSITION_PAIRS: readonly (readonly [string, string])[] = [
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

/** The differences that rows state, [model, against]: whole models and their variants, ours and the baselines, all and the engine. */
export function pairsOf(models: readonly string[]): [string, string][] {
  const has = (model: string): boolean => models.includes(model);
  const ours = [TEACHER, ENSEMBLE, STUDENT].filter(has);
  const pairs: [string, string][] = [];
  if (has(ENGINE)) for (const model of models) if (model !== ENGINE) pairs.push([model, ENGINE]);
  for (const model of ours) for (const baseline of BASELINES) if (has(baseline)) pairs.push([model, baseline]);
  for (const model of models) {
    const whole = wholeOf(model, models);
    if (whole !== undefined) pairs.push([whole, model]);
  }
  for (const [model, against] of POSITION_PAIRS) if (has(model) && has(against)) pairs.push([model, against]);
  if (has(STUDENT)) for (const teacher of [TEACHER, ENSEMBLE].filter(has)) pairs.push([STUDENT, teacher]);
  return pairs;
}

/** The strongest baseline by its own mean on the test lists. Chosen on test data, so the choice favours the baselines. */
export function bestBaseline(rows: readonly Row[], metric: string, split: string): string | undefined {
  return rows
    .filter(
      (row) => BASELINES.some((name) => name === row.model) && row.metric === metric && row.split === split && row.against === undefined,
    )
    .toSorted((a, b) => b.mean - a.mean)[0]?.model;
}

/** Model name of rows that count lists. */
export const DATA = "data";
/** Model name of the simulator's own examination curve. */
export const TRUE_CURVE = "true examination";

export const NDCG = `nDCG@${DEPTH}`;
/** The figure that decides which baseline is the strongest; training clicks follow the same click model. */
export const PURCHASES = `purchases@${DEPTH} pbm`;
/** Figures by logged labels. A column holds the AUC of each list, which its mean weighs by impressions. */
export const GAUCS = ["GAUC clicks", "GAUC purchases"] as const;
export const AUCS = ["AUC clicks", "AUC purchases"] as const;
export const CALIBRATION = "ECE clicks";
/** Figures of each list, in order. */
export const COLUMNS: readonly string[] = [...FIGURES.map(({ name }) => name), ...GAUCS];
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
