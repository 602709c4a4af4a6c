/** Searches that are left alone: the engine's own reply, byte for byte, with the reason. */
import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { createUnitHash } from "../../src/events/keys.ts";
import { publish } from "./catalog.ts";
import { demoShop, type Edge, ENGINE_URL, idsOf, match, openEdge, outcomeOf, postJson, TOKEN, WINDOW } from "./edge.ts";
import { PARTS } from "../../src/search/why.ts";

const CATALOG = "untouched";
const SECRET = "a-secret-for-tests-only-of-32-characters";
const EXPERIMENT = { key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] };

beforeAll(() => publish(CATALOG));

/** The shop's own answer to the same request, without the edge. */
async function shopReply(path: string, init?: RequestInit): Promise<Response> {
  return demoShop(new Request(`${ENGINE_URL}${path}`, init));
}

async function expectSame(actual: Response, expected: Response): Promise<void> {
  expect(actual.status).toBe(expected.status);
  for (const name of ["content-type", "x-elastic-product"]) expect(actual.headers.get(name)).toBe(expected.headers.get(name));
  const [body, own] = await Promise.all([actual.bytes(), expected.bytes()]);
  expect(body).toEqual(own);
  expect(actual.headers.get("content-length")).toBe(String(own.length));
}

function logged(edge: Edge, reason: string): Readonly<Record<string, unknown>> | undefined {
  return edge.logs.find((entry) => entry["event"] === "bypass" && entry["reason"] === reason);
}

const sizes = { size: 7, from: 2, aggs: { categories: { terms: { field: "category" } } } };

describe("a search left alone", () => {
  it.each<[string, string, RequestInit, string?]>([
    ["off", "", postJson(match("red", sizes), { "x-armmt": "OFF" })],
    ["explicit_sort", "", postJson(match("red", { ...sizes, sort: [{ price: "asc" }] }))],
    ["explicit_sort", "?sort=price:desc", postJson(match("red"))],
    ["size_zero", "", postJson(match("red", { size: 0, aggs: sizes.aggs }))],
    ["beyond_window", "", postJson(match("red", { from: WINDOW, size: 5 }))],
    ["beyond_window", `?q=red&from=${WINDOW + 3}`, {}],
    ["no_query_text", "", postJson({ query: { match_all: {} }, size: 5 })],
    ["no_query_text", "", {}],
    // The engine's own error is the best answer to these.
    ["request_not_understood", "", postJson(match("red", { size: -1 }))],
  ])("%s, %s %j", async (reason, search, init) => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send(`/products/_search${search}`, init);
    expect(outcomeOf(response)).toBe(reason);
    await expectSame(response, await shopReply(`/products/_search${search}`, init));
    expect(edge.exchanges).toHaveLength(1);
    expect(edge.counters.snapshot().searches).toEqual({ armmt: { [reason]: 1 } });
    expect(logged(edge, reason)).toMatchObject({ index: "products", variant: "armmt", level: "info" });
  });

  it("too_few_hits: the page is the engine's", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const init = postJson(match("zzzzqqqq"));
    const response = await edge.send("/products/_search", init);
    expect(outcomeOf(response)).toBe("too_few_hits");
    await expectSame(response, await shopReply("/products/_search", init));
  });

  it("request_not_understood: what is no JSON is the engine's to refuse, with the client's own key", async () => {
    const init = { method: "POST", body: '{"query":{"match":', headers: { "content-type": "application/json" } };
    const index = { backend: "elasticsearch", url: ENGINE_URL, window: WINDOW, catalog: CATALOG };
    const open = openEdge({ catalog: CATALOG, vars: { INDEXES: { products: { ...index, forwardCredentials: true } } } });
    const response = await open.send("/products/_search", init);
    expect(outcomeOf(response)).toBe("request_not_understood");
    await expectSame(response, await shopReply("/products/_search", init));
    const edge = openEdge({ catalog: CATALOG });
    expect((await edge.send("/products/_search", init)).status).toBe(400);
    expect(edge.exchanges).toHaveLength(0);
  });

  it.each<[string, string, object]>([
    ["cursor", "", { search_after: [1.5], sort: ["_score"] }],
    ["grouped", "", { collapse: { field: "category" } }],
  ])("%s %s %j, with an engine that can do that", async (reason, search, page) => {
    const reply = '{"_scroll_id":"x","hits":{"hits":[{"_id":"b","_score":1.0},{"_id":"a","_score":3}]}}';
    const edge = openEdge({
      catalog: CATALOG,
      engine: () => new Response(reply, { headers: { etag: '"1"', "cache-control": "max-age=5" } }),
    });
    const response = await edge.send(`/products/_search${search}`, postJson(match("red", page)));
    expect(outcomeOf(response)).toBe(reason);
    expect(await response.text()).toBe(reply);
    // Nothing of it depends on the shopper, so the engine's rules for caches hold.
    expect([response.headers.get("etag"), response.headers.get("cache-control")]).toEqual(['"1"', "max-age=5"]);
    expect(JSON.parse(edge.exchanges[0]!.body)).toEqual(match("red", page));
  });

  it("keeps what only the edge reads from the engine", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const init = postJson({ ...match("red", sizes), ext: { armmt: { history: ["p1"] } } }, { "x-armmt": "off" });
    await expectSame(
      await edge.send("/products/_search?armmt_explain", init),
      await shopReply("/products/_search", postJson(match("red", sizes))),
    );
  });
});

