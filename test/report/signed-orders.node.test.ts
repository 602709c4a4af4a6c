/** Orders that a shop's server signs: they name a search or a shopper, and the report finds the arm. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabaseFile } from "../../src/cli/report/database.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createEventRecord, createQueryRecord, type ServedEvent } from "../../src/events/ubi.ts";
import type { ReportData } from "../../src/report/analyse.ts";
import type { ActionRow } from "../../src/report/log.ts";
import { openSqlLog } from "../../src/report/sql-log.ts";
import { openSqliteEvents } from "../../src/runtimes/node/sqlite.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-signed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;

const searches = [
  search("a1", "control", { unit: "ann" }),
  search("a2", "control", { unit: "ann", atMs: START_MS + 2 * HOUR_MS }),
  search("b1", "armmt", { unit: "bob" }),
];

const order = (more: Partial<ActionRow>): ActionRow =>
  action("", "purchase", {
    itemId: "mug",
    price: 10,
    currency: "EUR",
    application: "shop",
    orderId: "7",
    atMs: START_MS + HOUR_MS,
    ...more,
  });

const refund = (queryId: string, more: Partial<ActionRow> = {}): ActionRow =>
  action(queryId, "refund", { itemId: "", orderId: "7", application: "shop", ...more });

/** Lines bought, per arm. */
const boughtBy = (data: ReportData) =>
  data.metrics.find(({ metric }) => metric === "purchases")?.arms.map(({ variant, sum }) => [variant, sum]);

const boughtIn = async (...orders: ActionRow[]) => boughtBy(await report(logOf(searches, orders)));

