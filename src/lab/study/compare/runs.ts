/** The folder of trained runs, `<runs>/<model>/seed-<n>/`: the size and time of their graphs, and the rows that Python computes from them. */
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { createList } from "../../../cli/build/sample-list.ts";
import { createNodeScorer } from "../../../inference/node-scorer.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../../ranking/tokenizer.ts";
import { UserError } from "../../../web.ts";
import { runPython } from "../pipeline/python.ts";
import { readJson } from "../pipeline/stages.ts";
import { type Level, type PartName, type Row, rowSchema } from "./benchmark-file.ts";
import { COST_K, type Pairs } from "./names.ts";

/** Input of `armmt.study.compare`: which runs are compared, and how. */
export interface Comparing {
  readonly part: PartName;
  readonly level: Level;
  readonly runs: string;
  readonly models: readonly string[];
  /** Figures on the test lists: the folder that `armmt lists` wrote, the pairs and slices to compare, and the seed of the bootstrap. */
  readonly quality?: Readonly<{ lists: string; pairs: Pairs; slices: readonly string[]; seed: number }>;
  /** P(examined) from position 1 on: the simulator's, and estimates without a ranker by name. */
  readonly examination?: Readonly<{ truth: readonly number[]; estimates: Readonly<Record<string, readonly number[]>> }>;
  /** Size and time of graphs by model, with `candidates` per run. */
  readonly cost?: Readonly<{ candidates: number; graphs: Readonly<Record<string, GraphCost>> }>;
}

/** `milliseconds`: of each run in wasm, one thread. */
type GraphCost = Readonly<{ bytes: number; milliseconds: readonly number[] }>;

/** The rows of a plan. `work` is the study's folder, where plan and rows are left. */
export async function compareRuns(plan: Comparing, work: string): Promise<Row[]> {
  const folder = join(work, "compare", `${plan.part}, ${plan.level}`.replaceAll(/\W+/g, "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  return runForRows(plan.part, "armmt.study.compare", join(folder, "rows.json"), ["--plan", join(folder, "plan.json")]);
}

/** Runs a Python module that writes rows to `--out`. */
export async function runForRows(part: PartName, module: string, out: string, args: readonly string[]): Promise<Row[]> {
  mkdirSync(dirname(out), { recursive: true });
  await runPython(module, [...args, "--out", out]);
  return readRows(out, part);
}

/** Rows that a Python module wrote; throws a UserError when they are missing, not valid, or of another part. */
export function readRows(path: string, part: PartName): Row[] {
  if (!existsSync(path)) throw new UserError(`${path} was not written`);
  const rows = readJson(path, v.array(rowSchema));
  const foreign = rows.find((row) => row.part !== part);
  if (foreign !== undefined) throw new UserError(`${path} holds a row of part "${foreign.part}", not of "${part}"`);
  return rows;
}

/** Finished runs, by model: a folder without run.json is not finished. */
export function findRuns(runs: string): { model: string; folder: string }[] {
  if (!existsSync(runs)) return [];
  const paths = readdirSync(runs, { recursive: true, encoding: "utf8" }).filter((path) => basename(path) === "run.json");
  return paths.toSorted().map((path) => ({ model: basename(dirname(dirname(path))), folder: join(runs, dirname(path)) }));
}

const WARM_UP = 5;
const TIMED = 60;

const scalingSchema = v.object({
  features: v.unknown(),
  identity: v.object({ imageDim: v.number(), textDim: v.number(), imageEncoder: v.string(), textEncoder: v.string() }),
});

/** A study's graph has no manifest; the fields that the runtime checks follow from the lists it was trained on. */
function manifestOf(graph: Uint8Array, lists: string, model: string): unknown {
  const { features, identity } = readJson(join(lists, "features.json"), scalingSchema);
  return {
    format: 1,
    version: `study.${model}`,
    sha256: hash("sha256", graph),
    dims: { image: identity.imageDim, text: identity.textDim },
    features,
    tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
    encoders: { image: identity.imageEncoder, text: identity.textEncoder },
    trainedOn: "simulated",
    metrics: {},
    parameters: { total: 0, tokenTable: 0 },
    licence: "Apache-2.0",
  };
}

/** Milliseconds of each run over COST_K candidates; none, with a note, for a graph that lacks inputs of the contract. */
async function timeGraph(path: string, lists: string, model: string): Promise<number[]> {
  const graph = readFileSync(path);
  const scorer = await createNodeScorer({ model: graph, manifest: manifestOf(graph, lists, model) });
  if (!scorer.ok) {
    if (scorer.error.reason !== "model_mismatch") throw new UserError(`${path} does not load in wasm: ${scorer.error.detail}`);
    process.stderr.write(`Note: no wasm time of ${path}: ${scorer.error.detail}\n`);
    return [];
  }
  const list = createList(COST_K, scorer.value.manifest);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + TIMED; i++) {
    const started = performance.now();
    const scored = await scorer.value.score(list);
    if (!scored.ok) throw new UserError(`${path} failed in wasm: ${scored.error.detail}`);
    if (i >= WARM_UP) times.push(performance.now() - started);
  }
  return times;
}

/** The first model.onnx of each model, timed; `lists` is the folder that the runs were trained on. */
export async function timeGraphs(runs: string, lists: string): Promise<Record<string, GraphCost>> {
  const costs: Record<string, GraphCost> = {};
  for (const { model, folder } of findRuns(runs)) {
    const path = join(folder, "model.onnx");
    if (model in costs || !existsSync(path)) continue;
    costs[model] = { bytes: readFileSync(path).length, milliseconds: await timeGraph(path, lists, model) };
  }
  return costs;
}
