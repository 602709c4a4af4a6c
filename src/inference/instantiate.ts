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

export interface ModuleSource {
  /** What onnxruntime-web gets for its imports. Asked once per process or isolate. */
  readonly instantiate: (imports: WebAssembly.Imports) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
  /** The module imports a memory of its own, where onnxruntime-web's shares one with its threads. */
  readonly hasOwnMemory: boolean;
}

/**
 * A session on one thread, with all graph optimisations. Rejects with the runtime's own error. Nothing else notices: every other call of
 * `WebAssembly.instantiate` goes through.
 */
export async function openSession({ instantiate, hasOwnMemory }: ModuleSource, graph: Uint8Array): Promise<InferenceSession> {
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = MARKER.slice().buffer;
  env.logLevel = "error";
  const { instantiate: original, Memory } = WebAssembly;
  const replacement = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return original(source, imports);
    return isMarker(source) ? instantiate(imports ?? {}) : original(source, imports);
  };
  replace("instantiate", replacement);
  if (hasOwnMemory) replace("Memory", unshared(Memory));
  try {
    return await InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
  } finally {
    replace("instantiate", original);
    replace("Memory", Memory);
  }
}

function replace(name: "instantiate" | "Memory", value: unknown): void {
  Object.defineProperty(WebAssembly, name, { value, configurable: true, writable: true });
}

/** Instances are the original's, so that `instanceof` holds for both. */
function unshared(Memory: typeof WebAssembly.Memory): unknown {
  function OwnMemory({ initial, maximum }: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
    return new Memory(maximum === undefined ? { initial } : { initial, maximum });
  }
  OwnMemory.prototype = Memory.prototype;
  return OwnMemory;
}

function isMarker(source: BufferSource): boolean {
  return source instanceof Uint8Array && source.length === MARKER.length && MARKER.every((byte, i) => source[i] === byte);
}
