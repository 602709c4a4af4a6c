/** onnxruntime-web's own wasm file inside workerd: opens any graph. What is deployed serves from a smaller one; see src/runtimes/cloudflare/models.ts. */
import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { InferenceSession } from "onnxruntime-web/wasm";
import type { Runtime } from "./runtime.ts";
import { createWorkerdRuntime } from "./workerd.ts";

export { Tensor } from "onnxruntime-web/wasm";

export const workerdRuntime: Runtime = createWorkerdRuntime({ module: runtimeModule });

/** A session on one thread. May run at module scope. Rejects with the runtime's own error. */
export function createSession(graph: ArrayBuffer): Promise<InferenceSession> {
  return workerdRuntime.createSession(graph);
}