describe("the experiment", () => {
  const units = Array.from({ length: 60 }, (_, i) => `user-${i}`);

  it("serves control the engine's own reply and never asks for more; armmt gets the other order", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { EXPERIMENTS: [EXPERIMENT] } });
    const own = await (await shopReply("/products/_search", postJson(match("red", sizes)))).bytes();
    for (const unit of units) {
      const response = await edge.send("/products/_search", postJson(match("red", sizes), { "x-armmt-user": unit }));
      const isControl = outcomeOf(response) === "engine_order";
      expect(["engine_order", "applied"]).toContain(outcomeOf(response));
      const body = await response.bytes();
      expect(body.length === own.length && body.every((byte, i) => byte === own[i])).toBe(isControl);
      expect(JSON.parse(edge.exchanges.at(-1)!.body).size).toBe(isControl ? sizes.size : WINDOW);
      expect(response.headers.get("cache-control")).toBe("private, no-store");
    }
    const { searches } = edge.counters.snapshot();
    const counts = [searches["control"]!["engine_order"]!, searches["armmt"]!["applied"]!];
    expect(counts[0]! + counts[1]!).toBe(units.length);
    expect(Math.min(...counts)).toBeGreaterThan(units.length / 4);
  });

  it("gives a unit one variant whichever way it names itself, session before user before client_id", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { EXPERIMENTS: [EXPERIMENT] } });
    const outcome = async (headers: Record<string, string>, clientId?: string) => {
      const ext = clientId === undefined ? {} : { ext: { ubi: { client_id: clientId } } };
      return outcomeOf(await edge.send("/products/_search", postJson({ ...match("red"), ...ext }, headers)));
    };
    const byUser = await Promise.all(units.map((unit) => outcome({ "x-armmt-user": unit })));
    const [control, armmt] = [units[byUser.indexOf("engine_order")]!, units[byUser.indexOf("applied")]!];
    expect(await outcome({ "x-armmt-session": control })).toBe("engine_order");
    // A shopper who logs in on the way, and out again.
    expect(await outcome({ "x-armmt-session": control, "x-armmt-user": armmt })).toBe("engine_order");
    expect(await outcome({ "x-armmt-session": armmt, "x-armmt-user": control })).toBe("applied");
    expect(await outcome({ "x-armmt-session": armmt }, control)).toBe("applied");
    // The shop refuses `ext`, which is enough to see that it was asked without re-ranking.
    expect(await outcome({}, control)).toMatch(/^(engine_order|engine_status)$/);
  });

  it("leaves a search without a unit to the default variant", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { EXPERIMENTS: [EXPERIMENT], DEFAULT_VARIANT: "control" } });
    const response = await edge.send("/products/_search", postJson(match("red")));
    expect(outcomeOf(response)).toBe("engine_order");
    expect(edge.records[0]!.query_attributes.armmt).not.toHaveProperty("experiment");
  });
});

