/** The model that would serve, in the runtime that serves, on one thread. */
import { addDelta } from "../../ranking/meaning.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Golden } from "../../inference/golden.ts";
import { createNodeScorer } from "../../inference/node-scorer.ts";
import type { Scorer } from "../../inference/scorer.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { errorText, UserError } from "../../web.ts";

/** Throws a UserError where a file is missing, or graph and manifest do not belong together. */
export async function openModelFolder(folder: string = join(PACKAGE_ROOT, "model")): Promise<Scorer> {
  const scorer = await createNodeScorer(await readModel(folder));
  if (scorer.ok) return scorer.value;
  throw new UserError(`The model in ${folder} cannot be used: ${scorer.error.detail}`);
}

async function readModel(folder: string): Promise<{ readonly model: Uint8Array; readonly manifest: unknown }> {
  try {
    const [model, manifest] = await Promise.all([readFile(join(folder, "student.onnx")), readFile(join(folder, "manifest.json"), "utf8")]);
    return { model, manifest: JSON.parse(manifest) };
  } catch (error) {
    throw new UserError(`No model in ${folder} (${errorText(error)}): name a folder with student.onnx and manifest.json`, { cause: error });
  }
}

/**
 * How far the wasm runtime is from the training side, per golden case: the largest difference of a real candidate's score or weight, or of the sum that
 * is served where the case has one.
 */
export async function runGolden(
  scorer: Scorer,
  { cases }: Golden,
): Promise<{ readonly name: string; readonly k: number; readonly error: number }[]> {
  const results = [];
  for (const { name, list, score, gate, served } of cases) {
    const scored = await scorer.score(list); // oxlint-disable-line no-await-in-loop
    if (!scored.ok) throw new UserError(`Model ${scorer.manifest.version} failed on golden case "${name}": ${scored.error.detail}`);
    const errors = Array.from(score, (value, i) =>
      list.mask[i] === 0 ? 0 : Math.max(Math.abs(value - scored.value.score[i]!), Math.abs(gate[2 * i]! - scored.value.gate[2 * i]!)),
    );
    const totals = served === undefined ? [] : addDelta(served.prior, scored.value.score, 1);
    const totalErrors = Array.from(totals, (total, i) => (list.mask[i] === 0 ? 0 : Math.abs(total - served!.total[i]!)));
    results.push({ name, k: list.k, error: Math.max(...errors, ...totalErrors) });
  }
  return results;
}
