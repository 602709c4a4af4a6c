/** Simulated shoppers at a Node server over HTTP, its engine included: the log that they leave, the truth beside it, and the report's intervals. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../../src/backends/all-dialects.ts";
import { openDatabaseFile } from "../../../src/cli/report/database.ts";
import { openLog } from "../../../src/cli/lists/log.ts";
import { packSet } from "../../../src/cli/embed/pack.ts";
import { productFeatures } from "../../../src/cli/embed/vectors.ts";
import { kvOfSet } from "../../../src/cli/evaluate/orders.ts";
import { drawCatalogue } from "../../../src/demo/catalogue/catalogue.ts";
import { createEngine } from "../../../src/demo/engine.ts";
import { createTextEncoder } from "../../../src/embeddings/text-encoder.ts";
import type { Scorer } from "../../../src/inference/scorer.ts";
import { parseManifest } from "../../../src/inference/manifest.ts";
import { run } from "../../../src/lab/main.ts";
import { ALL_PARTS } from "../../../src/lab/study/simulate/attraction.ts";
import { drawnShop } from "../../../src/lab/study/simulate/drawn-shop.ts";
import { type HttpOptions, simulateOverHttp } from "../../../src/lab/study/simulate/over-http.ts";
import { FEATURES } from "../../../src/ranking/features.ts";
import { openSqlLog } from "../../../src/report/sql-log.ts";
import { ok } from "../../../src/result.ts";
import { serve } from "../../../src/runtimes/node/node.ts";
import type { RunningServer } from "../../../src/runtimes/node/serve.ts";
import { report as reportOf } from "../../report/rows.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-http-"));
const ADMIN_TOKEN = "a-token-for-tests-only";
const CATALOGUE = { count: 300, seed: 3 };
let server: RunningServer;

const options = (more: Partial<HttpOptions> = {}): HttpOptions => ({
  edge: server.url,
  index: "products",
  shop: drawnShop(CATALOGUE),
  shoppers: 80,
  searches: 200,
  clickModel: "pbm",
  parts: ALL_PARTS,
  seed: 1,
  arms: ["control", "armmt"],
  adminToken: ADMIN_TOKEN,
  page: 24,
  atOnce: 4,
  out: join(folder, "simulation"),
  json: true,
  ...more,
});

beforeAll(async () => {
  const read = parseManifest(JSON.parse(readFileSync(new URL("../../../model/manifest.json", import.meta.url), "utf8")));
  if (!read.ok) throw new Error(read.error.detail);
  const manifest = read.value;
  const encode = createTextEncoder();
  const products = drawCatalogue(CATALOGUE);
  const items = products.map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: productFeatures(product),
  }));
  const { dims, encoders } = manifest;
  const set = packSet(items, { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text });
  // A model that puts last what the engine puts first: its harm is large, and known.
  const reversed: Scorer = {
    manifest,
    score: (list) => {
      const rank = FEATURES.indexOf("rank_log");
      const score = Float32Array.from({ length: list.k }, (_, i) => list.features[(i * list.features.length) / list.k + rank]!);
      return Promise.resolve(ok({ score, gate: new Float32Array(list.k * 2).fill(0.5) }));
    },
  };
  const engine = createEngine(products);
  server = await serve({
    env: {
      INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: 24, catalog: "shop" } },
      EXPERIMENTS: [{ key: "reversed", variations: ["control", "armmt"], weights: [0.5, 0.5] }],
      EVENT_SECRET: "a-secret-for-tests-only-of-32-characters",
      ADMIN_TOKEN,
      RANK_BUDGET_MS: 5000,
      ENGINE_TIMEOUT_MS: 10_000,
    },
    port: 0,
    data: join(folder, "data"),
    dialects: ALL_DIALECTS,
    kv: kvOfSet(set, "shop"),
    scorer: () => ok(reversed),
    log: () => undefined,
    fetch: async (url, init) => {
      const { query, size = 10 } = JSON.parse(await new Request(url, init).text());
      const found = engine.hits(query.multi_match.query, size);
      const hits = found.map(({ id, score }) => ({ _index: "products", _id: id, _score: score, _source: {} }));
      return Response.json({ took: 1, timed_out: false, hits: { total: { value: hits.length, relation: "eq" }, hits } });
    },
  });
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function readBack(path: string) {
  const log = await openLog({ from: path });
  const searches = [...log.searches()];
  log.close();
  return { ...log.counts, searches };
}

describe("armmt simulate --edge", () => {
  const [database, out] = [join(folder, "data/events.sqlite"), join(folder, "simulation")];
  let report: Awaited<ReturnType<typeof simulateOverHttp>>;
  beforeAll(async () => {
    report = await simulateOverHttp(options());
  });

  it("leaves searches, clicks, purchases and returns in the log, called simulated, and no trace of what it asked for the truth", async () => {
    // Records are written after the reply.
    await expect.poll(async () => (await readBack(database)).records, { timeout: 5000 }).toBe(report.searches);
    expect(report).toMatchObject({ simulated: true, searches: 200, rejected: {}, duplicates: 0 });
    expect(report.purchases).toBeGreaterThan(8);
    expect(report.returns).toBeGreaterThan(0);
    const { records, simulated, searches, events } = await readBack(database);
    expect([records, simulated]).toEqual([report.searches, report.searches]);
    expect(events).toBe(report.accepted);
    expect(report.accepted + report.untold).toBe(report.clicks + report.carts + report.purchases + report.returns);
    // A busy machine may make a token too late.
    const orders = searches.reduce((sum, { orders: count = 0 }) => sum + count, 0);
    expect(orders).toBeLessThanOrEqual(report.purchases);
    expect(orders).toBeGreaterThanOrEqual(report.purchases - report.untold);
    const control = searches.filter(({ variant }) => variant === "control").length / searches.length;
    expect(Math.abs(control - 0.5)).toBeLessThan(0.16);
  });

  it("writes a truth that the report's intervals hold", async () => {
    const lift = report.truth!.lifts["armmt"]!;
    expect(lift["clicks"]).toBeLessThan(-0.05);
    const log = await openSqlLog(await openDatabaseFile(database));
    const found = await reportOf(log, { range: { experiment: "reversed", since: undefined, until: undefined } });
    await log.close();
    expect(found.trusted).toBe(true);
    const { control, armmt } = report.truth!.arms;
    const known = (["clicks", "purchases", "revenue"] as const).filter((figure) => {
      const interval = found.metrics.find(({ metric }) => metric === figure)!.comparisons[0]!.raw.difference?.fixed;
      if (interval === undefined) return false; // too few purchases for a figure
      // The truth knows no caps. 99.9 %: one test of a thousand may fail by chance, and the seed need not be chosen.
      const truth = armmt![figure] - control![figure];
      const [middle, half] = [(interval.low + interval.high) / 2, ((interval.high - interval.low) / 2) * (3.2905 / 1.96)];
      expect(Math.abs(truth - middle), figure).toBeLessThan(half);
      return true;
    });
    expect(known).toContain("clicks");
  });

  it("gives the same shoppers, truth and clicks for the same seed, however many come at once", async () => {
    const again = join(folder, "again");
    const few = { shoppers: 10, searches: 30, seed: 7 };
    const first = await simulateOverHttp(options({ ...few, out: again, atOnce: 1 }));
    const truth = readFileSync(join(again, "truth.ndjson"), "utf8");
    const second = await simulateOverHttp(options({ ...few, out: again, atOnce: 5 }));
    expect(readFileSync(join(again, "truth.ndjson"), "utf8")).toBe(truth);
    expect([second.clicks, second.purchases, second.truth]).toEqual([first.clicks, first.purchases, first.truth]);
    expect(JSON.parse(readFileSync(join(out, "simulation.json"), "utf8"))).toMatchObject({
      simulated: true,
      seed: 1,
      arms: ["control", "armmt"],
    });
  });

  it("judges every so many searches, and none by an order that could not be had", async () => {
    const few = { shoppers: 10, searches: 30, seed: 7, out: join(folder, "seldom") };
    const judged = () =>
      readFileSync(join(few.out, "truth.ndjson"), "utf8")
        .trim()
        .split("\n")
        .filter((line) => Object.keys(JSON.parse(line).arms).length === 2).length;
    expect(await simulateOverHttp(options({ ...few, judgeEvery: 3 }))).toMatchObject({ searches: 30, unjudged: 0 });
    expect(judged()).toBe(10);
    // Without a query table there is no order by meaning: the edge shows the engine's, which must not count as it.
    const missing = { ...few, seed: 8, judgeEvery: 3, arms: ["control", "semantic"] };
    expect(await simulateOverHttp(options(missing))).toMatchObject({ searches: 30, unjudged: 10 });
    expect(judged()).toBe(0);
  });

  it("says what is wrong: no edge, another catalogue, a wrong token", async () => {
    const few = { shoppers: 2, searches: 4, seed: 9, out: join(folder, "bad") };
    await expect(simulateOverHttp(options({ ...few, edge: "http://127.0.0.1:1" }))).rejects.toThrow(/does not answer: start the edge/);
    await expect(simulateOverHttp(options({ ...few, shop: drawnShop({ count: 100, seed: 8 }) }))).rejects.toThrow(/--catalog-seed/);
    await expect(simulateOverHttp(options({ ...few, adminToken: "wrong" }))).rejects.toThrow(/answers 401.*ADMIN_TOKEN/);
    expect(await run(["simulate", "--edge", "http://127.0.0.1:1", "--searches", "1", "--shoppers", "1", "--json"])).toBe(1);
  });
});
