/** The temporary folder of a run of the tests. For configurations of Vitest, which are loaded before any process of tests starts. */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "armmt-tests-";
/** A run in another container, whose processes are not seen here, makes a folder more often than that. */
const LEFT_MS = 3_600_000;

/**
 * All that tests, and what they start, put into the temporary folder lies in one that goes with this process, whatever has failed. What runs
 * left that were killed goes too.
 */
export function useOwnTemporaryFolder(): void {
  const shared = tmpdir();
  const name = `${PREFIX}${process.pid}`;
  // A configuration is loaded once for each of its projects.
  if (basename(shared) === name) return;
  removeLeft(shared);
  const folder = join(shared, name);
  mkdirSync(folder, { recursive: true });
  process.env["TMPDIR"] = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
}

/** `shared` is the temporary folder of the machine. */
export function removeLeft(shared: string): void {
  for (const name of readdirSync(shared)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(shared, name);
    const changedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (changedMs > Date.now() - LEFT_MS || runs(Number(name.slice(PREFIX.length)))) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
