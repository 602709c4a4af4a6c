/** Figures adjusted for what shoppers did before: against statsmodels, with a known effect, and in experiments without one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabaseFile } from "../../src/cli/report/database.ts";
import type { ActionRow, Log, SearchRow } from "../../src/report/log.ts";
import { openSqlLog } from "../../src/report/sql-log.ts";
import { openUbiLog } from "../../src/report/ubi-log.ts";
import { type CovariateSums, findAdjustment, shifted } from "../../src/report/cuped.ts";
import { compareArms } from "../../src/report/statistics/compare.ts";
import { addCluster, estimatePair, NO_SUMS, readSums, SUM_COUNT } from "../../src/report/statistics/ratio.ts";
import { drawShop, type ShopOptions, shopLog, withEarlier } from "./earlier-shop.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";
import { TABLES } from "./simulated-database.ts";
import { seeded } from "./statistics/random.ts";

const SHOP: ShopOptions = { seed: 7, shoppers: 3000, lift: 0.15, days: 7, returning: 0.6 };

function comparisonOf(data: Awaited<ReturnType<typeof report>>, id: string) {
  const found = data.metrics.find(({ metric }) => metric === id)?.comparisons[0];
  if (found === undefined) throw new Error(`No comparison of ${id}`);
  return found;
}

const halfOf = ({ low, high }: { readonly low: number; readonly high: number }): number => (high - low) / 2;

/** A report's standard error is a little larger: each arm has at least the variance of both together, and the arms differ here. */
function expectAbout(value: number, reference: number): void {
  expect(value / reference).toBeGreaterThan(0.99);
  expect(value / reference).toBeLessThan(1.06);
}

describe("the adjustment", () => {
  it("is an ordinary regression on arm and covariate (statsmodels OLS, HC0), and says what it has removed", async () => {
    const data = await report(shopLog(SHOP), { cap: 1 });
    // sm.OLS(clicks, const + arm + z): z = earlier clicks, capped at the 99th percentile of those who clicked, less their mean; 0 for the others.
    const shopper = comparisonOf(data, "clicks-per-shopper");
    expect(shopper.result?.difference.value).toBeCloseTo(0.22917498648937934, 10);
    expect(shopper.adjustment?.theta).toBeCloseTo(0.26024400068099035, 10);
    expectAbout(halfOf(shopper.result!.difference.fixed) / 1.959963984540054, 0.061775867492912945);
    expect(shopper.adjustment?.unadjusted.difference.value).toBeCloseTo(0.2534156928926198, 10);
    expectAbout(halfOf(shopper.adjustment!.unadjusted.difference.fixed) / 1.959963984540054, 0.06392104696230098);
    expect(shopper.adjustment).toMatchObject({ shoppersKnown: 1784 });
    expect(shopper.adjustment?.varianceRemoved).toBeCloseTo(0.066, 1.5);
    // Per search: sm.OLS of (clicks − R · searches) / mean searches + R of each arm on arm and earlier clicks − R' · earlier searches.
    const perSearch = comparisonOf(data, "clicks");
    expect(perSearch.result?.difference.value).toBeCloseTo(0.12046002505987827, 10);
    expect(perSearch.adjustment?.theta).toBeCloseTo(0.16319085099652172, 10);
    expectAbout(halfOf(perSearch.result!.difference.fixed) / 1.959963984540054, 0.030324732850670083);
    const { varianceRemoved, daysSaved } = perSearch.adjustment!;
    expect(daysSaved).toBeCloseTo((7 * varianceRemoved) / (1 - varianceRemoved), 10);
  });

  it("holds the true effect with a narrower sequence", async () => {
    for (let seed = 1; seed <= 3; seed++) {
      // oxlint-disable-next-line no-await-in-loop
      const data = await report(shopLog({ ...SHOP, seed, shoppers: 1200, returning: 1 }), { cap: 1 });
      const { result, adjustment } = comparisonOf(data, "clicks");
      expect(result!.lift.always.low).toBeLessThan(SHOP.lift);
      expect(result!.lift.always.high).toBeGreaterThan(SHOP.lift);
      expect(halfOf(result!.difference.always)).toBeLessThan(0.97 * halfOf(adjustment!.unadjusted.difference.always));
    }
  });

  it("changes nothing where too few shoppers are known, and where nobody is", async () => {
    const { searches, actions, earlier, earlierActions } = drawShop({ ...SHOP, shoppers: 800 });
    const plain = await report(logOf(searches, actions));
    const few = await report(withEarlier(logOf(searches, actions), earlier.slice(0, 90), earlierActions));
    expect(few.metrics).toEqual(plain.metrics);
    expect(comparisonOf(plain, "clicks").adjustment).toBeNull();
  });

  it("takes no search and no action from after the first exposure", async () => {
    const shop = drawShop({ ...SHOP, shoppers: 800 });
    const firstOf = new Map<string, number>();
    for (const { unit, atMs } of shop.searches) firstOf.set(unit!, Math.min(atMs, firstOf.get(unit!) ?? Infinity));
    const after = shop.earlier.map((one) => ({ ...one, queryId: `late-${one.queryId}`, atMs: firstOf.get(one.unit)! + 1 }));
    const lateActions = shop.earlier.map(({ queryId, unit }) => ({ ...action(queryId, "click"), atMs: firstOf.get(unit)! }));
    const log = logOf(shop.searches, shop.actions);
    const wanted = await report(withEarlier(log, shop.earlier, shop.earlierActions));
    const polluted = await report(withEarlier(log, [...shop.earlier, ...after], [...shop.earlierActions, ...lateActions]));
    expect(polluted.metrics).toEqual(wanted.metrics);
  });

  it("does not let one shopper's earlier orders decide", async () => {
    const shop = drawShop({ ...SHOP, shoppers: 800 });
    const [first] = shop.earlier;
    const flood = Array.from({ length: 5000 }, () => ({ ...action(first!.queryId, "click"), atMs: first!.atMs + 1 }));
    const log = logOf(shop.searches, shop.actions);
    const usual = comparisonOf(await report(withEarlier(log, shop.earlier, shop.earlierActions)), "clicks-per-shopper");
    const flooded = comparisonOf(await report(withEarlier(log, shop.earlier, [...shop.earlierActions, ...flood])), "clicks-per-shopper");
    expect(flooded.result!.lift.value).toBeCloseTo(usual.result!.lift.value, 2);
  });
});

