/** What comes in besides good searches, and what must not cross the edge in either direction. */
import { createExecutionContext, env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import worker from "../../src/runtimes/cloudflare/worker.ts";
import { publish } from "./catalog.ts";
import { demoShop, type Engine, match, openEdge, outcomeOf, postJson, TOKEN } from "./edge.ts";

const CATALOG = "routes";
const bearer = { authorization: `Bearer ${TOKEN}` };

beforeAll(() => publish(CATALOG));

describe("bad input", () => {
  it.each<[string, string, RequestInit, number, RegExp]>([
    ["an index nobody configured", "/orders/_search", postJson(match("red")), 404, /no such index \[orders\].*INDEXES/i],
    ["an index list", "/products,_all/_search", postJson(match("red")), 404, /products,_all/],
    ["another method", "/products/_search", { method: "DELETE" }, 405, /DELETE is not allowed.*GET or POST/],
    [
      "another endpoint of the engine",
      "/products/_bulk",
      { method: "POST", body: "{}" },
      404,
      /No route for POST \/products\/_bulk.*_search/,
    ],
    ["delete by query", "/products/_delete_by_query", postJson(match("red")), 404, /No route/],
    ["a body without end", "/products/_search", { method: "POST", body: "x".repeat(1024 * 1024 + 1) }, 413, /longer than 1048576 bytes/],
    [
      "an unknown variant",
      "/products/_search?armmt_variant=best",
      postJson(match("red"), bearer),
      400,
      /armmt_variant: "best" is not a variant: use "control", "armmt"/,
    ],
    ["a page that is not there, without a storefront", "/nothing", {}, 404, /No route for GET \/nothing/],
    ["the status page without the token", "/armmt/status", {}, 401, /ADMIN_TOKEN/],
    ["the status page with another token", "/armmt/status", { headers: { authorization: `Bearer ${TOKEN}x` } }, 401, /ADMIN_TOKEN/],
  ])("%s: %s", async (_, path, init, status, message) => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send(path, init);
    expect(response.status).toBe(status);
    const { error, status: inBody } = JSON.parse(await response.text());
    expect(inBody).toBe(status);
    expect(error.reason).toMatch(message);
    expect(edge.exchanges).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ["bad JSON", '{"query":', /JSON/],
    ["a negative size", '{"query":{"match":{"title":"red"}},"size":-5}', /-5/],
    ["an unknown field", '{"query":{"match":{"titel":"red"}}}', /titel/],
  ])("%s: the engine's own error", async (_, body, message) => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send("/products/_search", { method: "POST", body, headers: { "content-type": "application/json" } });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(message);
    expect(outcomeOf(response)).toMatch(/^(request_not_understood|engine_status)$/);
  });
});

const secretive: Engine = async (request) => {
  const response = await demoShop(request);
  const headers = new Headers(response.headers);
  headers.set("set-cookie", "session=1");
  headers.set("authorization", "ApiKey upstream");
  headers.set("x-found-handling-cluster", "10.0.0.1");
  headers.set("server", "nginx");
  headers.set("location", "http://10.0.0.1/");
  headers.set("connection", "keep-alive");
  headers.set("etag", '"of-the-wider-reply"');
  return new Response(response.body, { status: response.status, headers });
};

/** What fetch makes of a compressed reply: the body is unpacked, the header still there. */
const compressing: Engine = async (request) => {
  const response = await demoShop(request);
  return new Response(response.body, { headers: { "content-type": "application/json", "content-encoding": "gzip" } });
};

