/**
 * The serving runtime (onnxruntime-web's wasm, one thread) started in Node: for commands that check or judge a model on many lists. The
 * same graph, feeds and checks as at the edge; only the way the wasm file is found differs.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { bypass, ok, type Bypass, type Result } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores } from "./list-run.ts";
import { parseManifest } from "./manifest.ts";
import type { Scorer } from "./scorer.ts";

export interface NodeScorerOptions {
  /** Bytes of student.onnx. */
  readonly model: Uint8Array;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
}

/** The scorer, or why graph and manifest do not belong together. The graph's checksum is the caller's to check. */
export async function createNodeScorer({ model, manifest: json }: NodeScorerOptions): Promise<Result<Scorer, Bypass>> {
  const parsed = parseManifest(json);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const fits = matchGraph(session, manifest);
  if (!fits.ok) return fits;
  return ok({
    manifest,
    async score(list) {
      const matches = matchList(list, manifest);
      if (!matches.ok) return matches;
      try {
        return readScores(await session.run(createFeeds(list, Tensor)), list);
      } catch (error) {
        return bypass("model_failed", error instanceof Error ? error.message : String(error));
      }
    },
  });
}
