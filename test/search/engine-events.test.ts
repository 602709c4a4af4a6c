/**
 * Events and units of engines' own clients, in which nothing names the edge: searches with the engine's query id and user token, then events with
 * that query id, through the whole edge and a real D1.
 */
import { env } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { d1Reader } from "../../src/events/read.ts";
import { TOKEN_TTL_MS } from "../../src/events/token.ts";
import { drawnItems, publish } from "./catalog.ts";
import { type Edge, type EdgeOptions, type Engine, openEdge, postJson, TOKEN } from "./edge.ts";

const CATALOG = "engine-events";
const SECRET = "a-secret-for-tests-only-of-32-characters";
const ALGOLIA = "https://app-dsn.algolia.example";
const INSIGHTS = "https://insights.algolia.example";
const START = Date.UTC(2026, 10, 21, 12);
const HALVES = [{ key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] }];

beforeAll(() => publish(CATALOG));

let nowMs = START;
let searches = 0;
const hex = (n: number): string => `0123456789abcdef0123456789ab${n.toString(16).padStart(4, "0")}`;

beforeEach(async () => {
  [nowMs, searches] = [START, 0];
  await env.EVENTS.batch(["ubi_events", "ubi_queries"].map((table) => env.EVENTS.prepare(`DROP TABLE IF EXISTS ${table}`)));
});

const ids = (): string[] =>
  drawnItems()
    .slice(0, 20)
    .map(({ itemId }) => itemId);

/** Answers each search with the next query id, and any event with `status`. */
const engineWith =
  (status = 200): Engine =>
  async (request) => {
    if (request.url.startsWith(INSIGHTS)) return Response.json({ status, message: "OK" }, { status });
    const hits = ids().map((objectID) => ({ objectID }));
    const found = { hits, nbHits: 20, page: 0, nbPages: 1, hitsPerPage: 20, queryID: hex(++searches), params: "" };
    return Response.json(request.url.includes("/queries") ? { results: [found] } : found);
  };

const open = (index: object = {}, more: Partial<EdgeOptions> = {}): Edge =>
  openEdge({
    catalog: CATALOG,
    engine: engineWith(),
    now: () => nowMs,
    readEvents: d1Reader(env.EVENTS),
    ...more,
    vars: {
      INDEXES: { products: { backend: "algolia", url: ALGOLIA, window: 20, catalog: CATALOG, pageSize: 20, ...index } },
      EVENT_SECRET: SECRET,
      EXPERIMENTS: HALVES,
      ALLOW_ORIGINS: ["*"],
      ...more.vars,
    },
  });

/** As algoliasearch 5 and InstantSearch do. */
const searchAs = (edge: Edge, userToken?: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  edge.send(
    "/1/indexes/*/queries?x-algolia-api-key=client&x-algolia-application-id=APP",
    postJson({ requests: [{ indexName: "products", query: "red", hitsPerPage: 20, clickAnalytics: true, userToken }] }, headers),
  );

async function queryIdIn(response: Response): Promise<string> {
  const { results }: { results: { queryID: string }[] } = await response.json();
  return results[0]!.queryID;
}

/** As search-insights sends it. */
const click = (queryID: string, objectID = ids()[3], more: object = {}) => ({
  events: [
    {
      eventType: "click",
      eventName: "Hit Clicked",
      index: "products",
      userToken: "anonymous-1",
      queryID,
      objectIDs: [objectID],
      positions: [4],
      ...more,
    },
  ],
});

const INSIGHTS_PATH = "/1/events?X-Algolia-Application-Id=APP&X-Algolia-API-Key=client&X-Algolia-Agent=insights-js";

async function tell(edge: Edge, body: unknown, path = INSIGHTS_PATH) {
  const response = await edge.send(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "text/plain" } });
  const answer: Record<string, unknown> = await response.json();
  return { status: response.status, answer };
}

const rows = async (sql: string): Promise<unknown[]> => (await env.EVENTS.prepare(sql).all()).results.map((row) => Object.values(row));

