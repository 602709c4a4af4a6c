/**
 * A scorer in workerd on onnxruntime-web's own wasm file, which opens any graph. A deployed Worker uses a smaller file; see
 * src/runtimes/cloudflare/models.ts.
 */
import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { ModelFiles, Scorer } from "../../src/inference/scorer.ts";
import { createSessionScorer } from "../../src/inference/session-scorer.ts";
import { createWorkerdRuntime } from "../../src/inference/workerd.ts";
import type { Bypass, Result } from "../../src/result.ts";

export const workerdRuntime = createWorkerdRuntime({ module: runtimeModule });

/** As createSessionScorer(). Works at module scope. */
export async function createWasmScorer(files: ModelFiles): Promise<Result<Scorer, Bypass>> {
  return createSessionScorer({ ...files, runtime: workerdRuntime });
}