describe("a signed order", () => {
  it("of a shopper is their arm's, that of somebody unknown nobody's", async () => {
    expect(await boughtIn(order({ unit: "bob" }))).toEqual([
      ["control", 0],
      ["armmt", 1],
    ]);
    expect(await boughtIn(order({ unit: "carl" }), order({}))).toEqual([
      ["control", 0],
      ["armmt", 0],
    ]);
  });

  it("of a search is that search's arm", async () => {
    expect(await boughtIn({ ...order({}), queryId: "b1" })).toEqual([
      ["control", 0],
      ["armmt", 1],
    ]);
  });

  it("follows the last search before it: none that came later, and none of long ago", async () => {
    expect(await boughtIn(order({ unit: "ann", atMs: START_MS - HOUR_MS }))).toEqual([
      ["control", 0],
      ["armmt", 0],
    ]);
    expect(await boughtIn(order({ unit: "ann", atMs: START_MS + 30 * DAY_MS }))).toEqual([
      ["control", 0],
      ["armmt", 0],
    ]);
  });

  it("finds its shopper under either of two ids: searches name a session, a user, or both", async () => {
    expect(await boughtIn(order({ unit: "session 5", otherUnit: "bob" }))).toEqual([
      ["control", 0],
      ["armmt", 1],
    ]);
  });

  it("is taken back by what is signed, whatever search that names, and not by what anybody has sent before", async () => {
    const sold = { ...order({ isSigned: true }), queryId: "a1" };
    const revenue = async (...actions: ActionRow[]) =>
      (await report(logOf(searches, [sold, ...actions]))).metrics.find(({ metric }) => metric === "revenue")?.arms[0]?.sum;
    expect(await revenue(refund("b1"))).toBe(10);
    expect(await revenue(refund("b1", { isSigned: true }))).toBe(0);
    expect(await revenue(refund("elsewhere", { isSigned: true, price: 4 }))).toBe(6);
    // The index, where the page names another application with its searches.
    const own = searches.map((each) => ({ ...each, application: "web", index: "products" }));
    const data = await report(logOf(own, [{ ...order({}), queryId: "a1" }, refund("", { application: "products" }), refund("", { application: "others" })])); // prettier-ignore
    expect([data.metrics.find(({ metric }) => metric === "revenue")?.arms[0]?.sum, data.money.orders.unmatched]).toEqual([0, 1]);
    // The page has said so too, or more than is true.
    expect(await revenue(refund("a1", { price: 9 }), refund("a1", { isSigned: true, price: 4 }))).toBe(6);
  });

  it("counts once beside the browser's event of the same order", async () => {
    expect(await boughtIn({ ...order({}), queryId: "a1", eventId: "x" }, order({ unit: "ann", eventId: "y" }))).toEqual([
      ["control", 1],
      ["armmt", 0],
    ]);
  });

  it("goes before what came unsigned under its number, first or last, in price, quantity and items", async () => {
    const signed = order({ unit: "ann", quantity: 2, isSigned: true });
    const strangers = [
      order({ queryId: "b1", itemId: "cup", price: 900, application: undefined }),
      order({ queryId: "b1", price: 10, quantity: 2, application: undefined }),
    ];
    const own = order({ queryId: "a1", price: 99, quantity: 2, application: undefined });
    for (const rows of [
      [...strangers, signed],
      [signed, ...strangers],
      [own, signed, ...strangers],
    ]) {
      const data = await report(logOf(searches, rows)); // oxlint-disable-line no-await-in-loop
      expect(boughtBy(data)).toEqual([["control", 1], ["armmt", 0]]); // prettier-ignore
      expect(data.metrics.find(({ metric }) => metric === "revenue")?.arms.map(({ sum }) => sum)).toEqual([20, 0]);
      expect(data.money.orders.contradicted.examples).toContainEqual({ order: "7", item: "cup" });
      expect(data.notes.join("\n")).toMatch(/[12] unsigned purchases contradict an order that the shop's server signed .* cup of order 7/);
      expect(data.notes.join("\n")).not.toContain("nothing signed says whose");
    }
  });

  it("is confirmed by what says the same, as one line or as two", async () => {
    const signed = ["1", "2"].map((line) => order({ unit: "ann", line, isSigned: true }));
    const data = await report(logOf(searches, [...signed, order({ queryId: "a1", quantity: 2, application: undefined })]));
    expect(data.money.orders).toMatchObject({ again: 1, contradicted: { lines: 0 } });
    expect(boughtBy(data)).toEqual([["control", 2], ["armmt", 0]]); // prettier-ignore
  });

  it("whose own search is not in the report corrects what the browser's event says, and follows its search", async () => {
    const browsers = order({ queryId: "a1", price: 900, application: undefined });
    for (const signed of [order({ unit: "another-id", isSigned: true }), order({ queryId: "elsewhere", isSigned: true })]) {
      const data = await report(logOf(searches, [browsers, signed])); // oxlint-disable-line no-await-in-loop
      expect(boughtBy(data)).toEqual([["control", 1], ["armmt", 0]]); // prettier-ignore
      expect(data.metrics.find(({ metric }) => metric === "revenue")?.arms[0]?.sum).toBe(10);
      expect(data.notes.join("\n")).toContain("1 unsigned purchases contradict");
      // Alone it is in no figure, and counted.
      const alone = await report(logOf(searches, [signed])); // oxlint-disable-line no-await-in-loop
      expect([alone.money.rows.length, boughtBy(alone)?.map(([, sum]) => sum)]).toEqual([0, [0, 0]]);
      expect(alone.notes.join("\n")).toContain("1 clicks, carts");
    }
  });

  it("of long ago is left out, and counted", async () => {
    const data = await report(logOf(searches, [order({ unit: "ann", atMs: START_MS + 30 * DAY_MS, isSigned: true })]));
    expect(data.attribution.leftOut).toMatchObject({ actions: 1, purchases: 1 });
  });

  it("is found in tables too", async () => {
    const file = join(folder, "events.sqlite");
    const events = await openSqliteEvents(file);
    const sink = createD1Sink(events);
    const common = { application: "shop", clientId: undefined };
    for (const [queryId, variant, unit] of [
      ["a1", "control", "ann"],
      ["b1", "armmt", "bob"],
    ] as const) {
      const armmt = { experiment: "rerank", variant, window: 1, original_ids: ["mug"], served_ids: ["mug"] };
      await sink.write(createQueryRecord({ ...common, queryId, unit, userQuery: "mug", timeMs: START_MS, armmt })); // oxlint-disable-line no-await-in-loop
    }
    const record = createEventRecord({
      ...common,
      action: "purchase",
      queryId: "",
      itemId: "mug",
      position: undefined,
      timeMs: START_MS + HOUR_MS,
    });
    const signed: ServedEvent = {
      ...record,
      event_id: "e-1",
      unit: "bob",
      price: 10,
      quantity: 1,
      order_id: "o-1",
      event_attributes: { ...record.event_attributes, armmt: { is_signed: true } },
    };
    expect(await sink.writeEvents([signed])).toMatchObject({ ok: true, value: { written: 1 } });
    await events.close();
    const database = await openDatabaseFile(file);
    const data = await report(await openSqlLog(database));
    await database.close();
    expect(boughtBy(data)).toEqual([
      ["control", 0],
      ["armmt", 1],
    ]);
  });
});
