/** Vespa's query container itself behind the edge; content nodes are no Java, a searcher of a few lines stands in for them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEdge, startEdge } from "./edge.ts";
import { judge, judgeAll } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { FAILING, SHAPES, VESPA } from "./shapes-vespa.ts";
import { vespaApplication } from "./shop.ts";

const problem = missing("vespa");
if (problem !== undefined) console.warn(problem);

const INDEX = { idField: "fields.sku", schemas: ["products"] };
const start = (url: string, more: object = {}): Promise<RunningEdge> => startEdge("vespa", url, { ...INDEX, ...more }, true);

describe.skipIf(problem !== undefined)("vespa", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  beforeAll(async () => {
    engine = await startEngine("vespa", (home, port) => {
      for (const [file, content] of Object.entries(vespaApplication(port))) {
        mkdirSync(dirname(join(home, file)), { recursive: true });
        writeFileSync(join(home, file), content);
      }
    });
    edge = await start(engine.url);
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await engine?.stop();
  });

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    expect(await judgeAll(SHAPES, engine.url, edge.url, VESPA)).toEqual([]);
  }, 180_000);

  it.each(FAILING)("sends the shopper's own request after $label", async (shape) => {
    // The edge remembers windows that fail.
    const fresh = await start(engine.url);
    try {
      expect(await judge(shape, engine.url, fresh.url, VESPA)).toEqual([]);
    } finally {
      await fresh.stop();
    }
  });
});
