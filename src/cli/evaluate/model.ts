/** The model that would serve, in the runtime that serves, on one thread. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
