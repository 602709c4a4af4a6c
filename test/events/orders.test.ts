/** Orders as they come: once each whatever way, taken back, and with prices that are compared with the published ones. */
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { memoryKv, createItemStore, ShardCache } from "../../src/embeddings/store.ts";
import { createEventCounters } from "../../src/events/counters.ts";
import { ingest } from "../../src/events/ingest.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { createPublishedPrices, type PublishedPrices } from "../../src/events/published-price.ts";
import { openSinks } from "../../src/events/sinks.ts";
import { createEventTokens, type TokenContent } from "../../src/events/token.ts";
import type { EventFormat } from "../../src/protocol.ts";
import { ITEM_FEATURES } from "../../src/ranking/candidate.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const NOW = Date.UTC(2026, 10, 21, 12);
const now = (): number => NOW;
const tokens = createEventTokens({ secret: SECRET, now });
const hashUnit = createUnitHash(SECRET);

beforeEach(async () => {
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

async function send(body: unknown, format: EventFormat = "ubi", publishedPrices?: PublishedPrices) {
  const counters = createEventCounters();
  const sink = openSinks({ names: ["d1"], bindings: env, counters, now, createId: () => "id", log: () => undefined });
  const request = { format, body, tokens: undefined, hasConsent: false, isBot: false, afterReply: () => undefined };
  const report = await ingest(request, { tokens, sink, counters, hashUnit, publishedPrices, now });
  if (!report.ok) throw new Error(report.error.message);
  return { ...report.value, counters: counters.snapshot() };
}

async function rows(columns: string): Promise<Record<string, unknown>[]> {
  return (await env.EVENTS.prepare(`SELECT ${columns} FROM ubi_events ORDER BY id`).all()).results;
}

const bought = (token: string, object: object, beside: object = {}, action = "purchase") => ({
  action_name: action,
  token,
  event_attributes: { object: { object_id: "mug", ...object }, ...beside },
});

describe("an order with a number", () => {
  it("counts once: reloaded, after another search, by another format, with the number as text or not, and the price of the first", async () => {
    const [one, two] = await Promise.all([issue(), issue({ queryId: "query-2" })]);
    expect(await send([bought(one, { order_id: 1001, price: 5 })])).toMatchObject({ accepted: 1, duplicates: 0 });
    const again = [
      bought(one, { order_id: "1001", price: 5 }),
      bought(two, { order_id: " 1001 ", price: 9 }),
      bought(two, { price: 5 }, { order_id: 1001 }),
    ];
    expect(await send(again)).toMatchObject({ accepted: 0, duplicates: 3 });
    const purchase = { eventType: "conversion", eventSubtype: "purchase", queryID: two, objectIDs: ["mug"], orderID: "1001" };
    expect(await send({ events: [purchase] }, "algolia")).toMatchObject({ duplicates: 1 });
    const fields = [{ name: "order_id", value: 1001 }];
    const interaction = { event: "interaction", type: "purchase", item: "mug", ranking: two, fields };
    expect(await send(interaction, "metarank")).toMatchObject({ duplicates: 1 });
    expect(await rows("query_id, price, order_id")).toEqual([{ query_id: "query-1", price: 5, order_id: await hashUnit("order 1001") }]);
  });

  it("is another one for another item, line, number or application, and in one token as often as it is bought", async () => {
    const [one, other] = await Promise.all([issue(), issue({ application: "outlet" })]);
    const events = [
      bought(one, { order_id: "1" }),
      bought(one, { order_id: "1", object_id: "cup" }),
      bought(one, { order_id: "1", line: 0 }),
      bought(one, { order_id: "1", line: "2" }),
      bought(one, { order_id: "2" }),
      bought(other, { order_id: "1" }),
    ];
    expect(await send(events)).toMatchObject({ accepted: 6, duplicates: 0 });
    expect(await send(events)).toMatchObject({ accepted: 0, duplicates: 6 });
    const twice = { eventType: "conversion", eventSubtype: "purchase", queryID: one, objectIDs: ["mug", "cup", "mug"], orderID: "3" };
    expect(await send({ events: [twice] }, "algolia")).toMatchObject({ accepted: 3 });
    expect(await send({ events: [twice] }, "algolia")).toMatchObject({ accepted: 0, duplicates: 3 });
  });

  it("has none where a template printed nothing, and none that has lost digits", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => issue()));
    const nothing = ["", "  ", 0, "undefined", "null", "(not set)", "[object Object]", "{{ order.id }}"];
    expect(await send(nothing.map((order_id, i) => bought(all[i] ?? "", { order_id })))).toMatchObject({ accepted: 8 });
    expect(await rows("DISTINCT order_id")).toEqual([{ order_id: null }]);
    const lost = JSON.parse('{"order_id":12345678901234567890}');
    expect(await send([bought(await issue(), lost)])).toMatchObject({ accepted: 0, rejected: [{ reason: "malformed" }] });
  });

  it("stores neither the number nor a line's name", async () => {
    await send([bought(await issue(), { order_id: "ORDER-77-ALICE", line: "ORDER-77-ALICE/1", refund_id: "ALICE-2" })]);
    expect(JSON.stringify(await rows("*"))).not.toMatch(/ALICE/);
    expect(await rows("length(order_id) AS digits, length(line) AS short")).toEqual([{ digits: 32, short: 8 }]);
  });
});