/** Shoppers who buy much bought much before: orders of several lines, of several pieces. */
function drawOrders() {
  const random = seeded(11);
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  const earlier: { queryId: string; unit: string; atMs: number; variant: undefined }[] = [];
  const earlierActions: (ActionRow & { atMs: number })[] = [];
  for (let n = 0; n < 400; n++) {
    const unit = `u${n}`;
    const taste = random();
    searches.push(search(`q${n}`, random() < 0.5 ? "armmt" : "control", { unit }));
    earlier.push({ queryId: `e${n}`, unit, atMs: START_MS - DAY_MS, variant: undefined });
    for (const [prefix, into] of [
      ["e", earlierActions],
      ["q", actions],
    ] as const)
      // prettier-ignore
      for (let order = 0; order < Math.floor(3 * taste * random()); order++)
        for (let line = 0; line < 1 + Math.floor(4 * random()); line++) {
          const more = { orderId: `${prefix}${n}-${order}`, itemId: `i${line}`, quantity: 1 + Math.floor(3 * random()), price: 5, currency: "EUR" };
          into.push({ ...action(`${prefix}${n}`, "purchase", more), atMs: prefix === "e" ? START_MS - DAY_MS : START_MS });
        }
  }
  return { searches, actions, earlier, earlierActions };
}

describe("orders and items", () => {
  it("are adjusted by the orders and items from before, each order once (numpy.linalg.lstsq)", async () => {
    const { searches, actions, earlier, earlierActions } = drawOrders();
    // Reloaded, and sent by the server too: the same orders.
    const again = earlierActions.flatMap((row) => [{ ...row, isSigned: true as const }, { ...row, price: 900 }, row]);
    for (const known of [earlierActions, again]) {
      const data = await report(withEarlier(logOf(searches, actions), earlier, known), { cap: 1 }); // oxlint-disable-line no-await-in-loop
      for (const [id, theta] of [
        ["orders-per-shopper", 0.3377146883993458],
        ["purchases-per-shopper", 0.3062932023774186],
        ["items-per-shopper", 0.30049798119184756],
      ] as const)
        // prettier-ignore
        expect(comparisonOf(data, id).adjustment?.theta, id).toBeCloseTo(theta, 10);
    }
  });
});

/** Shoppers come day by day; a taste shows in what they did before and in what they do. */
function runExperiment(random: () => number, known: number, share: number): boolean {
  const sums = [new Float64Array(SUM_COUNT), new Float64Array(SUM_COUNT)];
  const covariates = [0, 1].map(() => ({ known: 0, z: 0, zz: 0, yz: 0, xz: 0 }));
  for (let day = 0; day < 14; day++) {
    for (let n = 0; n < 60; n++) {
      const arm = random() < share ? 1 : 0;
      const taste = random() ** 2;
      const y = (random() < taste ? 1 : 0) + (random() < taste ? 1 : 0);
      addCluster(sums[arm]!, 0, y, 1);
      if (random() >= known) continue;
      const z = taste + 0.2 * random() - 1 / 3 - 0.1;
      const own = covariates[arm]!;
      for (const [name, value] of [["known", 1], ["z", z], ["zz", z * z], ["yz", y * z], ["xz", z]] as const) own[name] += value; // prettier-ignore
    }
    const read = sums.map((sum) => readSums(sum, 0));
    const shifts = findAdjustment(read, covariates satisfies CovariateSums[])?.shifts;
    const [control, variant] = read.map((each) => ({ known: each, alone: NO_SUMS }));
    const estimates = estimatePair([control!, variant!], 1).map((estimate, arm) => shifted(estimate, shifts?.[arm]));
    const compared = compareArms(estimates[0], estimates[1], { alpha: 0.05, tuning: 5000 });
    if (typeof compared !== "string" && (compared.lift.always.low > 0 || compared.lift.always.high < 0)) return true;
  }
  return false;
}

