/** Orders in a report: once each, what was taken back, currencies, the attribution window, and shoppers from before the range. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseRates } from "../../src/cli/report/rates.ts";
import type { ReportOptions } from "../../src/cli/report.ts";
import type { ReportData } from "../../src/report/analyse.ts";
import type { ActionRow, Log, SearchRow } from "../../src/report/log.ts";
import { describeMoney } from "../../src/report/money.ts";
import { formatReport } from "../../src/report/sections.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

const bought = (queryId: string, itemId: string, price: number | undefined, more: Partial<ActionRow> = {}): ActionRow =>
  action(queryId, "purchase", { itemId, price, currency: "EUR", ...more });

const TWO: readonly SearchRow[] = [
  search("q1", "control", { unit: "ann" }),
  search("q2", "control", { unit: "ann", atMs: START_MS + 1000 }),
  search("q3", "armmt", { unit: "bob" }),
];

/** Of control. */
function sums(data: ReportData): Readonly<Record<string, number | undefined>> {
  const of = (id: string): number | undefined => data.metrics.find(({ metric }) => metric === id)?.arms[0]?.sum;
  return {
    orders: of("orders"),
    lines: of("purchases"),
    items: of("items-per-shopper"),
    gross: of("gross-revenue-per-shopper"),
    revenue: of("revenue"),
    buyers: of("conversion-per-shopper"),
  };
}

const sumsOf = async (actions: readonly ActionRow[], options: Partial<ReportOptions> = {}, searches = TWO) =>
  sums(await report(logOf(searches, actions), options));

const once = { orders: 1, lines: 1, items: 2, gross: 20, revenue: 20, buyers: 1 };

const FROM_SHOP = { application: "shop", itemId: "" };

const refund = (more: Partial<ActionRow>): ActionRow => action("", "refund", { ...FROM_SHOP, orderId: "7", ...more });

/** 400 shoppers per arm, each with an order; `usd`: the share that pays in USD, per arm. */
const shop = (usd: Readonly<Record<string, number>>, price = (i: number) => 40 + (i % 21)) => {
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  for (const [variant, share] of Object.entries(usd)) {
    for (let i = 0; i < 400; i++) {
      const [id, isUsd] = [`${variant}${i}`, (i % 20) / 20 < share];
      searches.push(search(id, variant, { unit: id }));
      actions.push(bought(id, "mug", price(i), { orderId: id, currency: isUsd ? "USD" : "EUR" }));
    }
  }
  return logOf(searches, actions);
};

const revenueOf = (data: ReportData) => data.metrics.find(({ metric }) => metric === "revenue-per-shopper")?.comparisons[0];

const suspects = (count: number, all: number): ActionRow[] =>
  Array.from({ length: all }, (_, i) => bought("q1", `i${i}`, 10, { orderId: `${i}`, isPriceSuspect: i < count || undefined }));

const at = (days: number) => bought("q1", `after ${days}`, 10, { atMs: START_MS + days * DAY_MS });

const shoppersOf = (data: ReportData) => data.exposures.arms.map(({ variant, shoppers }) => [variant, shoppers]);

const order = { orderId: "1001", quantity: 2 };

const through = (queryId: string, itemId: string, minutes: number): ActionRow =>
  bought(queryId, itemId, 10, { ...order, atMs: START_MS + minutes * 60_000 });

