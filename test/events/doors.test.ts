/** Events of other tools (GA4, Segment), search-insights with consent, UBI's own names, and orders that a server of the shop signs. */
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { createEventCounters } from "../../src/events/counters.ts";
import { createEventsEndpoint } from "../../src/events/endpoint.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { openSinks } from "../../src/events/sinks.ts";
import { createEventTokens, TOKEN_TTL_MS, type TokenContent } from "../../src/events/token.ts";
import type { EventFormat } from "../../src/protocol.ts";
import {
  dataLayerPush,
  gaLeastPurchase,
  gaPurchase,
  gaRefund,
  gtagCall,
  RECORDED_INSIGHTS_SEARCH,
  recordedInsights,
  recordedSegmentBatch,
  segmentBatch,
  segmentTrack,
} from "./official.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const ORDER_SECRET = "another-secret-for-tests-of-32-characters";
const NOW = Date.UTC(2026, 10, 21, 12);

let nowMs = NOW;
const now = (): number => nowMs;
const log = (): void => undefined;
const encode = (text: string) => new TextEncoder().encode(text);
const tokens = createEventTokens({ secret: SECRET, now });
const hashUnit = createUnitHash(SECRET);
const counters = createEventCounters();

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
  readonly search?: string;
  readonly application?: string | undefined;
  readonly orderSecret?: string | undefined;
  readonly eventKeys?: readonly string[];
}

async function send(body: unknown, options: Sending = {}) {
  const { format = "ubi", headers = {}, search = "", eventKeys } = options;
  const application = "application" in options ? options.application : "products";
  const orderSecret = "orderSecret" in options ? options.orderSecret : ORDER_SECRET;
  const sink = openSinks({ names: ["d1"], bindings: env, counters, now, createId: () => "id", log });
  const ingest = { tokens, hashUnit, sink, counters, application, now };
  const endpoint = createEventsEndpoint({ ingest, orderSecret, eventKeys, allowOrigins: [], log });
  const response = await endpoint({
    format,
    url: `https://edge.example.com/events${search}`,
    headers: new Headers(headers),
    body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    afterReply: () => undefined,
  });
  const answer: Readonly<Record<string, unknown>> = await response.json();
  return { status: response.status, answer };
}

async function rows(columns: string): Promise<unknown[]> {
  try {
    return (await env.EVENTS.prepare(`SELECT ${columns} FROM ubi_events ORDER BY id`).all()).results.map((row) => Object.values(row));
  } catch {
    return [];
  }
}

/** As a server of the shop would, with its own tools. */
async function sign(body: string, { secret = ORDER_SECRET, atMs = nowMs } = {}): Promise<Record<string, string>> {
  const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const t = Math.floor(atMs / 1000);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(`${t}.${body}`)));
  return { "x-armmt-signature": `t=${t},v1=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}` };
}

async function sendSigned(body: unknown, options: Sending = {}) {
  const text = JSON.stringify(body);
  return send(text, { ...options, headers: { ...(await sign(text)), ...options.headers } });
}

