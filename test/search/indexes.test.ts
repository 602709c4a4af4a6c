/** What the configuration says of an index beyond its address: passed on, other engines, keys, headers, fresh values; and who may ask how often. */
import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import worker from "../../src/runtimes/cloudflare/worker.ts";
import { drawnItems, publish } from "./catalog.ts";
import { demoShop, type Engine, ENGINE_URL, idsOf, match, openEdge, outcomeOf, postJson, WINDOW } from "./edge.ts";

const CATALOG = "indexes";
const PRODUCTS = { backend: "elasticsearch", url: ENGINE_URL, window: WINDOW, catalog: CATALOG };

beforeAll(() => publish(CATALOG));

const lines = (...parts: readonly object[]): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
  body: parts.map((part) => `${JSON.stringify(part)}\n`).join(""),
});

describe("window = 0", () => {
  it("passes an index on as it is, alone and beside one that is re-ranked", async () => {
    const reply = {
      hits: {
        total: { value: 5, relation: "eq" },
        hits: drawnItems()
          .slice(0, 5)
          .map(({ itemId }) => ({ _id: itemId, _score: 1 })),
      },
    };
    const several: Engine = async (request) =>
      request.url.endsWith("/_msearch") ? Response.json({ responses: [reply, reply] }) : Response.json(reply);
    const edge = openEdge({
      catalog: CATALOG,
      engine: several,
      vars: { INDEXES: { products: PRODUCTS, brands: { ...PRODUCTS, window: 0 } } },
    });
    const alone = await edge.send("/brands/_search", postJson(match("red")));
    expect(outcomeOf(alone)).toBe("index_excluded");
    expect(await alone.bytes()).toEqual(edge.exchanges[0]!.reply);

    const both = await edge.send("/_msearch", lines({ index: "products" }, match("red"), { index: "brands" }, match("red")));
    expect(both.headers.get("x-armmt")).toMatch(/^applied; .*, bypass; reason=index_excluded$/);
    const shown: { responses: { hits: { hits: { _id: string }[] } }[] } = await both.json();
    expect(shown.responses[1]).toEqual(reply);
    expect(edge.records.map((record) => record.query_attributes.armmt.bypass)).toEqual(["index_excluded", undefined, "index_excluded"]);
    expect(edge.counters.snapshot().searches).toEqual({ armmt: { index_excluded: 2, applied: 1 } });
  });
});

describe("several indexes in one request", () => {
  it("must be on one engine", async () => {
    const edge = openEdge({
      catalog: CATALOG,
      vars: { INDEXES: { products: PRODUCTS, brands: { ...PRODUCTS, url: "http://127.0.0.1:9201" } } },
    });
    const response = await edge.send("/_msearch", lines({ index: "products" }, match("red"), { index: "brands" }, match("red")));
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/products, brands are not on one engine: send one request for each/);
    expect(edge.exchanges).toEqual([]);
  });

  it("are re-ranked up to a number: a request cannot occupy the isolate", async () => {
    const hits = {
      hits: {
        total: { value: 3, relation: "eq" },
        hits: drawnItems()
          .slice(0, 3)
          .map(({ itemId }) => ({ _id: itemId, _score: 1 })),
      },
    };
    const engine: Engine = () => Response.json({ responses: Array.from({ length: 20 }, () => hits) });
    const edge = openEdge({ catalog: CATALOG, engine });
    const response = await edge.send("/products/_msearch", lines(...Array.from({ length: 20 }, () => [{}, match("red")]).flat()));
    const outcomes = (response.headers.get("x-armmt") ?? "").split(", ");
    expect(outcomes.filter((one) => one.startsWith("applied"))).toHaveLength(16);
    expect(outcomes.slice(16)).toEqual(Array.from({ length: 4 }, () => "bypass; reason=over_budget"));
  });
});

describe("keys", () => {
  const own = "Basic b2YtdGhlLXNob3BwZXI=";

  it("of clients go to the engine only where the index says so", async () => {
    const ask = async (forwardCredentials: boolean): Promise<string | null> => {
      const edge = openEdge({ catalog: CATALOG, vars: { INDEXES: { products: { ...PRODUCTS, forwardCredentials } } } });
      await edge.send("/products/_search", postJson(match("red"), { authorization: own }));
      return edge.exchanges[0]!.headers.get("authorization");
    };
    expect(await ask(false)).toBeNull();
    expect(await ask(true)).toBe(own);
  });

  it("of the edge win over those of clients, and fixed headers go along", async () => {
    const edge = openEdge({
      catalog: CATALOG,
      vars: {
        INDEXES: { products: { ...PRODUCTS, forwardCredentials: true, headers: { "x-tenant": "shop-1" } } },
        ENGINE_AUTHORIZATION: "ApiKey upstream",
      },
    });
    const response = await edge.send("/products/_search", postJson(match("red"), { authorization: own, "x-tenant": "shop-2" }));
    const { headers } = edge.exchanges[0]!;
    expect([headers.get("authorization"), headers.get("x-tenant")]).toEqual(["ApiKey upstream", "shop-1"]);
    expect([...response.headers.values()].join()).not.toMatch(/upstream|shop-1/);
  });
});