describe("an order", () => {
  it("counts once: reloaded, in a second tab, after another search, by another door and with another price", async () => {
    const again = [
      bought("q1", "mug", 10, { ...order, eventId: "a" }),
      bought("q1", "mug", 10, { ...order, eventId: "b" }),
      bought("q2", "mug", 10, { ...order, eventId: "c", atMs: START_MS + 5000 }),
      bought("q2", "mug", 99, { ...order, eventId: "d" }),
    ];
    const data = await report(logOf(TWO, again));
    expect(sums(data)).toEqual(once);
    expect(data.money.orders).toMatchObject({ again: 3, changed: 1 });
    expect(data.notes.join("\n")).toContain("1 purchases came again with another price or quantity");
  });

  it("is the same in two indexes for one shopper, and another for another application's shopper", async () => {
    const searches = [
      search("q1", "control", { unit: "ann", application: "products" }),
      search("q2", "control", { unit: "ann", application: "suggestions" }),
      search("q3", "control", { unit: "eve", application: "outlet" }),
    ];
    expect(await sumsOf([bought("q1", "mug", 10, order), bought("q2", "mug", 10, order)], {}, searches)).toEqual(once);
    const both = await sumsOf([bought("q1", "mug", 10, order), bought("q3", "mug", 10, order)], {}, searches);
    expect(both).toEqual({ orders: 2, lines: 2, items: 4, gross: 40, revenue: 40, buyers: 2 });
  });

  it("is the same in two indexes of an unknown shopper at the same time, line by line too", async () => {
    const searches = ["products", "suggestions"].map((application) => search(application, "control", { application }));
    const twice = [through("products", "mug", 5), through("suggestions", "mug", 6)];
    expect(await sumsOf(twice, {}, searches)).toMatchObject({ orders: 1, lines: 1, revenue: 20 });
    const lines = [through("products", "mug", 5), through("suggestions", "cup", 6)];
    expect(await sumsOf(lines, {}, searches)).toMatchObject({ orders: 1, lines: 2, revenue: 40 });
    // Two applications that count their orders alike.
    const apart = [through("products", "mug", 5), through("suggestions", "mug", 90)];
    expect(await sumsOf(apart, {}, searches)).toMatchObject({ orders: 2, lines: 2, revenue: 40 });
  });

  it("that two shoppers claim is in doubt, and the report says who can tell", async () => {
    const data = await report(logOf(TWO, [bought("q1", "mug", 10, order), bought("q3", "cup", 500, order)]));
    expect(data.money.orders.disputed).toBe(1);
    expect(data.notes.join("\n")).toMatch(/1 order numbers came from more than one shopper.*ORDER_SECRET/);
  });

  it("has lines: of several searches, and two of the same item where they are named", async () => {
    const lines = [
      bought("q1", "mug", 10, { ...order, line: "1" }),
      bought("q1", "mug", 8, { ...order, line: "2" }),
      bought("q2", "cup", 5, { ...order, quantity: undefined }),
    ];
    expect(await sumsOf(lines)).toEqual({ orders: 1, lines: 3, items: 5, gross: 41, revenue: 41, buyers: 1 });
  });

  it("without a number is what one search has bought, as before", async () => {
    const loose = [bought("q1", "mug", 10), bought("q1", "mug", 10), bought("q2", "cup", 5)];
    const data = await report(logOf(TWO, loose));
    expect(sums(data)).toEqual({ orders: 2, lines: 3, items: 3, gross: 25, revenue: 25, buyers: 1 });
    expect(data.notes.join("\n")).toContain("3 of 3 purchases have no order number");
  });

  it("has an average value: of its lines, not of the lines themselves", async () => {
    const lines = Array.from({ length: 10 }, (_, i) => bought("q1", `i${i}`, 5, { orderId: "1" }));
    const data = await report(logOf(TWO, [...lines, bought("q2", "mug", 20, { orderId: "2" })]));
    expect(data.metrics.find(({ metric }) => metric === "order-value")?.arms[0]).toMatchObject({ value: 35, sum: 70 });
  });
});

