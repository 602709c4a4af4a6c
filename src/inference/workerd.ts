/**
 * onnxruntime-web inside workerd, from a compiled module and, where there is one, a snapshot of its sessions. onnxruntime-web has no option
 * for a compiled module and would compile bytes, which workerd refuses; so it gets a marker, for which openSession() instantiates the module.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { bytesOf, createRuntimeLock, isTrap, type Runtime, type RuntimeLock, type Session, SESSION_OPTIONS } from "./runtime.ts";
import { graphOfSession, type Image, PAGE_BYTES, restore, type Restored, type Snapshot } from "./snapshot.ts";

export { type InferenceSession, Tensor } from "onnxruntime-web/wasm";

const REMEDY = "until this isolate is replaced";

/** A runtime that holds one image at a time. */
export interface WorkerdRuntime extends Runtime {
  /**
   * A view of this runtime for the sessions of another image of the same module. They are run in turn with all others; where the image in
   * memory lacks a session that is to run, the session's own image takes its place, which takes some milliseconds. A trap concerns this view only.
   */
  withImage(image: Image): Runtime;
}

/**
 * With an `image`, taken from this module, sessions are restored, and none can be created. An isolate has one onnxruntime, and only a new
 * isolate brings another one: call this once. Sessions may be created at module scope.
 */
export function createWorkerdRuntime({ module, image }: { module: WebAssembly.Module; image?: Image | undefined }): WorkerdRuntime {
  let restored: Restored | undefined;
  /** The one in memory; `undefined` after a trap. */
  let held = image;
  /** Counts what was put into memory: sessions that were opened before are gone. */
  let turn = 0;
  const source: ModuleSource = {
    async instantiate(imports) {
      const instance = await WebAssembly.instantiate(module, imports);
      if (image === undefined) return { module, instance };
      restored = restore(instance, imports, (held ?? image).snapshot);
      return { module, instance: restored.instance };
    },
    memory: { isOwn: image !== undefined, atLeastBytes: image === undefined ? 0 : Math.max(MEMORY_BYTES, image.snapshot.head.memoryBytes) },
  };

  /** Index of the session in the image that is in memory then. */
  function hold(own: Image, sha256: string): number {
    const index = held?.sha256.indexOf(sha256) ?? -1;
    if (index >= 0) return index;
    // Neither until it is complete.
    held = undefined;
    turn++;
    restored?.put(own.snapshot);
    held = own;
    return own.sha256.indexOf(sha256);
  }

  async function openFrom(own: Image, sha256: string): Promise<Session> {
    const open = (): Promise<Session> => openSession(source, graphOfSession(hold(own, sha256)));
    let session = await open();
    let openedIn = turn;
    const { inputNames, outputNames, inputMetadata } = session;
    return {
      inputNames,
      outputNames,
      inputMetadata,
      async run(feeds) {
        try {
          if (openedIn !== turn || held === undefined) {
            session = await open();
            openedIn = turn;
          }
          return await session.run(feeds);
        } catch (error) {
          if (isTrap(error)) held = undefined;
          throw error;
        }
      },
      // Sessions of an image stay: they may be opened again.
      release: () => Promise.resolve(),
    };
  }

  function viewOf(own: Image, lock: RuntimeLock): Runtime {
    const remedy = `${REMEDY}: its runtime holds only what its profile used; run the profile again (armmt build) and deploy`;
    const createSession: Runtime["createSession"] = async (graph) => {
      if (!(graph instanceof ArrayBuffer)) return openFrom(own, graph.sha256);
      throw new Error("A runtime that was restored from a snapshot creates no other sessions: name the model in models.json");
    };
    return { TensorOf: Tensor, lock, remedy, createSession };
  }

  const lock = createRuntimeLock();
  const withImage = (other: Image): Runtime => viewOf(other, { ...createRuntimeLock(), runExclusive: (task) => lock.runExclusive(task) });
  if (image !== undefined) return { ...viewOf(image, lock), withImage };
  const remedy = `${REMEDY}: deploy again, and check that student.onnx and the onnxruntime-web version belong together`;
  return { TensorOf: Tensor, lock, remedy, createSession: async (graph) => openSession(source, bytesOf(graph)), withImage };
}

/** For the images of three models of the usual size; what is not used costs address space only. */
const MEMORY_BYTES = 24 * 1024 * 1024;

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
