/** Processor time that a process has used, read from outside: inside workerd clocks stand still. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Since the process began, in ms with the scheduler's own precision (nanoseconds). */
export interface CpuTime {
  /** Of the thread that runs JavaScript and wasm: what a platform counts. */
  readonly mainMs: number;
  /** With those that compile and collect garbage beside it. */
  readonly allMs: number;
}

/** Processor time is read from Linux' scheduler statistics; elsewhere figures that need it are left out. */
export const canReadCpu: boolean = existsSync("/proc/self/schedstat");

export function cpuTime(pid: number): CpuTime {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => ranMs(`/proc/${pid}/task/${thread}/schedstat`));
  return { mainMs: ranMs(`/proc/${pid}/schedstat`), allMs: threads.reduce((sum, ms) => sum + ms, 0) };
}

/** First number: ns on a processor. A thread that ended meanwhile used nothing any more. */
function ranMs(path: string): number {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return 0;
  }
}
