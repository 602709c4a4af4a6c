/** The price of the shop's rules: by hand, and as files and tables of the edge hold them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabaseFile } from "../../src/cli/report/database.ts";
import { formatRulePrices, priceRules, type RulePricesOptions } from "../../src/cli/rule-prices/prices.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";
import type { ActionRow, Log, RuledSearch, SearchRow } from "../../src/report/log.ts";
import { drawPage } from "../../src/report/page.ts";
import { formatSections } from "../../src/report/blocks.ts";
import { sectionsOf } from "../../src/report/sections.ts";
import { openSqlLog } from "../../src/report/sql-log.ts";
import { openUbiLog } from "../../src/report/ubi-log.ts";
import { openSqliteEvents } from "../../src/runtimes/node/sqlite.ts";
import { action, logOf, report, search, START_MS } from "./rows.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-rules-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HALF = { from: 0, to: 0.5, seed: "rules/pin" };
const ALL = { experiment: undefined, since: undefined, until: undefined };

const prices = (log: Log, more: Partial<RulePricesOptions> = {}) =>
  priceRules(log, { range: ALL, windowDays: 7, alpha: 0.05, tuning: 5000, lift: 0.1, power: 0.8, json: true, ...more });

const ruled = (isIn: boolean, more: Partial<RuledSearch> = {}): RuledSearch => ({
  rule: "pin",
  share: HALF,
  isIn,
  hasActed: isIn,
  ...more,
});

/** `clicks` per shopper: each shopper searches once where the rule fits. */
function sideOf(isIn: boolean, clicks: readonly number[], more: Partial<RuledSearch> = {}) {
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  clicks.forEach((count, i) => {
    const id = `${isIn ? "in" : "out"}-${i}`;
    searches.push(search(id, "control", { unit: id, rules: [ruled(isIn, more)] }));
    for (let click = 0; click < count; click++) actions.push(action(id, "click", { itemId: `item-${click}` }));
  });
  return { searches, actions };
}

const both = (...sides: readonly ReturnType<typeof sideOf>[]): Log =>
  logOf(
    sides.flatMap((side) => side.searches),
    sides.flatMap((side) => side.actions),
  );

const repeated = (pattern: readonly number[], times: number): number[] => Array.from({ length: times }, () => pattern).flat();

const at = (id: string, hours: number, rules?: readonly RuledSearch[]) =>
  search(id, "control", { unit: "u", atMs: START_MS + hours * 3_600_000, rules });

const autumn = (from: number, to: number) => ({ from, to, seed: "autumn" });

const rowsOf = async (log: Log, experiment?: string): Promise<SearchRow[]> => {
  const rows: SearchRow[] = [];
  for await (const row of log.searches({ ...ALL, experiment })) rows.push(row);
  await log.close();
  return rows;
};

const arms = (count: number, a: boolean, b: boolean, name: string): SearchRow[] =>
  Array.from({ length: count }, (_, i) =>
    search(`${name}${i}`, "control", {
      unit: `${name}${i}`,
      rules: [
        { rule: "a", share: autumn(0, 0.3), isIn: a, hasActed: a },
        { rule: "b", share: autumn(0.3, 0.6), isIn: b, hasActed: b },
      ],
    }),
  );

