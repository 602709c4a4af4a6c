/** What one request may cost: headers, rows and lines of the log for many searches, and the switch that must work whatever stands beside it. */
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_HEADER_BYTES, OUTCOME_HEADER, parseOutcomes, parseTokens, TOKENS_HEADER, wantsEngineOrder } from "../../src/protocol.ts";
import { drawnItems, publish } from "./catalog.ts";
import { type Engine, match, openEdge as openPlain, postJson } from "./edge.ts";

const CATALOG = "caps";
const EVENTS = { EVENT_SECRET: "a secret of 32 characters or more" };

beforeAll(() => publish(CATALOG));

/** Twenty hits for each search. */
const engine: Engine = async (request) => {
  const hits = drawnItems()
    .slice(0, 20)
    .map(({ itemId }, i) => ({ _id: itemId, _score: 20 - i }));
  const reply = { hits: { total: { value: 20 }, hits } };
  const lines = (await request.text()).trimEnd().split("\n").length;
  return Response.json(request.url.endsWith("/_msearch") ? { responses: Array.from({ length: lines / 2 }, () => reply) } : reply);
};

const openEdge = (vars: Readonly<Record<string, string>> = {}) => openPlain({ catalog: CATALOG, engine, vars });

const linesOf = (bodies: readonly object[]): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
  body: bodies.map((body) => `{"index":"products"}\n${JSON.stringify(body)}\n`).join(""),
});

describe("the header of a request with many searches", () => {
  it("counts outcomes where they would not fit, and both headers stay below 4 kB", async () => {
    const edge = openEdge(EVENTS);
    for (const count of [1, 3, 16, 17, 60, 100]) {
      // oxlint-disable-next-line no-await-in-loop
      const response = await edge.send("/_msearch", linesOf(Array.from({ length: count }, () => match("red", { size: 20 }))));
      const outcomes = response.headers.get(OUTCOME_HEADER) ?? "";
      const tokens = response.headers.get(TOKENS_HEADER) ?? "";
      expect(response.status).toBe(200);
      expect(outcomes.length + tokens.length).toBeLessThanOrEqual(MAX_HEADER_BYTES);
      const parsed = parseOutcomes(outcomes);
      const total = parsed.reduce((sum, outcome) => sum + (outcome === undefined ? NaN : "count" in outcome ? outcome.count : 1), 0);
      expect([total, parsed.some((outcome) => outcome !== undefined && "count" in outcome)]).toEqual([count, count >= 60]);
      expect(parseTokens(tokens).length).toBeLessThanOrEqual(16);
    }
  });

  it("is a text that its parser reads", () => {
    expect(parseOutcomes("applied; count=12, bypass; reason=over_budget; count=388")).toEqual([
      { kind: "applied", count: 12 },
      { kind: "bypass", reason: "over_budget", count: 388 },
    ]);
  });
});

describe("a request with many searches", () => {
  it("writes 16 records and 17 lines at most, and counts every search", async () => {
    const edge = openEdge();
    await edge.send("/_msearch", linesOf(Array.from({ length: 100 }, () => ({ query: { match_all: {} } }))));
    expect(edge.records).toHaveLength(16);
    expect(edge.counters.snapshot()).toMatchObject({
      searches: { armmt: { no_query_text: 100 } },
      exposures: { written: 16, failed: 0, left_out: 84 },
    });
    const bypasses = edge.logs.filter(({ event }) => String(event).includes("bypass"));
    expect(bypasses).toHaveLength(17);
    expect(bypasses.at(-1)).toMatchObject({ level: "info", event: "more_bypasses", count: 84, searches: { "products no_query_text": 84 } });
  });

  it("re-ranks 16 of those that can be, wherever they stand", async () => {
    const edge = openEdge();
    const facets = Array.from({ length: 17 }, () => match("red", { size: 0 }));
    const response = await edge.send("/_msearch", linesOf([match("red"), ...facets, match("blue")]));
    const outcomes = parseOutcomes(response.headers.get(OUTCOME_HEADER) ?? "").map((outcome) => outcome?.kind);
    expect(outcomes).toEqual(["applied", ...facets.map(() => "bypass"), "applied"]);
  });
});

