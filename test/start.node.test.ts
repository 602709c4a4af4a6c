/** The Worker as it is deployed, until it listens: what runs at module scope runs here where no request is, as nowhere else in the tests. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../src/cli/bench/bundle.ts";
import { bundleWorker } from "../src/cli/bench/bundle.ts";
import { workerd } from "../src/cli/bench/machine.ts";
import type { Vars } from "../src/cli/bench/workerd.ts";
import { writeWorkerdConfig } from "../src/cli/bench/workerd.ts";

const VARS = {
  INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9", window: 100 } },
  ENGINE_TIMEOUT_MS: 5000,
  RANK_BUDGET_MS: 200,
};

const home = mkdtempSync(join(tmpdir(), "armmt-start-"));
let bundle: Bundle;

beforeAll(async () => {
  bundle = await bundleWorker(fileURLToPath(new URL("../wrangler.toml", import.meta.url)), join(home, "bundle"));
}, 180_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the Worker answers to its first request, and all that it has logged by then. */
async function start(name: string, vars: Vars): Promise<{ readonly logged: readonly unknown[]; readonly status: number }> {
  const config = writeWorkerdConfig(join(home, name), bundle, { vars });
  const child = spawn(workerd().path, ["serve", "--binary", config, "--control-fd=3"], { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  let written = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    written += chunk.toString("utf8");
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    const port = await new Promise<string>((resolve, reject) => {
      child.stdio[3]?.on("data", (chunk: Buffer) => {
        const found = /"event":"listen".*?"port":(\d+)/.exec(chunk.toString("utf8"))?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once("exit", (code) => reject(new Error(`workerd ended with ${code}`)));
    });
    const { status } = await fetch(`http://127.0.0.1:${port}/nothing`);
    child.kill("SIGKILL");
    await ended;
    const lines = written.split("\n").filter((line) => line !== "");
    return { logged: lines.map((line): unknown => JSON.parse(line)), status };
  } finally {
    child.kill("SIGKILL");
  }
}

describe("the Worker's start", () => {
  it("rehearses its searches, is ready, and has nothing to say", async () => {
    expect(await start("fine", VARS)).toEqual({ logged: [], status: 404 });
  });

  it("says what is wrong with its configuration before anybody asks, and to whoever asks", async () => {
    const { logged, status } = await start("broken", { ...VARS, RANK_BUDGET_MS: "soon" });
    const problem = { level: "error", event: "configuration", detail: expect.stringContaining("RANK_BUDGET_MS") };
    expect(logged).toEqual([problem, problem, { level: "error", event: "start", detail: expect.any(String) }]);
    expect(status).toBe(500);
  });
});
