/**
 * A bundled Worker in real workerd with real local KV and D1 (miniflare's), reached on workerd's own socket, so that miniflare is not between
 * the test and the Worker.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { convertV4MiniflareOptions, type Json, Miniflare } from "miniflare";
import type { Bundle } from "../../src/lab/harness/bundle.ts";
import type { KvWriter } from "../../src/lab/harness/catalogue.ts";

export interface RunningBundle {
  readonly url: string;
  /** Process id of its workerd. */
  readonly pid: number;
  readonly embeddings: () => Promise<KvWriter>;
  stop(): Promise<void>;
}

/** The edge logs every bypass as information: only its warnings and errors are shown, on stderr. */
function showProblems({ message }: { readonly message: string }): void {
  if (!message.includes('"level":"info"')) process.stderr.write(`${message}\n`);
}

/** Binds KV as EMBEDDINGS and D1 as EVENTS, both empty and in memory. Start one after the other: the workerd is found as the only new child. */
export async function runBundle(bundle: Bundle, vars: Readonly<Record<string, Json>> = {}): Promise<RunningBundle> {
  const before = new Set(childWorkerds());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: bundle.modules.map(({ name, type, bytes }) => ({ type, path: name, contents: bytes })),
      compatibilityDate: bundle.compatibilityDate,
      compatibilityFlags: [...(bundle.compatibilityFlags ?? [])],
      bindings: { ...vars },
      kvNamespaces: { EMBEDDINGS: "test-embeddings" },
      d1Databases: { EVENTS: "test-events" },
      host: "127.0.0.1",
      port: 0,
      cf: false,
      handleStructuredLogs: showProblems,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  try {
    await miniflare.ready;
    const direct = await miniflare.unsafeGetDirectURL();
    const [pid] = childWorkerds().filter((child) => !before.has(child));
    if (pid === undefined) throw new Error("Cannot find the workerd that was started");
    return {
      url: direct.origin,
      pid,
      embeddings: () => miniflare.getKVNamespace("EMBEDDINGS"),
      stop: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Process ids of the workerds that this process has started. Reads /proc where there is one, else asks `ps`. */
export function childWorkerds(): number[] {
  return processes()
    .filter(({ parent, command }) => parent === process.pid && command.endsWith("workerd"))
    .map(({ pid }) => pid);
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

/** `pid (comm) state ppid ...`; empty if the process has ended meanwhile. */
function statOf(pid: string): ProcessRow[] {
  try {
    const match = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return match === null ? [] : [{ pid: Number(pid), parent: Number(match[2]), command: match[1]! }];
  } catch {
    return [];
  }
}