describe("GA4's e-commerce", () => {
  it("of the Measurement Protocol: an order by its number, a line per item, at the edge's time", async () => {
    const token = await issue();
    const { status, answer } = await send(gaPurchase(["mug", "cup"], token));
    expect([status, answer]).toEqual([200, { accepted: 2, duplicates: 0, rejected: [] }]);
    expect(await rows("action_name, object_id, quantity, price, currency, query_id, timestamp, client_id, order_id IS NOT NULL")).toEqual([
      ["purchase", "mug", 3, 10.01, "USD", "query-1", "2026-11-21T12:00:00.000Z", null, 1],
      ["purchase", "cup", 3, 10.01, "USD", "query-1", "2026-11-21T12:00:00.000Z", null, 1],
    ]);
    // The page of the order is loaded again.
    expect((await send(gaPurchase(["mug", "cup"], await issue()))).answer).toMatchObject({ accepted: 0, duplicates: 2 });
  });

  it("takes the value of the event for the price of its only item, where that has none", async () => {
    const token = await issue();
    expect((await send(gaLeastPurchase("mug", token))).answer).toMatchObject({ accepted: 1 });
    expect((await send(gaLeastPurchase("cup", token, { quantity: 3 }))).answer).toMatchObject({ accepted: 1 });
    expect(await rows("object_id, quantity, price, currency")).toEqual([
      ["mug", null, 12, "USD"],
      ["cup", 3, 4, "USD"],
    ]);
  });

  it("of gtag and of the data layer: lists, clicks, views and carts", async () => {
    const token = await issue();
    const calls = [gtagCall("view_item_list", "mug", token), gtagCall("select_item", "mug", token), gtagCall("view_item", "mug", token)];
    expect((await send(calls)).answer).toMatchObject({ accepted: 3 });
    expect((await send(dataLayerPush("add_to_cart", "cup", token))).answer).toMatchObject({ accepted: 1 });
    // `arguments` of gtag, as JSON has them.
    expect((await send(Object.assign({}, gtagCall("select_item", "cup", token)), { format: "ga4" })).answer).toMatchObject({ accepted: 1 });
    expect(await rows("action_name, object_id, position")).toEqual([
      ["impression", "mug", 1],
      ["click", "mug", 1],
      ["view", "mug", 1],
      ["add_to_cart", "cup", 2],
      ["click", "cup", 2],
    ]);
  });

  it("takes back a whole order, or some pieces of it", async () => {
    const token = await issue();
    expect((await send(gaRefund([], token))).answer).toMatchObject({ accepted: 1 });
    expect((await send(gaRefund(["cup"], token))).answer).toMatchObject({ accepted: 1 });
    expect(await rows("action_name, json_extract(event_attributes, '$.object.object_id_type'), quantity")).toEqual([
      ["refund", "order", null],
      ["refund", "product", 1],
    ]);
  });

  it("without a search's token is refused, by name, and guesses none", async () => {
    await issue();
    const { status, answer } = await send(gaPurchase(["mug"]));
    expect([status, answer]).toMatchObject([422, { accepted: 0, rejected: [{ index: 0, reason: "token_missing" }] }]);
    const noise = [["js", "2026-11-21T12:00:00Z"], ["config", "G-1"], gtagCall("begin_checkout", "mug", await issue())];
    expect((await send(noise)).answer).toMatchObject({
      rejected: [
        { reason: "malformed" },
        { reason: "malformed" },
        { index: 2, reason: "action_unknown", message: expect.stringContaining("begin_checkout") },
      ],
    });
    expect(await rows("id")).toEqual([]);
    // Google's own server answers 2xx whatever comes.
    expect((await send(gaPurchase(["mug"]), { format: "ga4" })).status).toBe(200);
  });

  it("is not led astray by a list whose name looks like a token", async () => {
    const params = { armmt_token: await issue(), items: [{ item_id: "cup", item_list_id: "1.sale.summer" }] };
    expect((await send({ client_id: "1.2", events: [{ name: "select_item", params }] })).answer).toMatchObject({ accepted: 1 });
  });

  it("loses no order for a discount, a fee or a present among its items", async () => {
    const items = [{ item_id: "mug", price: 5 }, { item_id: "LESS", price: -2 }, { item_name: "Shipping", price: 4 }, { item_id: "cup", quantity: 0 }]; // prettier-ignore
    const params = { transaction_id: "T", armmt_token: await issue(), items };
    const { status, answer } = await send({ client_id: "1.2", user_id: 7, events: [{ name: "purchase", params }] });
    expect([status, answer]).toMatchObject([200, { accepted: 1 }]);
    expect(answer["rejected"]).toMatchObject([
      { reason: "malformed", message: expect.stringMatching(/^params\.items\.1\.price: /) },
      { reason: "malformed", message: expect.stringMatching(/^params\.items\.2\.item_id: /) },
      { reason: "malformed", message: expect.stringMatching(/^params\.items\.3\.quantity: /) },
    ]);
    const products = [{ product_id: "cup", price: 5 }, { product_id: "LESS", price: -2 }, null];
    const properties = { order_id: "S", armmt_token: await issue(), products };
    expect((await send({ type: "track", event: "Order Completed", properties })).answer).toMatchObject({
      accepted: 1,
      rejected: [
        { message: expect.stringMatching(/^properties\.products\.1\.price: /) },
        { message: expect.stringMatching(/^properties\.products\.2: /) },
      ],
    });
  });

  it("names what is wrong", async () => {
    const token = await issue();
    const purchase = (params: object) =>
      send({ client_id: "1.2", events: [{ name: "purchase", params: { armmt_token: token, ...params } }] });
    expect((await purchase({ transaction_id: "T" })).answer).toMatchObject({
      rejected: [{ message: expect.stringContaining("params.items") }],
    });
    expect((await purchase({ items: [{ item_name: "Tee" }] })).answer).toMatchObject({
      rejected: [{ message: expect.stringContaining("item_id") }],
    });
    expect((await purchase({ items: [{ item_id: "mug", price: -5 }] })).answer).toMatchObject({ rejected: [{ reason: "malformed" }] });
    expect((await purchase({ items: [{ item_id: "mug", price: "10.01", quantity: "3" }] })).answer).toMatchObject({ accepted: 1 });
    expect(await rows("price, quantity")).toEqual([[10.01, 3]]);
  });
});

