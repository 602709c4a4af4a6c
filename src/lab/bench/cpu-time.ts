/** Processor time that a process has used, read from outside: inside workerd clocks stand still. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Since the process began, in ms with the scheduler's own precision (nanoseconds). */
export interface CpuTime {
  /** Of the thread that runs JavaScript and wasm: what a platform counts. */
  readonly mainMs: number;
  /** With those that compile and collect garbage beside it. */
  readonly allMs: number;
  /** How long the main thread could have run and had no core: on a busy machine, what makes the slow ones slow. */
  readonly waitedMs: number;
}

/** Processor time is read from Linux' scheduler statistics; elsewhere figures that need it are left out. */
export const canReadCpu: boolean = existsSync("/proc/self/schedstat");

export function cpuTime(pid: number): CpuTime {
  const main = scheduled(`/proc/${pid}/schedstat`);
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => scheduled(`/proc/${pid}/task/${thread}/schedstat`));
  return { mainMs: main.ranMs, waitedMs: main.waitedMs, allMs: threads.reduce((sum, { ranMs }) => sum + ranMs, 0) };
}

/** The file's numbers: ns on a core, ns waiting for one, times. A thread that ended meanwhile used nothing any more. */
function scheduled(path: string): { readonly ranMs: number; readonly waitedMs: number } {
  try {
    const [ran, waited] = readFileSync(path, "utf8").split(" ").map(Number);
    return { ranMs: (ran ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}
