/**
 * onnxruntime-web's WebGPU build, as web.ts; Node needs a `navigator.gpu`, see node-scorer.ts. Never part of the Cloudflare Worker: workerd has no
 * WebGPU, and the wasm file, `ort-wasm-simd-threaded.asyncify.wasm`, has 26.8 MB.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import type { Runtime } from "./runtime.ts";
import { createOpener, type WebRuntimeOptions } from "./web.ts";

export interface WebgpuRuntimeOptions extends WebRuntimeOptions {
  readonly adapter: GPUAdapter;
  /** A device of that adapter; the caller watches and destroys it. */
  readonly device: GPUDevice;
}

const openWebgpu = createOpener({ env, InferenceSession, Tensor });

/** Operators that the GPU build lacks run on the processor inside the same session. Rejects as `wasmBinary` does. */
export function openWebWebgpu({ wasmBinary, adapter, device }: WebgpuRuntimeOptions): Promise<Runtime> {
  return openWebgpu({ wasmBinary }, () => {
    // Deprecated, but without it onnxruntime requests a second adapter that it does not use.
    env.webgpu.adapter = adapter;
    // Severity 3: no warning that shapes are computed on the processor.
    return { executionProviders: [{ name: "webgpu", device }], logSeverityLevel: 3 };
  });
}
