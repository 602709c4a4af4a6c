/**
 * A module that is compiled already, for onnxruntime-web, which has no option for one and would compile bytes, which workerd refuses.
 *
 * While a session is created, `WebAssembly.instantiate` is replaced by a function that instantiates the given module for an agreed marker.
 */
import { env, InferenceSession } from "onnxruntime-web/wasm";

export type { InferenceSession } from "onnxruntime-web/wasm";
export { Tensor } from "onnxruntime-web/wasm";

/** An empty wasm module: what onnxruntime-web hands to `WebAssembly.instantiate` as if it were its own binary. */
const MARKER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** What onnxruntime-web gets for its imports. */
export type Instantiate = (imports: WebAssembly.Imports) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;

/**
 * A session on one thread, with all graph optimisations. Rejects with the runtime's own error. `instantiate` is asked once per process or
 * isolate. Nothing else notices: every other call of `WebAssembly.instantiate` goes through.
 */
export async function openSession(instantiate: Instantiate, graph: Uint8Array): Promise<InferenceSession> {
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = MARKER.slice().buffer;
  env.logLevel = "error";
  const original = WebAssembly.instantiate;
  const replacement = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return original(source, imports);
    return isMarker(source) ? instantiate(imports ?? {}) : original(source, imports);
  };
  Object.defineProperty(WebAssembly, "instantiate", { value: replacement, configurable: true, writable: true });
  try {
    return await InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
  } finally {
    Object.defineProperty(WebAssembly, "instantiate", { value: original, configurable: true, writable: true });
  }
}

function isMarker(source: BufferSource): boolean {
  return source instanceof Uint8Array && source.length === MARKER.length && MARKER.every((byte, i) => source[i] === byte);
}
