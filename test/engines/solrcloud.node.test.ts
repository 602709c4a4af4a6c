/** A SolrCloud behind the edge: the table of Solr asked of two shards. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEdge, startEdge } from "./edge.ts";
import { ask, judgeAll } from "./judge.ts";
import { judgePaging, SOLR_PAGING } from "./paging.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { SHAPES, SOLR } from "./shapes-solr.ts";
import { fillSolr, writeCores } from "./shop.ts";

/** What two shards answer now so, now so: the order of equal scores, of their own names, and whether one of them fails. */
const UNSTEADY = ["_docid_ asc", "fl=id:title", "shards.info=true"];
const CLOUD_SHAPES = SHAPES.filter(({ path }) => !UNSTEADY.some((part) => decodeURIComponent(path).replaceAll("+", " ").includes(part)));

const problem = missing("solrcloud");
if (problem !== undefined) console.warn(problem);

describe.skipIf(problem !== undefined)("solrcloud", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  beforeAll(async () => {
    engine = await startEngine("solrcloud", (home) => writeCores(home, { isCloud: true }));
    await fillSolr(engine.url);
    edge = await startEdge("solr", engine.url);
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await engine?.stop();
  });

  it("asks all shards", async () => {
    const { body } = await ask(engine.url, { path: "/solr/products/select?q=red&rows=0&shards.info=true" });
    expect(body).toContain('"zkConnected":true');
    expect(body.match(/"numFound":[1-9]/g)?.length).toBe(3);
  });

  it(`answers ${CLOUD_SHAPES.length} shapes of requests`, async () => {
    expect(await judgeAll(CLOUD_SHAPES, engine.url, edge.url, SOLR)).toEqual([]);
  }, 120_000);

  it("loses no hit from page to page", async () => {
    expect(await judgePaging(SOLR_PAGING, engine.url, edge.url, SOLR)).toEqual([]);
  }, 120_000);
});
