/** The figures of a report, from rows that are few enough to count by hand, and from simulated ones that are counted again in another way. */
import { describe, expect, it } from "vitest";
import { compareArms } from "../../src/report/statistics/compare.ts";
import { twoSidedP } from "../../src/report/statistics/distributions.ts";
import { estimatePair, NO_SUMS } from "../../src/report/statistics/ratio.ts";
import type { ActionRow, SearchRow } from "../../src/report/log.ts";
import { EXAMPLE, simulateSearches, type SimulatedExperiment } from "../../src/cli/report/simulated.ts";
import { action, DAY_MS, logOf, report, search, START_MS, WEIGHTS } from "./rows.ts";
import { UserError } from "../../src/web.ts";

const AB: SimulatedExperiment = {
  ...EXAMPLE,
  experiment: "rerank",
  days: 10,
  searchesPerDay: 900,
  arms: [
    { variant: "control", weight: 1, lift: 0 },
    { variant: "armmt", weight: 1, lift: 0.2 },
  ],
};

function rowsOf(options: SimulatedExperiment): { searches: SearchRow[]; actions: ActionRow[] } {
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  for (const simulated of simulateSearches(options)) {
    searches.push(simulated.search);
    actions.push(...simulated.actions.map((row) => ({ ...row, ...(row.price !== undefined && { quantity: 2 }) })));
  }
  return { searches, actions };
}

function metricOf(data: Awaited<ReturnType<typeof report>>, id: string) {
  const found = data.metrics.find(({ metric }) => metric === id);
  if (found === undefined) throw new Error(`No metric ${id}`);
  return found;
}