describe("Segment's e-commerce", () => {
  it("takes a batch as its libraries send it, and tells what it does not take", async () => {
    const { status, answer } = await send(segmentBatch(["mug", "cup"], await issue()));
    expect(status).toBe(200);
    expect(answer).toMatchObject({ accepted: 8, duplicates: 0, rejected: [{ index: 0, reason: "action_unknown" }] });
    expect(await rows("action_name, object_id, price, quantity, currency")).toEqual([
      ["impression", "mug", 19, null, null],
      ["impression", "cup", 3, 2, null],
      ["click", "mug", 18.99, 1, null],
      ["add_to_cart", "mug", 18.99, 1, null],
      ["purchase", "mug", 19, null, "USD"],
      ["purchase", "cup", 3, 2, "USD"],
      ["refund", "mug", 19, null, "USD"],
      ["refund", "cup", 3, 2, "USD"],
    ]);
  });

  it("takes a single call, at its own path too, and answers as Segment does", async () => {
    const { status, answer } = await send(segmentTrack("cup", await issue()), {
      format: "segment",
      headers: { authorization: "Basic a2V5Og==" },
    });
    expect([status, answer]).toEqual([200, { success: true, accepted: 1, duplicates: 0, rejected: [] }]);
    const refused = await send(segmentTrack("cup"), { format: "segment" });
    expect([refused.status, refused.answer]).toMatchObject([200, { accepted: 0, rejected: [{ reason: "token_missing" }] }]);
    expect((await send(segmentTrack("cup"))).status).toBe(422);
  });

  it("finds the search by a query id whose token comes along, and knows the names of V1", async () => {
    const token = await issue();
    const call = {
      type: "track",
      event: "Completed Order",
      userId: 7,
      properties: { orderId: "9", products: [{ id: "cup", price: "4.50", query_id: "query-1" }] },
    };
    expect((await send(call, { headers: { "x-armmt-events": token } })).answer).toMatchObject({ accepted: 1 });
    const bare = { type: "track", event: "Product Clicked", properties: { name: "no id" } };
    expect((await send(bare)).answer).toMatchObject({ rejected: [{ message: expect.stringContaining("properties.products") }] });
    expect(await rows("action_name, object_id, price")).toEqual([["purchase", "cup", 4.5]]);
  });
});

const ubiEvent = (action: string, more: object = {}, attributes: object = {}) => ({
  action_name: action,
  event_attributes: { object: { object_id: "cup", ...more }, ...attributes },
});

const insightsClick = async (more: object = {}) => ({
  events: [
    {
      eventType: "click",
      eventName: "Clicked",
      index: "products",
      objectIDs: ["cup"],
      queryID: await issue({ unit: "0".repeat(32) }),
      ...more,
    },
  ],
});

const orderOf = (changes: object = {}, line: object = {}) => ({
  events: [
    {
      action_name: "purchase",
      query_id: "query-1",
      ...changes,
      event_attributes: { object: { object_id: "cup", price: 12.5, quantity: 2, currency: "EUR", order_id: "O-7", ...line } },
    },
  ],
});

const refund = (object: object) => ({
  events: [{ action_name: "refund", query_id: "query-1", event_attributes: { order_id: "O-7", ...object } }],
});

