/** Requests with events, from their bytes to the rows in D1 and the answer: the endpoint as app.ts calls it. */
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { createEventCounters } from "../../src/events/counters.ts";
import { createEventsEndpoint } from "../../src/events/endpoint.ts";
import type { EventFormat } from "../../src/protocol.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { openSinks } from "../../src/events/sinks.ts";
import { createEventTokens, TOKEN_TTL_MS, type TokenContent } from "../../src/events/token.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
const UNIT = "0123456789abcdef0123456789abcdef";

let nowMs = NOW;
const now = (): number => nowMs;
const tokens = createEventTokens({ secret: SECRET, now });
const hashUnit = createUnitHash(SECRET);
const counters = createEventCounters();
const logs: unknown[] = [];
const log = (entry: unknown): void => void logs.push(entry);

beforeEach(async () => {
  nowMs = NOW;
  await env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_events").run();
});

const issue = (changes: Partial<TokenContent> = {}): Promise<string> =>
  tokens.issue({
    queryId: "query-1",
    application: "products",
    experiment: "rerank",
    variant: "armmt",
    itemIds: ["mug", "cup"],
    ...changes,
  });

interface Sending {
  readonly format?: EventFormat;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isOpen?: boolean;
  readonly allowOrigins?: readonly string[];
  readonly isBroken?: boolean;
}

async function send(body: unknown, options: Sending = {}) {
  const { format = "ubi", headers = {}, isOpen = true, allowOrigins = [], isBroken = false } = options;
  const bindings = isBroken ? { EVENTS: { prepare: () => fail(), batch: () => fail() } } : env;
  const sink = openSinks({ names: ["d1"], bindings, counters, now, createId: () => "id", log });
  const endpoint = createEventsEndpoint({ ingest: isOpen ? { tokens, hashUnit, sink, counters, now } : undefined, allowOrigins, log });
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await endpoint({
    format,
    url: "https://edge.example.com/events",
    headers: new Headers(headers),
    body: new TextEncoder().encode(text),
    afterReply: () => undefined,
  });
  const answer: Readonly<Record<string, unknown>> = await response.json();
  return { status: response.status, answer };
}

function fail(): never {
  throw new Error("D1 is down");
}

async function rows(columns = "*"): Promise<Record<string, unknown>[]> {
  try {
    return (await env.EVENTS.prepare(`SELECT ${columns} FROM ubi_events ORDER BY id`).all()).results;
  } catch {
    return [];
  }
}

const event = (objectId: string | number, changes: object = {}) => ({
  action_name: "click",
  event_attributes: { object: { object_id: objectId } },
  ...changes,
});

const cup = (token: string) => event("cup", { token });

const from = async (origin: string, allowOrigins: readonly string[]): Promise<number> =>
  (await send([], { headers: { origin }, allowOrigins })).status;

const algolia = (events: object[], headers: Readonly<Record<string, string>> = {}) => send({ events }, { format: "algolia", headers });

const metarank = (body: unknown) => send(body, { format: "metarank", headers: { "x-armmt-consent": "1" } });

const nothing = { accepted: 0, duplicates: 0 };

