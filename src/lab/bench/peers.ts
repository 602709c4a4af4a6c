/** What the model's run in workerd is compared with: the same file in Node, on the native runtime and on the same wasm. */
import { readFileSync } from "node:fs";
import { createNodeScorer } from "../../inference/node-scorer.ts";
import type { Scorer } from "../../inference/scorer.ts";
import type { Bypass, Result } from "../../result.ts";
import { UserError } from "../../web.ts";

export interface RunPeers {
  readonly native: Scorer;
  readonly nodeWasm: Scorer;
}

const MODEL_FOLDER = new URL("../../../model/", import.meta.url);

export async function openPeers(): Promise<RunPeers> {
  const model = Uint8Array.from(readFileSync(new URL("student.onnx", MODEL_FOLDER)));
  const manifest: unknown = JSON.parse(readFileSync(new URL("manifest.json", MODEL_FOLDER), "utf8"));
  return {
    native: opened(await createNodeScorer({ model, manifest, runtime: "native" })),
    nodeWasm: opened(await createNodeScorer({ model, manifest, runtime: "wasm" })),
  };
}

function opened(created: Result<Scorer, Bypass>): Scorer {
  if (created.ok) return created.value;
  throw new UserError(`The model cannot be opened in Node: ${created.error.detail}`);
}
