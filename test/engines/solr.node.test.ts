/** Solr itself behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SOLR_CALLS } from "../backends/foreign/calls.ts";
import { SOLR_SURFACE } from "../backends/foreign/solr.ts";
import { testClients } from "./clients/clients.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { shapeOf, trespasses } from "./foreign.ts";
import { ask, judgeAll } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { judgePaging, SOLR_PAGING } from "./paging.ts";
import { publishedPages, SOLR_PAGES, testPages } from "./pages.ts";
import { solr as standIn } from "../search/dialects/solr.ts";
import { faultsOf } from "./stand-in.ts";
import { SHAPES, SOLR } from "./shapes-solr.ts";
import { fillSolr, writeCores } from "./shop.ts";
import { misread, randomRequests } from "./solr-reading.ts";
import { testWorkerd } from "./workerd.ts";

const problem = missing("solr");
if (problem !== undefined) console.warn(problem);

/** Without what differs each time. */
/** Without what differs from answer to answer, in JSON and javabin. */
const untimed = (body: string): string => body.replaceAll(/"QTime":\s*\d+|"rid":"[^"]*"|(?<=QTime)[^]{1,6}?(?=&params)|null-\d+/g, "");

describe.skipIf(problem !== undefined)("solr", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  beforeAll(async () => {
    engine = await startEngine("solr", (home) => writeCores(home));
    await fillSolr(engine.url);
    edge = await startEdge("solr", engine.url);
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await engine?.stop();
  });

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    expect(await judgeAll(SHAPES, engine.url, edge.url, SOLR)).toEqual([]);
  }, 120_000);

  it("reads 400 random requests as Solr does, and answers them", async () => {
    const requests = randomRequests(400);
    const faults: string[] = [];
    for (const request of requests) faults.push(...(await misread(request, engine.url))); // oxlint-disable-line no-await-in-loop
    expect(faults).toEqual([]);
    expect(await judgeAll(requests.slice(0, 150), engine.url, edge.url, SOLR)).toEqual([]);
  }, 240_000);

  it(`answers ${SOLR_SURFACE.ordinary.length} requests of clients as the engine does`, async () => {
    // Of the binary format, solrj.node.test.ts.
    const readable = SOLR_SURFACE.ordinary.map(shapeOf).filter(({ path }) => !path.includes("wt=javabin"));
    expect(await judgeAll(readable, engine.url, edge.url, SOLR)).toEqual([]);
  });

  it("answers what pages ask beside searches", async () => {
    for (const request of SOLR_CALLS.ordinary) {
      const shape = shapeOf(request);
      const [direct, served] = [await ask(engine.url, shape), await ask(edge.url, shape)]; // oxlint-disable-line no-await-in-loop
      expect([shape.label, served.status, untimed(served.body)]).toEqual([shape.label, direct.status, untimed(direct.body)]);
    }
  });

  it("refuses requests for a core that is not configured", async () => {
    expect(await trespasses(SOLR_SURFACE.attacks("secret"), edge.url)).toEqual([]);
  });

  it("loses no hit from page to page", async () => {
    expect(await judgePaging(SOLR_PAGING, engine.url, edge.url, SOLR)).toEqual([]);
  }, 120_000);

  testPages(
    SOLR_PAGES,
    SOLR,
    () => engine.url,
    async () => startEdge("solr", engine.url, { browse: true }, [], await publishedPages()),
  );

  it("has a stand-in that answers alike", async () => {
    // The configuration of the engine's handler decides (echoParams); the stand-in echoes, as Solr's own default configuration does.
    expect(await faultsOf(standIn, SHAPES, engine.url, ["not the engine's: .responseHeader.params"])).toEqual([]);
  }, 120_000);

  testClients("solr", () => ({ engine: engine.url, edge: edge.url }));

  testWorkerd("solr", "solr", () => engine.url, SHAPES, SOLR, SOLR_PAGING);
});