describe("UBI", () => {
  it("takes the names of its schema and of its samples", async () => {
    const names = ["view", "watch", "click_through", "add_to_cart", "impression", "product_purchase"];
    const { answer } = await send({ tokens: [await issue()], events: names.map((name) => ubiEvent(name)) });
    expect(answer).toMatchObject({ accepted: 6, rejected: [] });
    expect((await rows("action_name")).flat()).toEqual(["view", "watch", "click", "add_to_cart", "impression", "purchase"]);
    expect((await send({ tokens: [await issue()], events: [ubiEvent("product_hover")] })).answer).toMatchObject({
      rejected: [{ reason: "action_unknown" }],
    });
  });

  it("takes price, quantity and currency beside the object, and what is sold by weight as one piece at its price", async () => {
    const [one, two] = [await issue(), await issue()];
    await send({ tokens: [one], events: [ubiEvent("purchase", {}, { price: 12.5, quantity: 2, currency: "eur" })] });
    await send({ tokens: [two], events: [ubiEvent("purchase", { price: 8, quantity: 0.5 })] });
    expect(await rows("price, quantity, currency")).toEqual([
      [12.5, 2, "EUR"],
      [4, 1, null],
    ]);
    for (const quantity of [0, -1, "", "two", 10_001]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await send({ tokens: [one], events: [ubiEvent("purchase", { quantity })] })).answer, String(quantity)).toMatchObject({
        rejected: [{ reason: "malformed" }],
      });
    }
  });
});

describe("search-insights", () => {
  it("says consent in the address, or before the user token, because its beacon brings no header", async () => {
    await send(await insightsClick({ userToken: "browser-7" }), { format: "algolia", search: "?X-Algolia-Agent=x&armmt_consent=1" });
    await send(await insightsClick({ userToken: "consented-browser-7" }), { format: "algolia" });
    await send(await insightsClick({ userToken: "browser-7" }), { format: "algolia" });
    await send(await insightsClick({ userToken: "browser-7" }), { format: "algolia", search: "?armmt_consent=0" });
    const hashed = await hashUnit("browser-7");
    expect(await rows("client_id, unit")).toEqual([
      [hashed, "0".repeat(32)],
      [hashed, "0".repeat(32)],
      [null, null],
      [null, null],
    ]);
  });

  it("tells two orders of one item apart by orderID, and counts a reload once", async () => {
    const token = await issue();
    const buy = (orderID?: string) =>
      send(
        {
          events: [
            {
              eventType: "conversion",
              eventSubtype: "purchase",
              eventName: "Bought",
              objectIDs: ["cup"],
              queryID: token,
              objectData: [{ price: 5 }],
              orderID,
            },
          ],
        },
        { format: "algolia" },
      );
    for (const order of ["A-1", "A-2", "A-1"]) await buy(order); // oxlint-disable-line no-await-in-loop
    expect(await rows("price")).toEqual([[5], [5]]);
  });

  it("keeps no event name with the shopper's id in it", async () => {
    await send(await insightsClick({ userToken: "alice-7", eventName: "Clicked by alice-7" }), { format: "algolia" });
    await send(await insightsClick({ userToken: "alice-7", eventName: "Clicked" }), { format: "algolia" });
    expect(await rows("json_extract(event_attributes, '$.armmt.event_name')")).toEqual([[null], ["Clicked"]]);
  });

  it("hears of it where nothing was taken", async () => {
    const { status, answer } = await send(
      { events: [{ eventType: "click", eventName: "Clicked", objectIDs: ["cup"] }] },
      { format: "algolia" },
    );
    expect([status, answer]).toMatchObject([
      422,
      { status: 422, message: expect.stringContaining("x-armmt-events"), rejected: [{ reason: "token_missing" }] },
    ]);
    const some = await send({ events: [...(await insightsClick()).events, { eventType: "click", eventName: "x" }] }, { format: "algolia" });
    expect([some.status, some.answer]).toMatchObject([200, { status: 200, message: "OK", accepted: 1, rejected: [{ index: 1 }] }]);
  });

  it("is not blamed for what InstantSearch sends of itself, after no search", async () => {
    const start = { eventType: "instantsearch", eventName: "__start__", userToken: "anonymous-1" };
    const view = { eventType: "view", eventName: "Hits Viewed", index: "goods", objectIDs: ["cup", "plate"], userToken: "anonymous-1" };
    const filter = {
      eventType: "click",
      eventName: "Filter Applied",
      index: "goods",
      filters: ["category%3Asofa"],
      userToken: "anonymous-1",
    };
    for (const events of [[start], [view], [filter], [start, view, filter]]) {
      const { status, answer } = await send({ events }, { format: "algolia" }); // oxlint-disable-line no-await-in-loop
      expect([status, answer]).toMatchObject([200, { status: 200, message: "OK", accepted: 0 }]);
      expect(Object(answer).rejected.length).toBeGreaterThanOrEqual(events.length);
    }
    for (const events of [
      [{ ...view, eventType: "click" }],
      [{ ...view, queryID: "0".repeat(32) }],
      [start, { ...view, eventType: "click" }],
    ])
      expect((await send({ events }, { format: "algolia" })).status).toBe(422); // oxlint-disable-line no-await-in-loop
  });
});

