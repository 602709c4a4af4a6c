/** The memory of a running onnxruntime → the bytes of a snapshot; and the names of its exports. */
import type { Snapshot } from "../../inference/snapshot.ts";

interface Heap {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (bytes: number) => number;
  readonly free: (at: number) => void;
}

/** Distance from the end of the memory, which must not grow. */
const RESERVE_BYTES = 65_536;
const LARGEST_BYTES = 1 << 20;
const SMALLEST_BYTES = 32;
/** The allocator's own bytes per block. */
const OVERHEAD_BYTES = 8;
const WORD_BYTES = 4;

/**
 * Overwrites freed memory (the graph's bytes, for example) with zeros, so that a snapshot does not contain it: allocates all free memory block
 * by block, and frees it again. Throws an Error where the memory grew.
 */
export function clearFreed({ memory, malloc, free }: Heap): void {
  const size = memory.buffer.byteLength;
  let top = (new Uint32Array(memory.buffer).findLastIndex((word) => word !== 0) + 1) * WORD_BYTES;
  const taken: number[] = [];
  for (let bytes = LARGEST_BYTES; bytes >= SMALLEST_BYTES; bytes /= 2) {
    while (top + bytes + RESERVE_BYTES <= size) {
      const at = malloc(bytes - OVERHEAD_BYTES) >>> 0;
      if (at === 0) break;
      taken.push(at);
      new Uint8Array(memory.buffer).fill(0, at, at + bytes - OVERHEAD_BYTES);
      top = Math.max(top, at + bytes);
    }
  }
  for (const at of taken.toReversed()) free(at);
  if (memory.buffer.byteLength !== size) throw new Error(`The memory grew from ${size} bytes while freed memory was cleared`);
}

/** Shorter gaps of zeros stay inside a run: another run costs more in the head. */
const GAP_WORDS = 16;

/** All bytes that are not zero. */
export function takeImage({ buffer }: WebAssembly.Memory): Pick<Snapshot, "runs" | "bytes"> {
  const words = new Uint32Array(buffer);
  const runs: [number, number][] = [];
  let start: number | undefined;
  let end = 0; // after the last word of the run that is not zero
  for (let i = 0; i <= words.length; i++) {
    if (i < words.length && words[i] !== 0) {
      start ??= i;
      end = i + 1;
    } else if (start !== undefined && (i - end >= GAP_WORDS || i === words.length)) {
      runs.push([start * WORD_BYTES, (end - start) * WORD_BYTES]);
      start = undefined;
    }
  }
  const bytes = new Uint8Array(runs.reduce((sum, [, length]) => sum + length, 0));
  let at = 0;
  for (const [from, length] of runs) {
    bytes.set(new Uint8Array(buffer, from, length), at);
    at += length;
  }
  return { runs: Uint32Array.from(runs.flat()), bytes };
}

export type ExportNames = ReturnType<typeof readExportNames>;

/**
 * The short names under which onnxruntime-web's wasm file exports onnxruntime's functions, from its JavaScript. Throws an Error that names
 * the missing function: another version of onnxruntime-web may differ.
 */
export function readExportNames(glue: string) {
  const assigned = (name: string): string => find(glue, new RegExp(`\\.${name}=\\w+\\.([\\w$]+)[;,]`), name);
  return {
    /** Functions that do nothing in a restored instance. */
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
