/** What others import: the plain function, and the edge as an app to mount. */
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import manifestJson from "../model/manifest.json";
import { elasticsearch } from "../src/backends/elasticsearch.ts";
import { rerank as createApp } from "../src/hono.ts";
import { ConfigurationError, type ItemStore, rerank, type RerankHit, type Scorers } from "../src/index.ts";
import { parseManifest } from "../src/inference/manifest.ts";
import { ITEM_FEATURES } from "../src/ranking/candidate.ts";
import { bypass, ok } from "../src/result.ts";

const manifest = (() => {
  const parsed = parseManifest(manifestJson);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
})();

const hits: readonly RerankHit[] = [
  { id: "a", score: 3 },
  { id: "b", score: 2, pinned: true },
  { id: "c", score: 1 },
];

const set = {
  format: 1,
  version: "1",
  shardCount: 1,
  itemCount: 3,
  imageDim: manifest.dims.image,
  textDim: manifest.dims.text,
  imageEncoder: manifest.encoders.image,
  textEncoder: manifest.encoders.text,
  itemFeatures: [...ITEM_FEATURES],
  shards: [],
};

const vectors: ItemStore = {
  lookup: async (ids) =>
    ok({
      set,
      items: ids.map((itemId) => ({
        itemId,
        image: { components: new Int8Array(manifest.dims.image), start: 0, scale: 1 },
        text: undefined,
        features: ITEM_FEATURES.map(() => undefined),
      })),
    }),
};

const scorer: Scorers = () =>
  ok({
    manifest,
    score: async ({ k }) => ok({ score: Float32Array.from({ length: k }, (_, i) => i), gate: new Float32Array(k * 2).fill(0.5) }),
  });

describe("rerank()", () => {
  it("orders hits by the model's scores, and leaves pinned ones where they are", async () => {
    const { order, model, scores, bypass: reason } = await rerank({ query: "red mug", hits, vectors, scorer });
    expect(order).toEqual([2, 1, 0]);
    expect(model).toBe(manifest.version);
    // What the engine says, score ÷ best score, and what the model adds.
    expect(Array.from(scores ?? [], (score, i) => Math.round(1000 * (score - i)))).toEqual([1000, 1000, 333]);
    expect(reason).toBeUndefined();
  });

  it("keeps the engine's order, and says why, whatever fails", async () => {
    const options = { query: "red mug", hits, vectors, scorer };
    const never = new Promise<never>(() => undefined);
    const cases = {
      model_unavailable: { ...options, scorer: () => bypass("model_unavailable", "none") },
      nothing_published: { ...options, vectors: { lookup: async () => bypass("nothing_published", "none") } },
      internal_error: { ...options, vectors: { lookup: () => Promise.reject(new Error("broken")) } },
      over_budget: { ...options, vectors: { lookup: () => never }, budgetMs: 5 },
      too_few_hits: { ...options, hits: hits.slice(0, 1) },
    };
    for (const [reason, given] of Object.entries(cases)) {
      const ranked = await rerank(given); // oxlint-disable-line no-await-in-loop
      expect(ranked).toMatchObject({ order: [...given.hits.keys()], model: undefined, bypass: { reason } });
    }
  });
});

describe("the app to mount", () => {
  const reply = { took: 1, timed_out: false, hits: { total: { value: 0, relation: "eq" }, hits: [] } };
  const kv = { get: async () => null };
  const options = { vectors: kv, scorer, fetch: async () => Response.json(reply), log: () => undefined };

  it("refuses options that cannot be used, by their names", () => {
    const products = elasticsearch({ url: "ftp://search.example.com", window: 1 });
    const open = () => createApp({ ...options, indexes: { products }, engineTimeoutMs: 0 });
    expect(open).toThrow(ConfigurationError);
    expect(open).toThrow(/indexes\.products\.url .*indexes\.products\.window .*engineTimeoutMs/);
  });

  it("serves searches below a prefix, beside the routes of its host", async () => {
    const products = elasticsearch({ url: "http://localhost:9200", window: 100 });
    const host = new Hono().get("/health", (c) => c.text("ok")).route("/shop", createApp({ ...options, indexes: { products } }));
    expect(await (await host.request("/health")).text()).toBe("ok");
    const response = await host.request("/shop/products/_search?q=mug");
    expect(response.status).toBe(200);
    expect(response.headers.get("x-armmt")).toBe("bypass; reason=too_few_hits");
  });
});