describe("what is taken back", () => {
  const lines = [
    bought("q1", "mug", 10, { orderId: "7", quantity: 3 }),
    bought("q1", "cup", 5, { orderId: "7" }),
    bought("q2", "bowl", 50, { orderId: "8" }),
  ];
  const after = async (...reversals: ActionRow[]) => {
    const { orders, lines: count, gross, revenue } = await sumsOf([...lines, ...reversals]);
    return [orders, count, gross, revenue];
  };

  it("is nothing at first", async () => expect(await after()).toEqual([2, 3, 85, 85]));

  it("cancels an order, a line, or pieces of a line", async () => {
    expect(await after(action("", "cancel", { ...FROM_SHOP, orderId: "7" }))).toEqual([1, 1, 50, 50]);
    expect(await after(action("", "cancel", { ...FROM_SHOP, orderId: "7", itemId: "mug" }))).toEqual([2, 2, 55, 55]);
    expect(await after(action("", "cancel", { ...FROM_SHOP, orderId: "7", itemId: "mug", quantity: 1 }))).toEqual([2, 3, 75, 75]);
  });

  it("is a whole cancellation where the pieces come one by one, and gives nothing back twice", async () => {
    const piece = action("", "cancel", { ...FROM_SHOP, orderId: "7", itemId: "mug", quantity: 1 });
    expect(await after(piece, piece, piece)).toEqual([2, 2, 55, 55]);
    expect(await after(piece, piece, piece, { ...piece, itemId: "cup" })).toEqual([1, 1, 50, 50]);
    expect(await after(refund({ itemId: "mug", quantity: 2 }), piece, piece)).toEqual([2, 3, 65, 55]);
  });

  it("refunds an order, a part of its money, a line, or pieces that come back one by one; never more than was paid", async () => {
    expect(await after(refund({}))).toEqual([2, 3, 85, 50]);
    expect(await after(refund({ price: 7, currency: "EUR" }))).toEqual([2, 3, 85, 78]);
    expect(await after(refund({ itemId: "mug" }))).toEqual([2, 3, 85, 55]);
    expect(await after(refund({ itemId: "mug", quantity: 1 }), refund({ itemId: "mug", quantity: 1 }))).toEqual([2, 3, 85, 65]);
    expect(await after(refund({ itemId: "cup", price: 1 }))).toEqual([2, 3, 85, 84]);
    expect(await after(refund({ price: 1e6 }), refund({}), refund({ itemId: "mug" }))).toEqual([2, 3, 85, 50]);
  });

  it("comes whenever it comes, before the purchase in the log and long after its window", async () => {
    const late = action("", "refund", { ...FROM_SHOP, orderId: "8", atMs: START_MS + 40 * DAY_MS });
    expect(await after(late)).toEqual([2, 3, 85, 35]);
    const range = { experiment: "rerank", since: undefined, until: new Date(START_MS + DAY_MS).toISOString() };
    expect((await sumsOf([late, ...lines], { range }))["revenue"]).toBe(35);
  });

  it("concerns the shopper's own orders where it comes with a search, and says what it found nothing for", async () => {
    const stranger = action("q3", "cancel", { itemId: "", orderId: "7" });
    const foreign = action("elsewhere", "cancel", { itemId: "", orderId: "7", application: "shop" });
    const data = await report(logOf(TWO, [...lines, stranger, foreign, action("", "refund", { ...FROM_SHOP, orderId: "9" })]));
    expect(sums(data)).toMatchObject({ orders: 2, revenue: 85 });
    expect(data.money.orders.unmatched).toBe(3);
    expect(await after(action("q2", "cancel", { itemId: "", orderId: "7" }))).toEqual([1, 1, 50, 50]);
  });

  it("may name a line of a purchase without an order number", async () => {
    expect((await sumsOf([bought("q1", "mug", 10), action("q1", "refund", { itemId: "mug" })]))["revenue"]).toBe(0);
  });

  it("is converted where it is in another currency, and the price paid where it cannot be", async () => {
    const rates = new Map([["EUR", 1], ["USD", 0.5]]); // prettier-ignore
    const inDollars = action("", "refund", { ...FROM_SHOP, orderId: "8", price: 20, currency: "USD" });
    expect((await sumsOf([...lines, inDollars], { rates }))["revenue"]).toBe(75);
    expect((await sumsOf([...lines, inDollars]))["revenue"]).toBe(35);
  });
});