describe("the confidence sequence of adjusted figures", () => {
  it.each([
    [0.15, 0.5],
    [0.6, 0.5],
    [1, 0.5],
    [0.6, 0.1],
  ])(
    "errs in at most 5 per cent of 600 experiments without an effect, read every day: %s of shoppers known, %s of them in the variant",
    (known, share) => {
      const random = seeded(11 + known * 100 + share * 1000);
      const wrong = Array.from({ length: 600 }, () => runExperiment(random, known, share)).filter(Boolean).length;
      expect(wrong / 600).toBeLessThanOrEqual(0.05);
    },
  );
});

describe("what logs know of shoppers before", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-earlier-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const SEARCHES = [
    ["old", "2026-11-01T09:00:00.000Z", "ann", "older", "armmt"],
    ["none", "2026-11-01T09:00:00.000Z", "ann", null, "control"],
    ["ancient", "2026-01-01T09:00:00.000Z", "ann", "older", "armmt"],
    ["nobody", "2026-11-01T09:00:00.000Z", null, "older", "armmt"],
    ["before", "2026-01-02T09:00:00.000Z", "ann", "rerank", "control"],
    ["in", "2026-11-03T09:00:00.000Z", "ann", "rerank", "armmt"],
  ] as const;
  const span = { from: "2026-10-05T00:00:00.000Z", until: "2026-11-05T00:00:00.000Z" };

  function logs(): Promise<readonly Log[]> {
    const [database, queries, events] = ["log.sqlite", "queries.ndjson", "events.ndjson"].map((name) => join(folder, name));
    const file = new DatabaseSync(database!);
    for (const table of TABLES) file.exec(table);
    for (const [id, at, unit, experiment, variant] of SEARCHES)
      file
        .prepare(`INSERT INTO ubi_queries (timestamp, application, query_id, unit, user_query, experiment, variant, query_attributes, hit_ids)
          VALUES (?, 'shop', ?, ?, '', ?, ?, '{}', '[]')`)
        .run(at, id, unit, experiment, variant);
    file
      .prepare(`INSERT INTO ubi_events (event_id, timestamp, application, action_name, query_id, object_id, event_attributes)
        VALUES ('1', '2026-11-01T09:01:00.000Z', 'shop', 'click', 'old', 'x', '{}')`)
      .run();
    file.close();
    const records = SEARCHES.map(([id, at, unit, experiment, variant]) => ({
      query_id: id,
      timestamp: at,
      ...(unit !== null && { unit }),
      user_query: "",
      query_attributes: { armmt: { ...(experiment !== null && { experiment }), variant } },
    }));
    writeFileSync(queries!, records.map((record) => JSON.stringify(record)).join("\n"));
    writeFileSync(
      events!,
      JSON.stringify({ action_name: "click", query_id: "old", timestamp: "2026-11-01T09:01:00.000Z", event_attributes: {} }),
    );
    return openDatabaseFile(database!).then(async (opened) => [await openSqlLog(opened), openUbiLog({ queries: queries!, events })]);
  }

  it("is the same from tables and from files", async () => {
    for (const log of await logs()) {
      const idsOf = async (since: string | undefined) => {
        const found: string[] = [];
        for await (const { queryId, variant } of log.earlier!({ experiment: "rerank", since, until: undefined }, span).searches())
          found.push(`${queryId} ${variant ?? "-"}`);
        return found;
      };
      // oxlint-disable-next-line no-await-in-loop
      expect([await idsOf(undefined), await idsOf("2026-11-02")]).toEqual([["old -", "none -"], ["old -", "none -", "before control"]]); // prettier-ignore
      const actions: unknown[] = [];
      for await (const { queryId, atMs } of log.earlier!({ experiment: "rerank", since: undefined, until: undefined }, span).actions())
        actions.push([queryId, new Date(atMs).toISOString()]);
      expect(actions).toEqual([["old", "2026-11-01T09:01:00.000Z"]]);
      await log.close(); // oxlint-disable-line no-await-in-loop
    }
  });
});
