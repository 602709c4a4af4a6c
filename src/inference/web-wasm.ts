/**
 * onnxruntime-web's wasm build in a page, a worker, a service worker, Node or Deno, on one thread.
 *
 * Fetches nothing: the caller has the bytes of `ort-wasm-simd-threaded.wasm`. Imported statically, because a service worker may not
 * import anything later.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Graph, Runtime } from "./runtime.ts";
import { bytesOf, createLife } from "./runtime.ts";

export interface WebRuntimeOptions {
  /** Bytes of the wasm file that belongs to this build of onnxruntime-web. Asked once; after a rejection again with the next opening. */
  readonly wasmBinary: () => Promise<ArrayBuffer | Uint8Array>;
}

/** A page, worker or process has one; only starting it again brings a new one. */
const life = createLife();

let loading: Promise<void> | undefined;

/** All who open it share it: the bytes of the first are the ones that count. Rejects as `wasmBinary` does. */
export async function openWebWasm({ wasmBinary }: WebRuntimeOptions): Promise<Runtime> {
  loading ??= load(wasmBinary);
  try {
    await loading;
  } catch (cause) {
    loading = undefined;
    throw cause;
  }
  return { provider: "wasm", TensorOf: Tensor, life, remedy: "until this page, worker or process is started again", createSession };
}

async function load(wasmBinary: WebRuntimeOptions["wasmBinary"]): Promise<void> {
  env.wasm.wasmBinary = await wasmBinary();
}

async function createSession(graph: Graph): Promise<InferenceSession> {
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  try {
    return await InferenceSession.create(bytesOf(graph), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
  } finally {
    // Compiled by now, or never again: the bytes would stay for nothing.
    delete env.wasm.wasmBinary;
  }
}
