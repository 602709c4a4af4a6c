/**
 * The engines' official JavaScript clients, pointed at the edge instead of at their engine: the edge in real workerd, stand-in engines on
 * real sockets. Nothing is changed in a client but its address. Those of OpenSearch and others are at real engines in test/engines/clients.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client as Elasticsearch } from "@elastic/elasticsearch";
import { algoliasearch } from "algoliasearch";
import { Meilisearch } from "meilisearch";
import { Client as Typesense } from "typesense";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleWorker } from "../../src/lab/harness/bundle.ts";
import { publishCatalogue } from "../../src/lab/harness/catalogue.ts";
import { runBundle, type RunningBundle } from "../harness/running.ts";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import type { EngineStandIn, StandInItem } from "../search/dialects/stand-in.ts";
import { elasticsearch } from "../search/dialects/elasticsearch.ts";
import { algolia } from "../search/dialects/algolia.ts";
import { meilisearch } from "../search/dialects/meilisearch.ts";
import { typesense } from "../search/dialects/typesense.ts";
import { listen, listenAsTap, type Listening } from "./servers.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CATALOG = "clients";
const WINDOW = 20;
const OFF = { "x-armmt": "off" };

const products = drawCatalogue().slice(0, 45);
const items: readonly StandInItem[] = products.map(({ id, title, price }) => ({ id, title, price }));
const engineIds = items.map(({ id }) => id);

/** Index of the edge → who answers for it. */
const INDEXES: ReadonlyMap<string, { readonly backend: string; readonly dialect: EngineStandIn }> = new Map([
  ["products", { backend: "elasticsearch", dialect: elasticsearch }],
  ["movies", { backend: "meilisearch", dialect: meilisearch }],
  ["goods", { backend: "algolia", dialect: algolia }],
  ["articles", { backend: "typesense", dialect: typesense }],
]);

const outDir = mkdtempSync(join(tmpdir(), "armmt-clients-"));
const engines = new Map<string, Listening>();
let edge: RunningBundle;
/** What the clients talk to. */
let tap: Listening;

beforeAll(async () => {
  for (const [index, { dialect }] of INDEXES) engines.set(index, await listen((request) => dialect.answer(request, items)));
  const indexes = [...INDEXES].map(([index, { backend }]) => {
    return [index, { backend, url: engines.get(index)!.url, window: WINDOW, catalog: CATALOG }] as const;
  });
  edge = await runBundle(await bundleWorker(join(ROOT, "wrangler.toml"), outDir), {
    INDEXES: Object.fromEntries(indexes),
    RANK_BUDGET_MS: 8000,
    ENGINE_TIMEOUT_MS: 20_000,
    DEFAULT_VARIANT: "armmt",
  });
  await publishCatalogue(await edge.embeddings(), CATALOG, products);
  tap = await listenAsTap(() => edge.url);
}, 120_000);

afterAll(async () => {
  await Promise.all([tap?.close(), edge?.stop(), ...[...engines.values()].map((engine) => engine.close())]);
  rmSync(outDir, { recursive: true, force: true });
});

beforeEach(() => {
  tap.exchanges.length = 0;
  for (const engine of engines.values()) engine.exchanges.length = 0;
});

/** The client got the same items as from the engine, in another order. */
function expectReranked(ids: readonly string[]): void {
  expect(tap.exchanges.at(-1)?.outcome).toMatch(/^applied; /);
  expect(ids.length).toBeGreaterThan(1);
  expect(engineIds).toEqual(expect.arrayContaining([...ids]));
  expect(ids).not.toEqual(engineIds.slice(0, ids.length));
}

/** What the client read off the wire is what the engine wrote on it. */
function expectSameBytes(index: string): void {
  const seen = tap.exchanges.at(-1)!;
  const sent = engines.get(index)!.exchanges.at(-1)!;
  expect(seen.outcome).toMatch(/^bypass; reason=off/);
  expect(seen.reply.equals(sent.reply)).toBe(true);
  expect([sent.method, sent.path, sent.body]).toEqual([seen.method, seen.path, seen.body]);
}

interface Product {
  readonly title: string;
  readonly price: number;
}

/** The client packed its request, and the engine got what the client meant. */
function expectUnpacked(index: string): void {
  const sent = engines.get(index)!.exchanges.at(-1)!;
  expect(tap.exchanges.at(-1)!.headers["content-encoding"]).toBe("gzip");
  expect(sent.headers).not.toHaveProperty("content-encoding");
  expect(() => JSON.parse(sent.body.split("\n", 1)[0]!)).not.toThrow();
}