describe("counting", () => {
  it("gives means per search and per shopper", async () => {
    const data = await report(
      logOf(
        [
          search("q1", "control", { unit: "ann" }),
          search("q2", "control", { unit: "ann", atMs: START_MS + DAY_MS }),
          search("q3", "control", { unit: "bob" }),
          search("q4", "control"),
          search("q5", "armmt", { unit: "eve" }),
          search("q6", "armmt", { unit: "joe" }),
        ],
        [
          action("q1", "click"),
          action("q1", "click"),
          action("q2", "click"),
          action("q2", "add_to_cart"),
          action("q2", "purchase", { price: 12.5, quantity: 2, currency: "EUR" }),
          action("q4", "purchase", { price: 10, currency: "EUR" }),
          action("q5", "click"),
          action("unknown", "click"),
        ],
      ),
    );
    const control = (id: string): number | null => metricOf(data, id).arms[0]?.value ?? null;
    expect(control("click-through")).toBe(2 / 4);
    expect(control("clicks")).toBe(3 / 4);
    expect(control("carts")).toBe(1 / 4);
    expect(control("purchases")).toBe(2 / 4);
    expect(control("revenue")).toBe(35 / 4);
    expect(control("clicks-per-shopper")).toBe(3 / 2); // ann 3, bob 0; q4 has no shopper
    expect(control("conversion-per-shopper")).toBe(1 / 2);
    expect(control("revenue-per-shopper")).toBe(25 / 2);
    expect(control("searches-per-shopper")).toBe(3 / 2);
    expect(metricOf(data, "revenue").currency).toBe("EUR");
    expect(metricOf(data, "clicks").arms[1]).toEqual({ variant: "armmt", value: 0.5, clusters: 2, sum: 1 });
    expect(data.exposures.arms[0]).toMatchObject({ searches: 4, shoppers: 2, searchesWithoutShopper: 1, weight: 0.5 });
    expect(data.notes.join("\n")).toContain("1 clicks, carts or purchases belong to no search");
    expect(data.period).toEqual({ from: "2026-11-02", to: "2026-11-03", days: 2 });
  });

  it("agrees with sums made by hand over simulated shoppers, on every day, where all are known and nothing is capped", async () => {
    const { searches, actions } = rowsOf({ ...AB, consent: 1 });
    const data = await report(logOf(searches, actions), { cap: 1 });
    const clicks = new Map<string, number>();
    for (const { queryId, action: name } of actions) if (name === "click") clicks.set(queryId, (clicks.get(queryId) ?? 0) + 1);
    const sumsOf = (variant: string, until: number, per: "search" | "shopper") => {
      const clusters = new Map<string, { y: number; x: number }>();
      for (const one of searches) {
        if (one.variant !== variant || one.atMs >= until || (per === "shopper" && one.unit === undefined)) continue;
        const name = one.unit ?? one.queryId;
        const cluster = clusters.get(name) ?? { y: 0, x: 0 };
        clusters.set(name, { y: cluster.y + (clicks.get(one.queryId) ?? 0), x: per === "search" ? cluster.x + 1 : 1 });
      }
      const sum = (of: (cluster: { y: number; x: number }) => number): number =>
        [...clusters.values()].reduce((total, cluster) => total + of(cluster), 0);
      return {
        clusters: clusters.size,
        active: sum(({ y }) => (y > 0 ? 1 : 0)),
        y: sum(({ y }) => y),
        x: sum(({ x }) => x),
        yy: sum(({ y }) => y * y),
        xx: sum(({ x }) => x * x),
        xy: sum(({ x, y }) => x * y),
      };
    };
    const first = Date.parse(`${data.period?.from}T00:00:00Z`);
    for (const [id, per] of [
      ["clicks", "search"],
      ["clicks-per-shopper", "shopper"],
    ] as const) {
      // prettier-ignore
      const daily = metricOf(data, id).comparisons[0]?.daily ?? [];
      expect(daily).toHaveLength(10);
      daily.forEach(({ always, lift }, day) => {
        const until = first + (day + 1) * DAY_MS;
        const arm = (variant: string) => ({ known: sumsOf(variant, until, per), alone: NO_SUMS });
        const wanted = compareArms(...estimatePair([arm("control"), arm("armmt")], 1), { alpha: 0.05, tuning: 5000 });
        if (typeof wanted === "string") expect(always).toBeNull();
        else {
          expect(lift).toBeCloseTo(wanted.lift.value, 10);
          expect(always?.low).toBeCloseTo(wanted.lift.always.low, 10);
          expect(always?.high).toBeCloseTo(wanted.lift.always.high, 10);
        }
      });
      expect(daily.at(-1)?.lift).toBe(metricOf(data, id).comparisons[0]?.result?.lift.value);
    }
  });

  it("takes the pages of a search for one search, the first of them for its reason, in whatever order they come", async () => {
    const data = await report(
      logOf([
        search("q1", "control", { atMs: START_MS + 5, bypass: "beyond_window" }),
        search("q1", "control", { atMs: START_MS, unit: "ann" }),
        search("q2", "armmt", { bypass: "store_timeout" }),
        search("q2", "armmt", { atMs: START_MS + 9, bypass: "beyond_window" }),
      ]),
    );
    expect(data.exposures.arms.map(({ searches, shoppers }) => [searches, shoppers])).toEqual([[1, 1], [1, 0]]); // prettier-ignore
    expect(data.exposures.arms.map(({ bypasses }) => bypasses.reasons)).toEqual([[], [{ reason: "store_timeout", searches: 1 }]]);
  });

  it("leaves out what belongs to nobody, and says so", async () => {
    const data = await report(
      logOf([
        search("q1", "control", { unit: "ann" }),
        search("q2", "armmt", { unit: "ann" }), // crossed
        search("same", "control", { unit: "bob" }),
        search("same", "control", { unit: "eve" }), // ambiguous
        search("q3", "control", { atMs: Number.NaN }),
        search("q4", "armmt", { unit: "joe" }),
        search("q5", "renamed"),
      ]),
    );
    expect(data.exposures.arms.map(({ variant, searches }) => [variant, searches])).toEqual([["control", 0], ["armmt", 1], ["renamed", 1]]); // prettier-ignore
    expect(data.sampleRatio.tests.map(({ of, counts }) => [of, counts])).toEqual([["shoppers", { control: 0, armmt: 1 }]]);
    const said = data.notes.join("\n");
    expect(said).toContain("1 shoppers were seen in more than one arm");
    expect(said).toContain("1 query ids were used by two shoppers");
    expect(said).toContain("1 rows have no readable timestamp");
    expect(said).toContain("Arm renamed (1 searches) is not in the configuration");
    expect(said).toContain("No search was in arm control");
  });

  it("counts an event that was delivered twice once", async () => {
    const twice = action("q1", "click", { eventId: "e1" });
    const data = await report(
      logOf([search("q1", "control"), search("q2", "armmt")], [twice, twice, action("q1", "click", { eventId: "e2" })]),
    );
    expect(metricOf(data, "clicks").arms[0]?.sum).toBe(2);
  });

  it("adds up one currency, the most frequent one", async () => {
    const data = await report(
      logOf(
        [search("q1", "control"), search("q2", "armmt")],
        [
          action("q1", "purchase", { price: 5, currency: "EUR" }),
          action("q1", "purchase", { price: 5, currency: "EUR" }),
          action("q1", "purchase", { price: 700, currency: "JPY" }),
          action("q1", "purchase"),
        ],
      ),
    );
    expect(metricOf(data, "revenue").arms[0]?.sum).toBe(10);
    expect(metricOf(data, "purchases").arms[0]?.sum).toBe(4);
    expect(data.notes.join("\n")).toContain("1 of 4 purchases have no price");
    expect(data.notes.join("\n")).toContain("1 purchases are in another currency than EUR");
  });
});

