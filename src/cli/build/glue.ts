/** Under which short names onnxruntime-web's wasm file exports onnxruntime's functions, read from the JavaScript that goes with it. */
import type { SnapshotHead } from "../../inference/snapshot.ts";

export interface ExportNames {
  /** What a restored instance need not do again. */
  readonly done: SnapshotHead["exports"];
  readonly malloc: string;
  readonly free: string;
}

/** Throws an Error that names what it did not find: another version of onnxruntime-web may be written in another way. */
export function readExportNames(glue: string): ExportNames {
  const assigned = (name: string): string => find(glue, new RegExp(`\\.${name}=\\w+\\.([\\w$]+)[;,]`), name);
  return {
    done: {
      init: assigned("_OrtInit"),
      createSessionOptions: assigned("_OrtCreateSessionOptions"),
      addSessionConfigEntry: assigned("_OrtAddSessionConfigEntry"),
      releaseSessionOptions: assigned("_OrtReleaseSessionOptions"),
      createSession: assigned("_OrtCreateSession"),
      releaseSession: assigned("_OrtReleaseSession"),
      // function initRuntime() { runtimeInitialized = true; isPthread ? startWorker() : wasmExports.__wasm_call_ctors() }
      construct: find(glue, /function \w+\(\)\{\w+=!0;\w+\?\w+\(\):\w+\.([\w$]+)\(\)\}/, "constructors"),
    },
    malloc: assigned("_malloc"),
    free: assigned("_free"),
  };
}

function find(glue: string, pattern: RegExp, name: string): string {
  const found = pattern.exec(glue)?.[1];
  if (found === undefined) throw new Error(`onnxruntime-web's JavaScript does not say under which name its wasm exports ${name}`);
  return found;
}
