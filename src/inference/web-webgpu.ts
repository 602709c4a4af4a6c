/**
 * onnxruntime-web's WebGPU build in a page, a worker, a service worker, Node (with a `navigator.gpu`, see node-gpu.ts) or Deno.
 *
 * Fetches nothing: the caller has the bytes of `ort-wasm-simd-threaded.asyncify.wasm`. Imported statically, because a service worker may
 * not import anything later. Never part of the Cloudflare Worker: workerd has no WebGPU, and the wasm file has 26.8 MB.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import type { Runtime } from "./runtime.ts";
import { bytesOf, createLife } from "./runtime.ts";
import type { WebRuntimeOptions } from "./web-wasm.ts";

export interface WebgpuRuntimeOptions extends WebRuntimeOptions {
  readonly adapter: GPUAdapter;
  /** Of that adapter, and the caller's to watch and to destroy. */
  readonly device: GPUDevice;
}

/** One suspended call at a time, for all devices. */
const life = createLife();

let loading: Promise<void> | undefined;

/** Operators that the GPU build lacks run on the processor inside the same session. Rejects as `wasmBinary` does. */
export async function openWebWebgpu({ wasmBinary, adapter, device }: WebgpuRuntimeOptions): Promise<Runtime> {
  loading ??= load(wasmBinary);
  try {
    await loading;
  } catch (cause) {
    loading = undefined;
    throw cause;
  }
  return {
    provider: "webgpu",
    TensorOf: Tensor,
    life,
    remedy: "until this page, worker or process is started again",
    async createSession(graph) {
      env.wasm.numThreads = 1;
      env.logLevel = "error";
      // Deprecated, but without it onnxruntime asks for a second adapter that it does not use.
      env.webgpu.adapter = adapter;
      try {
        return await InferenceSession.create(bytesOf(graph), {
          executionProviders: [{ name: "webgpu", device }],
          graphOptimizationLevel: "all",
          intraOpNumThreads: 1,
          interOpNumThreads: 1,
          // Its warning that shapes are computed on the processor is no news.
          logSeverityLevel: 3,
        });
      } finally {
        delete env.wasm.wasmBinary;
      }
    },
  };
}

async function load(wasmBinary: WebRuntimeOptions["wasmBinary"]): Promise<void> {
  env.wasm.wasmBinary = await wasmBinary();
}