describe("the price of a rule with a share", () => {
  it("is the difference per shopper, with the interval of an ordinary comparison", async () => {
    const log = both(sideOf(true, repeated([2, 1, 0, 0, 1], 60)), sideOf(false, repeated([1, 1, 0, 0, 0], 60)));
    const [rule] = (await prices(log, { cap: 1 })).rules;
    expect(rule).toMatchObject({
      rule: "pin",
      shoppers: { held: 300, acted: 300 },
      crossed: 0,
      instead: [],
      fits: 300,
      acted: 300,
      searches: 600,
    });
    const [clicks] = rule!.metrics;
    expect(clicks).toMatchObject({ metric: "clicks-per-shopper", held: 0.4, acted: 0.8 });
    // scipy, ttest_ind(equal_var=False) of these lists: difference 0.4, standard error 0.05172; 1.96 of them each way. Control's own coefficient
    // of variation is the larger one here, so that no floor of the report moves it but that of the variant.
    expect(clicks!.difference?.value).toBeCloseTo(0.4, 12);
    const half = (clicks!.difference!.fixed.high - clicks!.difference!.fixed.low) / 2;
    expect(half).toBeGreaterThanOrEqual(1.95996 * 0.05172 - 1e-4);
    expect(half).toBeLessThan(1.95996 * 0.05172 * 1.15);
    expect(clicks!.total).toBeCloseTo(120, 9);
    expect(clicks!.price).toBe("brings");
    expect(clicks!.needed).toBeGreaterThan(600);
  });

  it("cannot be told from few shoppers, and says how many it needs", async () => {
    const log = both(sideOf(true, repeated([1, 0], 30)), sideOf(false, repeated([1, 0, 0], 20)));
    const found = await prices(log);
    const [clicks, purchases] = found.rules[0]!.metrics;
    expect(clicks).toMatchObject({ price: "open" });
    expect(clicks!.needed).toBeGreaterThan(1000);
    expect(purchases).toMatchObject({ price: "open", difference: null, needed: null });
    expect(formatRulePrices(found)).toMatch(/pin[^\n]*we cannot tell/);
  });

  it("rules a large change out where there is none", async () => {
    const clicks = repeated([1, 0, 1, 1], 500);
    const found = await prices(both(sideOf(true, clicks), sideOf(false, clicks)));
    expect(found.rules[0]!.metrics[0]).toMatchObject({ price: "none" });
  });

  it("counts whoever had a search that it fits, whatever it did there, and nobody else", async () => {
    const idle = sideOf(true, [3], { hasActed: false });
    const others = [
      search("x", "control", { unit: "elsewhere" }),
      search("y", "control", { unit: "all", rules: [{ rule: "last", share: undefined, isIn: true, hasActed: true }] }),
    ];
    const [last, pin] = (await prices(logOf([...idle.searches, ...others], idle.actions))).rules;
    expect(pin).toMatchObject({ rule: "pin", shoppers: { held: 0, acted: 1 }, acted: 0, fits: 1 });
    expect(pin!.metrics[0]).toMatchObject({ acted: 3, held: null, why: "no_data" });
    expect(last).toMatchObject({ rule: "last", share: null, shoppers: null, acted: 1, metrics: [] });
  });

  it("counts what its shoppers do in later searches apart, and nothing before", async () => {
    const log = logOf(
      [at("before", 0), at("fits", 1, [ruled(true)]), at("after", 2), at("again", 3, [ruled(true)])],
      ["before", "fits", "after", "again"].map((id) => action(id, "click")),
    );
    const [rule] = (await prices(log)).rules;
    expect(rule!.metrics[0]!.acted).toBe(2);
    expect(rule!.later[0]!.acted).toBe(3);
  });

  it("leaves out shoppers of both sides, and names searches without a shopper", async () => {
    const log = logOf([
      search("a", "control", { unit: "u", rules: [ruled(true)] }),
      search("b", "control", { unit: "u", rules: [ruled(false)] }),
      search("c", "control", { rules: [ruled(false)] }),
    ]);
    const found = await prices(log);
    expect(found.rules[0]).toMatchObject({ crossed: 1, searchesWithoutShopper: 1, shoppers: { held: 0, acted: 0 } });
    expect(formatRulePrices(found)).toMatch(/1 shoppers were seen on both sides[\s\S]*1 searches name no shopper/);
  });

  it("says nothing where the sides have other sizes than the share", async () => {
    const [rule] = (await prices(both(sideOf(true, repeated([2, 1], 200)), sideOf(false, repeated([0, 1], 60))))).rules;
    expect(rule!.sampleRatio?.isMismatch).toBe(true);
    expect(rule!.metrics.map(({ price, why }) => [price, why])).toEqual([1, 2, 3].map(() => ["open", "sample_ratio_mismatch"]));
  });

  it("of an arm among several is against shoppers without any, where there are some", async () => {
    const three = await prices(logOf([...arms(30, true, false, "a"), ...arms(30, false, true, "b"), ...arms(40, false, false, "none")]));
    expect(three.rules.map(({ rule, shoppers, instead }) => [rule, shoppers, instead])).toEqual([
      ["a", { held: 40, acted: 30 }, []],
      ["b", { held: 40, acted: 30 }, []],
    ]);
    const two = await prices(logOf([...arms(30, true, false, "a"), ...arms(30, false, true, "b")]));
    expect(two.rules[0]).toMatchObject({ shoppers: { held: 30, acted: 30 }, instead: ["b"] });
    expect(formatRulePrices(two)).toContain("have b in its place");
  });

  it("takes a changed share for another rule", async () => {
    const log = both(sideOf(true, [1, 1]), sideOf(false, [1], { share: { ...HALF, to: 0.2 } }));
    expect((await prices(log)).rules.map(({ share }) => share?.to)).toEqual([0.2, 0.5]);
  });

  it("stands in an experiment's report too", async () => {
    const { searches, actions } = sideOf(true, repeated([2, 1, 0], 50));
    const other = sideOf(false, repeated([1, 0, 0], 50));
    const data = await report(logOf([...searches, ...other.searches], [...actions, ...other.actions]));
    expect(data.rules[0]).toMatchObject({ rule: "pin", shoppers: { held: 150, acted: 150 } });
    const text = formatSections(sectionsOf(data));
    expect(text).toMatch(/What each rule costs or brings[\s\S]*pin +0 to 0.5 +150 and 150 +Clicks/);
    expect(drawPage(data)).toContain("What each rule costs or brings, against shoppers from whom it is held back");
  });
});

