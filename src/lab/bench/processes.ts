/** The machine, and what a process on it uses, read from outside: inside workerd clocks stand still. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { workerdBinary } from "../harness/workerd.ts";

/** One line. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const versions = `node ${process.version}, workerd ${workerdBinary().version}`;
  return `${model}, ${availableParallelism()} cores, ${memoryGb} GB, ${process.platform} ${process.arch}, ${versions}`;
}

/** Processor time is read from Linux' scheduler statistics; elsewhere figures that need it are left out. */
export const canReadCpu: boolean = existsSync("/proc/self/schedstat");

/**
 * Since the process began, in ms with the scheduler's own precision (nanoseconds). `mainMs`: of the thread that runs JavaScript and wasm, which
 * is the time that a platform counts. `allMs`: with the threads that compile and collect garbage. `waitedMs`: the main thread could have run
 * and had no core.
 */
export function cpuTime(pid: number): Record<"mainMs" | "allMs" | "waitedMs", number> {
  const main = scheduled(`/proc/${pid}/schedstat`);
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => scheduled(`/proc/${pid}/task/${thread}/schedstat`));
  return { mainMs: main.ranMs, waitedMs: main.waitedMs, allMs: threads.reduce((sum, { ranMs }) => sum + ranMs, 0) };
}

/** The file's numbers: ns on a core, ns waiting for one, slices. 0 for a thread that has ended meanwhile. */
function scheduled(path: string): Record<"ranMs" | "waitedMs", number> {
  try {
    const [ran, waited] = readFileSync(path, "utf8").split(" ").map(Number);
    return { ranMs: (ran ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}

/** Resident memory in MB of 1,000,000 bytes. Reads /proc where there is one, else asks `ps`. */
export function residentMb(pid: number): number {
  const kb = existsSync("/proc/self/status")
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  if (kb === undefined) throw new Error(`Process ${pid} has no VmRSS`);
  return (Number(kb) * 1024) / 1e6;
}