describe("x-armmt: off", () => {
  it.each([
    "off",
    "OFF",
    " off ",
    '"off"',
    "off; x",
    "off;x=1",
    "off, off",
    "applied, off",
    "off,applied; model=m",
    ", off",
    "on,\toff",
    '"OFF" ;q=1',
  ])("wins in %j", (value) => expect(wantsEngineOrder(new Headers({ [OUTCOME_HEADER]: value }))).toBe(true));

  it("wins when it is sent twice, and with another value", () => {
    const headers = new Headers();
    headers.append(OUTCOME_HEADER, "on");
    headers.append(OUTCOME_HEADER, "off");
    expect(wantsEngineOrder(headers)).toBe(true);
  });

  it.each(["", "on", "offer", "no-off", "of f", "x; off", "applied; model=off"])("is not meant by %j", (value) =>
    expect(wantsEngineOrder(new Headers({ [OUTCOME_HEADER]: value }))).toBe(false),
  );
});

describe("limits", () => {
  const cases: readonly (readonly [string, string, RequestInit, number, RegExp])[] = [
    [
      "searches",
      "/_msearch",
      linesOf(Array.from({ length: 101 }, () => match("red"))),
      400,
      /101 searches, more than 100: .*REQUEST_LIMITS\.searches/,
    ],
    [
      "members",
      "/products/_search",
      postJson({ query: { terms: { id: Array.from({ length: 20_001 }, (_, i) => i) } } }),
      400,
      /more than 20000 members.*REQUEST_LIMITS\.members/,
    ],
    [
      "nesting",
      "/products/_search",
      { method: "POST", body: `{"a":${"[".repeat(101)}${"]".repeat(101)}}` },
      400,
      /deeper than 100 levels.*REQUEST_LIMITS\.depth/,
    ],
    ["parameters", `/products/_search?${"a=1&".repeat(1001)}`, {}, 400, /100\d parameters, more than 1000.*REQUEST_LIMITS\.params/],
    ["bytes", "/products/_search", { method: "POST", body: " ".repeat(1_048_577) }, 413, /1048576 bytes.*REQUEST_LIMITS\.bodyBytes/],
  ];

  it.each(cases)("of %s: refused in the engine's words, before the engine is asked", async (_, path, init, status, message) => {
    const edge = openEdge();
    const response = await edge.send(path, init);
    expect(response.status).toBe(status);
    const reply: { error: { reason: string } } = await response.json();
    expect(reply.error.reason).toMatch(message);
    expect(edge.exchanges).toHaveLength(0);
  });

  it("let ordinary large requests through", async () => {
    const edge = openEdge();
    const ids = Array.from({ length: 10_000 }, (_, i) => `sku-${i}`);
    const nested = Array.from({ length: 30 }).reduce<object>((inner) => ({ bool: { must: [inner] } }), { match: { title: "red" } });
    const knn = { field: "v", query_vector: Array.from({ length: 4096 }, (_, i) => i / 7), k: 10, num_candidates: 50 };
    for (const query of [{ bool: { must: [{ match: { title: "red" } }], filter: { terms: { id: ids } } } }, nested]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await edge.send("/products/_search", postJson({ query, knn }))).status).toBe(200);
    }
  });
});

describe("an upload that breaks off", () => {
  it("is a warning without a stack, and no fault of ours", async () => {
    const edge = openEdge();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"query"'));
        controller.error(new Error("jane: connection reset"));
      },
    });
    const response = await edge.send("/products/_search", { method: "POST", body });
    expect(response.status).toBe(400);
    expect(edge.logs).toEqual([{ level: "warn", event: "upload_broken_off", to: "elasticsearch" }]);
  });
});
