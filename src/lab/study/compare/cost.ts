/** Size of each model's graph and its time in wasm, measured one model after the other. */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { createList } from "../../../cli/build/sample-list.ts";
import type { ModelManifest } from "../../../inference/manifest.ts";
import { createNodeScorer } from "../../../inference/node-scorer.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../../ranking/tokenizer.ts";
import { UserError } from "../../../web.ts";
import { COST_K } from "./names.ts";
import { findRuns, type GraphCost } from "./rows.ts";

const WARM_UP = 5;
const TIMED = 60;

const scalingSchema = v.object({
  features: v.array(v.object({ name: v.string(), mean: v.number(), std: v.number() })),
  identity: v.object({ imageDim: v.number(), textDim: v.number(), imageEncoder: v.string(), textEncoder: v.string() }),
});

/** A study's graph has no manifest; the fields that the runtime checks follow from the lists it was trained on. */
function manifestOf(graph: Uint8Array, lists: string, model: string): ModelManifest {
  const { features, identity } = v.parse(scalingSchema, JSON.parse(readFileSync(join(lists, "features.json"), "utf8")));
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
    process.stderr.write(`Note: no wasm time of ${path}: ${scorer.error.detail}\n`);
    return [];
  }
  const list = createList(COST_K, scorer.value.manifest.dims);
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
