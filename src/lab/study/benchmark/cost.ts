/** What each model costs: size, arithmetic, and time in wasm, measured here one model after the other. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { ModelManifest } from "../../../inference/manifest.ts";
import { createNodeScorer } from "../../../inference/node-scorer.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../../ranking/tokenizer.ts";
import { createList } from "../../../cli/build/sample-list.ts";
import type { Level, Row } from "./benchmark-file.ts";
import { findRuns, type Run } from "./runs.ts";
import { type Estimate, meanOverSeeds } from "./statistics.ts";
import { UserError } from "../../../web.ts";

/** Candidates per run of the model: the widest window that serving allows. */
export const COST_K = 100;

export const PARAMETERS = "parameters";
export const TOKEN_TABLE = "parameters of the token table";
export const FLOPS = `FLOPs, K ${COST_K}`;
export const GRAPH_BYTES = "graph, bytes";
export const WASM_MS = `wasm ms, K ${COST_K}`;
export const TRAIN_SECONDS = "training seconds";

const WARM_UP = 5;
const TIMED = 60;

const scalingSchema = v.object({
  features: v.array(v.object({ name: v.string(), mean: v.number(), std: v.number() })),
  identity: v.object({ imageDim: v.number(), textDim: v.number(), imageEncoder: v.string(), textEncoder: v.string() }),
});

/** A study's graph has no manifest of its own; what the runtime checks follows from the lists it was trained on. */
function manifestOf(graph: Uint8Array, lists: string, run: Run): ModelManifest {
  const { features, identity } = v.parse(scalingSchema, JSON.parse(readFileSync(join(lists, "features.json"), "utf8")));
  return {
    format: 1,
    version: `study.${run.model}`,
    sha256: createHash("sha256").update(graph).digest("hex"),
    dims: { image: identity.imageDim, text: identity.textDim },
    features,
    tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
    encoders: { image: identity.imageEncoder, text: identity.textEncoder },
    trainedOn: "simulated",
    metrics: {},
    parameters: { total: run.parameters, tokenTable: run.tokenTable },
    licence: "Apache-2.0",
  };
}

/**
 * Milliseconds of one run over COST_K candidates in wasm, one thread: median, and the range that holds 95 % of the runs. `undefined`, with a
 * note, for a graph without the inputs of the contract: a model that reads less may have lost some in the export.
 */
async function timeGraph(path: string, lists: string, run: Run): Promise<Estimate | undefined> {
  const graph = readFileSync(path);
  const scorer = await createNodeScorer({ model: graph, manifest: manifestOf(graph, lists, run) });
  if (!scorer.ok) {
    process.stderr.write(`Note: no wasm time of ${path}: ${scorer.error.detail}\n`);
    return undefined;
  }
  const list = createList(COST_K, scorer.value.manifest.dims);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + TIMED; i++) {
    const started = performance.now();
    const scored = await scorer.value.score(list);
    if (!scored.ok) throw new UserError(`${path} failed in wasm: ${scored.error.detail}`);
    if (i >= WARM_UP) times.push(performance.now() - started);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { mean: at(0.5), low: at(0.025), high: at(0.975) };
}

const fixed = (mean: number): Estimate => ({ mean, low: undefined, high: undefined });

/** `lists` is the folder the runs were trained on. Models without model.onnx have no wasm time. */
export async function costRows(level: Level, runs: string, lists: string): Promise<Row[]> {
  const found = findRuns(runs);
  const rows: Row[] = [];
  for (const model of new Set(found.map((run) => run.model))) {
    const seeds = found.filter((run) => run.model === model);
    const add = (metric: string, { mean, low, high }: Estimate): void => {
      rows.push({ part: "cost", level, model, metric, split: "none", mean, low: low ?? null, high: high ?? null, seeds: seeds.length });
    };
    const [first] = seeds;
    if (first === undefined) continue;
    add(PARAMETERS, fixed(first.parameters));
    add(TOKEN_TABLE, fixed(first.tokenTable));
    if (first.flops !== undefined) add(FLOPS, fixed(first.flops));
    add(TRAIN_SECONDS, meanOverSeeds(seeds.map((run) => run.seconds)));
    const graph = seeds.map((run) => join(run.folder, "model.onnx")).find((path) => existsSync(path));
    if (graph === undefined) continue;
    add(GRAPH_BYTES, fixed(readFileSync(graph).length));
    const time = await timeGraph(graph, lists, first);
    if (time !== undefined) add(WASM_MS, time);
  }
  return rows;
}
