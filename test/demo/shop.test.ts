import { env } from "cloudflare:test";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import { drawnProduct } from "../../src/demo/catalogue/catalogue.ts";
import { drawPicture } from "../../src/demo/drawing/picture.ts";
import { CATALOG_KEY, createShopHandler, type ShopEnv } from "../../src/demo/shop.ts";

const drawnShop = createShopHandler();

async function get(path: string, init: RequestInit = {}, bindings: ShopEnv = {}, handler = drawnShop): Promise<Response> {
  return handler(new Request(`http://shop.test${path}`, init), bindings);
}

/** One search of several. */
const search = (body: object) => `${JSON.stringify({ index: "products" })}\n${JSON.stringify(body)}\n`;

describe("the drawn shop", () => {
  it("answers a search as Elasticsearch does", async () => {
    const response = await get("/products/_search", { method: "POST", body: '{"query":{"match":{"title":"mug"}},"size":2}' });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-elastic-product")).toBe("Elasticsearch");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ timed_out: false, hits: { hits: [{ _index: "products" }, { _index: "products" }] } });
  });

  it("searches by GET and with an empty body", async () => {
    expect(await (await get("/products/_search?q=lamp&size=0")).json()).toMatchObject({ hits: { hits: [] } });
    expect(await (await get("/products/_search", { method: "POST", body: "" })).json()).toMatchObject({ hits: { total: { value: 2400 } } });
  });

  it("refuses a body that is not JSON and gives an example", async () => {
    const response = await get("/products/_search", { method: "POST", body: '{"query":' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("The request body is not JSON");
  });

  it("answers 404 for an index that it does not have", async () => {
    const response = await get("/shoes/_search");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { type: "index_not_found_exception", index: "shoes" }, status: 404 });
  });

  it("draws the picture of a product, cacheable", async () => {
    const response = await get("/images/p0005.svg");
    expect(response.headers.get("content-type")).toBe("image/svg+xml");
    expect(response.headers.get("cache-control")).toBe("public, max-age=3600");
    expect(await response.text()).toBe(drawPicture(drawnProduct("p0005")));
  });

  it("tells a product without its look", async () => {
    const { look, ...product } = drawnProduct("p0005");
    expect(look.colour).toBeDefined();
    expect(await (await get("/products/p0005.json")).json()).toEqual(product);
  });

  it.each(["/images/p9999.svg", "/products/p9999.json", "/products/toString.json", "/nothing"])(
    "answers 404 for %s and names it",
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain(/p9999|toString|nothing/.exec(path)?.[0]);
    },
  );

  it("refuses other methods with those it takes", async () => {
    const response = await get("/images/p0005.svg", { method: "POST", body: "x" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await get("/products/_search", { method: "DELETE" })).status).toBe(405);
  });

  it("refuses a path that is not percent-encoded", async () => {
    const response = await get("/images/%E0%A4%A.svg");
    expect(response.status).toBe(400);
  });

  it("describes itself, with the token only when there is one", async () => {
    const plain = await (await get("/catalog.json")).json();
    expect(plain).toMatchObject({ name: "drawn catalogue", count: 2400 });
    expect(plain).not.toHaveProperty("explainToken");
    expect(await (await get("/catalog.json", {}, { DEMO_ADMIN_TOKEN: "secret" })).json()).toMatchObject({ explainToken: "secret" });
  });

  it("finds products for every example query it offers", async () => {
    const response = await get("/catalog.json");
    const { exampleQueries } = v.parse(v.object({ exampleQueries: v.array(v.string()) }), await response.json());
    expect(exampleQueries.length).toBeGreaterThan(3);
    for (const query of exampleQueries) {
      const found = await (await get(`/products/_search?q=${encodeURIComponent(query)}&size=1`)).json();
      expect(found, query).toMatchObject({ hits: { hits: [{ _index: "products" }] } });
    }
  });
});