describe("an event", () => {
  it("is written with what the token knows, whatever the client says", async () => {
    const token = await issue({ unit: UNIT, teams: ["a", "b"] });
    const sent = event("cup", {
      query_id: "query-1",
      timestamp: new Date(NOW - 1000).toISOString(),
      session_id: "session-5",
      user_id: "alice@example.com",
      event_attributes: { object: { object_id: "cup" }, position: { ordinal: 1 }, armmt: { variant: "control" }, comment: "x" },
    });
    nowMs = NOW + 5000;
    expect(await send({ tokens: [token], events: [sent] })).toEqual({ status: 200, answer: { accepted: 1, duplicates: 0, rejected: [] } });
    expect(await rows()).toEqual([
      {
        id: 1,
        event_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        timestamp: new Date(NOW).toISOString(), // not before its search
        application: "products",
        action_name: "click",
        query_id: "query-1",
        client_id: null,
        unit: null,
        object_id: "cup",
        position: 2,
        quantity: null,
        price: null,
        currency: null,
        team: "b",
        order_id: null,
        line: null,
        price_suspect: null,
        event_attributes: JSON.stringify({
          object: { object_id: "cup", object_id_type: "product" },
          position: { ordinal: 2 },
          armmt: { experiment: "rerank", variant: "armmt" },
        }),
      },
    ]);
    // Nothing personal without consent, under whatever name it was sent.
    expect(JSON.stringify(await rows())).not.toMatch(/session-5|alice|0123456789abcdef0/);
  });

  it("says that its item was sponsored, where it was", async () => {
    const token = await issue({ slots: [2] });
    await send({ tokens: [token], events: [event("mug", { query_id: "query-1" }), event("cup", { query_id: "query-1" })] });
    const marks = (await rows("object_id, event_attributes")).map((row) =>
      /"is_sponsored":true/.test(JSON.stringify(row).replaceAll("\\", "")),
    );
    expect(marks).toEqual([false, true]);
  });

  it("brings who it was with consent only: in the batch or in the header, and for the unit at the search too", async () => {
    const withUnit = () => issue({ unit: UNIT });
    const other = { ...cup(await issue()), client_id: "browser-8" };
    await send({ consent: true, client_id: "browser-7", events: [cup(await withUnit()), other] });
    await send({ client_id: "browser-7", events: [cup(await withUnit())] }, { headers: { "x-armmt-consent": "1" } });
    await send({ consent: false, client_id: "browser-7", events: [cup(await withUnit())] });
    await send({ consent: true, client_id: "x".repeat(101), events: [cup(await withUnit())] });
    expect(await rows("client_id, unit")).toEqual([
      { client_id: await hashUnit("browser-7"), unit: UNIT },
      { client_id: await hashUnit("browser-8"), unit: null },
      { client_id: await hashUnit("browser-7"), unit: UNIT },
      { client_id: null, unit: null },
      { client_id: await hashUnit("x".repeat(101)), unit: UNIT },
    ]);
  });

  it("never holds an id beside its own hash, whichever format names it", async () => {
    const hashed = await hashUnit("alice");
    const issued = () => issue({ unit: hashed });
    await send({ consent: true, client_id: "alice", events: [cup(await issued())] });
    await send({ consent: true, events: [{ ...cup(await issued()), client_id: "alice" }] });
    const consent = { "x-armmt-consent": "1" };
    const [token, other] = [await issued(), await issued()];
    await algolia([{ eventType: "click", objectIDs: ["cup"], queryID: token, userToken: "alice" }], consent);
    await metarank([{ event: "interaction", type: "click", item: "cup", ranking: other, user: "alice" }]);
    expect(await rows("client_id, unit")).toEqual(Array.from({ length: 4 }, () => ({ client_id: null, unit: hashed })));
  });

  it("of 2,000 purchases by one token counts once per item, and no sum beyond reason", async () => {
    const token = await issue();
    const bought = (id: string, object: object) =>
      event("mug", { token, action_name: "purchase", event_id: id, event_attributes: { object: { object_id: "mug", ...object } } });
    for (let batch = 0; batch < 20; batch++) {
      // oxlint-disable-next-line no-await-in-loop
      await send({ events: Array.from({ length: 100 }, (_, i) => bought(`${batch}-${i}`, { price: 10, quantity: 2 })) });
    }
    expect(await rows("quantity, price")).toEqual([{ quantity: 2, price: 10 }]);
    const beyond = [bought("a", { quantity: 10_001 }), bought("b", { price: 1e9, quantity: 2 })];
    expect((await send({ events: beyond })).answer).toMatchObject({
      accepted: 0,
      rejected: [{ reason: "malformed" }, { reason: "malformed" }],
    });
  });

  it("is refused with many others that name no token, where many tokens came along", async () => {
    const many = await Promise.all(Array.from({ length: 60 }, () => issue()));
    expect((await send({ tokens: many, events: Array.from({ length: 100 }, () => event("plate")) })).status).toBe(400);
    expect((await send({ tokens: many, events: [event("plate")] })).status).toBe(422);
  });

  it("brings price, quantity and currency of what was bought", async () => {
    const token = await issue();
    const bought = (object: object) => ({ action_name: "purchase", token, event_attributes: { object } });
    await send([bought({ object_id: "mug", price: "12.50", quantity: 3, currency: "eur" }), bought({ object_id: "cup", price: null })]);
    expect(await rows("object_id, action_name, price, quantity, currency")).toEqual([
      { object_id: "mug", action_name: "purchase", price: 12.5, quantity: 3, currency: "EUR" },
      { object_id: "cup", action_name: "purchase", price: null, quantity: null, currency: null },
    ]);
  });

  it("finds its token by place, by query, by the header, or as the one that served the item", async () => {
    const [one, two] = await Promise.all([issue(), issue({ queryId: "query-2", itemIds: ["plate"] })]);
    const headers = { "x-armmt-events": `-, ${two}` };
    expect((await send({ tokens: [one, two], events: [event("plate", { token: 1 })] })).answer).toMatchObject({ accepted: 1 });
    expect((await send({ tokens: [one, two], events: [event("mug", { query_id: "query-1" })] })).answer).toMatchObject({ accepted: 1 });
    expect((await send([event("plate", { action_name: "purchase" })], { headers })).answer).toMatchObject({ accepted: 1 });
    expect((await send([event("cup", { token: `${two},${one}` })])).answer).toMatchObject({ accepted: 1 });
    expect(await rows("query_id, object_id")).toEqual([
      { query_id: "query-2", object_id: "plate" },
      { query_id: "query-1", object_id: "mug" },
      { query_id: "query-2", object_id: "plate" },
      { query_id: "query-1", object_id: "cup" },
    ]);
  });

  it("may have an id that is a number", async () => {
    const token = await issue({ itemIds: ["17"] });
    expect((await send([event(17, { token })])).answer).toMatchObject({ accepted: 1 });
  });
});