const click = (queryId: string, itemId: string, team?: "a" | "b"): ActionRow => action(queryId, "click", { itemId, team });

const errorOf = (low: number, high: number): number => (high - low) / (2 * 1.959963984540054);

describe("verdicts", () => {
  it("find an effect that is there, and say nothing of one that is not", async () => {
    const { searches, actions } = rowsOf(AB);
    const found = await report(logOf(searches, actions));
    expect(found).toMatchObject({ trusted: true, simulated: true, sampleRatio: { isMismatch: false } });
    expect(metricOf(found, "clicks").comparisons[0]).toMatchObject({ variant: "armmt", verdict: "higher", why: null });
    expect(metricOf(found, "searches-per-shopper").comparisons[0]?.verdict).toBe("open");

    const same = rowsOf({ ...AB, seed: "2", arms: AB.arms.map((arm) => ({ ...arm, lift: 0 })) });
    const nothing = await report(logOf(same.searches, same.actions));
    expect(nothing.metrics.map(({ comparisons }) => comparisons[0]?.verdict)).toEqual(nothing.metrics.map(() => "open"));
  });

  it("distrust an arm that lost a part of its shoppers", async () => {
    const { searches, actions } = rowsOf(AB);
    const units = [...new Set(searches.filter(({ variant }) => variant === "armmt").map(({ unit }) => unit))];
    const lost = new Set(units.filter((unit, i) => unit !== undefined && i % 5 === 0));
    const data = await report(logOf(searches.filter(({ unit }) => !lost.has(unit)), actions)); // prettier-ignore
    expect(data).toMatchObject({ trusted: false, sampleRatio: { isMismatch: true } });
    expect(data.sampleRatio.verdict).toContain("Nothing below can be trusted");
    expect(data.sampleRatio.tests[0]).toMatchObject({ of: "shoppers", isMismatch: true });
  });

  it("test the weights of the configuration, not equal ones", async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => search(`q${i}`, i % 10 === 0 ? "armmt" : "control", { unit: `u${i}` }));
    expect((await report(logOf(rows))).sampleRatio.isMismatch).toBe(true);
    const weights = { ...WEIGHTS, arms: new Map([["control", 0.9], ["armmt", 0.1]]) }; // prettier-ignore
    expect((await report(logOf(rows), { weights })).sampleRatio.isMismatch).toBe(false);
  });

  it("notice an arm that got nothing at all", async () => {
    const rows = Array.from({ length: 100 }, (_, i) => search(`q${i}`, "control", { unit: `u${i}` }));
    const data = await report(logOf(rows));
    expect(data.sampleRatio.isMismatch).toBe(true);
    expect(metricOf(data, "clicks").comparisons[0]).toMatchObject({ result: null, why: "no_data" });
  });

  it("keep bypassed searches in their arm and tell the meant ones from the others", async () => {
    const rows = [
      ...Array.from({ length: 8 }, (_, i) => search(`c${i}`, "control", { bypass: i < 6 ? "engine_order" : "explicit_sort" })),
      ...Array.from({ length: 10 }, (_, i) => search(`a${i}`, "armmt", i < 1 ? { bypass: "store_timeout" } : {})),
    ];
    const data = await report(logOf(rows));
    expect(data.exposures.arms.map(({ searches, bypasses }) => ({ all: searches, ...bypasses }))).toEqual([
      { all: 8, meant: 6, searches: 2, rate: 0.25, reasons: [{ reason: "explicit_sort", searches: 2 }] },
      { all: 10, meant: 0, searches: 1, rate: 0.1, reasons: [{ reason: "store_timeout", searches: 1 }] },
    ]);
  });

  it("correct the p-values of segments for their number, and leave segments with too little out of it", async () => {
    const { searches, actions } = rowsOf(AB);
    const data = await report(logOf(searches, actions));
    const { rows } = data.segments;
    expect([...new Set(rows.map(({ dimension }) => dimension))]).toEqual(["query length", "hour (UTC)", "shopper"]); // one application
    expect(rows.filter(({ dimension }) => dimension === "query length").map(({ segment }) => segment)).toEqual([
      "1 word",
      "2 words",
      "3 words",
      "4 words or more",
    ]);
    const smallest = Math.min(...rows.map(({ p }) => p?.fixed ?? 1));
    const plain = rows.map(({ lift, fixed, difference }) => {
      if (lift === null || fixed === null || difference === null) return 1;
      const relative = Math.log1p(lift) / errorOf(Math.log1p(fixed.low), Math.log1p(fixed.high));
      const linear = difference.value / errorOf(difference.fixed.low, difference.fixed.high);
      // An effect has to show on both scales.
      return Math.min(Math.abs(relative), Math.abs(linear));
    });
    const largest = Math.max(...plain);
    // p of the strongest segment, times the number of segments
    expect(smallest / (twoSidedP(largest) * rows.length)).toBeCloseTo(1, 6);
  });

  it("count votes of interleaved lists, per shopper where one is known", async () => {
    const teams = new Map([["x", "a"], ["y", "b"]] as const); // prettier-ignore
    const drafted = (queryId: string, unit?: string) => search(queryId, "interleave(control, armmt@v2)", { teams, unit });
    const data = await report(
      logOf(
        [drafted("q1", "ann"), drafted("q2", "ann"), drafted("q3"), drafted("q4", "bob"), drafted("q5", "eve")],
        [
          click("q1", "x"),
          click("q2", "y"),
          click("q2", "y", "b"), // ann: b
          click("q3", "pinned", "a"), // a, said by the event
          click("q4", "x"),
          click("q4", "y"), // bob: tie
          click("q5", "pinned"), // nobody's
        ],
      ),
      { weights: { arms: new Map([["interleave(control, armmt@v2)", 1]]), from: "the test" } },
    );
    expect(data.interleaving).toHaveLength(1);
    expect(data.interleaving[0]).toMatchObject({
      teams: { a: "control", b: "armmt@v2" },
      searches: 5,
      votes: [
        { by: "clicks", a: 1, b: 1, ties: 1, verdict: "open", result: { score: 0, shareOfB: 0.5, p: 1 } },
        { by: "purchases", a: 0, b: 0, ties: 0, verdict: "open", result: null },
      ],
    });
  });

  it("tell how long it takes", async () => {
    const { searches, actions } = rowsOf(AB);
    const data = await report(logOf(searches, actions), { lift: 0.1 });
    const row = data.timeToAnswer.rows.find(({ metric }) => metric === "clicks");
    const standardError = metricOf(data, "clicks").comparisons[0]?.result?.standardError ?? 0;
    // 2.8016 standard errors make the lift; they shrink with the root of the days.
    expect(row?.days?.fixed).toBeCloseTo(10 * ((2.801585218 * standardError) / Math.log(1.1)) ** 2, 4);
    expect(row?.days?.always).toBeGreaterThan(row?.days?.fixed ?? Infinity);
    expect(row?.seenNow).toBeCloseTo(Math.expm1(2.801585218 * standardError), 8);
  });
});

