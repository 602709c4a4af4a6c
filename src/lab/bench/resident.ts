/** Resident memory of processes, and which workerds this process has started. Reads /proc where there is one, else asks `ps`. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

export function childWorkerds(): number[] {
  return processes()
    .filter(({ parent, command }) => parent === process.pid && command.endsWith("workerd"))
    .map(({ pid }) => pid);
}

/** In MB of 1,000,000 bytes. */
export function residentMb(pid: number): number {
  if (existsSync("/proc/self/status")) {
    const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    if (kb === undefined) throw new Error(`Process ${pid} has no VmRSS`);
    return (Number(kb) * 1024) / 1e6;
  }
  return (Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024) / 1e6;
}

function processes(): ProcessRow[] {
  if (existsSync("/proc/self/stat")) {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(name));
  }
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid, parent, ...command] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), command: command.join(" ") };
  });
}

/** `pid (comm) state ppid ...`; nothing for a process that ended meanwhile. */
function statOf(pid: string): ProcessRow[] {
  try {
    const match = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return match === null ? [] : [{ pid: Number(pid), parent: Number(match[2]), command: match[1]! }];
  } catch {
    return [];
  }
}
