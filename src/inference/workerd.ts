/**
 * onnxruntime-web inside workerd, from a module that is compiled already and, where there is one, a snapshot of its sessions. Imports no
 * wasm file: which one serves is decided where a Worker is put together.
 */
import type { ModuleSource } from "./instantiate.ts";
import { openSession, Tensor } from "./instantiate.ts";
import type { Graph, Runtime } from "./runtime.ts";
import { bytesOf, createLife } from "./runtime.ts";
import type { Snapshot } from "./snapshot.ts";
import { graphOfPlace, restore } from "./snapshot.ts";

export interface WorkerdModule {
  readonly module: WebAssembly.Module;
  /** Taken of this module: then sessions are restored, and none can be created. */
  readonly snapshot?: Snapshot | undefined;
}

const REMEDY = "until this isolate is replaced";

/**
 * The isolate has one onnxruntime; nothing but a new isolate brings a new one, so this may be called once.
 *
 * A session has one thread. May be created at module scope. Rejects with the runtime's own error. All graph optimisations are on: against
 * none they take 6 to 9 % off every run.
 */
export function createWorkerdRuntime({ module, snapshot }: WorkerdModule): Runtime {
  const source: ModuleSource = {
    async instantiate(imports) {
      const instance = await WebAssembly.instantiate(module, imports);
      return { module, instance: snapshot === undefined ? instance : restore(instance, imports, snapshot) };
    },
    hasOwnMemory: snapshot !== undefined,
  };
  return {
    provider: "wasm",
    TensorOf: Tensor,
    life: createLife(),
    remedy:
      snapshot === undefined
        ? `${REMEDY}: deploy again, and check that student.onnx and the onnxruntime-web version belong together`
        : `${REMEDY}: its runtime holds only what its profile used; run the profile again (armmt build) and deploy`,
    createSession: async (graph) => openSession(source, readable(graph, snapshot)),
  };
}

/** Throws where the runtime cannot open such a graph. */
function readable(graph: Graph, snapshot: Snapshot | undefined): Uint8Array {
  if (snapshot === undefined) return bytesOf(graph);
  if (!(graph instanceof ArrayBuffer)) return graphOfPlace(graph.place);
  throw new Error("A runtime that was restored from a snapshot creates no other sessions: name the model in models.json");
}
