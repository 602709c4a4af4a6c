/**
 * The same scorer outside workerd, for the bench: onnxruntime's native build, or the very wasm that serves, both on one thread of Node.
 *
 * Not part of any Worker. The runtimes are loaded when asked for.
 */
import type { InferenceSession, TensorConstructor } from "onnxruntime-web";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores } from "./list-run.ts";
import { parseManifest } from "./manifest.ts";
import type { Scorer } from "./scorer.ts";

export interface NodeScorerOptions {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly manifest: unknown;
  /** Bytes of onnxruntime-web's wasm, to run that; the native build otherwise. */
  readonly wasmRuntime?: Uint8Array<ArrayBuffer>;
}

interface Runtime {
  readonly session: InferenceSession;
  readonly TensorOf: TensorConstructor;
}

const ONE_THREAD = { graphOptimizationLevel: "all", intraOpNumThreads: 1, interOpNumThreads: 1 } as const;

/** Runs are not chained: call it one list at a time. Rejects when the runtime cannot be loaded. */
export async function createNodeScorer(options: NodeScorerOptions): Promise<Result<Scorer, Bypass>> {
  const parsed = parseManifest(options.manifest);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const { session, TensorOf } = await (options.wasmRuntime === undefined
    ? openNative(options.model)
    : openWasm(options.model, options.wasmRuntime));
  const fits = matchGraph(session, manifest);
  if (!fits.ok) return fits;
  return ok({
    manifest,
    async score(list) {
      const matches = matchList(list, manifest);
      if (!matches.ok) return matches;
      try {
        return readScores(await session.run(createFeeds(list, TensorOf)), list);
      } catch (error) {
        return bypass("model_failed", error instanceof Error ? error.message : String(error));
      }
    },
  });
}

async function openNative(model: Uint8Array<ArrayBuffer>): Promise<Runtime> {
  const { InferenceSession: Session, Tensor } = await import("onnxruntime-node");
  return { session: await Session.create(model, { ...ONE_THREAD, executionProviders: ["cpu"] }), TensorOf: Tensor };
}

async function openWasm(model: Uint8Array<ArrayBuffer>, wasmRuntime: Uint8Array<ArrayBuffer>): Promise<Runtime> {
  const { env, InferenceSession: Session, Tensor } = await import("onnxruntime-web/wasm");
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = wasmRuntime;
  env.logLevel = "error";
  return { session: await Session.create(model, { ...ONE_THREAD, executionProviders: ["wasm"] }), TensorOf: Tensor };
}