describe("how long a page waited", () => {
  it("is counted beside an event that a token proves, whatever else it may be, and is in no record", async () => {
    const token = await issue();
    const post = (waited_ms: unknown, events = [ubiEvent("click", {})]) => send({ tokens: [token], waited_ms, events });
    expect(counters.snapshot()["waits"]).toBeUndefined();
    for (const ms of [-5, 0, "x", null, 1e9]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await post(ms)).status, String(ms)).toBe(200);
      await env.EVENTS.prepare("DELETE FROM ubi_events").run(); // oxlint-disable-line no-await-in-loop
    }
    await post(777, []);
    expect(counters.snapshot()["waits"]).toBeUndefined();
    for (const ms of [120.4, 80, 900]) {
      await post(ms); // oxlint-disable-line no-await-in-loop
      await env.EVENTS.prepare("DELETE FROM ubi_events").run(); // oxlint-disable-line no-await-in-loop
    }
    expect(counters.snapshot()["waits"]).toEqual({ searches: 3, median_ms: 120, p95_ms: 900 });
    await post(80);
    expect(JSON.stringify(await rows("*"))).not.toContain("waited");
  });
});

const basic = (user: string) => ({ authorization: `Basic ${btoa(`${user}:`)}` });

describe("keys of other tools", () => {
  const keys = { eventKeys: ["shop-key"] };
  const statusOf = async (format: EventFormat, options: Sending, body: unknown = { batch: [] }) =>
    (await send(body, { format, ...keys, ...options })).status;

  it("are looked at where the shop lists its own, at the tools' own paths, wherever their clients put them", async () => {
    expect(await statusOf("segment", { headers: basic("shop-key") })).toBe(200);
    expect(await statusOf("segment", {}, { batch: [], writeKey: "shop-key" })).toBe(200);
    expect(await statusOf("algolia", { search: "?X-Algolia-API-Key=shop-key" }, { events: [] })).toBe(200);
    expect(await statusOf("algolia", { headers: { "X-Algolia-API-Key": "shop-key" } }, { events: [] })).toBe(200);
    expect(await statusOf("ga4", { search: "?measurement_id=G-1&api_secret=shop-key" }, { events: [] })).toBe(200);
    // Of itself Segment's library tells without a key.
    expect(await statusOf("segment", {}, { series: [{ type: "Counter", metric: "analytics_js.invoke", value: 1, tags: {} }] })).toBe(200);
    const before = counters.snapshot().rejected["key_unknown"] ?? 0;
    const refused = [
      await statusOf("segment", {}, { series: [], batch: [] }),
      await statusOf("segment", {}),
      await statusOf("segment", { headers: basic("another") }, { batch: [], writeKey: "another" }),
      await statusOf("segment", { headers: { authorization: "Basic %%%" } }),
      await statusOf("segment", { headers: { authorization: "Bearer shop-key" } }),
      await statusOf("algolia", { search: "?api_secret=shop-key" }, { events: [] }),
      await statusOf("ga4", { search: "?api_secret=" }, { events: [] }),
    ];
    expect(refused).toEqual(refused.map(() => 401));
    expect((counters.snapshot().rejected["key_unknown"] ?? 0) - before).toBe(refused.length);
  });

  it("come from Segment's and Algolia's own clients as they are, with their events", async () => {
    const token = await issue();
    const segment = await send(recordedSegmentBatch(token), { format: "segment", ...keys, headers: basic("shop-key") });
    expect(segment.answer).toMatchObject({ accepted: 3, rejected: [{ index: 0, reason: "action_unknown" }] });
    for (const body of recordedInsights(token)) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await send(body, { format: "algolia", ...keys, search: RECORDED_INSIGHTS_SEARCH })).status).toBe(200);
    }
    expect(await rows("action_name, object_id, quantity, price, currency, order_id IS NOT NULL")).toEqual([
      ["click", "mug", null, null, null, 0],
      ["purchase", "mug", 2, 12.5, "EUR", 1],
      ["purchase", "cup", 1, 4, "EUR", 1],
      ["purchase", "cup", 1, 4, "EUR", 0],
    ]);
  });

  it("are asked of nobody else, and of nobody by default", async () => {
    expect(await statusOf("ubi", {}, { events: [] })).toBe(200);
    expect(await statusOf("segment", { eventKeys: [] })).toBe(200);
    const text = JSON.stringify({ batch: [] });
    expect(await statusOf("segment", { headers: await sign(text) }, text)).toBe(200);
  });
});

