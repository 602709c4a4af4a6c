/** The Worker as it is deployed, until it listens: what runs at module scope runs here where no request is, as nowhere else in the tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Bundle, bundleWorker } from "../../../src/lab/harness/bundle.ts";
import { startWorkerd, type Vars, writeWorkerdConfig } from "../../../src/lab/harness/workerd.ts";

const VARS = {
  INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9", window: 100 } },
  ENGINE_TIMEOUT_MS: 5000,
  RANK_BUDGET_MS: 200,
};

const home = mkdtempSync(join(tmpdir(), "armmt-start-"));
let bundle: Bundle;

beforeAll(async () => {
  bundle = await bundleWorker(fileURLToPath(new URL("../../../wrangler.toml", import.meta.url)), join(home, "bundle"));
}, 180_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the Worker answers to its first search, and all that it has logged until it logs that search's ending. */
async function start(name: string, vars: Vars, ending: string): Promise<{ readonly logged: readonly unknown[]; readonly status: number }> {
  const logged: { readonly event?: unknown }[] = [];
  const worker = await startWorkerd(writeWorkerdConfig(join(home, name), bundle, { vars }), (line) =>
    logged.push(Object(JSON.parse(line))),
  );
  try {
    const { status } = await fetch(`${worker.url}/products/_search?q=mug`);
    await vi.waitFor(() => expect(logged.map(({ event }) => event)).toContain(ending));
    return { logged, status };
  } finally {
    worker.stop();
  }
}

describe("the Worker's start", () => {
  it("warms up, is ready, and logs nothing", async () => {
    const { logged, status } = await start("fine", VARS, "bypass");
    // There is no engine: what the search itself logs, and nothing before it.
    expect(logged).toEqual([expect.objectContaining({ event: "bypass", reason: "engine_unreachable" })]);
    expect(status).toBe(502);
  });

  it("reports the problems of its configuration at start, and to the first request", async () => {
    const { logged, status } = await start("broken", { ...VARS, RANK_BUDGET_MS: "soon" }, "start");
    const problem = { level: "error", event: "configuration", detail: expect.stringContaining("RANK_BUDGET_MS") };
    expect(logged).toEqual([problem, problem, { level: "error", event: "start", detail: expect.any(String) }]);
    expect(status).toBe(500);
  });
});
