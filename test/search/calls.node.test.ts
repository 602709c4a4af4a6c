/** Calls beside searches: which key opens them, what a client is told where none does, and that they come back as they are. */
import { describe, expect, it } from "vitest";
import { openPlain } from "../backends/plain-app.ts";
import { GENERIC_OPTIONS } from "../backends/hostile.ts";
import { callsOf, ENGINES, type EngineName, exampleOf, HOST_ONLY } from "../harness/stock-calls.ts";

const URL_OF_ENGINE = "http://127.0.0.1:9200";

function edgeOf(engine: EngineName, index: object = {}, more: object = {}, platform: Parameters<typeof openPlain>[1] = {}) {
  const products = { backend: engine, url: URL_OF_ENGINE, window: 20, ...(engine === "generic" && { generic: GENERIC_OPTIONS }), ...index };
  return openPlain({ INDEXES: { products }, ...more }, platform);
}

const OWN = { ENGINE_AUTHORIZATION: "EDGEKEY" };
const CLIENT = {
  authorization: "client",
  "x-algolia-api-key": "client",
  "x-typesense-api-key": "client",
  "content-type": "application/json",
};

/** Where a call lists its documents. */
const BODIES: Readonly<Record<string, object>> = {
  "/1/indexes/:all/objects": { requests: [{ indexName: "products", objectID: "p1" }] },
  "/1/indexes/:all/recommendations": { requests: [{ indexName: "products", model: "related-products", objectID: "p1", threshold: 0 }] },
  "/_mget": { docs: [{ _index: "products", _id: "p1" }] },
};

const cases = ENGINES.flatMap((engine) =>
  callsOf(engine).flatMap((call) => call.methods.map((method) => [`${engine}: ${method} ${call.path}`, { engine, call, method }] as const)),
);

const initOf = (method: string, path: string): RequestInit => ({
  method,
  headers: CLIENT,
  ...(method === "POST" && { body: JSON.stringify(BODIES[path] ?? {}) }),
});

const keyOf = (headers: Headers | undefined) =>
  ["authorization", "x-algolia-api-key", "x-typesense-api-key"].flatMap((name) => headers?.get(name) ?? []);

