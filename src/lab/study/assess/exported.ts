/** Reads an exported model folder (student.onnx, manifest.json, golden.json) and starts it in the serving runtime. */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseGolden } from "../../../inference/golden.ts";
import { runGolden } from "../../../cli/evaluate/model.ts";
import { createNodeScorer } from "../../../inference/node-scorer.ts";
import type { Scorer } from "../../../inference/scorer.ts";
import { buildTensors, type ListInput, type ListTensors } from "../../../ranking/features.ts";
import { addDelta, type MeaningScores } from "../../../ranking/meaning.ts";
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

/** The same of a search, as it is served where the model is fully trusted. */
export async function scoreAsServed(scorer: Scorer, list: ListInput & { readonly meaning: MeaningScores }) {
  const { dims, features: scaling, form } = scorer.manifest;
  const tensors = buildTensors(list, { imageDim: dims.image, textDim: dims.text, scaling });
  const { score, gate } = await scoreList(scorer, tensors, list.queryText);
  return { score: form === "delta" ? addDelta(list.meaning.scores, score, 1) : score, gate };
}

/**
 * Runs every golden case through the wasm runtime; `error` is the largest absolute difference of a score or weight of a real candidate.
 * Throws a UserError that names the case that is off by more than the tolerance.
 */
export async function verifyGolden(folder: string): Promise<{ name: string; k: number; error: number }[]> {
  const scorer = await openModel(folder);
  const golden = parseGolden(JSON.parse(readModelFile(folder, "golden.json").toString("utf8")));
  const { sha256, tolerance } = golden;
  if (sha256 !== scorer.manifest.sha256) {
    throw new UserError(`${folder}/golden.json belongs to another graph (SHA-256 ${sha256}): export both again`);
  }
  const results = await runGolden(scorer, golden);
  for (const { name, error } of results) {
    if (!(error <= tolerance)) {
      throw new UserError(`Golden case "${name}" is off by ${error} in wasm, more than ${tolerance}: torch and onnxruntime disagree`);
    }
  }
  return results;
}
