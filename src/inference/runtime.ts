/** One copy of onnxruntime, wherever it runs, and the lock that its sessions share: one run at a time, and a failure is final. */
import type { InferenceSession, TensorConstructor } from "onnxruntime-web";

/** A graph: its bytes, or the session that was created from it in the snapshot that a runtime was restored from. */
export type Graph = ArrayBuffer | { /** Among the snapshot's sessions, from 0. */ readonly index: number; readonly sha256: string };

/** Throws for a restored graph. */
export function bytesOf(graph: Graph): Uint8Array {
  if (graph instanceof ArrayBuffer) return new Uint8Array(graph);
  throw new Error(`This runtime was not restored from a snapshot, so it has no session ${graph.index}: run armmt build`);
}

/** What a model runs on: the processor, or a GPU. */
export type Provider = "wasm" | "webgpu";

/** Options of every session: one thread, and all optimisations, without which each run takes 6 to 9 % longer. */
export const SESSION_OPTIONS = { graphOptimizationLevel: "all", intraOpNumThreads: 1, interOpNumThreads: 1 } as const;

/** What is used of onnxruntime's sessions. */
export interface Session extends Pick<InferenceSession, "inputNames" | "outputNames" | "inputMetadata" | "release"> {
  run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.OnnxValueMapType>;
}

export interface Runtime {
  readonly TensorOf: TensorConstructor;
  /** Shared by all sessions of this copy of onnxruntime. */
  readonly lock: RuntimeLock;
  /** How to get a working copy after a failure; ends a sentence. */
  readonly remedy: string;
  /** With SESSION_OPTIONS. Rejects with the runtime's own error, and for a graph that it cannot open. */
  createSession(graph: Graph): Promise<Session>;
}

export interface RuntimeFailure {
  /** `trap`: wasm was left without its cleanup. `timeout`: a run did not end in time. `abandoned`: the caller gave up a run that goes on. */
  readonly cause: "trap" | "timeout" | "abandoned";
  readonly detail: string;
}

export type RuntimeLock = ReturnType<typeof createRuntimeLock>;

/**
 * Two runs must not overlap: onnxruntime-web saves and restores the wasm stack pointer around awaits, and its WebGPU build can suspend only
 * one call. An idle lock keeps no promise, so that a request does not wait on a promise of one that has ended.
 */
export function createRuntimeLock() {
  let first: RuntimeFailure | undefined;
  let tail: Promise<unknown> | undefined;
  return {
    /** `undefined` while the runtime works. */
    failure: (): RuntimeFailure | undefined => first,
    /** The first failure is kept. */
    fail(failure: RuntimeFailure): void {
      first ??= failure;
    },
    /** Starts `task` when all earlier ones have settled, and settles as it does. */
    async runExclusive<T>(task: () => Promise<T>): Promise<T> {
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

/** True for a wasm trap (unreachable, out of bounds, abort) and for a stack overflow inside wasm. */
export function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /call stack/i.test(error.message));
}

/** True when `error` is a trap. Records the runtime's failure: a C++ frame was left without its cleanup, so its memory cannot be trusted. */
export function noteTrap(lock: RuntimeLock, error: unknown): boolean {
  if (!isTrap(error)) return false;
  lock.fail({ cause: "trap", detail: error.message });
  return true;
}
