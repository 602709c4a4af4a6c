/** A client of the Node server that leaves: its request to the engine ends, and nothing is recorded. */
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createCounters } from "../../../src/events/counters.ts";
import { bypass, ok } from "../../../src/result.ts";
import { serve } from "../../../src/runtimes/node/index.ts";

it("cancels the request to the engine", async () => {
  const asked = Promise.withResolvers<undefined>();
  const left = Promise.withResolvers<boolean>();
  const engine = createServer((_request, reply) => {
    asked.resolve(undefined);
    // No reply, ever.
    reply.once("close", () => left.resolve(true));
  });
  await new Promise<void>((resolve) => void engine.listen(0, "127.0.0.1", resolve));
  const address = engine.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const data = mkdtempSync(join(tmpdir(), "armmt-abort-"));
  const counters = createCounters();
  const records: unknown[] = [];
  const logs: Readonly<Record<string, unknown>>[] = [];
  const server = await serve({
    port: 0,
    data,
    counters,
    log: (entry) => void logs.push(entry),
    scorer: () => bypass("model_unavailable", "There is no model"),
    sinks: {
      write: async (record) => {
        records.push(record);
        return ok(true);
      },
      writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
    },
    env: { ENGINE_TIMEOUT_MS: 60_000, INDEXES: { products: { backend: "elasticsearch", url: `http://127.0.0.1:${port}`, window: 100 } } },
  });
  try {
    const client = request(`${server.url}/products/_search`, { method: "POST", headers: { "content-type": "application/json" } });
    client.once("error", () => undefined);
    client.end('{"query":{"match":{"title":"red"}}}');
    await asked.promise;
    client.destroy();
    expect(await left.promise).toBe(true);
    await expect.poll(() => counters.snapshot().searches).toEqual({ armmt: { aborted: 1 } });
    expect(records).toEqual([]);
    expect(logs.filter(({ level, event }) => level === "error" || event === "exposure_failed")).toEqual([]);
  } finally {
    await server.stop();
    engine.close();
    rmSync(data, { recursive: true });
  }
});
