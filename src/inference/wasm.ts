/** The scorer that serves at the edge: onnxruntime-web's wasm build inside workerd. */
import type { Bypass, Result } from "../result.ts";
import type { Scorer } from "./scorer.ts";
import type { ModelParts } from "./session-scorer.ts";
import { createSessionScorer } from "./session-scorer.ts";
import { workerdRuntime } from "./session.ts";

/**
 * Refuses a manifest that does not fit this code or this graph (`model_mismatch`), then creates the session and runs it once, so that no
 * request pays for either. Works at module scope.
 */
export async function createWasmScorer({ model, manifest }: ModelParts): Promise<Result<Scorer, Bypass>> {
  return createSessionScorer({ model, manifest, runtime: workerdRuntime });
}