describe("currencies", () => {
  it("give no verdict where their mix differs between the arms", async () => {
    const data = await report(shop({ control: 0, armmt: 0.5 }));
    expect(revenueOf(data)).toMatchObject({ verdict: "open", withheld: expect.stringContaining("differs") });
    expect(revenueOf(data)?.result?.lift.value).toBeLessThan(-0.4);
    expect(data.money.mix).toMatchObject([{ variant: "armmt", differs: true }]);
    // scipy.stats.chi2_contingency([[400, 0], [200, 200]], correction=False).pvalue
    expect(data.money.mix[0]!.p / 6.04520682008474e-60).toBeCloseTo(1, 6);
    expect(data.notes.join("\n")).toContain("there is no verdict on its revenue");
    expect(data.money.rows.map(({ variant, label, orders, isCounted }) => [variant, label, orders, isCounted])).toEqual([
      ["control", "EUR", 400, true],
      ["armmt", "EUR", 200, true],
      ["armmt", "USD", 200, false],
    ]);
  });

  it("raise no alarm, and switch nothing off, where an arm sells in another currency alone", async () => {
    const data = await report(shop({ control: 0, armmt: 1 }));
    expect(revenueOf(data)).toMatchObject({ verdict: "open", alarm: null, withheld: expect.any(String) });
    expect(data.alarms).toEqual([]);
    expect(data.checks.guardrails.find(({ guardrail }) => guardrail === "revenue")?.state).toBe("unknown");
  });

  it("give one where the mix is the same, and where they are converted", async () => {
    const same = await report(shop({ control: 0.25, armmt: 0.25 }));
    expect(revenueOf(same)?.withheld).toBeNull();
    expect(same.money.mix).toEqual([{ variant: "armmt", p: 1, differs: false }]);
    const rates = parseRates("EUR=1,USD=0.5");
    const data = await report(shop({ control: 0, armmt: 0.5 }), { rates });
    expect(revenueOf(data)).toMatchObject({ withheld: null, verdict: "lower" });
    expect(revenueOf(data)?.result?.lift.value).toBeCloseTo(-0.25, 1);
    expect(data.metrics.find(({ metric }) => metric === "revenue")?.currency).toBe("EUR");
    expect(formatReport(data)).toContain("Converted with EUR = 1, USD = 0.5.");
  });

  it("give none where one arm's prices are missing, or cannot be believed", async () => {
    const priced = shop({ control: 0, armmt: 0 });
    const broken = (of: (row: ActionRow) => Partial<ActionRow>): Log => ({
      ...priced,
      async *actions(range) {
        for await (const row of priced.actions(range))
          yield row.queryId.startsWith("armmt") && /[05]$/.test(row.queryId) ? { ...row, ...of(row) } : row;
      },
    });
    for (const of of [{ price: undefined }, { isPriceSuspect: true as const }, { price: -5 }, { quantity: 1e9 }]) {
      // oxlint-disable-next-line no-await-in-loop
      const data = await report(broken(() => of));
      expect(revenueOf(data), JSON.stringify(of)).toMatchObject({ verdict: "open", withheld: expect.any(String) });
    }
  });

  it("have rates in a file or on the command line, with one that is 1", () => {
    expect(parseRates("eur=1, usd=0.92")).toEqual(new Map([["EUR", 1], ["USD", 0.92]])); // prettier-ignore
    const folder = mkdtempSync(join(tmpdir(), "armmt-rates-"));
    const file = join(folder, "rates.json");
    writeFileSync(file, '{"EUR":1,"JPY":0.006}');
    expect(parseRates(file)).toEqual(new Map([["EUR", 1], ["JPY", 0.006]])); // prettier-ignore
    writeFileSync(file, "EUR");
    expect(() => parseRates(file)).toThrow(/no JSON object/);
    rmSync(folder, { recursive: true });
    for (const wrong of [
      "",
      "EUR",
      "EUR=",
      "EUR=x",
      "EUR=0,USD=1",
      "EUR=-1,USD=1",
      "USD=0.9",
      "EUR=1,EUR=1",
      "EURO=1",
      "EUR=1,USD=Infinity",
    ])
      expect(() => parseRates(wrong), wrong).toThrow(/gives no rates: .*EUR=1/);
  });
});

describe("prices far from the published ones", () => {
  it("are orders, and no revenue unless the report is told so", async () => {
    expect(await sumsOf(suspects(1, 3))).toMatchObject({ orders: 3, revenue: 20 });
    expect(await sumsOf(suspects(1, 3), { suspectPrices: "count" })).toMatchObject({ orders: 3, revenue: 30 });
  });

  it("count where most of a currency are: the catalogue has another one", async () => {
    const data = await report(logOf(TWO, suspects(30, 40)));
    expect(sums(data)).toMatchObject({ revenue: 400 });
    expect(data.notes.join("\n")).toContain("30 prices far from the published ones are counted");
    expect(await sumsOf(suspects(9, 10))).toMatchObject({ revenue: 10 });
  });
});

