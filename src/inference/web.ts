/**
 * onnxruntime-web in a page, a worker, a service worker, Node or Deno, on one thread: its wasm build; web-webgpu.ts is the other one.
 *
 * Fetches nothing: the caller supplies the bytes of `ort-wasm-simd-threaded.wasm`. Imported statically, because a service worker cannot
 * import later.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { bytesOf, createRuntimeLock, type Runtime, SESSION_OPTIONS } from "./runtime.ts";

export interface WebRuntimeOptions {
  /** Bytes of the wasm file of this build of onnxruntime-web. Called once; after a rejection again with the next opening. */
  readonly wasmBinary: () => Promise<ArrayBuffer | Uint8Array>;
}

type Build = Pick<typeof import("onnxruntime-web"), "env" | "InferenceSession" | "Tensor">;

/**
 * A function that opens one of onnxruntime-web's builds. A page, worker or process has one copy of it, which all callers share: the wasm bytes of the first call
 * count. `session`: options of each new session. Rejects as `wasmBinary` does.
 */
export function createOpener({ env: environment, InferenceSession: Session, Tensor: TensorOf }: Build) {
  const lock = createRuntimeLock();
  let loading: Promise<void> | undefined;
  return async ({ wasmBinary }: WebRuntimeOptions, session: () => InferenceSession.SessionOptions): Promise<Runtime> => {
    loading ??= wasmBinary().then((bytes) => void (environment.wasm.wasmBinary = bytes));
    try {
      await loading;
    } catch (cause) {
      loading = undefined;
      throw cause;
    }
    return {
      TensorOf,
      lock,
      remedy: "until this page, worker or process is started again",
      async createSession(graph) {
        environment.wasm.numThreads = 1;
        environment.logLevel = "error";
        try {
          return await Session.create(bytesOf(graph), { ...SESSION_OPTIONS, ...session() });
        } finally {
          // Compiled, or never again: the bytes would occupy memory for nothing.
          delete environment.wasm.wasmBinary;
        }
      },
    };
  };
}

const openWasm = createOpener({ env, InferenceSession, Tensor });

export function openWebWasm(options: WebRuntimeOptions): Promise<Runtime> {
  return openWasm(options, () => ({ executionProviders: ["wasm"] }));
}