describe("rules in logs", () => {
  const record = createQueryRecord({
    application: "shop",
    queryId: "q1",
    userQuery: "mug",
    timeMs: Date.UTC(2026, 10, 2),
    unit: "u",
    armmt: {
      variant: "control",
      window: 3,
      original_ids: ["x", "y"],
      served_ids: ["y", "x"],
      offset: 0,
      propensities: [0.5, 0.5],
      rules: {
        without: { pin: [0, 1] },
        version: "v",
        applied: ["ads", "pin"],
        held_back: ["other"],
        shares: [
          { rule: "pin", ...HALF },
          { rule: "other", from: 0, to: 0.1, seed: "s" },
        ],
      },
    },
  });
  const expected = [
    { rule: "pin", share: HALF, isIn: true, hasActed: true },
    { rule: "other", share: { from: 0, to: 0.1, seed: "s" }, isIn: false, hasActed: false },
    { rule: "ads", share: undefined, isIn: true, hasActed: true },
  ];

  it("come out of tables and files, also outside experiments", async () => {
    const sqlite = join(folder, "events.sqlite");
    const database = await openSqliteEvents(sqlite);
    await createD1Sink(database).writeExposures([record], false);
    await database.close();
    const lines = join(folder, "queries.ndjson");
    writeFileSync(lines, JSON.stringify(record));
    expect((await rowsOf(await openSqlLog(await openDatabaseFile(sqlite)))).map(({ rules }) => rules)).toEqual([expected]);
    expect((await rowsOf(openUbiLog({ queries: lines, events: undefined }))).map(({ rules }) => rules)).toEqual([expected]);
    expect(await rowsOf(openUbiLog({ queries: lines, events: undefined }), "rerank")).toEqual([]);
    const explored = { originalIds: ["x", "y"], servedIds: ["y", "x"], propensities: [0.5, 0.5], without: { pin: [0, 1] } };
    expect((await rowsOf(await openSqlLog(await openDatabaseFile(sqlite))))[0]?.explored).toEqual(explored);
    expect((await rowsOf(openUbiLog({ queries: lines, events: undefined })))[0]?.explored).toEqual(explored);
    const found = await prices(await openSqlLog(await openDatabaseFile(sqlite)));
    expect(found.rules.map(({ rule, acted, share }) => [rule, acted, share?.to])).toEqual([
      ["ads", 1, undefined],
      ["other", 0, 0.1],
      ["pin", 1, 0.5],
    ]);
    expect(found.rules.at(-1)?.explored).toMatchObject({ searches: 1, possible: 1 });
  });
});