describe("the engine's query id", () => {
  it("joins a stock page's events and its searches, whoever has handed out the token", async () => {
    const edge = open();
    const queryID = await queryIdIn(await searchAs(edge, "anonymous-1"));
    expect(queryID).toBe(hex(1));
    expect(await tell(edge, click(queryID))).toEqual({
      status: 200,
      answer: { status: 200, message: "OK", accepted: 1, duplicates: 0, rejected: [] },
    });
    // Another isolate has handed out no token.
    const other = open();
    const cart = click(queryID, ids()[5], { eventType: "conversion", eventSubtype: "addToCart" });
    expect((await tell(other, cart)).answer).toMatchObject({ accepted: 1 });
    const joined = await rows(`SELECT e.action_name, e.query_id, e.object_id, e.position, q.variant, q.experiment,
      json_extract(e.event_attributes, '$.armmt.variant') FROM ubi_events e JOIN ubi_queries q USING (query_id) ORDER BY e.id`);
    const served: string[] = JSON.parse(String((await rows("SELECT hit_ids FROM ubi_queries")).flat()[0]));
    const { variant } = edge.records[0]!.query_attributes.armmt;
    expect(joined).toEqual([
      ["click", queryID, ids()[3], served.indexOf(ids()[3]!) + 1, variant, "rerank", variant],
      ["add_to_cart", queryID, ids()[5], served.indexOf(ids()[5]!) + 1, variant, "rerank", variant],
    ]);
  });

  it("counts an item once, by token and by query id, in whatever isolate", async () => {
    const edge = open();
    const response = await searchAs(edge, "anonymous-1");
    const token = response.headers.get("x-armmt-events")!;
    const queryID = await queryIdIn(response);
    expect((await tell(edge, click(token))).answer).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await tell(edge, click(queryID))).answer).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await tell(open(), click(queryID))).answer).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  it("that is made up, of another shop, too old, or about another item, counts nothing and says so", async () => {
    const edge = open();
    const queryID = await queryIdIn(await searchAs(edge, "anonymous-1"));
    const refusalOf = async (body: unknown, at = edge) => {
      const { status, answer } = await tell(at, body);
      const [rejected]: { reason?: string; message?: string }[] = Array.isArray(answer["rejected"]) ? answer["rejected"] : [];
      return [status, answer["status"], rejected?.reason, answer["message"] === rejected?.message];
    };
    expect(await refusalOf(click("fedcba98765432100123456789abcdef"))).toEqual([422, 422, "search_unknown", true]);
    expect(await refusalOf(click("1"))).toEqual([422, 422, "search_unknown", true]);
    expect(await refusalOf(click(queryID, "never-served"))).toEqual([422, 422, "item_not_served", true]);
    const otherShop = open({}, { readEvents: async () => [[]] });
    expect(await refusalOf(click(queryID), otherShop)).toEqual([422, 422, "search_unknown", true]);
    nowMs = START + TOKEN_TTL_MS;
    expect(await refusalOf(click(queryID))).toEqual([422, 422, "token_expired", true]);
    expect(await refusalOf(click(queryID), open())).toEqual([422, 422, "token_expired", true]);
    await env.EVENTS.prepare("DROP TABLE ubi_queries").run();
    expect(await refusalOf(click(hex(77)), open())).toEqual([422, 422, "search_unknown", true]);
  });

  it("is not looked up where the client chose it", async () => {
    const edge = openEdge({
      catalog: CATALOG,
      readEvents: d1Reader(env.EVENTS),
      vars: { EVENT_SECRET: SECRET },
    });
    await edge.send("/products/_search", postJson({ query: { match: { title: "red" } }, ext: { ubi: { query_id: "1" } } }));
    const [served = ""] = edge.records[0]!.query_response_hit_ids;
    const event = { query_id: "1", action_name: "click", event_attributes: { object: { object_id: served } } };
    expect((await tell(edge, { events: [event] }, "/events")).answer).toMatchObject({ rejected: [{ reason: "search_unknown" }] });
    // UBI's own client makes a UUID.
    const uuid = "6f1c2b3a-4d5e-4f60-8192-a3b4c5d6e7f8";
    await edge.send("/products/_search", postJson({ query: { match: { title: "red" } }, ext: { ubi: { query_id: uuid } } }));
    expect((await tell(edge, { events: [{ ...event, query_id: uuid }] }, "/events")).answer).toMatchObject({ accepted: 1 });
  });

  it("waits for the client's next try while the database gives no answer", async () => {
    const edge = open({}, { readEvents: () => Promise.reject(new Error("locked")) });
    const { status, answer } = await tell(edge, click(hex(9)));
    expect([status, answer]).toMatchObject([503, { error: { code: "sink_unavailable" } }]);
  });

  it("takes at most 50 of them in one request", async () => {
    const events = Array.from({ length: 51 }, (_, i) => click(hex(100 + i)).events[0]);
    expect((await tell(open(), { events })).status).toBe(400);
  });
});

