/** The dashboard's figures are those of the report: of the same rows in a SQLite file, read by the server's own reader, and drawn by the page's code. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOverview } from "../../../src/dashboard/overview.ts";
import { openDatabaseFile } from "../../../src/cli/report/database.ts";
import { EXAMPLE, simulateSearches } from "../../../src/cli/report/simulated.ts";
import type { ReportData } from "../../../src/report/analyse.ts";
import { compareShares, daysLeft, isMismatch, isMissing, LIFT, MISMATCH } from "../../../src/report/dashboard/effect.ts";
import { viewExperiment } from "../../../src/report/dashboard/experiment.ts";
import type { DayRow, ExperimentRow, OverviewRows } from "../../../src/report/dashboard/rows.ts";
import { openSqlLog } from "../../../src/report/sql-log.ts";
import { compareArms } from "../../../src/report/statistics/compare.ts";
import { chiSquareTail } from "../../../src/report/statistics/distributions.ts";
import { estimatePair, NO_SUMS } from "../../../src/report/statistics/ratio.ts";
import { daysUntil } from "../../../src/report/statistics/power.ts";
import { sqliteReader } from "../../../src/runtimes/node/sqlite-reader.ts";
import { report } from "../rows.ts";
import { writeSimulatedDatabase } from "../simulated-database.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-dashboard-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ARMS = [
  { variant: "control", weight: 0.5, lift: 0 },
  { variant: "armmt", weight: 0.3, lift: 0.9 },
  { variant: "shadow(armmt)", weight: 0.2, lift: 0 },
];
const WEIGHTS = { arms: new Map(ARMS.map(({ variant, weight }) => [variant, weight])), from: "the test" };
const configured: OverviewRows["configured"] = [
  { key: "rerank", variations: ARMS.map(({ variant }) => variant), weights: ARMS.map(({ weight }) => weight), ranges: undefined },
];

describe("a database", () => {
  const file = join(folder, "events.sqlite");
  let data: ReportData;
  let overview: OverviewRows;
  const view = () => viewExperiment(overview.experiments[0]!, overview.days[0]!, overview);

  beforeAll(async () => {
    writeSimulatedDatabase(
      file,
      "rerank",
      simulateSearches({ ...EXAMPLE, experiment: "rerank", days: 7, searchesPerDay: 800, arms: ARMS }),
    );
    const log = await openSqlLog(await openDatabaseFile(file));
    data = await report(log, { weights: WEIGHTS });
    await log.close();
    overview = JSON.parse(JSON.stringify(await createOverview(sqliteReader(file), async () => configured, () => Date.now())())); // prettier-ignore
  });

  it("gives the shoppers, the buyers and the sample ratio of the report", () => {
    const conversion = data.metrics.find(({ metric }) => metric === "conversion-per-shopper");
    for (const arm of view().arms) {
      const exposed = data.exposures.arms.find(({ variant }) => variant === arm.variant);
      const counted = conversion?.arms.find(({ variant }) => variant === arm.variant);
      expect([arm.searches, arm.bought.of, arm.bought.n]).toEqual([exposed?.searches, exposed?.shoppers, counted?.sum]);
    }
    expect(view().hasMismatch).toBe(data.sampleRatio.tests[0]?.isMismatch);
  });

  it("gives its confidence sequence, on every day", () => {
    const conversion = data.metrics.find(({ metric }) => metric === "conversion-per-shopper");
    for (const variant of ["armmt", "shadow(armmt)"]) {
      const wanted = conversion?.comparisons.find((each) => each.variant === variant);
      const arm = view().arms.find((each) => each.variant === variant);
      expect(arm?.effect?.verdict).toBe(wanted?.verdict);
      const daily =
        wanted?.daily.flatMap(({ day, lift, always }) => (lift === null || always === null ? [] : [{ day, lift, ...always }])) ?? [];
      expect(daily.length).toBeGreaterThan(3);
      expect(arm?.bands.map(({ day }) => day)).toEqual(daily.map(({ day }) => day));
      arm?.bands.forEach((band, i) => {
        for (const side of ["lift", "low", "high"] as const) expect(band[side]).toBeCloseTo(daily[i]![side], 10);
      });
    }
  });

  it("has the sentence of shares, and says that they are simulated", () => {
    const { sentence, tone } = view();
    expect(sentence?.replaceAll("\u00a0", " ")).toMatch(
      /^Simulated: armmt sells more: \+\d+ % to \+\d+ % buyers per shopper; safe to stop$/,
    );
    expect(tone).toBe("fine");
  });

  it("counts orders that name a shopper by either id, and no search", async () => {
    const own = join(folder, "signed.sqlite");
    const few = { ...EXAMPLE, experiment: "rerank", days: 3, searchesPerDay: 400, arms: ARMS };
    writeSimulatedDatabase(own, "rerank", simulateSearches(few));
    const database = new DatabaseSync(own);
    // As a shop whose server alone knows of purchases; the last of them weeks later.
    database.exec(`ALTER TABLE ubi_events ADD COLUMN order_id TEXT; DELETE FROM ubi_events WHERE action_name = 'purchase';
      INSERT INTO ubi_events (event_id, timestamp, application, action_name, query_id, unit, client_id, object_id, order_id, event_attributes)
      SELECT 'o' || id, strftime('%Y-%m-%dT%H:%M:%fZ', timestamp, CASE id % 40 WHEN 0 THEN '+30 days' ELSE '+1 hour' END), application, 'purchase', '',
        CASE id % 20 WHEN 0 THEN unit ELSE 'session' || id END, CASE id % 20 WHEN 10 THEN unit END, 'mug', 'o' || id, '{"armmt":{"is_signed":true}}'
      FROM ubi_queries WHERE id % 10 = 0 AND unit IS NOT NULL`);
    database.close();
    const log = await openSqlLog(await openDatabaseFile(own));
    const { metrics } = await report(log, { weights: WEIGHTS });
    await log.close();
    const rows: OverviewRows = JSON.parse(JSON.stringify(await createOverview(sqliteReader(own), async () => configured, () => Date.now())())); // prettier-ignore
    const buyers = metrics.find(({ metric }) => metric === "conversion-per-shopper")?.arms.map(({ variant, sum }) => [variant, sum]);
    const { arms } = viewExperiment(rows.experiments[0]!, rows.days[0]!, rows);
    expect(arms.map(({ variant, bought }) => [variant, bought.n])).toEqual(buyers);
    expect(arms[0]?.bought.n).toBeGreaterThan(10);
  });

  it("is only read, and never written", async () => {
    await expect(sqliteReader(file)([{ sql: "DELETE FROM ubi_queries", values: [] }])).rejects.toThrow(/readonly/);
    await expect(sqliteReader(join(folder, "none.sqlite"))([])).rejects.toThrow(/unable to open/);
  });
});

const rowsOf = (arms: Readonly<Record<string, readonly [seen: number, clicked: number, bought: number]>>): DayRow[] =>
  Object.entries(arms).flatMap(([variant, [seen, clicked, bought]]) =>
    Object.entries({ searches: seen, seen, clicked, bought }).flatMap(([what, n]): DayRow[] =>
      what === "searches" || what === "seen" || what === "clicked" || what === "bought" ? [{ what, variant, day: "2026-11-02", n }] : [],
    ),
  );
const row: ExperimentRow = { experiment: "rerank", searches: 100, first: "2026-11-02T08:00:00.000Z", last: "2026-11-02T09:00:00.000Z" };
const two: Pick<OverviewRows, "configured" | "most"> = {
  configured: [{ key: "rerank", variations: ["control", "armmt"], weights: undefined, ranges: undefined }],
  most: 200_000,
};

describe("a card", () => {
  it.each<[string, Parameters<typeof rowsOf>[0], RegExp, string]>([
    [
      "an arm that sells nothing",
      { control: [5000, 1667, 152], armmt: [5000, 1500, 0] },
      /^armmt has no purchases: something is broken$/,
      "alarm",
    ],
    ["an arm that nobody clicks", { control: [900, 300, 0], armmt: [900, 0, 0] }, /^armmt has no clicks: something is broken$/, "alarm"],
    ["chance", { control: [50, 4, 3], armmt: [50, 3, 0] }, /^We cannot tell yet: too few purchases \(3 in all\)$/, "open"],
    ["a broken split", { control: [5000, 900, 100], armmt: [4000, 900, 300] }, /^Do not act: the sample ratio is broken$/, "alarm"],
    ["an arm without a search", { control: [500, 90, 10] }, /^Do not act: the sample ratio is broken$/, "alarm"],
    ["harm", { control: [9000, 3000, 900], armmt: [9000, 2500, 600] }, /^armmt sells less: .* buyers per shopper; switch it off$/, "alarm"],
    ["nobody's consent", { control: [0, 0, 0], armmt: [0, 0, 0] }, /^No search has taken part in rerank yet$/, "open"],
  ])("%s", (_, arms, sentence, tone) => {
    const view = viewExperiment(row, rowsOf(arms), two);
    expect(view.sentence?.replaceAll("\u00a0", " ")).toMatch(sentence);
    expect(view.tone).toBe(tone);
  });

  it("gives no verdict where only the last searches are added up, and no light where weights are unknown", () => {
    const rows = rowsOf({ control: [9000, 3000, 900], armmt: [9000, 2500, 600] });
    const long = viewExperiment({ ...row, searches: 200_001 }, rows, two);
    expect([long.sentence, long.tone]).toEqual([undefined, "open"]);
    expect(viewExperiment(row, rows, { ...two, configured: [] }).hasMismatch).toBeUndefined();
  });
});

const sums = (units: number, y: number) => ({
  known: { clusters: units, active: y, y, x: units, yy: y, xx: units, xy: y },
  alone: NO_SUMS,
});

describe("statistics without the library", () => {
  it.each([
    [1000, 50, 1100, 80],
    [5000, 25, 4000, 60],
    [20_000, 3000, 20_000, 3000],
    [400, 399, 400, 380],
  ])("compare %i shoppers, %i buyers with %i, %i as compareArms() does", (of, n, otherOf, otherN) => {
    const [control, variant] = estimatePair([sums(of, n), sums(otherOf, otherN)], 1);
    const wanted = compareArms(control, variant, { alpha: 0.05, tuning: 5000 });
    if (typeof wanted === "string") throw new Error(wanted);
    const found = compareShares({ of, n }, { of: otherOf, n: otherN });
    expect(found?.lift).toBeCloseTo(wanted.lift.value, 12);
    expect(found?.always.low).toBeCloseTo(wanted.lift.always.low, 10);
    expect(found?.always.high).toBeCloseTo(wanted.lift.always.high, 10);
    expect(found?.error).toBeCloseTo(wanted.standardError, 12);
    const settings = { alpha: 0.05, power: 0.8 };
    const needed = daysUntil(LIFT, { standardError: wanted.standardError, clusters: wanted.clusters, days: 7 }, settings, {
      alpha: 0.05,
      tuning: 5000,
    });
    expect(daysLeft(found!, 7)).toBeCloseTo(Math.max(0, needed - 7), 6);
    // Both scales leave 0 out.
    const { lift, difference } = wanted;
    const higher = Math.min(lift.always.low, difference.always.low) > 0;
    const lower = Math.max(lift.always.high, difference.always.high) < 0;
    expect(found?.verdict).toBe(higher ? "higher" : lower ? "lower" : "open");
  });

  it("says nothing of too few", () => expect(compareShares({ of: 100, n: 19 }, { of: 100, n: 40 })).toBeUndefined());

  it("fires at the report's p-value, 0.001", () => {
    MISMATCH.forEach((limit, i) => expect(chiSquareTail(limit, i + 1)).toBeCloseTo(0.001, 7));
    // 5,000 : 5,233 at 1 : 1 is chi-square 5.31; 5,000 : 5,400 is 15.38.
    expect([isMismatch([5000, 5233], [1, 1]), isMismatch([5000, 5400], [1, 1])]).toEqual([false, true]);
    expect([isMismatch([0, 0], [1, 1]), isMismatch([5], [1])]).toEqual([undefined, undefined]);
    expect(isMismatch([100, 3], [1, 0])).toBeUndefined();
    expect(isMismatch([50, 50, 3], [1, 1, 0])).toBe(true);
  });

  it("misses what chance cannot explain: at half, 2^n / (n + 1) reaches 20 with the 8th event", () => {
    expect([7, 8, 152].map((n) => isMissing(n, 0.5))).toEqual([false, true, true]);
    // At a tenth: (10/9)^n / (n + 1), with the 69th.
    const first = Array.from({ length: 200 }, (_, n) => n).find((n) => isMissing(n, 0.1));
    expect((10 / 9) ** first! / (first! + 1)).toBeGreaterThanOrEqual(20);
    expect((10 / 9) ** (first! - 1) / first!).toBeLessThan(20);
  });
});
