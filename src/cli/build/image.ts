/** The memory of a running onnxruntime → the bytes of a snapshot. */
import type { Snapshot } from "../../inference/snapshot.ts";

export interface Heap {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (bytes: number) => number;
  readonly free: (at: number) => void;
}

/** Far from the end of the memory, which must not grow for it. */
const RESERVE_BYTES = 65_536;
const LARGEST_BYTES = 1 << 20;
const SMALLEST_BYTES = 32;
/** What the allocator keeps beside each piece. */
const OVERHEAD_BYTES = 8;

/**
 * Overwrites with zeros what onnxruntime has freed (the graph's own bytes, say), so that a snapshot need not carry it: takes all the free
 * memory there is from the allocator, piece by piece, and gives it back. Throws an Error where the memory grew over it.
 */
export function clearFreed({ memory, malloc, free }: Heap): void {
  const size = memory.buffer.byteLength;
  let top = endOfContent(memory);
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

function endOfContent({ buffer }: WebAssembly.Memory): number {
  const words = new Uint32Array(buffer);
  return words.findLastIndex((word) => word !== 0) * WORD_BYTES + WORD_BYTES;
}

const WORD_BYTES = 4;

/** Zeros between two runs that are carried along: a run of its own costs more in the head. */
const GAP_WORDS = 16;

/** Everything that is not zero. */
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