describe("a call", () => {
  it.each(cases.filter(([, { call, method }]) => !(method === "GET" && BODIES[call.path] !== undefined)))(
    "%s",
    async (_, { engine, call, method }) => {
      const [withOwn, withClients] = [edgeOf(engine, {}, OWN), edgeOf(engine, { forwardCredentials: true })];
      const path = exampleOf(call);
      const forOwn = await withOwn.send(path, initOf(method, call.path));
      const forClient = await withClients.send(path, initOf(method, call.path));
      expect(forClient.status).toBe(200);
      expect(await forClient.text()).toBe(method === "HEAD" ? "" : withClients.reply);
      expect(forClient.headers.get("server")).toBeNull();
      expect(forClient.headers.get("cache-control")).toBe("private, no-store");
      expect(withClients.sent.map((sent) => [sent.method, sent.url])).toEqual([[method, `${URL_OF_ENGINE}${path}`]]);
      expect(keyOf(withClients.sent[0]?.headers)).toContain("client");
      if (call.isOpen) {
        expect([forOwn.status, keyOf(withOwn.sent[0]?.headers)]).toEqual([200, ["EDGEKEY"]]);
        return;
      }
      expect([forOwn.status, withOwn.sent]).toEqual([403, []]);
      if (method !== "HEAD")
        expect(await forOwn.text()).toMatch(/is closed with this edge's own key: ask the engine's own host.*forwardCredentials/);
    },
  );

  it.each<[EngineName, string, string]>([
    ["algolia", "/1/isalive", "x-algolia-api-key=client&X-Algolia-Application-Id=APP"],
    ["algolia", "/1/indexes/products/p1", "X-Algolia-API-Key=client&x-algolia-agent=js"],
    ["typesense", "/collections/products/documents/p1", "x-typesense-api-key=client"],
  ])("of %s by a browser, whose key stands in the URL: %s", async (engine, path, search) => {
    const edge = edgeOf(engine, {}, OWN);
    expect((await edge.send(`${path}?${search}`)).status).toBe(200);
    expect(edge.sent[0]?.url).not.toContain("client");
    expect(keyOf(edge.sent[0]?.headers)).toEqual(["EDGEKEY"]);
  });

  it.each(
    cases.filter(
      ([, { call, method }]) => !call.path.endsWith("/") && method !== "HEAD" && !(method === "GET" && BODIES[call.path] !== undefined),
    ),
  )("%s with a slash behind its path, as pysolr writes it", async (_, { engine, call, method }) => {
    const edge = edgeOf(engine, { forwardCredentials: true });
    const path = exampleOf(call);
    expect((await edge.send(`${path}/`, initOf(method, call.path))).status).toBe(200);
    expect(edge.sent.map((sent) => [sent.method, sent.url])).toEqual([[method, `${URL_OF_ENGINE}${path}`]]);
  });

  it("streams what is longer than the edge buffers", async () => {
    const long = "x".repeat(50_000);
    const edge = edgeOf("meilisearch", {}, OWN, { maxReplyBytes: 1000, fetch: async () => new Response(long) });
    expect(await (await edge.send("/indexes/products/documents/p1")).text()).toBe(long);
  });

  it("keeps the engine's own errors, and says where there is no engine", async () => {
    const body = '{"message":"no such document","code":"document_not_found"}';
    const edge = edgeOf("meilisearch", {}, OWN, { fetch: async () => new Response(body, { status: 404 }) });
    const missing = await edge.send("/indexes/products/documents/p1");
    expect([missing.status, await missing.text()]).toEqual([404, body]);
    const down = edgeOf("meilisearch", {}, OWN, { fetch: () => Promise.reject(new Error("down")) });
    const unreachable = await down.send("/indexes/products/facet-search", initOf("POST", ""));
    expect([unreachable.status, await unreachable.json()]).toMatchObject([502, { type: "internal" }]);
  });

  it("is counted, and limited as searches are", async () => {
    const edge = edgeOf("meilisearch", {}, { ...OWN, ADMIN_TOKEN: "a-token-for-tests-only" });
    await edge.send("/indexes/products/documents/p1");
    const status = await edge.send("/armmt/status", { headers: { authorization: "Bearer a-token-for-tests-only" } });
    expect(await status.json()).toMatchObject({ calls: { answered: 1 } });
    const limited = edgeOf("meilisearch", {}, OWN, { clientAddress: () => "203.0.113.7", isWithinRate: async () => false });
    expect((await limited.send("/indexes/products/documents/p1")).status).toBe(429);
    expect(limited.sent).toEqual([]);
    const tooLong = await edge.send("/indexes/products/facet-search", { method: "POST", body: `{"facetName":"${"x".repeat(1_100_000)}"}` });
    expect([tooLong.status, edge.sent.length]).toEqual([413, 1]);
  });

  it("of several indexes needs them on one engine, under one key", async () => {
    const products = { backend: "algolia", url: URL_OF_ENGINE, window: 20 };
    const INDEXES = { products, offers: { ...products, url: "http://127.0.0.1:9201" }, own: { ...products, forwardCredentials: true } };
    const edge = openPlain({ INDEXES });
    for (const [indexName, refusal] of [
      ["offers", /products, offers are not on one engine: send one request for each/],
      ["own", /names an index that is not configured/],
      ["nobody", /No such index \[nobody\]: add it to INDEXES, with window = 0/],
    ] as const) {
      const requests = ["products", indexName].map((name) => ({ indexName: name, objectID: "p1" }));
      // oxlint-disable-next-line no-await-in-loop
      const response = await edge.send("/1/indexes/*/objects", { method: "POST", body: JSON.stringify({ requests }) });
      const { message }: { message: string } = await response.json(); // oxlint-disable-line no-await-in-loop
      expect(message).toMatch(refusal);
    }
    expect(edge.sent).toEqual([]);
  });
});

describe("a path that a storefront has too", () => {
  const STOREFRONT_URL = "https://shop.example.com";

  it.each<[EngineName, string]>([
    ["elasticsearch", "/"],
    ["elasticsearch", "/products"],
    ["meilisearch", "/version"],
    ["typesense", "/debug"],
    ["typesense", "/collections/products"],
    ["meilisearch", "/indexes/products"],
    ["vespa", "/status.html"],
  ])("of %s is the storefront's: %s", async (engine, path) => {
    const edge = edgeOf(engine, {}, { ...OWN, STOREFRONT_URL });
    await edge.send(path, { method: "HEAD" });
    expect(edge.sent.map(({ url }) => url)).toEqual([`${STOREFRONT_URL}${path}`]);
  });
});

describe("what needs the engine's own host", () => {
  const closed = ENGINES.flatMap((engine) => (HOST_ONLY[engine] ?? []).map(([method, path]) => [engine, method, path] as const));

  it.each(closed)("%s: %s %s says so, whoever's key it is", async (engine, method, path) => {
    for (const index of [{}, { forwardCredentials: true }]) {
      const edge = edgeOf(engine, index, index === undefined ? OWN : {});
      const response = await edge.send(path, { method, headers: CLIENT, ...(method !== "GET" && { body: "{}" }) }); // oxlint-disable-line no-await-in-loop
      expect([response.status, edge.sent]).toEqual([404, []]);
      expect(await response.text()).toContain("ask the engine's own host for it"); // oxlint-disable-line no-await-in-loop
    }
  });
});
