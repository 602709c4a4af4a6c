/**
 * What a session needs of onnxruntime wherever it runs, and the life of one copy of it: runs take turns, and what ends it ends it for good.
 *
 * Imports nothing of onnxruntime but types: workerd's copy is in workerd.ts, those of browsers, Node and Deno in web-wasm.ts and
 * web-webgpu.ts.
 */
import type { InferenceSession, TensorConstructor } from "onnxruntime-web";

/** A graph: its bytes, or which session of the snapshot that a runtime was restored from is that graph's. */
export type Graph = ArrayBuffer | RestoredGraph;

export interface RestoredGraph {
  /** Among the sessions of the snapshot, from 0. */
  readonly place: number;
  /** Of the bytes that it was created from. */
  readonly sha256: string;
}

/** Throws where there are none. */
export function bytesOf(graph: Graph): Uint8Array {
  if (graph instanceof ArrayBuffer) return new Uint8Array(graph);
  throw new Error(`This runtime was not restored from a snapshot, so it has no session ${graph.place}: run armmt build`);
}

/** Where a model runs: on the processor, or on a GPU. */
export type Provider = "wasm" | "webgpu";

export interface Runtime {
  readonly provider: Provider;
  readonly TensorOf: TensorConstructor;
  /** Of this copy of onnxruntime, so of all sessions that share it. */
  readonly life: Life;
  /** What brings a living copy after this one has died; ends a sentence. */
  readonly remedy: string;
  /** A session on one thread, with all graph optimisations. Rejects with the runtime's own error, and for a graph that it cannot open. */
  createSession(graph: Graph): Promise<InferenceSession>;
}

export interface Death {
  /** `trap`: wasm was left without its cleanup. `timeout`: a run did not end in time. `abandoned`: nobody waits for a run that goes on. */
  readonly cause: "trap" | "timeout" | "abandoned";
  readonly detail: string;
}

export interface Life {
  /** `undefined` while it lives. */
  death(): Death | undefined;
  /** The first cause stays. */
  end(death: Death): void;
  /** Starts `task` when all earlier ones have settled, and settles as it does. */
  takeTurn<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * Two runs must not overlap: onnxruntime-web saves and restores the wasm stack pointer around awaits, and its WebGPU build can suspend only
 * one call. Once nothing is running the chain is let go, so that a request does not wait on a promise of one that has ended.
 */
export function createLife(): Life {
  let first: Death | undefined;
  let tail: Promise<unknown> | undefined;
  return {
    death: () => first,
    end(death) {
      first ??= death;
    },
    async takeTurn(task) {
      const mine = tail === undefined ? task() : tail.then(task, task);
      tail = mine;
      try {
        return await mine;
      } finally {
        if (tail === mine) tail = undefined;
      }
    },
  };
}

/**
 * True when `error` is a wasm trap (unreachable, out of bounds, abort) or a stack overflow inside wasm. Ends the runtime's life: a C++ frame
 * was left without its cleanup, so its memory cannot be trusted.
 */
export function noteTrap(life: Life, error: unknown): boolean {
  const isTrap = error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /call stack/i.test(error.message));
  if (isTrap) life.end({ cause: "trap", detail: error.message });
  return isTrap;
}
