/**
 * onnxruntime-web inside workerd: the only importer of its wasm file, and the one place that knows how to start it there.
 *
 * workerd refuses to compile wasm from bytes, and onnxruntime-web has no option for a module that is compiled already. So while a session
 * is created, `WebAssembly.instantiate` is replaced by a function that gives the bundled module out for an agreed marker.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { Runtime } from "./runtime.ts";
import { createLife } from "./runtime.ts";

export { Tensor };

/** An empty wasm module: what onnxruntime-web hands to `WebAssembly.instantiate` as if it were its own binary. */
const MARKER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** The isolate has one onnxruntime; nothing but a new isolate brings a new one. */
export const workerdRuntime: Runtime = {
  provider: "wasm",
  TensorOf: Tensor,
  life: createLife(),
  remedy: "until this isolate is replaced: deploy again, and check that student.onnx and the onnxruntime-web version belong together",
  createSession,
};

/**
 * A session on one thread. May run at module scope. Rejects with the runtime's own error. All graph optimisations are on: against none they
 * take 6 to 9 % off every run, and cost some 30 ms once per isolate.
 */
export async function createSession(model: ArrayBuffer): Promise<InferenceSession> {
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = MARKER.slice().buffer;
  env.logLevel = "error";
  return withBundledRuntime(() =>
    InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    }),
  );
}

async function withBundledRuntime<T>(create: () => Promise<T>): Promise<T> {
  const original = WebAssembly.instantiate;
  const instantiate = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return original(source, imports);
    if (!isMarker(source)) return original(source, imports);
    return { module: runtimeModule, instance: await original(runtimeModule, imports) };
  };
  Object.defineProperty(WebAssembly, "instantiate", { value: instantiate, configurable: true, writable: true });
  try {
    return await create();
  } finally {
    Object.defineProperty(WebAssembly, "instantiate", { value: original, configurable: true, writable: true });
  }
}

function isMarker(source: BufferSource): boolean {
  return source instanceof Uint8Array && source.length === MARKER.length && MARKER.every((byte, i) => source[i] === byte);
}
