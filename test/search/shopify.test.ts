/** A shop whose engine is Shopify's Storefront API: whose key lets what through. */
import { describe, expect, it } from "vitest";
import { openEdge } from "./edge.ts";

const PATH = "/api/2026-07/graphql.json";
const SEARCH = '{ search(query: "red", first: 5, types: PRODUCT) { nodes { ... on Product { id } } } }';
const CART = "mutation { cartCreate { cart { id } } }";
const TOKENS = { "x-shopify-storefront-access-token": "of-the-client", "shopify-storefront-buyer-ip": "192.0.2.1" };

const open = (index: object, vars: object = {}) =>
  openEdge({
    catalog: "shopify",
    engine: () => Response.json({ data: {} }),
    vars: { INDEXES: { products: { backend: "shopify", url: "http://127.0.0.1:7700", window: 20, ...index } }, ...vars },
  });

const post = (query: string, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json; charset=utf-8", "x-sdk-variant": "storefront-api-client", ...TOKENS, ...headers },
  body: JSON.stringify({ query }),
});

const sentTo = (edge: ReturnType<typeof open>) =>
  edge.exchanges.map(({ headers }) => ({
    private: headers.get("shopify-storefront-private-token"),
    public: headers.get("x-shopify-storefront-access-token"),
    buyer: headers.get("shopify-storefront-buyer-ip"),
    type: headers.get("content-type"),
    sdk: headers.get("x-sdk-variant"),
  }));

describe("the key with which a document goes to Shopify", () => {
  it("the edge's own: searches only, and as what they were read as", async () => {
    const edge = open({}, { ENGINE_AUTHORIZATION: "of-the-edge" });
    expect((await edge.send(PATH, post(SEARCH))).status).toBe(200);
    expect((await edge.send(PATH, post(SEARCH, { "content-type": "application/x-www-form-urlencoded" }))).status).toBe(200);
    const sent = { private: "of-the-edge", public: null, buyer: null, type: "application/json", sdk: "storefront-api-client" };
    expect(sentTo(edge)).toEqual([sent, sent]);
    const refused = await edge.send(PATH, post(CART));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({
      errors: [{ message: expect.stringContaining("A mutation is not passed on"), extensions: { code: "BAD_REQUEST" } }],
    });
    expect(edge.exchanges).toHaveLength(2);
  });

  it("the client's: everything, as it came", async () => {
    const edge = open({ forwardCredentials: true });
    const response = await edge.send(PATH, post(CART));
    expect([response.status, response.headers.get("x-armmt")]).toEqual([200, "bypass; reason=request_not_understood"]);
    const type = "application/json; charset=utf-8";
    expect(sentTo(edge)).toEqual([{ private: null, public: "of-the-client", buyer: null, type, sdk: "storefront-api-client" }]);
    expect(edge.exchanges[0]!.body).toBe(post(CART).body);
  });

  it("both: searches only, because the edge's is among them", async () => {
    const edge = open({ forwardCredentials: true }, { ENGINE_AUTHORIZATION: '{"products":"of-the-edge"}' });
    expect((await edge.send(PATH, post(CART))).status).toBe(400);
    expect((await edge.send(PATH, post(SEARCH))).status).toBe(200);
    expect(sentTo(edge)).toMatchObject([{ private: "of-the-edge", type: "application/json" }]);
  });

  it("has one index, as its requests name none", () => {
    const index = { backend: "shopify", url: "http://127.0.0.1:7700", window: 20 };
    expect(() => openEdge({ catalog: "shopify", vars: { INDEXES: { products: index, others: index } } })).toThrow("requests name no index");
  });
});