describe("events that come twice", () => {
  it("count once: in one request, and in another", async () => {
    const token = await issue();
    const batch = { events: [event("mug", { token }), event("mug", { token }), event("cup", { token })] };
    expect((await send(batch)).answer).toEqual({ accepted: 2, duplicates: 1, rejected: [] });
    expect((await send(batch)).answer).toEqual({ accepted: 0, duplicates: 3, rejected: [] });
    expect((await rows()).length).toBe(2);
  });

  it("are others with another token, action or item, not with another id of the client's", async () => {
    const [one, two] = await Promise.all([issue(), issue()]);
    const bought = (eventId: string) => event("mug", { token: one, action_name: "purchase", event_id: eventId });
    const events = [
      event("mug", { token: one }),
      event("mug", { token: two }),
      event("cup", { token: one }),
      event("mug", { token: one, action_name: "add_to_cart" }),
      bought("order-1"),
      bought("order-2"),
      bought("order-2"),
    ];
    expect((await send({ events })).answer).toEqual({ accepted: 5, duplicates: 2, rejected: [] });
  });
});

describe("each event is answered for itself", () => {
  it("with its place, a code and what to do", async () => {
    const [token, other] = await Promise.all([
      issue(),
      createEventTokens({ secret: `${SECRET}!`, now }).issue({ queryId: "q", application: "p", variant: "v", itemIds: ["mug"] }),
    ]);
    const events = [
      event("mug", { token }),
      event("plate", { token }),
      event("mug"),
      event("mug", { token: other }),
      event("mug", { token: `${token}x` }),
      event("mug", { token, query_id: "query-2" }),
      event("mug", { token, action_name: "wave" }),
      event("mug", { token, timestamp: NOW + HOUR }),
      { token, action_name: "click" },
      "click",
      event("mug", { token, timestamp: "yesterday" }),
      event("mug", { token, event_attributes: { object: { object_id: "mug", price: -1 } } }),
      event("", { token }),
    ];
    const { status, answer } = await send({ events });
    expect([status, answer["accepted"], answer["duplicates"]]).toEqual([200, 1, 0]);
    expect(answer["rejected"]).toMatchObject([
      { index: 1, reason: "item_not_served", message: 'The search served no item "plate"' },
      { index: 2, reason: "token_missing" },
      { index: 3, reason: "token_invalid" },
      { index: 4, reason: "token_invalid" },
      { index: 5, reason: "token_invalid" },
      {
        index: 6,
        reason: "action_unknown",
        message: '"wave" is not an action: use impression, click, add_to_cart, purchase, conversion, refund, cancel, view, watch',
      },
      { index: 7, reason: "timestamp_in_future" },
      { index: 8, reason: "malformed", message: expect.stringContaining("event_attributes") },
      { index: 9, reason: "malformed" },
      { index: 10, reason: "malformed", message: expect.stringContaining("timestamp") },
      { index: 11, reason: "malformed", message: expect.stringContaining("price") },
      { index: 12, reason: "malformed" },
    ]);
    expect((await rows()).length).toBe(1);
  });

  it("after its token has expired too", async () => {
    const token = await issue();
    nowMs = NOW + TOKEN_TTL_MS + 1000;
    const { answer } = await send([event("mug", { token, timestamp: NOW })]);
    expect(answer).toMatchObject({ ...nothing, rejected: [{ index: 0, reason: "token_expired" }] });
  });

  it("and a crawler's are counted and dropped", async () => {
    const token = await issue();
    const headers = { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" };
    const before = counters.snapshot().rejected["bot"] ?? 0;
    const { answer } = await send([event("mug", { token }), event("cup", { token })], { headers });
    expect(answer).toMatchObject({ ...nothing, rejected: [{ reason: "bot" }, { reason: "bot" }] });
    expect([counters.snapshot().rejected["bot"], await rows()]).toEqual([before + 2, []]);
  });
});

describe("times", () => {
  const token = (async () => {
    nowMs = NOW - 2 * HOUR;
    return issue();
  })();

  it("of a clock that is wrong are corrected by when the client says it sent them", async () => {
    const wrong = 5 * HOUR;
    const sentAt = new Date(NOW + wrong).toISOString();
    const happened = (agoMs: number, name: string) => event("mug", { timestamp: NOW + wrong - agoMs, action_name: name });
    await send({
      sent_at: sentAt,
      tokens: [await token],
      events: [happened(HOUR, "click"), happened(3 * HOUR, "add_to_cart"), event("cup")],
    });
    const at = (await rows("timestamp")).map((row) => Date.parse(String(row["timestamp"])) - NOW);
    expect(at).toEqual([-HOUR, -2 * HOUR, 0]);
  });

  it("may be seconds, milliseconds, digits or ISO 8601", async () => {
    const ms = NOW - HOUR;
    const times = [ms, ms / 1000, String(ms), String(ms / 1000), new Date(ms).toISOString(), "2026-11-21T12:00:00+01:00"];
    nowMs = NOW - 2 * HOUR;
    const each = await Promise.all(times.map(() => issue()));
    nowMs = NOW;
    await send({ events: times.map((timestamp, i) => event("mug", { timestamp, token: each[i] })) });
    expect(await rows()).toHaveLength(times.length);
    expect(new Set((await rows("timestamp")).map((row) => row["timestamp"]))).toEqual(new Set([new Date(ms).toISOString()]));
  });
});

describe("a request as a whole", () => {
  it("is refused where it is no list of events, or one that is too long", async () => {
    const many = Array.from({ length: 101 }, () => event("mug"));
    for (const body of [
      "{ broken",
      "",
      "17",
      { event: [] },
      { events: {} },
      { events: many },
      many,
      { events: [], tokens: ["a"], sent_at: "?" },
    ]) {
      const { status, answer } = await send(body);
      expect([status, answer], JSON.stringify(body).slice(0, 50)).toMatchObject([
        400,
        { error: { code: "malformed", message: expect.any(String) } },
      ]);
    }
    expect((await send([])).answer).toEqual({ ...nothing, rejected: [] });
  });

  it("cannot make the edge verify tokens without end", async () => {
    const lists = Array.from({ length: 100 }, (_, i) =>
      event("mug", { token: Array.from({ length: 20 }, (_t, j) => `1.q.${i}x${j}`).join() }),
    );
    expect(await send(lists)).toMatchObject({
      status: 400,
      answer: { error: { code: "malformed", message: expect.stringContaining("100 tokens") } },
    });
  });

  it("is answered with 503 when nothing could keep it, so that the client does", async () => {
    const token = await issue();
    const { status, answer } = await send([event("mug", { token })], { isBroken: true });
    expect([status, answer]).toMatchObject([503, { error: { code: "sink_unavailable" } }]);
    expect((await send([event("mug", { token })])).answer).toMatchObject({ accepted: 1 });
  });

  it("is refused without a secret, and says what is missing", async () => {
    expect(await send([], { isOpen: false })).toMatchObject({
      status: 404,
      answer: { error: { code: "events_closed", message: expect.stringContaining("EVENT_SECRET") } },
    });
  });

  it("may come from pages of the edge's own origin and of those that the configuration names", async () => {
    expect(await from("https://edge.example.com", [])).toBe(200);
    expect(await from("https://shop.example.com", [])).toBe(403);
    expect(await from("https://shop.example.com", ["https://shop.example.com"])).toBe(200);
    expect(await from("null", ["https://shop.example.com"])).toBe(403);
    expect(await from("https://shop.example.com", ["*"])).toBe(200);
  });
});

describe("Algolia's form", () => {
  const base = { eventName: "Products", index: "products", userToken: "user-1" };

  it("is read: clicks, carts, purchases, conversions and views after a search", async () => {
    const token = await issue();
    const timestamp = NOW;
    const { answer } = await algolia([
      { ...base, eventType: "click", queryID: token, objectIDs: ["mug", "cup"], positions: [7, 8], timestamp },
      {
        ...base,
        eventType: "conversion",
        eventSubtype: "addToCart",
        queryID: token,
        objectIDs: ["mug"],
        objectData: [{ quantity: 2 }],
        timestamp,
      },
      {
        ...base,
        eventType: "conversion",
        eventSubtype: "purchase",
        objectIDs: ["mug", "cup"],
        objectData: [
          { queryID: token, price: "12.5", quantity: 1, discount: 1 },
          { queryID: token, price: 3 },
        ],
        currency: "USD",
        value: 15.5,
        timestamp,
      },
      { ...base, eventType: "conversion", eventName: "Wished", queryID: token, objectIDs: ["mug"] },
      { ...base, eventType: "view", queryID: token, objectIDs: ["cup"] },
    ]);
    expect(answer).toEqual({ status: 200, message: "OK", accepted: 7, duplicates: 0, rejected: [] });
    expect(await rows("action_name || ' ' || object_id || ' ' || position AS what, client_id, quantity, price, currency")).toEqual([
      { what: "click mug 1", client_id: null, quantity: null, price: null, currency: null },
      { what: "click cup 2", client_id: null, quantity: null, price: null, currency: null },
      { what: "add_to_cart mug 1", client_id: null, quantity: 2, price: null, currency: null },
      { what: "purchase mug 1", client_id: null, quantity: 1, price: 12.5, currency: "USD" },
      { what: "purchase cup 2", client_id: null, quantity: null, price: 3, currency: "USD" },
      { what: "conversion mug 1", client_id: null, quantity: null, price: null, currency: null },
      { what: "impression cup 2", client_id: null, quantity: null, price: null, currency: null },
    ]);
    const [row] = await rows("event_attributes ->> '$.armmt.event_name' AS name");
    expect(row).toEqual({ name: "Products" });
  });

  it("may name the query and bring the token in a header, with the user where there is consent", async () => {
    const headers = { "x-armmt-events": await issue(), "x-armmt-consent": "1" };
    const { answer } = await algolia([{ ...base, eventType: "click", queryID: "query-1", objectIDs: ["mug"], positions: [1] }], headers);
    expect(answer).toMatchObject({ accepted: 1 });
    expect(await rows("client_id")).toEqual([{ client_id: await hashUnit("user-1") }]);
  });

  it("is refused for events that belong to no served list", async () => {
    const { answer } = await algolia([
      { ...base, eventType: "click", filters: ["colour:red"] },
      { ...base, eventType: "click", objectIDs: ["mug"], positions: [1] },
      { ...base, eventType: "conversion", objectIDs: ["mug"], queryID: await issue(), objectData: [{}, {}] },
      { ...base, eventType: "conversion", eventSubtype: "refund", objectIDs: ["mug"], queryID: await issue() },
    ]);
    expect(answer).toMatchObject({
      accepted: 0,
      rejected: [
        { index: 0, reason: "malformed" },
        { index: 1, reason: "token_missing" },
        { index: 2, reason: "malformed" },
        { index: 3, reason: "action_unknown" },
      ],
    });
  });
});

describe("Metarank's form", () => {
  it("is read: one interaction or several", async () => {
    const token = await issue();
    const interaction = {
      event: "interaction",
      id: "i-1",
      ranking: token,
      timestamp: String(NOW),
      user: "user-1",
      session: "s",
      type: "click",
      item: "mug",
    };
    expect((await metarank(interaction)).answer).toEqual({
      status: "ok",
      updated: 0,
      tookMillis: 0,
      accepted: 1,
      duplicates: 0,
      rejected: [],
    });
    const fields = [
      { name: "count", value: 2 },
      { name: "price", value: 4.5 },
      { name: "shipping", value: "DHL" },
    ];
    await metarank([interaction, { ...interaction, id: "i-2", type: "purchase", fields }, { ...interaction, type: "cart" }]);
    const client_id = await hashUnit("user-1");
    expect(await rows("action_name, client_id, quantity, price")).toEqual([
      { action_name: "click", client_id, quantity: null, price: null },
      { action_name: "purchase", client_id, quantity: 2, price: 4.5 },
      { action_name: "add_to_cart", client_id, quantity: null, price: null },
    ]);
  });

  it("is refused for anything but interactions", async () => {
    const { answer } = await metarank([
      { event: "ranking", id: "r", items: [] },
      { event: "interaction", type: "click", item: "mug" },
    ]);
    expect(answer).toMatchObject({
      accepted: 0,
      rejected: [
        { index: 0, reason: "malformed" },
        { index: 1, reason: "token_missing" },
      ],
    });
  });
});
