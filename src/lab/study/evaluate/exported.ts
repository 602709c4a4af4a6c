/** Reads an exported model folder (student.onnx, manifest.json, golden.json) and starts it in the serving runtime. */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { createNodeScorer } from "../../../inference/node-scorer.ts";
import type { Scorer } from "../../../inference/scorer.ts";
import type { ListTensors } from "../../../ranking/features.ts";
import { UserError } from "../../../web.ts";

/** Bytes of a file of the model's folder. */
export function readModelFile(folder: string, name: string): Buffer {
  const path = join(folder, name);
  if (!existsSync(path)) throw new UserError(`${path} does not exist: run npm run model, or name the folder of an exported model`);
  return readFileSync(path);
}

/** The scorer of a model folder, after its checksum and manifest have been checked. */
export async function openModel(folder: string): Promise<Scorer> {
  const graph = readModelFile(folder, "student.onnx");
  const manifest: unknown = JSON.parse(readModelFile(folder, "manifest.json").toString("utf8"));
  const scorer = await createNodeScorer({ model: graph, manifest });
  if (!scorer.ok) throw new UserError(`The model in ${folder} cannot be used: ${scorer.error.detail}`);
  const sha256 = hash("sha256", graph);
  if (sha256 !== scorer.value.manifest.sha256) {
    throw new UserError(
      `${folder}/student.onnx has SHA-256 ${sha256}, its manifest says ${scorer.value.manifest.sha256}: export both again`,
    );
  }
  return scorer.value;
}

/** Scores of one list; throws a UserError that names the query when the model fails. */
export async function scoreList(scorer: Scorer, list: ListTensors, query: string): Promise<{ score: Float32Array; gate: Float32Array }> {
  const scored = await scorer.score(list);
  if (!scored.ok) throw new UserError(`Model ${scorer.manifest.version} failed on "${query}": ${scored.error.detail}`);
  return scored.value;
}

const INPUTS = [
  ...(["query_token_ids", "query_mask", "image", "text", "features", "presence"] as const),
  ...(["history_image", "history_text", "history_mask", "mask"] as const),
] as const;

const goldenSchema = v.object({
  format: v.literal(1),
  model: v.string(),
  sha256: v.string(),
  tolerance: v.number(),
  cases: v.array(
    v.object({
      name: v.string(),
      k: v.number(),
      lq: v.number(),
      h: v.number(),
      imageDim: v.number(),
      textDim: v.number(),
      /** Base64 of little-endian int32 (token ids) or float32. */
      inputs: v.object(v.entriesFromList(INPUTS, v.string())),
      expected: v.object({ score: v.string(), gate: v.string() }),
    }),
  ),
});

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, "base64")).buffer;
}

export interface Parity {
  readonly name: string;
  readonly k: number;
  /** Largest absolute difference of a score or weight of a real candidate. */
  readonly error: number;
}

/** Runs every golden case through the wasm runtime. Throws a UserError that names the case that is off by more than the tolerance. */
export async function verifyGolden(folder: string): Promise<Parity[]> {
  const scorer = await openModel(folder);
  const golden = v.parse(goldenSchema, JSON.parse(readModelFile(folder, "golden.json").toString("utf8")));
  if (golden.sha256 !== scorer.manifest.sha256) {
    throw new UserError(`${folder}/golden.json belongs to another graph (SHA-256 ${golden.sha256}): export both again`);
  }
  const results: Parity[] = [];
  for (const { name, k, lq, h, imageDim, textDim, inputs, expected } of golden.cases) {
    const floats = (text: string) => new Float32Array(bytesOf(text));
    const list: ListTensors = {
      k,
      lq,
      h,
      imageDim,
      textDim,
      queryTokenIds: new Int32Array(bytesOf(inputs.query_token_ids)),
      queryMask: floats(inputs.query_mask),
      image: floats(inputs.image),
      text: floats(inputs.text),
      features: floats(inputs.features),
      presence: floats(inputs.presence),
      historyImage: floats(inputs.history_image),
      historyText: floats(inputs.history_text),
      historyMask: floats(inputs.history_mask),
      mask: floats(inputs.mask),
    };
    const scored = await scoreList(scorer, list, name);
    const score = floats(expected.score);
    const gate = floats(expected.gate);
    let error = 0;
    for (let i = 0; i < k; i++) {
      if (list.mask[i] === 0) continue;
      error = Math.max(error, Math.abs(score[i]! - scored.score[i]!), Math.abs(gate[2 * i]! - scored.gate[2 * i]!));
    }
    if (!(error <= golden.tolerance)) {
      throw new UserError(
        `Golden case "${name}" is off by ${error} in wasm, more than ${golden.tolerance}: torch and onnxruntime disagree`,
      );
    }
    results.push({ name, k, error });
  }
  return results;
}
