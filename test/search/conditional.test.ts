/** Conditional requests: a client that has the engine's own order is told that it is still right, and no client of a re-ranked one ever is. */
import { beforeAll, describe, expect, it } from "vitest";
import { publish } from "./catalog.ts";
import { demoShop, type Engine, type EdgeOptions, openEdge, outcomeOf, TOKEN } from "./edge.ts";

const CATALOG = "conditional";
const TAG = '"one-for-all-of-the-index"';
const SINCE = "Mon, 01 Jun 2026 00:00:00 GMT";
const KNOWN = { "if-none-match": TAG, "if-modified-since": SINCE };

beforeAll(() => publish(CATALOG));

/** As Solr: one tag for every search of the index, and 304 to all that name it. */
const cached: Engine = async (request) => {
  const headers = { etag: TAG, "last-modified": SINCE, "cache-control": "max-age=60" };
  if (request.headers.has("if-none-match") || request.headers.has("if-modified-since")) return new Response(null, { status: 304, headers });
  const response = await demoShop(request);
  return new Response(response.body, { headers: { ...Object.fromEntries(response.headers), ...headers } });
};

const open = (more: Partial<EdgeOptions> = {}) => openEdge({ catalog: CATALOG, engine: cached, ...more });

describe("a client that has a reply", () => {
  it.each([
    ["off", "?q=red", { "x-armmt": "off" }],
    ["explicit_sort", "?q=red&sort=price:asc", {}],
    ["no_query_text", "", {}],
  ])("%s: is told that it is still right", async (reason, search, more: Record<string, string>) => {
    const edge = open();
    const response = await edge.send(`/products/_search${search}`, { headers: { ...KNOWN, ...more } });
    expect([response.status, outcomeOf(response), response.headers.get("etag"), await response.text()]).toEqual([304, reason, TAG, ""]);
    expect(edge.exchanges).toHaveLength(1);
    expect(edge.counters.snapshot().searches).toEqual({ armmt: { [reason]: 1 } });
    // Which hits it has, was recorded when it got them.
    expect([edge.records, edge.logs.filter(({ level }) => level !== "info")]).toEqual([[], []]);
  });

  it.each([
    ["a re-ranked list", "/products/_search?q=red", {}],
    ["a re-ranked page", "/products/_search?q=red&from=5&size=5", {}],
    ["a list with an explanation", "/products/_search?q=red&sort=price:asc&armmt_explain", { authorization: `Bearer ${TOKEN}` }],
  ])("gets %s whole, whatever it has, and without the engine's validators", async (_, path, more: Record<string, string>) => {
    const edge = open();
    const response = await edge.send(path, { headers: { ...KNOWN, ...more } });
    expect(response.status).toBe(200);
    expect(edge.exchanges.map(({ headers }) => [headers.get("if-none-match"), headers.get("if-modified-since")])).toEqual([[null, null]]);
    expect([response.headers.get("etag"), response.headers.get("last-modified")]).toEqual([null, null]);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
  });

  it("gets the engine's order whole where the window fails", async () => {
    const edge = open({ engine: (request) => (request.url.includes("size=20") ? new Response("{}", { status: 400 }) : cached(request)) });
    const response = await edge.send("/products/_search?q=red&size=5", { headers: KNOWN });
    expect([response.status, outcomeOf(response)]).toEqual([200, "engine_refused_window"]);
  });

  it("by POST is asked nothing of", async () => {
    const edge = open();
    await edge.send("/products/_search", {
      method: "POST",
      headers: { ...KNOWN, "x-armmt": "off", "content-type": "application/json" },
      body: "{}",
    });
    expect(edge.exchanges[0]!.headers.has("if-none-match")).toBe(false);
  });
});