/** An address at which nobody listens. */
const DEAD_PORT = 9;

const openElasticsearch = (): Elasticsearch => new Elasticsearch({ node: tap.url });

const openMeilisearch = (headers: Readonly<Record<string, string>> = {}): Meilisearch =>
  new Meilisearch({ host: tap.url, apiKey: "client-key", requestInit: { headers } });

const openAlgolia = (headers: Readonly<Record<string, string>> = {}, isFirstDead = false) =>
  algoliasearch("APPID", "client-key", {
    hosts: [
      ...(isFirstDead ? [{ url: `127.0.0.1:${DEAD_PORT}`, accept: "readWrite" as const, protocol: "http" as const }] : []),
      { url: `127.0.0.1:${tap.port}`, accept: "readWrite", protocol: "http" },
    ],
    baseHeaders: headers,
  });

const openTypesense = (headers: Readonly<Record<string, string>> = {}, isFirstDead = false): Typesense =>
  new Typesense({
    nodes: [
      ...(isFirstDead ? [{ host: "127.0.0.1", port: DEAD_PORT, protocol: "http" }] : []),
      { host: "127.0.0.1", port: tap.port, protocol: "http" },
    ],
    apiKey: "client-key",
    additionalHeaders: headers,
    retryIntervalSeconds: 0.01,
    logLevel: "silent",
  });

describe("@elastic/elasticsearch", () => {
  const query = { match: { title: "red" } };

  it("searches, with the product check that it makes of every reply", async () => {
    const found = await openElasticsearch().search<Product>({ index: "products", query, size: 7 });
    expectReranked(found.hits.hits.map(({ _id: id }) => id ?? ""));
    const { _source: source } = found.hits.hits[0]!;
    expect(source?.title).toEqual(expect.any(String));
    expect(found.hits.total).toEqual({ value: items.length, relation: "eq" });
  });

  it("searches several at once, and pings", async () => {
    const client = openElasticsearch();
    expect(await client.ping()).toBe(true);
    const { responses } = await client.msearch<Product>({
      index: "products",
      searches: [{}, { query, size: 4 }, {}, { query, sort: ["price"] }],
    });
    expect(tap.exchanges.at(-1)!.outcome).toMatch(/^applied; .*, bypass; reason=explicit_sort$/);
    expect(responses).toHaveLength(2);
    const [first] = responses;
    expect(first !== undefined && "hits" in first && first.hits.hits.map(({ _id: id }) => id)).not.toEqual(engineIds.slice(0, 4));
  });

  it("searches with compression, which it switches on by itself for a cloud", async () => {
    const client = new Elasticsearch({ node: tap.url, compression: true });
    const found = await client.search<Product>({ index: "products", query, size: 7 });
    expectReranked(found.hits.hits.map(({ _id: id }) => id ?? ""));
    expectUnpacked("products");
    const { responses } = await client.msearch<Product>({ index: "products", searches: [{}, { query, size: 4 }] });
    expect(responses).toHaveLength(1);
    expectUnpacked("products");
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await openElasticsearch().search<Product>({ index: "products", query, size: 7 }, { headers: OFF });
    expectSameBytes("products");
  });

  it("raises its own error for an index that is not served", async () => {
    await expect(openElasticsearch().search({ index: "orders", query })).rejects.toMatchObject({
      name: "ResponseError",
      statusCode: 404,
      message: expect.stringContaining("index_not_found_exception"),
    });
  });
});

describe("meilisearch", () => {
  it("searches, page by page too", async () => {
    const index = openMeilisearch().index<Product & { readonly id: string }>("movies");
    const found = await index.search("red", { limit: 7, facets: ["brand"] });
    expectReranked(found.hits.map(({ id }) => id));
    expect(found.estimatedTotalHits).toBe(items.length);
    const page = await index.search("red", { page: 2, hitsPerPage: 7 });
    expect([page.page, page.hitsPerPage, page.totalHits]).toEqual([2, 7, items.length]);
    expect(page.hits.map(({ id }) => id)).not.toEqual(found.hits.map(({ id }) => id));
  });

  it("searches several at once, federated too, and asks for health", async () => {
    const client = openMeilisearch();
    expect(await client.isHealthy()).toBe(true);
    const several = await client.multiSearch({
      queries: [
        { indexUid: "movies", q: "red", limit: 4 },
        { indexUid: "movies", q: "" },
      ],
    });
    expect(several.results.map(({ hits }) => hits.length)).toEqual([4, 20]);
    expect(tap.exchanges.at(-1)!.outcome).toMatch(/^applied; .*, bypass; reason=no_query_text$/);
    const one = await client.multiSearch({ federation: { limit: 6 }, queries: [{ indexUid: "movies", q: "red" }] });
    expectReranked(one.hits.map((hit) => String(hit["id"])));
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await openMeilisearch(OFF).index("movies").search("red", { limit: 7 });
    expectSameBytes("movies");
  });

  it("raises its own error for an index that is not served", async () => {
    await expect(openMeilisearch().index("orders").search("red")).rejects.toMatchObject({
      name: "MeilisearchApiError",
      cause: { code: "index_not_found" },
    });
  });
});

