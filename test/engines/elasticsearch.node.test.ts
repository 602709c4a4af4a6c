/** Elasticsearch and OpenSearch themselves behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ELASTICSEARCH_SURFACE } from "../backends/foreign/elasticsearch.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { shapeOf, trespasses } from "./foreign.ts";
import { ask, judgeAll } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { differences } from "./reading-elasticsearch.ts";
import { ELASTICSEARCH, type Engine, MULTI, randomShapes, SHAPES } from "./shapes-elasticsearch.ts";
import { fillElasticsearch } from "./shop.ts";

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
      const words = ["red mug", "striped cushion", "black leather bag", "blue"];
      for (const query of words) {
        for (const size of [3, 10, 24]) {
          const path = "/products/_search";
          const idsOf = async (base: string, from: number, count: number): Promise<string[]> => {
            const { body } = await ask(base, {
              path,
              body: JSON.stringify({ query: { match: { title: query } }, from, size: count, _source: false }),
            }); // oxlint-disable-line no-await-in-loop
            const found: { hits: { hits: { _id: string }[] } } = JSON.parse(body); // oxlint-disable-line no-unsafe-type-assertion
            return found.hits.hits.map(({ _id }) => _id);
          };
          const all = await idsOf(engine.url, 0, 96); // oxlint-disable-line no-await-in-loop
          const pages: string[] = [];
          for (let from = 0; from < all.length; from += size)
            pages.push(...(await idsOf(edge.url, from, Math.min(size, all.length - from)))); // oxlint-disable-line no-await-in-loop
          expect(pages.toSorted(), `${query}, ${size} per page`).toEqual(all.toSorted());
        }
      }
    }, 60_000);
  });
}
