/**
 * One run's scores on the test lists → what its orders are worth under the simulation's truth, list by list, and how its scores agree with
 * the logged labels. The truth never leaves this side: training sees neither it nor what is computed here.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { FIGURES, orderByScore, worthOf } from "../evaluate/orders.ts";
import { writeNpy } from "../model/npy.ts";
import { auc, calibrationError } from "./labels.ts";
import { type Matrix, readMatrix } from "./read-npy.ts";
import type { TestList, TestLists } from "./test-lists.ts";
import { UserError } from "../../../web.ts";

/** A run's output on the test split, one row per test list, zero padded. */
export interface RunScores {
  readonly scores: Matrix;
  /** P(click) at the logged position. */
  readonly clicks?: Matrix | undefined;
}

export interface Judged {
  /** One figure per list and column name; NaN where a list does not have it. */
  readonly columns: ReadonlyMap<string, Float32Array>;
  /** Figures that only all lists together have. */
  readonly pooled: Readonly<Record<string, number>>;
}

/** Labels by which logged figures are named. */
export const LABELS = ["clicks", "purchases"] as const;
type Label = (typeof LABELS)[number];

export const gaucOf = (label: Label): string => `GAUC ${label}`;
export const aucOf = (label: Label): string => `AUC ${label}`;
export const CALIBRATION = "ECE clicks";

/** Names of the columns, in order. GAUC's column holds the AUC of each list; impressions are its weights. */
export const COLUMNS: readonly string[] = [...FIGURES.map(({ name }) => name), ...LABELS.map(gaucOf)];

/** How much each list counts in a mean of a column: once, or as often as a candidate of it was shown (GAUC). */
export function weightsOf(column: string, { lists }: TestLists): Float64Array {
  const isGauc = LABELS.some((label) => gaucOf(label) === column);
  return Float64Array.from(lists, ({ shown }) => (isGauc ? shown.reduce((sum, one) => sum + one, 0) : 1));
}

function rowOf({ values, columns }: Matrix, i: number, k: number): Float32Array {
  return values.subarray(i * columns, i * columns + k);
}

/** Only candidates that were shown have a label. */
function shownOnly(values: ArrayLike<number>, { shown, k }: TestList): number[] {
  const kept: number[] = [];
  for (let i = 0; i < k; i++) if (shown[i] === 1) kept.push(values[i]!);
  return kept;
}

/** One entry per candidate shown, of all lists. */
function pool(lists: readonly TestList[], of: (list: TestList, i: number) => ArrayLike<number>): Float64Array {
  const pooled = new Float64Array(lists.reduce((sum, list) => sum + list.k, 0));
  let at = 0;
  lists.forEach((list, i) => {
    for (const value of shownOnly(of(list, i), list)) pooled[at++] = value;
  });
  return pooled.subarray(0, at);
}

function poolFigures({ scores, clicks }: RunScores, lists: readonly TestList[]): Record<string, number> {
  const values = pool(lists, (list, i) => rowOf(scores, i, list.k));
  const labelsOf = (label: Label): Float64Array => pool(lists, (list) => list[label]);
  const figures = Object.fromEntries(LABELS.map((label) => [aucOf(label), auc({ values, labels: labelsOf(label) })]));
  if (clicks === undefined) return figures;
  const probabilities = pool(lists, (list, i) => rowOf(clicks, i, list.k));
  return { ...figures, [CALIBRATION]: calibrationError({ values: probabilities, labels: labelsOf("clicks") }) };
}

/** Throws a UserError when the scores do not fit the lists. */
export function judge(run: RunScores, test: TestLists): Judged {
  const { lists, parts } = test;
  const columns = new Map(COLUMNS.map((name) => [name, new Float32Array(lists.length).fill(Number.NaN)]));
  lists.forEach((list, i) => {
    const scores = rowOf(run.scores, i, list.k);
    if (scores.length < list.k || !scores.every(Number.isFinite)) {
      throw new UserError(`Test list ${i} has ${list.k} candidates and not as many finite scores: train this run again`);
    }
    const worth = worthOf(list.truth, orderByScore(scores), parts);
    for (const { name, of } of FIGURES) columns.get(name)![i] = of(worth) ?? Number.NaN;
    const values = shownOnly(scores, list);
    for (const label of LABELS) columns.get(gaucOf(label))![i] = auc({ values, labels: shownOnly(list[label], list) });
  });
  return { columns, pooled: poolFigures(run, lists) };
}

/** What decides how a run is judged. */
const SOURCES = ["judge.ts", "labels.ts", "../evaluate/orders.ts", "../simulate/attraction.ts", "../simulate/clicks.ts"];

export function hashJudge(): string {
  const hash = createHash("sha256");
  for (const source of [...SOURCES, "../../ranking/metrics.ts"]) {
    hash.update(readFileSync(fileURLToPath(new URL(source, import.meta.url))));
  }
  return hash.digest("hex");
}

const cacheSchema = v.object({
  key: v.string(),
  columns: v.array(v.string()),
  /** JSON has no NaN: a figure without value (no purchase in the whole split) is null. */
  pooled: v.record(v.string(), v.nullable(v.number())),
});

function readCache(folder: string, key: string): Judged | undefined {
  const path = join(folder, "judged.json");
  if (!existsSync(path)) return undefined;
  const cache = v.parse(cacheSchema, JSON.parse(readFileSync(path, "utf8")));
  if (cache.key !== key) return undefined;
  const matrix = readMatrix(join(folder, "judged.npy"));
  return {
    columns: new Map(cache.columns.map((name, c) => [name, rowOf(matrix, c, matrix.columns)])),
    pooled: Object.fromEntries(Object.entries(cache.pooled).map(([name, value]) => [name, value ?? Number.NaN])),
  };
}

/** As `judge`, kept in `folder` (judged.npy [columns, lists], judged.json) until scores, lists, truth or the judging code change. */
export function judgeOnce(folder: string, run: RunScores, test: TestLists): Judged {
  const { scores, clicks } = run;
  const hash = createHash("sha256").update(hashJudge()).update(test.digest);
  for (const matrix of clicks === undefined ? [scores] : [scores, clicks])
    hash.update(`${matrix.rows},${matrix.columns};`).update(matrix.values);
  const key = hash.digest("hex");
  const known = readCache(folder, key);
  if (known !== undefined) return known;
  const judged = judge(run, test);
  mkdirSync(folder, { recursive: true });
  const columns = [...judged.columns.keys()];
  const values = new Float32Array(columns.length * test.lists.length);
  columns.forEach((name, c) => values.set(judged.columns.get(name)!, c * test.lists.length));
  writeNpy(join(folder, "judged.npy"), values, [columns.length, test.lists.length]);
  writeFileSync(join(folder, "judged.json"), `${JSON.stringify({ key, columns, pooled: judged.pooled }, undefined, 2)}\n`);
  return judged;
}
