/**
 * For Node: Dawn as `navigator.gpu`, and a scorer on one thread for commands that evaluate a model on many lists, with onnxruntime-web's
 * wasm build or, for comparisons, onnxruntime's native one. The same graph, feeds and checks as at the edge.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Bypass, Result } from "../result.ts";
import type { Runtime } from "./runtime.ts";
import { bytesOf, createRuntimeLock, SESSION_OPTIONS } from "./runtime.ts";
import type { Scorer } from "./scorer.ts";
import { createSessionScorer } from "./session-scorer.ts";
import { openWebWasm } from "./web.ts";

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
  const opened = await (runtime === "native" ? openNative() : openWebWasm({ wasmBinary: readWasm }));
  return createSessionScorer({ model: Uint8Array.from(model).buffer, manifest, runtime: opened });
}

function readWasm(): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")));
}

async function openNative(): Promise<Runtime> {
  const { InferenceSession: Session, Tensor: TensorOf } = await import("onnxruntime-node");
  return {
    TensorOf,
    lock: createRuntimeLock(),
    remedy: "until this process is started again",
    createSession: (graph) => Session.create(bytesOf(graph), { ...SESSION_OPTIONS, executionProviders: ["cpu"] }),
  };
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