describe("what crosses the edge", () => {
  it("to the engine: the configured key, never the shopper's cookies, credentials or ids", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { ENGINE_AUTHORIZATION: "ApiKey upstream" } });
    const headers = {
      authorization: "Basic c2hvcHBlcg==",
      cookie: "session=1",
      "x-armmt-user": "user-a",
      "x-armmt-history": "p1",
      "x-forwarded-for": "10.1.1.1",
      "cf-connecting-ip": "10.1.1.1",
      connection: "keep-alive",
      "accept-encoding": "gzip",
      "x-opaque-id": "trace-1",
    };
    await edge.send("/products/_search", postJson(match("red"), headers));
    expect(Object.fromEntries(edge.exchanges[0]!.headers)).toEqual({
      "accept-encoding": "identity",
      authorization: "ApiKey upstream",
      "content-type": "application/json",
      "x-opaque-id": "trace-1",
    });
    expect(edge.exchanges[0]!.url).toBe("http://127.0.0.1:9200/products/_search");
  });

  it("to the shopper: no key, no address, no cookie, no variant; no validator of another body", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: secretive, vars: { ENGINE_AUTHORIZATION: "ApiKey upstream" } });
    const response = await edge.send("/products/_search", postJson(match("red")));
    expect([...response.headers.keys()].toSorted()).toEqual([
      "cache-control",
      "content-length",
      "content-type",
      "x-armmt",
      "x-elastic-product",
    ]);
    const all = JSON.stringify([...response.headers]) + (await response.text());
    for (const secret of ["upstream", "10.0.0.1", "session"]) expect(all).not.toContain(secret);
  });

  it("an engine that compresses unasked: fetch has unpacked the body, so the header goes", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: compressing });
    const response = await edge.send("/products/_search", postJson(match("red", { size: 3 })));
    expect([outcomeOf(response), response.headers.get("content-encoding")]).toEqual(["applied", null]);
    const body = await response.bytes();
    expect(response.headers.get("content-length")).toBe(String(body.length));
  });
});

const picture: Engine = () =>
  new Response("<svg/>", {
    headers: { "content-type": "image/svg+xml", etag: '"1"', "cache-control": "max-age=60", "set-cookie": "a=b", server: "x" },
  });

describe("the storefront", () => {
  const vars = { STOREFRONT_URL: "https://shop.example.com/base/" };

  it("answers all other GETs, without credentials in either direction", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: picture, vars });
    const headers = { cookie: "a=b", ...bearer, "if-none-match": '"1"' };
    const response = await edge.send("/images/p1.svg?v=2", { headers });
    expect(await response.text()).toBe("<svg/>");
    expect(Object.fromEntries(response.headers)).toEqual({ "content-type": "image/svg+xml", etag: '"1"', "cache-control": "max-age=60" });
    const [exchange] = edge.exchanges;
    expect(exchange!.url).toBe("https://shop.example.com/base/images/p1.svg?v=2");
    expect(Object.fromEntries(exchange!.headers)).toEqual({ "if-none-match": '"1"' });
    expect(edge.records).toEqual([]);
  });

  it("gets a HEAD as a HEAD, and nothing that writes", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: () => new Response("page"), vars });
    const head = await edge.send("/", { method: "HEAD" });
    expect([head.status, await head.text(), edge.exchanges[0]!.method]).toEqual([200, "", "HEAD"]);
    expect((await edge.send("/cart", { method: "POST", body: "x" })).status).toBe(404);
    expect(edge.exchanges).toHaveLength(1);
  });

  it("may be down", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: () => Promise.reject(new Error("refused by 10.0.0.1")), vars });
    const response = await edge.send("/");
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain("10.0.0.1");
  });
});

describe("/armmt/status", () => {
  it("tells the admin which model serves which vectors, and what came of the searches", async () => {
    const edge = openEdge({ catalog: CATALOG });
    await edge.send("/products/_search", postJson(match("red")));
    await edge.send("/products/_search", postJson(match("red"), { "x-armmt": "off" }));
    const response = await edge.send("/armmt/status", { headers: bearer });
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(JSON.parse(await response.text())).toMatchObject({
      indexes: {
        products: {
          backend: "elasticsearch",
          window: 20,
          model: { version: expect.any(String) },
          published: { version: "v1", shardCount: 3 },
        },
      },
      searches: { armmt: { applied: 1, off: 1 } },
      exposures: { written: 2, failed: 0 },
    });
  });

  it("says what is wrong where nothing is published", async () => {
    const response = await openEdge({ catalog: "nobody" }).send("/armmt/status", { headers: bearer });
    expect(JSON.parse(await response.text()).indexes.products.published.reason).toBe("nothing_published");
  });
});

describe("worker.ts", () => {
  it("refuses to serve with a broken configuration, and logs every problem of it", async () => {
    const lines: string[] = [];
    const { log } = console;
    console.log = (line: string) => lines.push(line);
    try {
      const broken = { ...env, INDEXES: {}, RANK_BUDGET_MS: "x" };
      const context = createExecutionContext();
      const response = await worker.fetch(new Request("https://edge.example.com/"), broken, context);
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain("RANK_BUDGET_MS");
    } finally {
      console.log = log;
    }
    expect(lines.filter((line) => JSON.parse(line).event === "configuration")).toHaveLength(2);
  });
});