describe("what is recorded", () => {
  it("holds of a text no more than anybody types, and no application of any length", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const search = match("red ".repeat(3000), { ext: { ubi: { query_id: "q", application: "a".repeat(5000) } } });
    await edge.send("/products/_search", postJson(search));
    const [record] = edge.records;
    expect(record).toMatchObject({ application: "products", query_id: "q" });
    expect(record!.user_query).toBe("red ".repeat(1000));
  });

  it("is who was in which arm, the engine's order and the shown one, without anybody's id", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { EXPERIMENTS: [EXPERIMENT] }, now: () => Date.UTC(2026, 5, 1) });
    const response = await edge.send("/products/_search", postJson(match("red", { from: 3, size: 4 }), { "x-armmt-user": "user-a" }));
    const [record] = edge.records;
    const outcome = outcomeOf(response);
    const shown = idsOf(await response.json());
    expect(record).toMatchObject({
      application: "products",
      query_id: "id-1",
      user_query: "red",
      timestamp: "2026-06-01T00:00:00.000Z",
      query_response_hit_ids: shown,
      query_attributes: {
        armmt: {
          format: 2,
          experiment: "rerank",
          arms: { control: 0.5, armmt: 0.5 },
          variant: outcome === "engine_order" ? "control" : "armmt",
          window: WINDOW,
          served_ids: shown,
        },
      },
    });
    expect(record).not.toHaveProperty("client_id");
    expect(record!.query_attributes.armmt).not.toHaveProperty("admin");
    expect(JSON.stringify(record)).not.toContain("user-a");
    expect(edge.counters.snapshot().exposures).toEqual({ written: 1, failed: 0 });
  });

  it("is one row in D1", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const body = { ...match("red", { size: 3 }), ext: { ubi: { query_id: "row-in-d1" } } };
    await edge.send("/products/_search", postJson(body, { "x-armmt": "off" }));
    const { results } = await env.EVENTS.prepare("SELECT variant, bypass, hit_ids FROM ubi_queries WHERE query_id = ?")
      .bind("row-in-d1")
      .all();
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ variant: "armmt" });
  });

  it("holds the whole window where it was asked for, and the reason where the order stayed", async () => {
    const edge = openEdge({ catalog: CATALOG });
    await edge.send("/products/_search", postJson(match("red", { size: 4 })));
    await edge.send("/products/_search", postJson(match("red", { size: 4 }), { "x-armmt": "off" }));
    const [applied, off] = edge.records.map((record) => record.query_attributes.armmt);
    expect(applied!.original_ids).toHaveLength(WINDOW);
    // Training reads the engine's scores from here, in the engine's order.
    expect(applied!.original_scores).toHaveLength(WINDOW);
    expect(applied!.original_scores).toEqual(applied!.original_scores!.toSorted((a, b) => Number(b) - Number(a)));
    expect(applied).not.toHaveProperty("bypass");
    expect(off).toMatchObject({
      bypass: "off",
      original_ids: applied!.original_ids.slice(0, 4),
      original_scores: applied!.original_scores!.slice(0, 4),
      served_ids: applied!.original_ids.slice(0, 4),
    });
  });

  it("says how long the engine was waited for, and how long the edge took besides", async () => {
    const edge = openEdge({ catalog: CATALOG });
    await edge.send("/products/_search", postJson(match("red")));
    const { engine_ms: engineMs = -1, edge_ms: edgeMs = -1 } = edge.records[0]!.query_attributes.armmt;
    expect(engineMs).toBeGreaterThanOrEqual(0);
    expect(engineMs).toBeLessThan(5000);
    expect(edgeMs).toBeGreaterThanOrEqual(0);
    expect(edgeMs).toBeLessThan(5000);
  });

  it("names the client only with consent, by a hash", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: { EVENT_SECRET: SECRET } });
    const ext = { ubi: { client_id: "browser-7" } };
    await edge.send("/products/_search", postJson(match("red", { ext }), { "x-armmt-user": "user-a", "x-armmt-consent": "1" }));
    await edge.send("/products/_search", postJson(match("red", { ext }), { "x-armmt-user": "user-a", "x-armmt-consent": "0" }));
    expect(edge.records.map((record) => record.client_id)).toEqual([await createUnitHash(SECRET)("browser-7"), undefined]);
  });

  it.each([
    [{ "x-armmt-user": "user-a" }, {}],
    [{ "x-armmt-session": "session-a" }, {}],
    [{ "x-armmt-user": "user-a" }, { ext: { ubi: { client_id: "user-a" } } }],
    [{ "x-armmt-session": "session-a" }, { ext: { ubi: { client_id: "session-a" } } }],
    [{ "x-armmt-user": "user-a", "x-armmt-session": "session-a" }, { ext: { ubi: { client_id: "user-a" } } }],
    [{ "x-armmt-user": "user-a", "x-armmt-session": "session-a" }, { ext: { ubi: { client_id: "session-a" } } }],
    [{}, { ext: { ubi: { client_id: "browser-7" } } }],
  ])("never holds the unit itself: %j %j", async (headers, body) => {
    const edge = openEdge({ catalog: CATALOG });
    await edge.send("/products/_search", postJson(match("red", body), { ...headers, "x-armmt-consent": "1" }));
    expect(edge.records).toHaveLength(1);
    expect(JSON.stringify(edge.records)).not.toMatch(/user-a|session-a|browser-7/);
  });

  it("is nothing for requests that are no searches or show nothing by intent", async () => {
    const edge = openEdge({ catalog: CATALOG });
    await edge.send("/products/_search", postJson(match("red", { size: 0 })));
    await edge.send("/products/_search", { method: "POST", body: "{" });
    await edge.send("/orders/_search", postJson(match("red")));
    expect(edge.records).toEqual([]);
  });
});

