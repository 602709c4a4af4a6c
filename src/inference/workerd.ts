/**
 * onnxruntime-web inside workerd, from a compiled module and, where there is one, a snapshot of its sessions. onnxruntime-web has no option
 * for a compiled module and would compile bytes, which workerd refuses; so it gets a marker, for which openSession() instantiates the module.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { bytesOf, createRuntimeLock, type Graph, type Runtime, SESSION_OPTIONS } from "./runtime.ts";
import { graphOfSession, PAGE_BYTES, restore, type Snapshot } from "./snapshot.ts";

export { type InferenceSession, Tensor } from "onnxruntime-web/wasm";

const REMEDY = "until this isolate is replaced";

/**
 * With a `snapshot`, taken from this module, sessions are restored, and none can be created. An isolate has one onnxruntime, and only a new
 * isolate brings another one: call this once. Sessions may be created at module scope.
 */
export function createWorkerdRuntime({ module, snapshot }: { module: WebAssembly.Module; snapshot?: Snapshot | undefined }): Runtime {
  const source: ModuleSource = {
    async instantiate(imports) {
      const instance = await WebAssembly.instantiate(module, imports);
      return { module, instance: snapshot === undefined ? instance : restore(instance, imports, snapshot) };
    },
    memory: memoryFor(snapshot, snapshot !== undefined),
  };
  return {
    TensorOf: Tensor,
    lock: createRuntimeLock(),
    remedy:
      snapshot === undefined
        ? `${REMEDY}: deploy again, and check that student.onnx and the onnxruntime-web version belong together`
        : `${REMEDY}: its runtime holds only what its profile used; run the profile again (armmt build) and deploy`,
    createSession: async (graph) => openSession(source, readable(graph, snapshot)),
  };
}

/** Throws for a graph that the runtime cannot open. */
function readable(graph: Graph, snapshot: Snapshot | undefined): Uint8Array {
  if (snapshot === undefined) return bytesOf(graph);
  if (!(graph instanceof ArrayBuffer)) return graphOfSession(graph.index);
  throw new Error("A runtime that was restored from a snapshot creates no other sessions: name the model in models.json");
}

/** An empty wasm module, which onnxruntime-web passes to `WebAssembly.instantiate` as if it were its own binary. */
const MARKER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

interface ModuleSource {
  /** Instantiates the module with onnxruntime-web's imports. Called once per process or isolate. */
  readonly instantiate: (imports: WebAssembly.Imports) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
  readonly memory: MemoryNeeds;
}

interface MemoryNeeds {
  /** The module imports an unshared memory; onnxruntime-web's shares one with its threads. */
  readonly isOwn: boolean;
  /** From the start: onnxruntime-web does not notice when somebody else lets an unshared memory grow, and goes on with views of the old one. */
  readonly atLeastBytes: number;
}

export function memoryFor(snapshot: Snapshot | undefined, isOwn: boolean): MemoryNeeds {
  return { isOwn, atLeastBytes: snapshot?.head.memoryBytes ?? 0 };
}

/**
 * A session with SESSION_OPTIONS. Rejects with the runtime's own error. While the session is created, `WebAssembly.instantiate` is replaced; calls with other bytes than the marker pass through.
 */
export async function openSession({ instantiate, memory }: ModuleSource, graph: Uint8Array): Promise<InferenceSession> {
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = MARKER.slice().buffer;
  env.logLevel = "error";
  const { instantiate: original, Memory } = WebAssembly;
  const replacement = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return original(source, imports);
    return isMarker(source) ? instantiate(imports ?? {}) : original(source, imports);
  };
  replace("instantiate", replacement);
  replace("Memory", memoryOfSize(Memory, memory));
  try {
    return await InferenceSession.create(graph, { executionProviders: ["wasm"], ...SESSION_OPTIONS });
  } finally {
    replace("instantiate", original);
    replace("Memory", Memory);
  }
}

function replace(name: "instantiate" | "Memory", value: unknown): void {
  Object.defineProperty(WebAssembly, name, { value, configurable: true, writable: true });
}

/** Instances are the original's, so that `instanceof` holds for both. */
function memoryOfSize(Memory: typeof WebAssembly.Memory, { isOwn, atLeastBytes }: MemoryNeeds): unknown {
  function LargeMemory({ initial, ...rest }: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
    // onnxruntime-web also makes one without pages, to find out how shared memory is called.
    const enough = initial === 0 ? 0 : Math.max(initial, Math.ceil(atLeastBytes / PAGE_BYTES));
    return new Memory({ ...rest, initial: enough, ...(isOwn && { shared: false }) });
  }
  LargeMemory.prototype = Memory.prototype;
  return LargeMemory;
}

function isMarker(source: BufferSource): boolean {
  return source instanceof Uint8Array && source.length === MARKER.length && MARKER.every((byte, i) => source[i] === byte);
}