describe("an order that the shop's server signs", () => {
  const signedRow =
    "action_name, query_id, unit, object_id, position, price, quantity, application, json_extract(event_attributes, '$.armmt')";

  it("needs no token: it names its search", async () => {
    expect(await sendSigned(orderOf())).toEqual({ status: 200, answer: { accepted: 1, duplicates: 0, rejected: [] } });
    expect(await rows(signedRow)).toEqual([["purchase", "query-1", null, "cup", null, 12.5, 2, "products", '{"is_signed":true}']]);
  });

  it("or its shopper, with consent, by a hash of the id with which they searched", async () => {
    const noSearch = orderOf({ query_id: undefined, user_id: "alice-7", session_id: "s-1" });
    expect((await sendSigned(noSearch)).answer).toMatchObject({ accepted: 0, rejected: [{ reason: "consent_missing" }] });
    expect((await sendSigned({ consent: true, ...noSearch })).answer).toMatchObject({ accepted: 1 });
    expect((await sendSigned({ consent: true, ...orderOf({ query_id: undefined }) })).answer).toMatchObject({
      rejected: [{ reason: "token_missing", message: expect.stringContaining("user_id") }],
    });
    // Which of the two the searches were assigned by, the report finds out.
    expect(await rows("query_id, unit, client_id")).toEqual([["", await hashUnit("s-1"), await hashUnit("alice-7")]]);
    await sendSigned({ consent: true, ...orderOf({ query_id: undefined, user_id: 77 }, { order_id: "O-9" }) });
    expect((await rows("unit, client_id")).at(-1)).toEqual([await hashUnit("77"), null]);
  });

  it("is the same order when it comes again, from a browser, or from another tool", async () => {
    // What a browser says first, or anybody who guesses the number, does not keep the signed order out; the report counts one of them.
    await send({ tokens: [await issue()], events: orderOf({ query_id: undefined }, { price: 900 }).events });
    expect((await sendSigned(orderOf())).answer).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(await rows("price, order_id, json_extract(event_attributes, '$.armmt.is_signed')")).toEqual([
      [900, await hashUnit("order O-7"), null],
      [12.5, await hashUnit("order O-7"), 1],
    ]);
    expect((await sendSigned(orderOf())).answer).toMatchObject({ accepted: 0, duplicates: 1 });
    const ga = {
      client_id: "1.2",
      events: [{ name: "purchase", params: { transaction_id: "O-7", query_id: "query-1", items: [{ item_id: "cup" }] } }],
    };
    expect((await sendSigned(ga)).answer).toMatchObject({ accepted: 0, duplicates: 1 });
    expect((await sendSigned(orderOf({}, { object_id: "mug" }))).answer).toMatchObject({ accepted: 1 });
  });

  it("is taken after its token has expired, with the token's search", async () => {
    const token = await issue();
    nowMs = NOW + TOKEN_TTL_MS + 1000;
    const late = orderOf({ query_id: undefined, token });
    expect((await send(late)).answer).toMatchObject({ rejected: [{ reason: "token_expired" }] });
    expect((await sendSigned(late)).answer).toMatchObject({ accepted: 1 });
    expect(await rows("query_id")).toEqual([["query-1"]]);
  });

  it("uses a token that fits, as a browser's event would", async () => {
    expect((await sendSigned(orderOf({ token: await issue({ offset: 40 }) }))).answer).toMatchObject({ accepted: 1 });
    expect(await rows("position, json_extract(event_attributes, '$.armmt.variant'), json_extract(event_attributes, '$.armmt.is_signed')")).toEqual([[42, "armmt", 1]]); // prettier-ignore
    expect((await sendSigned(orderOf({ token: await issue() }, { object_id: "plate", order_id: "O-8" }))).answer).toMatchObject({
      rejected: [{ reason: "item_not_served" }],
    });
  });

  it("may take it back, as a whole too", async () => {
    // Anybody may have guessed the number before.
    expect((await send({ tokens: [await issue()], ...refund({}) })).answer).toMatchObject({ accepted: 1 });
    expect((await sendSigned(refund({}))).answer).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await sendSigned(refund({ object: { object_id: "cup", quantity: 1 }, refund_id: "R-1" }))).answer).toMatchObject({
      accepted: 1,
    });
    expect((await rows("action_name")).flat()).toEqual(["refund", "refund", "refund"]);
  });

  it("is nothing but an order: clicks need their token, and orders their number", async () => {
    const click = { events: [{ ...orderOf().events[0], action_name: "click" }] };
    expect((await sendSigned(click)).answer).toMatchObject({ rejected: [{ reason: "token_missing" }] });
    expect((await sendSigned(orderOf({}, { order_id: undefined }))).answer).toMatchObject({
      rejected: [{ reason: "token_missing", message: expect.stringContaining("order_id") }],
    });
    expect((await sendSigned(orderOf({ action_name: "wave" }))).answer).toMatchObject({ rejected: [{ reason: "action_unknown" }] });
  });

  it("says which shop it belongs to, where the edge has several indexes", async () => {
    expect((await sendSigned(orderOf(), { application: undefined })).answer).toMatchObject({
      rejected: [{ reason: "malformed", message: expect.stringContaining("application") }],
    });
    expect((await sendSigned(orderOf({ application: "garden" }), { application: undefined })).answer).toMatchObject({ accepted: 1 });
    expect(await rows("application")).toEqual([["garden"]]);
  });

  it("is refused with a wrong, old or misplaced signature, and nothing of it is taken", async () => {
    const text = JSON.stringify(orderOf());
    const good = (await sign(text))["x-armmt-signature"] ?? "";
    const codeOf = async (signature: string, options: Sending = {}, body = text) => {
      const { status, answer } = await send(body, { ...options, headers: { "x-armmt-signature": signature } });
      const [, code] = /"code":"(\w+)"/.exec(JSON.stringify(answer)) ?? [];
      return [status, code];
    };
    expect(await codeOf(good, {}, text.replace("12.5", "1.5"))).toEqual([401, "signature_invalid"]);
    for (const bad of [
      "",
      "v1=00",
      good.replace("t=", "t=1"),
      `${good}00`,
      good.slice(0, -2),
      (await sign(text, { secret: SECRET }))["x-armmt-signature"] ?? "",
    ]) {
      expect(await codeOf(bad), bad).toEqual([401, "signature_invalid"]); // oxlint-disable-line no-await-in-loop
    }
    for (const minutes of [-6, 6]) {
      const signature = (await sign(text, { atMs: nowMs + minutes * 60_000 }))["x-armmt-signature"] ?? "";
      expect(await codeOf(signature)).toEqual([401, "signature_expired"]); // oxlint-disable-line no-await-in-loop
    }
    expect(await codeOf(good, { orderSecret: undefined })).toEqual([401, "signature_unknown"]);
    expect(await rows("id")).toEqual([]);
    // Two seconds of a clock's error, and capitals.
    const upper = (await sign(text, { atMs: nowMs + 2000 }))["x-armmt-signature"]?.replace(
      /v1=.*/,
      (digits) => `v1=${digits.slice(3).toUpperCase()}`,
    );
    expect(await codeOf(upper ?? "")).toEqual([200, undefined]);
  });
});