describe("values of hits", () => {
  const items = drawnItems().slice(0, 12);

  async function orderWith(hitFields: object, sourceOf: (itemId: string) => object): Promise<string[]> {
    const hits = items.map(({ itemId }) => ({ _id: itemId, _score: 1, _source: sourceOf(itemId) }));
    const edge = openEdge({
      catalog: CATALOG,
      engine: () => Response.json({ hits: { hits } }),
      vars: { INDEXES: { products: { ...PRODUCTS, hitFields } } },
    });
    const response = await edge.send("/products/_search", postJson(match("red", { size: WINDOW }), { "cache-control": "no-cache" }));
    return idsOf(await response.json());
  }

  it("win over the stored ones, where the configuration says where they stand", async () => {
    const fields = { rating: "_source.stars", inStock: "_source.stock" };
    const stored = await orderWith({}, () => ({ stars: 1, stock: 0 }));
    expect(await orderWith(fields, () => ({}))).toEqual(stored);
    const last = stored.at(-1);
    const fresh = await orderWith(fields, (itemId) => (itemId === last ? { stars: "5.0", stock: true } : { stars: 1, stock: 0 }));
    expect(fresh.toSorted()).toEqual(stored.toSorted());
    expect(fresh[0]).toBe(last);
  });
});

const client = { "cf-connecting-ip": "203.0.113.7" };

/** By the Worker as it is deployed, with the binding that vitest.config.ts gives it. */
const isRefused = async (): Promise<boolean> => {
  const context = createExecutionContext();
  const request = new Request("https://edge.example.com/products/_search", postJson(match("red"), { "x-armmt": "off", ...client }));
  const response = await worker.fetch(request, env, context);
  await waitOnExecutionContext(context);
  return response.status === 429;
};

/** As the engine is told it. */
async function toldAddress(index: object): Promise<string | null> {
  const edge = openEdge({ catalog: CATALOG, vars: { INDEXES: { products: { ...PRODUCTS, ...index } } } });
  await edge.send("/products/_search", postJson(match("red"), { ...client, "x-forwarded-for": "198.51.100.1" }));
  return edge.exchanges[0]!.headers.get("x-forwarded-for");
}

describe("the shopper's address", () => {
  it("is Cloudflare's in a Worker, and goes to engines that are to know it", async () => {
    expect([await toldAddress({}), await toldAddress({ forwardClientAddress: true })]).toEqual([null, "203.0.113.7"]);
  });
});

describe("the rate limit", () => {
  it("answers 429 in the engine's words, and asks the engine nothing", async () => {
    const asked: string[] = [];
    const edge = openEdge({ catalog: CATALOG, isWithinRate: async (key) => asked.push(key) < 2 });
    expect((await edge.send("/products/_search", postJson(match("red"), client))).status).toBe(200);
    const refused = await edge.send("/products/_search", postJson(match("red"), client));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await refused.json()).toMatchObject({ error: { type: "too_many_requests" }, status: 429 });
    expect([asked, edge.exchanges.length]).toEqual([["203.0.113.7", "203.0.113.7"], 1]);
  });

  it("is the platform's own binding, where there is one", async () => {
    // Whether an engine listens where wrangler.toml says is of no interest here.
    expect([await isRefused(), await isRefused(), await isRefused()]).toEqual([false, false, true]);
  });

  it("limits nobody when it fails", async () => {
    const edge = openEdge({ catalog: CATALOG, isWithinRate: () => Promise.reject(new Error("no limiter")) });
    expect((await edge.send("/products/_search", postJson(match("red"), client))).status).toBe(200);
    expect(edge.logs.map((entry) => entry["event"])).toContain("rate_limiter_failed");
  });
});

const answering: Engine = () => new Response("{}", { headers: { "x-elastic-product": "Elasticsearch", server: "secret" } });

describe("probes", () => {
  it("ask the engine whether it is there, and what it is; without a storefront only", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: answering });
    const head = await edge.send("/", { method: "HEAD" });
    expect([head.status, head.headers.get("x-elastic-product"), head.headers.get("server")]).toEqual([200, "Elasticsearch", null]);
    const get = await edge.send("/");
    expect([get.status, await get.text()]).toEqual([200, "{}"]);
    expect((await edge.send("/", { method: "POST" })).status).toBe(404);
    expect(edge.exchanges.map(({ method, url }) => [method, url])).toEqual([
      ["HEAD", `${ENGINE_URL}/`],
      ["GET", `${ENGINE_URL}/`],
    ]);
  });

  it("say so when it is not", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: () => Promise.reject(new Error("down")) });
    expect((await edge.send("/", { method: "HEAD" })).status).toBe(502);
  });

  it("leave / to the storefront", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: demoShop, vars: { STOREFRONT_URL: "https://shop.example.com" } });
    await edge.send("/", { method: "HEAD" });
    expect(edge.exchanges[0]!.url).toBe("https://shop.example.com/");
  });
});

const allowed = (response: Response): string | null => response.headers.get("access-control-allow-origin");

describe("pages of other origins", () => {
  const SHOP = "https://shop.example.com";
  const preflight = {
    method: "OPTIONS",
    headers: { origin: SHOP, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-armmt-user" },
  };

  it("may search where the configuration names them", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { ALLOW_ORIGINS: [SHOP] } });
    const asked = await edge.send("/products/_search", preflight);
    expect([asked.status, allowed(asked), asked.headers.get("access-control-allow-headers")]).toEqual([
      204,
      SHOP,
      "content-type,x-armmt-user",
    ]);
    expect(asked.headers.get("access-control-allow-methods")).toBe("GET,POST,HEAD,DELETE");
    const found = await edge.send("/products/_search", postJson(match("red"), { origin: SHOP }));
    expect([allowed(found), found.headers.get("access-control-expose-headers"), outcomeOf(found)]).toEqual([
      SHOP,
      "x-armmt,x-armmt-events",
      "applied",
    ]);
    expect(allowed(await edge.send("/products/_search", postJson(match("red"), { origin: "https://other.example.com" })))).toBeNull();
  });

  it("may not where it names none", async () => {
    const edge = openEdge({ catalog: CATALOG });
    expect((await edge.send("/products/_search", preflight)).status).toBe(405);
    expect(allowed(await edge.send("/products/_search", postJson(match("red"), { origin: SHOP })))).toBeNull();
  });
});
