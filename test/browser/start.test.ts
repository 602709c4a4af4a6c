/** `npm start` as a process: ports in use, stopping without leaving anything behind. Needs no browser. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { npmStartDemo, startDemo } from "./demo.ts";

/** Processes that `pid` started, and those that these started, and so on. */
const descendantsOf = (pid: number): string[] => {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap((child) => descendantsOf(Number(child)))];
};

const childrenOf = (pid: number): string[] =>
  execFileSync("ps", ["-e", "-o", "pid=,ppid=,comm="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent]) => Number(parent) === pid)
    .map(([child]) => child ?? "");
const isAlive = (pid: string): boolean => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

describe("npm start", () => {
  const home = mkdtempSync(join(tmpdir(), "armmt-start-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("answers searches, and leaves no process behind on Ctrl-C or SIGTERM", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const demo = await startDemo(home);
      expect(demo.items).toBe(2400);
      expect(demo.proof.header).toMatch(/^applied; model=\S+; window=100; list=\S+$/);
      const children = descendantsOf(demo.process.pid ?? -1);
      expect(children.length).toBeGreaterThan(1);
      expect(await demo.stop(signal)).toBe(0);
      // The bundler's service ends by itself some time after its client.
      await vi.waitFor(() => expect(children.filter(isAlive)).toEqual([]), 5_000);
    }
  });

  it("ends when npm is killed", async () => {
    const demo = await npmStartDemo(home);
    const descendants = descendantsOf(demo.process.pid ?? -1);
    expect(descendants.length).toBeGreaterThan(2);
    await demo.stop("SIGTERM");
    await vi.waitFor(() => expect(descendants.filter(isAlive)).toEqual([]), 15_000);
  });

  it("names the port that is in use and the flag to change it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(startDemo(home, "--shop-port", String(port))).rejects.toThrow(new RegExp(`Port ${port} is in use.*--shop-port`));
    await new Promise((resolve) => server.close(resolve));
  });
});