describe("algoliasearch", () => {
  type Goods = Product & { readonly objectID: string };
  it("searches one index, page by page", async () => {
    const searchParams = { query: "red", hitsPerPage: 7, page: 1, facets: ["brand"] };
    const found = await openAlgolia().searchSingleIndex<Goods>({ indexName: "goods", searchParams });
    expectReranked(found.hits.map(({ objectID }) => objectID));
    expect([found.page, found.hitsPerPage, found.nbHits, found.nbPages]).toEqual([1, 7, items.length, 7]);
    expect(found.params).not.toContain("hitsPerPage=20");
  });

  it("searches with compression", async () => {
    const client = algoliasearch("APPID", "client-key", {
      hosts: [{ url: `127.0.0.1:${tap.port}`, accept: "readWrite", protocol: "http" }],
      compression: "gzip",
    });
    // The client packs what is longer than this.
    const filters = Array.from({ length: 100 }, (_, i) => `price > ${i}`).join(" AND ");
    const found = await client.searchForHits<Goods>({ requests: [{ indexName: "goods", query: "red", hitsPerPage: 7, filters }] });
    expectReranked(found.results.flatMap(({ hits }) => hits.map(({ objectID }) => objectID)));
    expectUnpacked("goods");
  });

  it("searches several at once, and tries the next host when one is down", async () => {
    const requests = [
      { indexName: "goods", query: "red", hitsPerPage: 4 },
      { indexName: "goods", query: "", hitsPerPage: 3 },
    ];
    const { results } = await openAlgolia({}, true).searchForHits<Goods>({ requests });
    expect(results.map(({ hits }) => hits.length)).toEqual([4, 3]);
    expect(tap.exchanges.at(-1)!.outcome).toMatch(/^applied; .*, bypass; reason=no_query_text$/);
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await openAlgolia(OFF).searchSingleIndex<Goods>({ indexName: "goods", searchParams: { query: "red", hitsPerPage: 7 } });
    expectSameBytes("goods");
  });

  it("raises its own error for an index that is not served", async () => {
    await expect(openAlgolia().searchSingleIndex({ indexName: "orders", searchParams: { query: "red" } })).rejects.toMatchObject({
      name: "ApiError",
      status: 404,
      message: expect.stringContaining("orders"),
    });
  });
});

describe("typesense", () => {
  type Article = Product & { readonly id: string };
  const query = { q: "red", query_by: "title", per_page: 7 };
  it("searches a collection, page by page, and asks for health", async () => {
    const client = openTypesense();
    // Meilisearch has the same address, and comes first in this edge.
    expect(await client.health.retrieve()).toMatchObject({ status: "available" });
    const found = await client
      .collections<Article>("articles")
      .documents()
      .search({ ...query, page: 2 }, {});
    expectReranked((found.hits ?? []).map(({ document }) => document.id));
    expect([found.page, found.found, found.request_params.per_page]).toEqual([2, items.length, 7]);
  });

  it("searches several at once, and tries the next node when one is down", async () => {
    const { results } = await openTypesense({}, true).multiSearch.perform<[Article, Article]>({
      searches: [
        { collection: "articles", ...query },
        { collection: "articles", ...query, sort_by: "price:asc" },
      ],
    });
    expect(results.map((one) => one.hits?.length)).toEqual([7, 7]);
    expect(tap.exchanges.at(-1)!.outcome).toMatch(/^applied; .*, bypass; reason=explicit_sort$/);
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await openTypesense(OFF).collections<Article>("articles").documents().search(query, {});
    expectSameBytes("articles");
  });

  it("raises its own error for a collection that is not served", async () => {
    await expect(openTypesense().collections("orders").documents().search(query, {})).rejects.toMatchObject({
      name: "ObjectNotFound",
      httpStatus: 404,
    });
  });
});
