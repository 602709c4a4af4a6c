/** One run per folder: two that write into the same one would leave a mixture of both. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../web.ts";

/** Throws a UserError that names the other process while that one lives; what a killed one has left is taken over. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  for (const isLast of [false, true]) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      const owner = ownerOf(path);
      if (isLast || owner === undefined || isAlive(owner)) {
        throw new UserError(
          `Another run (process ${owner ?? "unknown"}) works in ${folder}: wait for it, name another folder with --out, or remove ${path} if it is gone`,
          { cause: error },
        );
      }
      rmSync(path, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function ownerOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