describe("little or nothing", () => {
  it("reports an experiment without a search", async () => {
    const data = await report(logOf([]));
    expect(data).toMatchObject({ period: null, trusted: true, metrics: [], interleaving: [], exposures: { searches: 0, arms: [] } });
    expect(data.notes.join()).toContain("No search was recorded");
  });

  it("reports one search, one arm, and no events", async () => {
    const one = await report(logOf([search("q1", "control")]));
    expect(one.exposures.searches).toBe(1);
    const silent = await report(logOf(Array.from({ length: 500 }, (_, i) => search(`q${i}`, i % 2 === 0 ? "control" : "armmt"))));
    expect(metricOf(silent, "clicks").comparisons[0]).toMatchObject({ result: null, why: "no_events", verdict: "open" });
    expect(silent.timeToAnswer.rows[0]).toMatchObject({ powerNow: null, days: null });
    expect(metricOf(silent, "clicks-per-shopper").arms[0]).toMatchObject({ value: null, clusters: 0 });
    expect(silent.notes.join()).toContain("No search names its shopper");
  });

  it("names the experiments that there are, for one that there is not", async () => {
    const wrong = report(logOf([search("q1", "control")]), { range: { experiment: "rernak", since: undefined, until: undefined } });
    await expect(wrong).rejects.toThrow(UserError);
    await expect(wrong).rejects.toThrow(/"rernak" in a test: it knows rerank/);
    await expect(report(logOf([search("q1", "control")]), { control: "kontrol" })).rejects.toThrow(/"kontrol": name one of control/);
  });
});
