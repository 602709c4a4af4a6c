/** Elasticsearch and OpenSearch themselves behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ELASTICSEARCH_SURFACE } from "../backends/foreign/elasticsearch.ts";
import { callsBeside } from "./clients/beside.ts";
import { testClients } from "./clients/clients.ts";
import { note } from "./figures.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { shapeOf, trespasses } from "./foreign.ts";
import { fillStock, testFronts } from "./fronts.ts";
import { judgeAll } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { differences } from "./reading-elasticsearch.ts";
import { ELASTICSEARCH_PAGING, judgePaging } from "./paging.ts";
import { ELASTICSEARCH_PAGES, publishedPages, testPages } from "./pages.ts";
import { elasticsearch as standIn } from "../search/dialects/elasticsearch.ts";
import { faultsOf } from "./stand-in.ts";
import { ELASTICSEARCH, type Engine, MULTI, randomShapes, SHAPES } from "./shapes-elasticsearch.ts";
import { fillElasticsearch } from "./shop.ts";
import { testWorkerd } from "./workerd.ts";

const ENGINES: readonly (readonly [Engine, backend: string])[] = [
  ["opensearch", "opensearch"],
  ["elasticsearch-9", "elasticsearch"],
  ["elasticsearch-7", "elasticsearch"],
];

for (const [name, backend] of ENGINES) {
  const problem = missing(name);
  if (problem !== undefined) console.warn(problem);
  describe.skipIf(problem !== undefined)(name, () => {
    let engine: RunningEngine;
    let edge: RunningEdge;
    beforeAll(async () => {
      engine = await startEngine(name);
      await fillElasticsearch(engine.url);
      edge = await startEdge(backend, engine.url);
    }, 300_000);
    afterAll(async () => {
      await edge?.stop();
      await engine?.stop();
    });

    const shapes = SHAPES.filter(({ only }) => only === undefined || only.includes(name));
    it(`answers ${shapes.length} shapes of requests`, async () => {
      expect(await judgeAll(shapes, engine.url, edge.url, ELASTICSEARCH)).toEqual([]);
    }, 300_000);

    it("answers several searches in one request", async () => {
      const several = MULTI.filter(({ only }) => only === undefined || only.includes(name));
      expect(await judgeAll(several, engine.url, edge.url, ELASTICSEARCH)).toEqual([]);
    });

    it("answers random requests", async () => {
      expect(await judgeAll(randomShapes(100, name), engine.url, edge.url, ELASTICSEARCH)).toEqual([]);
    }, 120_000);

    it("reads random requests as the engine does", async () => {
      expect(await differences(engine.url, 400, name)).toEqual([]);
    }, 240_000);

    it(`answers ${ELASTICSEARCH_SURFACE.ordinary.length} requests of clients as the engine does`, async () => {
      expect(await judgeAll(ELASTICSEARCH_SURFACE.ordinary.map(shapeOf), engine.url, edge.url, ELASTICSEARCH)).toEqual([]);
    });

    it("refuses requests for an index that is not configured", async () => {
      expect(await trespasses(ELASTICSEARCH_SURFACE.attacks("secret"), edge.url)).toEqual([]);
    });

    it("loses no hit from page to page", async () => {
      expect(await judgePaging(ELASTICSEARCH_PAGING, engine.url, edge.url, ELASTICSEARCH)).toEqual([]);
    }, 120_000);

    testPages(
      ELASTICSEARCH_PAGES,
      ELASTICSEARCH,
      () => engine.url,
      async () => startEdge(backend, engine.url, { browse: true }, [], await publishedPages()),
    );

    it("has a stand-in that answers alike", async () => {
      // Of version 7 alone.
      expect(await faultsOf(standIn, shapes, engine.url, ["missing: .hits.hits[]._type"])).toEqual([]);
    }, 120_000);

    it("answers what clients ask beside searches", async () => {
      const own = await startEdge(backend, engine.url, { forwardCredentials: true });
      try {
        const { calls, answered, differences: found } = await callsBeside(name, { engine: engine.url, edge: edge.url, own: own.url });
        note(`${calls} calls beside searches, ${answered} answered`);
        expect(found).toEqual([]);
        expect(answered).toBeGreaterThan(5);
      } finally {
        await own.stop();
      }
    }, 60_000);

    testClients(name, () => ({ engine: engine.url, edge: edge.url }));

    if (name === "elasticsearch-9") testFronts("elasticsearch", () => engine.url, fillStock);

    if (name === "opensearch") testWorkerd(name, backend, () => engine.url, [...shapes, ...MULTI], ELASTICSEARCH, ELASTICSEARCH_PAGING);
  });
}