describe("a shop with a catalogue in KV", () => {
  const photos = [
    { id: "1 a", title: "Blue Shirt", category: "Shirts", image: "/images/1%20a.jpg" },
    { id: "2", title: "Red Shirt", category: "Shirts", price: 9, image: "/images/2.jpg" },
    { id: "3", title: "Cap", category: "Caps", image: "/images/3.jpg" },
  ];
  const files = { fetch: async (request: Request) => new Response(`file ${new URL(request.url).pathname}`) };
  const bindings: ShopEnv = { SHOP: env.EMBEDDINGS, ASSETS: files };

  afterEach(() => env.EMBEDDINGS.delete(CATALOG_KEY));

  it("sells the catalogue in KV, once it is written", async () => {
    await env.EMBEDDINGS.put(CATALOG_KEY, JSON.stringify({ name: "photographs", note: "three", products: photos }));
    const handler = createShopHandler();
    const catalog = await (await get("/catalog.json", {}, bindings, handler)).json();
    expect(catalog).toMatchObject({
      name: "photographs",
      note: "three",
      count: 3,
      categories: [
        { name: "Shirts", count: 2 },
        { name: "Caps", count: 1 },
      ],
      exampleQueries: ["shirts", "caps"],
    });
    const found = await (await get("/products/_search?q=red+shirt&size=1", {}, bindings, handler)).json();
    expect(found).toMatchObject({
      hits: { hits: [{ _id: "2", _source: { title: "Red Shirt", category: "Shirts", price: 9, image: "/images/2.jpg" } }] },
    });
  });

  it("hands out the pictures of its products and no other file", async () => {
    await env.EMBEDDINGS.put(CATALOG_KEY, JSON.stringify({ name: "photographs", products: photos }));
    const handler = createShopHandler();
    expect(await (await get("/images/2.jpg", {}, bindings, handler)).text()).toBe("file /images/2.jpg");
    expect(await (await get("/images/1%20a.jpg", {}, bindings, handler)).text()).toBe("file /images/1%20a.jpg");
    for (const path of ["/products.csv", "/images/4.jpg", "/images/p0005.svg"]) {
      expect((await get(path, {}, bindings, handler)).status, path).toBe(404);
    }
    expect((await get("/images/2.jpg", {}, { SHOP: env.EMBEDDINGS }, handler)).status).toBe(404);
  });

  it.each([
    ["{", "it is not JSON"],
    ['{"name":"x","products":[]}', "at products: the list is empty"],
    ['{"name":"x","products":[{"id":"1","title":"t","category":"c","image":"/i","price":"9"}]}', "at products.0.price"],
  ])("names the fault in %s, and recovers when it is written again", async (text, reason) => {
    const handler = createShopHandler();
    await env.EMBEDDINGS.put(CATALOG_KEY, text);
    const response = await get("/catalog.json", {}, bindings, handler);
    expect(response.status).toBe(500);
    const message = await response.text();
    expect(message).toContain(reason);
    expect(message).toContain("armmt start --catalog");
    await env.EMBEDDINGS.put(CATALOG_KEY, JSON.stringify({ name: "photographs", products: photos }));
    expect((await get("/catalog.json", {}, bindings, handler)).status).toBe(200);
  });

  it("serves concurrent first requests", async () => {
    await env.EMBEDDINGS.put(CATALOG_KEY, JSON.stringify({ name: "photographs", products: photos }));
    const handler = createShopHandler();
    const replies = await Promise.all(Array.from({ length: 8 }, () => get("/products/_search?q=cap", {}, bindings, handler)));
    for (const reply of replies) expect(await reply.json()).toMatchObject({ hits: { total: { value: 1 } } });
  });

  it("answers several searches at once, as Searchkit asks them", async () => {
    const body =
      search({ query: { multi_match: { query: "red mug", type: "bool_prefix" } }, size: 2 }) +
      search({ size: 0 }) +
      '{"index":"other"}\n{}\n';
    const reply: { responses: unknown[] } = await (await get("/_msearch", { method: "POST", body })).json();
    expect(reply.responses).toMatchObject([{ status: 200 }, { status: 200, hits: { hits: [] } }, { status: 404 }]);
    const broken = await get("/_msearch", { method: "POST", body: "{" });
    expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining("lines of JSON")]);
  });
});
