/**
 * For Node: Dawn as `navigator.gpu`, and a scorer on one thread for commands that evaluate a model on many lists, with onnxruntime-web's
 * wasm build or, for comparisons, onnxruntime's native one. The same graph, feeds and checks as at the edge.
 */
import type { Bypass, Result } from "../result.ts";
import { bytesOf, createRuntimeLock, type Runtime, SESSION_OPTIONS } from "./runtime.ts";
import type { Scorer } from "./scorer.ts";
import { createSessionScorer } from "./session-scorer.ts";

export interface NodeScorerOptions {
  /** Bytes of student.onnx. */
  readonly model: Uint8Array;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
  /** Default "wasm". */
  readonly runtime?: "wasm" | "native";
}

/** The scorer, or why graph and manifest do not belong together. Rejects when the runtime cannot be loaded. */
export async function createNodeScorer({ model, manifest, runtime = "wasm" }: NodeScorerOptions): Promise<Result<Scorer, Bypass>> {
  const isNative = runtime === "native";
  const { env, InferenceSession: Session, Tensor: TensorOf } = await (isNative ? import("onnxruntime-node") : import("onnxruntime-web"));
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const opened: Runtime = {
    TensorOf,
    lock: createRuntimeLock(),
    remedy: "until this process is started again",
    createSession: (graph) => Session.create(bytesOf(graph), { ...SESSION_OPTIONS, executionProviders: [isNative ? "cpu" : "wasm"] }),
  };
  return createSessionScorer({ model: Uint8Array.from(model).buffer, manifest, runtime: opened });
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
