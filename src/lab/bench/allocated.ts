/**
 * Bytes that a piece of work allocates, between two readings of the heap with no garbage collection in between. Repeatable within a few per
 * cent: enough for a limit, not for a figure.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as v from "valibot";
import { sleep } from "../../web.ts";

const SAMPLES = 15;

/** Work that fails in all of them allocates more than fits between two collections. */
const ATTEMPTS = 60;

const collectorSchema = v.custom<() => void>((value) => typeof value === "function");

/** Per sample: bytes in the heap, and behind typed arrays, which are outside of it. */
export async function allocatedBy(work: () => Promise<void>): Promise<Record<"heap" | "buffers", readonly number[]>> {
  setFlagsFromString("--expose-gc");
  const collect = v.parse(collectorSchema, runInNewContext("gc"));
  let collections = 0;
  const observer = new PerformanceObserver((entries) => (collections += entries.getEntries().length));
  observer.observe({ entryTypes: ["gc"] });
  const heap: number[] = [];
  const buffers: number[] = [];
  try {
    for (let attempt = 0; attempt < ATTEMPTS && heap.length < SAMPLES; attempt++) {
      collect();
      await sleep(1); // The observer is notified later.
      const seen = collections;
      const before = process.memoryUsage();
      await work();
      const after = process.memoryUsage();
      await sleep(1);
      if (collections !== seen) continue;
      heap.push(after.heapUsed - before.heapUsed);
      buffers.push(after.arrayBuffers - before.arrayBuffers);
    }
  } finally {
    observer.disconnect();
  }
  if (heap.length === 0) throw new Error(`In ${ATTEMPTS} attempts the work never ran without a garbage collection`);
  return { heap, buffers };
}