describe("the engine's user token", () => {
  const VARIANTS = ["control", "armmt"];

  it.each<[string, (edge: Edge, user: string) => Promise<Response>]>([
    ["as a parameter", (edge, user) => searchAs(edge, user)],
    ["as a header", (edge, user) => searchAs(edge, undefined, { "x-algolia-usertoken": user })],
    [
      "in the URL",
      (edge, user) => edge.send(`/1/indexes/products/query?x-algolia-usertoken=${user}`, postJson({ query: "red", hitsPerPage: 20 })),
    ],
  ])("is a unit: %s", async (_, ask) => {
    const edge = open();
    for (let i = 0; i < 20; i++) await ask(edge, `anonymous-${i}`); // oxlint-disable-line no-await-in-loop
    const variants = edge.records.map(({ query_attributes: { armmt } }) => armmt.variant);
    for (let i = 0; i < 20; i++) await ask(edge, `anonymous-${i}`); // oxlint-disable-line no-await-in-loop
    expect(edge.records.slice(20).map(({ query_attributes: { armmt } }) => armmt.variant)).toEqual(variants);
    for (const variant of VARIANTS) expect(variants.filter((one) => one === variant).length).toBeGreaterThan(3);
    // Without consent nothing of it is stored.
    expect(await rows("SELECT DISTINCT unit, client_id FROM ubi_queries")).toEqual([[null, null]]);
  });

  it("is the same unit for every way, and gives way to the edge's own ids", async () => {
    const edge = open();
    const consent = { "x-armmt-consent": "1" };
    await searchAs(edge, "u-123456", consent);
    await searchAs(edge, undefined, { ...consent, "x-algolia-usertoken": "u-123456" });
    await searchAs(edge, "another", { ...consent, "x-armmt-user": "u-123456" });
    await searchAs(edge, "consented-u-123456");
    const units = edge.records.map(({ unit }) => unit);
    expect(new Set(units).size).toBe(1);
    expect(units[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(await rows("SELECT * FROM ubi_queries"))).not.toMatch(/u-123456|another/);
  });

  it("with the word of consent before it, carries the unit into the events", async () => {
    const edge = open();
    const queryID = await queryIdIn(await searchAs(edge, "consented-u-123456"));
    await tell(open(), click(queryID, ids()[1], { userToken: "consented-u-123456" }));
    expect(await rows("SELECT e.unit = q.unit, e.client_id FROM ubi_events e JOIN ubi_queries q USING (query_id)")).toEqual([[1, null]]);
  });

  it.each([
    ["x-ms-user-id", "meilisearch", "/indexes/products/search", { q: "red" }],
    ["x-typesense-user-id", "typesense", "/collections/products/documents/search?q=red&query_by=title", undefined],
  ])("%s of %s is one too", async (header, backend, path, body) => {
    const edge = open({ backend, pageSize: undefined });
    for (let i = 0; i < 20; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await edge.send(path, body === undefined ? { headers: { [header]: `user-${i}` } } : postJson(body, { [header]: `user-${i}` }));
    }
    expect(Object.keys(edge.counters.snapshot().searches).toSorted()).toEqual(["armmt", "control"]);
  });
});

const arrived = (edge: Edge) => edge.exchanges.filter(({ url }) => url.startsWith(INSIGHTS));
const forwarded = async (edge: Edge) => {
  const response = await edge.send("/armmt/status", { headers: { authorization: `Bearer ${TOKEN}` } });
  const { events }: { events: { forwarded?: unknown } } = await response.json();
  return events.forwarded;
};

describe("events go on to the engine", () => {
  const own = { ENGINE_AUTHORIZATION: "EDGEKEY" };
  it("as they came, with the key that searches of that index get, where the shop says where", async () => {
    const edge = open({ eventsUrl: INSIGHTS, headers: { "x-algolia-application-id": "OWN" } }, { vars: own });
    const queryID = await queryIdIn(await searchAs(edge, "anonymous-1"));
    const { status, answer } = await tell(edge, click(queryID), `${INSIGHTS_PATH}&armmt_consent=1&index=other`);
    expect([status, answer]).toMatchObject([200, { accepted: 1, forwarded: true }]);
    const [sent] = arrived(edge);
    expect(sent?.url).toBe(`${INSIGHTS}/1/events?X-Algolia-Application-Id=APP&X-Algolia-Agent=insights-js`);
    expect(sent?.body).toBe(JSON.stringify(click(queryID)));
    expect([sent?.headers.get("x-algolia-api-key"), sent?.headers.get("x-algolia-application-id")]).toEqual(["EDGEKEY", "OWN"]);
    expect(await forwarded(edge)).toEqual({ sent: 1 });
  });

  it("with the client's key where the index forwards it, also those that follow no search of this edge", async () => {
    const edge = open({ eventsUrl: INSIGHTS, forwardCredentials: true });
    const { status, answer } = await tell(edge, click("fedcba98765432100123456789abcdef"));
    expect([status, answer]).toMatchObject([200, { accepted: 0, forwarded: true, rejected: [{ reason: "search_unknown" }] }]);
    expect(arrived(edge)[0]?.url).toContain("X-Algolia-API-Key=client");
  });

  it("not of other indexes, not of crawlers, and a failure is counted, not shown", async () => {
    const edge = open({ eventsUrl: INSIGHTS }, { vars: own, engine: engineWith(401) });
    expect((await tell(edge, click(hex(5), "a", { index: "secret" }))).status).toBe(422);
    await edge.send(INSIGHTS_PATH, {
      method: "POST",
      body: JSON.stringify(click(hex(5))),
      headers: { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" },
    });
    expect(arrived(edge)).toEqual([]);
    expect((await tell(edge, click(hex(5)))).status).toBe(200);
    expect(await forwarded(edge)).toEqual({ left_out: 1, failed: 1 });
    expect(edge.logs.filter(({ event }) => event === "events_not_forwarded")).toHaveLength(1);
    expect(JSON.stringify(edge.logs)).not.toContain("EDGEKEY");
  });

  it.each<[string, string]>([
    ["an event is none", JSON.stringify({ events: [{ ...click(hex(5)).events[0], index: "secret" }, null] })],
    ["an event names no index", JSON.stringify({ events: [{ ...click(hex(5)).events[0], index: "secret" }, { index: null }] })],
    ["an event names two", JSON.stringify(click(hex(5), "a", { Index: "secret" }))],
    ["an index is named twice", '{"events":[{"index":"secret","index":"products"}]}'],
    ["events are named twice", '{"events":[{"index":"secret"}],"events":[{"index":"products"}]}'],
    ["there are none", JSON.stringify([{ index: "secret" }, 0])],
  ])("not where %s", async (_, body) => {
    const edge = open({ eventsUrl: INSIGHTS }, { vars: own });
    expect((await edge.send(INSIGHTS_PATH, { method: "POST", body })).status).toBeGreaterThanOrEqual(400);
    expect(arrived(edge)).toEqual([]);
    expect(await forwarded(edge)).toEqual({ left_out: 1 });
  });

  it("of Meilisearch not where a member looks like another engine's list", async () => {
    const edge = open({ backend: "meilisearch", pageSize: undefined, eventsUrl: INSIGHTS }, { vars: own });
    await tell(edge, { eventType: "click", indexUid: "secret", objectId: "1", events: [] }, "/events");
    expect(arrived(edge)).toEqual([]);
  });

  it("nowhere by default", async () => {
    const edge = open({}, { vars: own });
    await tell(edge, click(hex(5)));
    expect(arrived(edge)).toEqual([]);
    expect(await forwarded(edge)).toBeUndefined();
  });
});

describe("other engines' events", () => {
  it("of Typesense, in its words", async () => {
    const edge = open({ backend: "typesense", pageSize: undefined, url: INSIGHTS, eventsUrl: INSIGHTS });
    const event = { type: "click", name: "products_click_event", data: { q: "red", doc_id: ids()[0], user_id: "u-1" } };
    expect(await tell(edge, event, "/analytics/events")).toMatchObject({
      status: 200,
      answer: { ok: true, forwarded: true, rejected: [{ reason: "token_missing" }] },
    });
    expect(edge.exchanges.map(({ url, body }) => [url, body])).toEqual([[`${INSIGHTS}/analytics/events`, JSON.stringify(event)]]);
    const alone = open({ backend: "typesense", pageSize: undefined });
    const { status, answer } = await tell(alone, event, "/analytics/events");
    expect([status, answer]).toMatchObject([422, { ok: false, message: expect.stringContaining("x-armmt-events") }]);
    const token = (await searchAs(open(), "u-1")).headers.get("x-armmt-events");
    expect((await tell(alone, { ...event, data: { ...event.data, query_id: token } }, "/analytics/events")).answer).toMatchObject({
      accepted: 1,
    });
  });

  it("of Meilisearch, by the query's uid in its metadata", async () => {
    const queryUid = "0199a41a-8186-70b3-b6e1-90e8cb582f35";
    const engine: Engine = () =>
      Response.json({
        hits: ids().map((id) => ({ id })),
        offset: 0,
        limit: 20,
        estimatedTotalHits: 20,
        processingTimeMs: 1,
        metadata: { queryUid, indexUid: "products", primaryKey: "id" },
      });
    const edge = open({ backend: "meilisearch", pageSize: undefined }, { engine });
    await edge.send("/indexes/products/search", postJson({ q: "red" }, { "meili-include-metadata": "true" }));
    const event = {
      eventType: "click",
      eventName: "Result Clicked",
      indexUid: "products",
      queryUid,
      userId: "u-1",
      objectId: ids()[2],
      position: 0,
    };
    expect(await tell(edge, event, "/events")).toMatchObject({ status: 200, answer: { accepted: 1 } });
    expect(await tell(open({}), event, "/events")).toMatchObject({ answer: { duplicates: 1 } });
  });

  it("of OpenSearch's UBI, by the query id that its plugin made", async () => {
    const queryId = "1065c70f-d46a-442f-8ce4-0b5e7a71a892";
    const engine: Engine = () =>
      Response.json({ hits: { hits: ids().map((_id) => ({ _id, _score: 1 })) }, ext: { ubi: { query_id: queryId } } });
    const edge = open({ backend: "opensearch", pageSize: undefined }, { engine });
    await edge.send("/products/_search", postJson({ query: { match: { title: "red" } }, ext: { ubi: { client_id: "c-1" } } }));
    const event = { query_id: queryId, action_name: "click", client_id: "c-1", event_attributes: { object: { object_id: ids()[2] } } };
    expect((await tell(edge, [event], "/events")).answer).toMatchObject({ accepted: 1 });
  });
});
