/**
 * A run's scores on the test lists → the worth of its orders under the simulation's truth, list by list (judged.npy, which
 * `armmt.study.compare` reads). Training sees neither the truth nor these figures.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import * as v from "valibot";
import { createRandom } from "../../../demo/catalogue/random.ts";
import { UserError } from "../../../web.ts";
import { orderByScore } from "../../../cli/evaluate/metrics.ts";
import { DEPTH, FIGURES, worthOf } from "../assess/worth.ts";
import { type Matrix, readMatrix, writeNpy } from "../../../cli/lists/npy.ts";
import { readTruths, type Truth } from "../simulate/truth.ts";
import { ENGINE, NEW_ITEMS, SEMANTIC, SHUFFLE } from "./names.ts";

const rowSchema = v.object({ query_id: v.string(), split: v.string(), clicks: v.array(v.number()), prior: v.array(v.number()) });

/** The test split of {simulation, lists}, in the order in which runs score it. Throws a UserError when the files do not belong together. */
export async function openTestLists(folder: string) {
  const path = join(folder, "lists/lists.parquet");
  const { truths, parts } = await readTruths(join(folder, "simulation"), "test");
  const file = await asyncBufferFromFile(path).catch(() => {
    throw new UserError(`${path} does not exist: run the benchmark's data stages first`);
  });
  const metadata = await parquetMetadataAsync(file);
  const found: Truth[] = [];
  const priors: number[][] = [];
  let rowStart = 0;
  // Row group by row group: all lists of a level at once would take several gigabytes.
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ file, metadata, columns: Object.keys(rowSchema.entries), rowStart, rowEnd });
    for (const row of rows) {
      if (row["split"] !== "test") continue;
      const { query_id: id, clicks, prior } = v.parse(rowSchema, row);
      const truth = truths.get(id);
      if (truth?.ids.length !== clicks.length) {
        throw new UserError(`${folder}: truth.ndjson does not fit query "${id}" of lists.parquet: simulate and make lists again`);
      }
      found.push(truth);
      priors.push(prior);
    }
    rowStart = rowEnd;
  }
  if (found.length === 0) throw new UserError(`${folder}/lists has no list of the test split: simulate more searches`);
  return { truths: found, priors, parts };
}

export type TestLists = Awaited<ReturnType<typeof openTestLists>>;

/** One row of figures per name, one column per test list; NaN where a list does not have the figure. Throws a UserError on foreign scores. */
export function judge(scores: Matrix, { truths, parts }: TestLists): Map<string, Float32Array> {
  if (scores.rows !== truths.length) {
    throw new UserError(`A run scores ${scores.rows} lists, the test split has ${truths.length}: delete its folder and train it again`);
  }
  const columns = new Map([...FIGURES, NEW_ITEMS].map((name) => [name, new Float32Array(truths.length)]));
  truths.forEach((truth, i) => {
    const k = truth.ids.length;
    const values = scores.values.subarray(i * scores.columns, i * scores.columns + Math.min(k, scores.columns));
    if (values.length < k || !values.every(Number.isFinite)) {
      throw new UserError(`Test list ${i} has ${k} candidates and fewer finite scores: train this run again`);
    }
    for (const [name, figure] of worthOf(truth, orderByScore(values), parts)) columns.get(name)![i] = figure ?? Number.NaN;
    columns.get(NEW_ITEMS)![i] = truth.cold_item.slice(0, DEPTH).filter(Boolean).length;
  });
  return columns;
}

/** Judges the scores.npy of a folder and writes judged.npy [figures, lists] and judged.json (their names) beside it. */
export function judgeFolder(folder: string, test: TestLists): void {
  const columns = judge(readMatrix(join(folder, "scores.npy")), test);
  const values = new Float32Array(columns.size * test.truths.length);
  [...columns.values()].forEach((column, c) => values.set(column, c * test.truths.length));
  writeNpy(join(folder, "judged.npy"), values, [columns.size, test.truths.length]);
  writeFileSync(join(folder, "judged.json"), `${JSON.stringify({ columns: [...columns.keys()] })}\n`);
}

/** Scores of an order that needs no training: `scoresOfList` gives one per candidate. */
function scoresOf({ truths }: TestLists, scoresOfList: (truth: Truth, list: number) => number[]): Matrix {
  const columns = Math.max(...truths.map(({ ids }) => ids.length));
  const values = new Float32Array(truths.length * columns);
  truths.forEach((truth, i) => values.set(scoresOfList(truth, i), i * columns));
  return { values, rows: truths.length, columns };
}

export const engineScores = (test: TestLists): Matrix => scoresOf(test, ({ ids }) => ids.map((_, i) => -i));

/** Engine and meaning as they are served. */
export const semanticScores = (test: TestLists): Matrix => scoresOf(test, (_, list) => test.priors[list]!);

/** Each list shuffled; another seed gives other orders. */
export function shuffledScores(test: TestLists, seed: number): Matrix {
  return scoresOf(test, ({ query_id: id, ids }) => ids.map(createRandom(`shuffle:${seed}:${id}`).next));
}

/** Shuffles are repeated as often as models are trained. */
const SHUFFLES = 5;

/** Writes engine order, that of engine and meaning, and shuffles below `runs` as if they were trained runs. Returns their model names. */
export function judgeOrders(runs: string, test: TestLists): string[] {
  const shuffles = Array.from({ length: SHUFFLES }, (_, i) => [`${SHUFFLE}/seed-${i + 1}`, shuffledScores(test, i + 1)] as const);
  const known = [[`${ENGINE}/seed-1`, engineScores(test)] as const, [`${SEMANTIC}/seed-1`, semanticScores(test)] as const];
  for (const [run, { values, rows, columns }] of [...known, ...shuffles]) {
    mkdirSync(join(runs, run), { recursive: true });
    writeNpy(join(runs, run, "scores.npy"), values, [rows, columns]);
    judgeFolder(join(runs, run), test);
  }
  return [ENGINE, SEMANTIC, SHUFFLE];
}