const secondPage = (headers: Record<string, string>) =>
  postJson(match("red", { from: 2, size: 5 }), { "x-armmt-history": "unknown", ...headers });

describe("armmt_explain", () => {
  const bearer = { authorization: `Bearer ${TOKEN}` };

  it("adds one member that tells each shown item's way", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const plain = await (await edge.send("/products/_search", secondPage({}))).text();
    const response = await edge.send("/products/_search?armmt_explain", secondPage(bearer));
    const explained = await response.text();
    expect(explained.startsWith(plain.slice(0, -1))).toBe(true);
    const { armmt, hits } = JSON.parse(explained);
    expect(armmt).toMatchObject({
      variant: "armmt",
      experiment: null,
      isBot: false,
      window: WINDOW,
      bypass: null,
      query: "red",
      history: { given: 1, known: 0 },
    });
    const engine = edge.records[0]!.query_attributes.armmt.original_ids;
    expect(armmt.items).toHaveLength(5);
    const shown = idsOf({ hits });
    armmt.items.forEach((item: Record<string, unknown>, i: number) => {
      expect(item).toMatchObject({ id: shown[i], position: 3 + i, rank: engine.indexOf(shown[i]!) + 1 });
      expect(Number.isFinite(item["score"])).toBe(true);
    });
    // Of some hits, a part moved them.
    const why: { part: string; places: number }[] = armmt.items.flatMap((item: { why: object[] }) => item.why);
    expect(why.length).toBeGreaterThan(0);
    expect(why.filter(({ part, places }) => !PARTS.some((known) => known === part) || !Number.isInteger(places) || places === 0)).toEqual(
      [],
    );
    const scores = armmt.items.map((item: { score: number }) => item.score);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
  });

  it("tells the reason where the order stayed, and which variant an admin may ask for", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send(
      "/products/_search?armmt_explain&armmt_variant=control",
      postJson(match("red", { size: 2, from: 4 }), bearer),
    );
    const { armmt } = JSON.parse(await response.text());
    expect(armmt).toMatchObject({ variant: "control", bypass: "engine_order" });
    expect(armmt.items[0]).toMatchObject({ rank: 5, position: 5, score: null, why: null });
    expect(edge.exchanges[0]!.url).toBe(`${ENGINE_URL}/products/_search`);
  });

  it("and a wrong token says so where a variant is asked for, instead of the live one", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const headers = { authorization: "Bearer wrong" };
    const response = await edge.send("/products/_search?armmt_variant=control", postJson(match("red"), headers));
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await response.text()).toContain("ADMIN_TOKEN");
    expect(edge.exchanges).toEqual([]);
    expect((await edge.send("/products/_search?armmt_explain", postJson(match("red"), headers))).status).toBe(200);
  });

  it.each([{}, { authorization: TOKEN }])("is not for everybody: %j", async (headers: Record<string, string>) => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send("/products/_search?armmt_explain&armmt_variant=control", postJson(match("red"), headers));
    expect(outcomeOf(response)).toBe("applied");
    const text = await response.text();
    expect(text).not.toContain("armmt");
    expect(edge.exchanges[0]!.headers.has("authorization")).toBe(false);
  });
});
