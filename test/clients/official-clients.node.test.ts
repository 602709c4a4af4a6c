/**
 * The engines' official JavaScript clients, pointed at the edge instead of at their engine: the edge in real workerd, stand-in engines on
 * real sockets. Nothing is changed in a client but its address.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client as Elasticsearch } from "@elastic/elasticsearch";
import { Client as OpenSearch } from "@opensearch-project/opensearch";
import { Meilisearch } from "meilisearch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import manifestJson from "../../model/manifest.json";
import { bundleWorker } from "../../src/cli/bench/bundle.ts";
import { publishCatalogue } from "../../src/cli/bench/catalogue.ts";
import type { RunningBundle } from "../../src/cli/bench/running.ts";
import { runBundle } from "../../src/cli/bench/running.ts";
import { drawCatalogue } from "../../src/demo/catalogue.ts";
import { parseManifest } from "../../src/inference/manifest.ts";
import type { Dialect, StandInItem } from "../search/dialects/dialect.ts";
import { elasticsearch } from "../search/dialects/elasticsearch.ts";
import { meilisearch } from "../search/dialects/meilisearch.ts";
import type { Listening } from "./servers.ts";
import { listen, listenAsTap } from "./servers.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CATALOG = "clients";
const WINDOW = 20;
const OFF = { "x-armmt": "off" };

const products = drawCatalogue().slice(0, 45);
const items: readonly StandInItem[] = products.map(({ id, title, price }) => ({ id, title, price }));
const engineIds = items.map(({ id }) => id);

/** Index of the edge → who answers for it. */
const INDEXES: ReadonlyMap<string, { readonly backend: string; readonly dialect: Dialect }> = new Map([
  ["products", { backend: "elasticsearch", dialect: elasticsearch }],
  ["things", { backend: "opensearch", dialect: elasticsearch }],
  ["movies", { backend: "meilisearch", dialect: meilisearch }],
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
  const manifest = parseManifest(manifestJson);
  if (!manifest.ok) throw new Error(manifest.error.detail);
  await publishCatalogue(await edge.embeddings(), CATALOG, { products, manifest: manifest.value });
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

describe("@elastic/elasticsearch", () => {
  const query = { match: { title: "red" } };
  const open = (): Elasticsearch => new Elasticsearch({ node: tap.url });

  it("searches, with the product check that it makes of every reply", async () => {
    const found = await open().search<Product>({ index: "products", query, size: 7 });
    expectReranked(found.hits.hits.map((hit) => hit._id ?? ""));
    expect(found.hits.hits[0]?._source?.title).toEqual(expect.any(String));
    expect(found.hits.total).toEqual({ value: items.length, relation: "eq" });
  });

  it("searches several at once, and pings", async () => {
    const client = open();
    expect(await client.ping()).toBe(true);
    const { responses } = await client.msearch<Product>({
      index: "products",
      searches: [{}, { query, size: 4 }, {}, { query, sort: ["price"] }],
    });
    expect(tap.exchanges.at(-1)!.outcome).toMatch(/^applied; .*, bypass; reason=explicit_sort$/);
    expect(responses).toHaveLength(2);
    const [first] = responses;
    expect(first !== undefined && "hits" in first && first.hits.hits.map((hit) => hit._id)).not.toEqual(engineIds.slice(0, 4));
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await open().search<Product>({ index: "products", query, size: 7 }, { headers: OFF });
    expectSameBytes("products");
  });

  it("raises its own error for an index that is not served", async () => {
    await expect(open().search({ index: "orders", query })).rejects.toMatchObject({
      name: "ResponseError",
      statusCode: 404,
      message: expect.stringContaining("index_not_found_exception"),
    });
  });
});

describe("@opensearch-project/opensearch", () => {
  const body = { query: { match: { title: "red" } }, size: 7 };
  const open = (): OpenSearch => new OpenSearch({ node: tap.url });

  it("searches", async () => {
    const found = await open().search({ index: "things", body });
    expectReranked(found.body.hits.hits.map((hit) => hit._id ?? ""));
  });

  it("sees the engine's bytes with re-ranking off", async () => {
    await open().search({ index: "things", body }, { headers: OFF });
    expectSameBytes("things");
  });
});

describe("meilisearch", () => {
  const open = (headers: Readonly<Record<string, string>> = {}): Meilisearch =>
    new Meilisearch({ host: tap.url, apiKey: "client-key", requestInit: { headers } });

  it("searches, page by page too", async () => {
    const index = open().index<Product & { readonly id: string }>("movies");
    const found = await index.search("red", { limit: 7, facets: ["brand"] });
    expectReranked(found.hits.map(({ id }) => id));
    expect(found.estimatedTotalHits).toBe(items.length);
    const page = await index.search("red", { page: 2, hitsPerPage: 7 });
    expect([page.page, page.hitsPerPage, page.totalHits]).toEqual([2, 7, items.length]);
    expect(page.hits.map(({ id }) => id)).not.toEqual(found.hits.map(({ id }) => id));
  });

  it("searches several at once, federated too, and asks for health", async () => {
    const client = open();
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
    await open(OFF).index("movies").search("red", { limit: 7 });
    expectSameBytes("movies");
  });

  it("raises its own error for an index that is not served", async () => {
    await expect(open().index("orders").search("red")).rejects.toMatchObject({
      name: "MeilisearchApiError",
      cause: { code: "index_not_found" },
    });
  });
});