describe("the attribution window", () => {
  it("cuts what comes later, in any log, and says how many", async () => {
    const data = await report(
      logOf(TWO, [at(0), at(6.9), at(7.1), at(80), at(-3), action("q1", "click", { atMs: START_MS + 8 * DAY_MS })]),
    );
    expect(sums(data)).toMatchObject({ lines: 2 });
    expect(data.attribution).toMatchObject({ windowDays: 7, until: null, leftOut: { actions: 4, purchases: 3 } });
    expect(data.notes.join("\n")).toContain("4 clicks, carts or purchases (3 purchases) came after");
    expect(formatReport(data)).toContain("count up to 7 days after their search");
  });

  it("has the length that is asked for, and ends with the report", async () => {
    expect(await sumsOf([at(0), at(2), at(80)], { window: 1 })).toMatchObject({ lines: 1 });
    expect(await sumsOf([at(0), at(2), at(80)], { window: 90 })).toMatchObject({ lines: 3 });
    const range = { experiment: "rerank", since: undefined, until: new Date(START_MS + 3 * DAY_MS).toISOString() };
    expect(await sumsOf([at(0), at(2), at(5)], { range })).toMatchObject({ lines: 2 });
  });

  it("counts what has no time, and says so", async () => {
    const data = await report(logOf(TWO, [bought("q1", "mug", 10)]));
    expect(sums(data)).toMatchObject({ lines: 1 });
    expect(data.notes.join("\n")).toContain("1 clicks, carts or purchases have no readable timestamp");
  });
});

describe("shoppers from before the range", () => {
  const range = { experiment: "rerank", since: new Date(START_MS).toISOString(), until: undefined };
  const searches = ["mover", "stayer", "new"].map((unit) => search(`q-${unit}`, "armmt", { unit }));
  const withEarlier = (rows: readonly (readonly [string, string])[]): Log => ({
    ...logOf([...searches, search("q-c", "control", { unit: "other" })]),
    async *armsBefore() {
      for (const [unit, variant] of rows) yield { unit, variant };
    },
  });

  it("are left out, all of them, where any has changed the arm", async () => {
    const data = await report(withEarlier([["mover", "control"], ["mover", "control"], ["stayer", "armmt"], ["gone", "control"]]), { range }); // prettier-ignore
    expect(shoppersOf(data)).toEqual([["control", 1], ["armmt", 1]]); // prettier-ignore
    expect(data.notes.join("\n")).toMatch(/1 shoppers were in another arm before .* All 2 shoppers who were there before are left out/);
    expect(data.left).toEqual({ crossed: 0, carriedOver: { moved: 1, leftOut: 2 } });
  });

  it("stay where nobody moved", async () => {
    const data = await report(withEarlier([["stayer", "armmt"]]), { range });
    expect(shoppersOf(data)).toEqual([["control", 1], ["armmt", 3]]); // prettier-ignore
    expect(data.notes.join("\n")).not.toContain("another arm before");
  });
});

describe("describeMoney()", () => {
  it("tests nothing where all is counted, or an arm has sold nothing", () => {
    const line = { trouble: null, currency: "EUR", hasRate: true, lines: 5, gross: 50, back: 0 };
    const money = {
      currency: "EUR",
      purchases: 9,
      again: 0,
      changed: 0,
      unmatched: 0,
      forgiven: 0,
      cancelled: 0,
      refunded: 0,
      withoutNumber: 0,
      contradicted: { lines: 0, examples: [] },
      disputed: 0,
    };
    const rows = [{ ...line, variant: "control", orders: 5 }, { ...line, variant: "armmt", orders: 4 }]; // prettier-ignore
    expect(describeMoney({ ...money, prices: rows }, "control").mix).toEqual([]);
    const alone = [{ ...line, variant: "control", orders: 5 }, { ...line, variant: "control", orders: 5, currency: "USD", hasRate: false }]; // prettier-ignore
    expect(describeMoney({ ...money, prices: alone }, "control").mix).toEqual([]);
    const mixed = [
      [300, 60, 40],
      [310, 40, 50],
    ].flatMap((counts, arm) =>
      // prettier-ignore
      counts.map((orders, i) => {
        const [currency = ""] = ["EUR", "USD", "SEK"].slice(i);
        return { ...line, variant: arm === 0 ? "control" : "armmt", orders, currency, hasRate: i === 0 };
      }),
    );
    // scipy.stats.chi2_contingency([[300, 60, 40], [310, 40, 50]], correction=False).pvalue
    expect(describeMoney({ ...money, prices: mixed }, "control").mix[0]?.p).toBeCloseTo(0.0715382670704365, 12);
  });
});