describe("a refund or a cancellation", () => {
  it("concerns an order, a line or a purchase; twice is once, unless it names itself", async () => {
    const token = await issue();
    const whole = { token, action_name: "cancel", event_attributes: { order_id: "9" } };
    const back = (more: object) => bought(token, { order_id: "9", quantity: 1, price: 5, ...more }, {}, "refund");
    expect(await send([whole, whole, back({}), back({}), back({ refund_id: "a" }), back({ refund_id: "b" })])).toMatchObject({
      accepted: 4,
      duplicates: 2,
    });
    expect(await rows("action_name, object_id, position, event_attributes ->> '$.object.object_id_type' AS type")).toMatchObject([
      { action_name: "cancel", object_id: await hashUnit("order 9"), type: "order" },
      { action_name: "refund", object_id: "mug", position: 1, type: "product" },
      { action_name: "refund", object_id: "mug", type: "product" },
      { action_name: "refund", object_id: "mug", type: "product" },
    ]);
    const field = { event: "interaction", type: "refund", item: "mug", ranking: token, fields: [{ name: "order_id", value: "10" }] };
    expect(await send(field, "metarank")).toMatchObject({ accepted: 1 });
  });

  it("names at least its order, and follows a search like any event", async () => {
    const token = await issue();
    const { rejected } = await send([
      { token, action_name: "refund", event_attributes: {} },
      { token, action_name: "purchase", event_attributes: { order_id: "9" } },
      { action_name: "refund", event_attributes: { order_id: "9" } },
      bought(token, { order_id: "9", price: -5 }, {}, "refund"),
    ]);
    expect(rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [0, "malformed"],
      [1, "malformed"],
      [2, "token_missing"],
      [3, "malformed"],
    ]);
  });
});

const item = (itemId: string, price: number | undefined) => ({
  itemId,
  image: undefined,
  text: undefined,
  features: ITEM_FEATURES.map((name) => (name === "price_log" && price !== undefined ? Math.log(price) : undefined)),
});

describe("a price", () => {
  const model = { dims: { image: 4, text: 4 }, encoders: { image: "none", text: "none" } };
  const kv = memoryKv("shop", [item("mug", 10), item("cup", undefined)], model);
  const store = createItemStore({ kv, catalog: "shop", shards: new ShardCache(1e6), timeoutMs: 1000, now });
  const prices = createPublishedPrices([store]);

  it("far from the published one is taken, marked and counted", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => issue()));
    const of = [99, 101, 1.01, 0.99, 1e9, undefined];
    const { accepted, counters } = await send(of.map((price, i) => bought(all[i] ?? "", { price })), "ubi", prices); // prettier-ignore
    expect([accepted, counters["suspect_prices"]]).toEqual([6, 3]);
    expect(await rows("price, price_suspect")).toEqual([
      { price: 99, price_suspect: null },
      { price: 101, price_suspect: 1 },
      { price: 1.01, price_suspect: null },
      { price: 0.99, price_suspect: 1 },
      { price: 1e9, price_suspect: 1 },
      { price: null, price_suspect: null },
    ]);
  });

  it("of what is weighed or measured is that of a whole piece, as it is published", async () => {
    const of = [bought(await issue(), { price: 1.2, quantity: 100.5 }), bought(await issue(), { price: 10, quantity: 99.5 }), bought(await issue(), { price: 11, quantity: 0.05 })]; // prettier-ignore
    await send(of, "ubi", prices);
    expect(await rows("quantity, round(price, 2) AS price, price_suspect")).toEqual([
      { quantity: 1, price: 120.6, price_suspect: null },
      { quantity: 1, price: 995, price_suspect: null },
      { quantity: 1, price: 0.55, price_suspect: null },
    ]);
  });

  it("is not judged where none is published, or the store gives no answer", async () => {
    const token = await issue();
    const dead = createPublishedPrices([{ lookup: () => Promise.resolve({ ok: false, error: { reason: "store_timeout", detail: "" } }) }]);
    await send([bought(token, { object_id: "cup", price: 1e6 })], "ubi", prices);
    await send([bought(token, { price: 1e6 })], "ubi", dead);
    await send([bought(await issue(), { price: 1e6 })]);
    expect(await rows("price_suspect")).toEqual([{ price_suspect: null }, { price_suspect: null }, { price_suspect: null }]);
  });
});
