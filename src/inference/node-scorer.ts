/**
 * For Node: Dawn as `navigator.gpu`, and a scorer on one thread for commands that evaluate a model on many lists, with onnxruntime-web's
 * wasm build or, for comparisons, onnxruntime's native one. The same graph, feeds and checks as at the edge.
 */
import type { InferenceSession, TensorConstructor } from "onnxruntime-web";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores } from "./list-run.ts";
import { parseManifest } from "./manifest.ts";
import type { Scorer } from "./scorer.ts";
import { errorText } from "../web.ts";

export interface NodeScorerOptions {
  /** Bytes of student.onnx. */
  readonly model: Uint8Array;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
  /** Default "wasm". */
  readonly runtime?: "wasm" | "native";
}

interface Runtime {
  readonly session: InferenceSession;
  readonly TensorOf: TensorConstructor;
}

const ONE_THREAD = { graphOptimizationLevel: "all", intraOpNumThreads: 1, interOpNumThreads: 1 } as const;

/**
 * The scorer, or why graph and manifest do not belong together. The caller checks the graph's checksum and runs one list at a time. Rejects
 * with the runtime's own error when it cannot load the graph.
 */
export async function createNodeScorer({ model, manifest: json, runtime = "wasm" }: NodeScorerOptions): Promise<Result<Scorer, Bypass>> {
  const parsed = parseManifest(json);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const { session, TensorOf } = await (runtime === "native" ? openNative(model) : openWasm(model));
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
        return bypass("model_failed", errorText(error));
      }
    },
  });
}

async function openWasm(model: Uint8Array): Promise<Runtime> {
  const { env, InferenceSession: Session, Tensor } = await import("onnxruntime-web");
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  return { session: await Session.create(model, { ...ONE_THREAD, executionProviders: ["wasm"] }), TensorOf: Tensor };
}

async function openNative(model: Uint8Array): Promise<Runtime> {
  const { InferenceSession: Session, Tensor } = await import("onnxruntime-node");
  return { session: await Session.create(model, { ...ONE_THREAD, executionProviders: ["cpu"] }), TensorOf: Tensor };
}

/**
 * Installs `navigator.gpu` and WebGPU's classes, which onnxruntime-web reads as globals, and returns it; an existing one is kept. Rejects when
 * the package `webgpu` (Dawn) is not installed or does not load. It finds drivers while it loads, so environment variables such as
 * VK_ICD_FILENAMES must be set before.
 */
export async function installNodeGpu(): Promise<GPU> {
  if ("gpu" in navigator) return navigator.gpu;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}
