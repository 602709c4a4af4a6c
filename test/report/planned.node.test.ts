/** Experiments with a planned end: which days are looks, what decides, and what no later look changes; by counts made by hand. */
import { describe, expect, it } from "vitest";
import { parseExperiments } from "../../src/config/experiments.ts";
import { weightsIn } from "../../src/cli/report/weights.ts";
import { callPlanned, looksOf, mayCall, USED } from "../../src/report/planned.ts";
import { formatReport } from "../../src/report/sections.ts";
import { summaryFacts } from "../../src/report/summary-facts.ts";
import { summarise } from "../../src/report/summary-steps.ts";
import { normalQuantile } from "../../src/report/statistics/distributions.ts";
import { spentAt } from "../../src/report/statistics/group-sequential.ts";
import type { Judgment } from "../../src/report/verdict.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

const ALPHA = 0.05;
const calendar = (days: number, overDays = days) => ({ firstDayMs: START_MS, days, asOfMs: START_MS + overDays * DAY_MS, alpha: ALPHA });
/** So many shoppers a day in each arm. */
const daily =
  (control: number, arm = control) =>
  (day: number) =>
    [(day + 1) * control, (day + 1) * arm] as const;
const dayOf = (day: number): string => new Date(START_MS + day * DAY_MS).toISOString().slice(0, 10);

describe("looksOf()", () => {
  it("looks at the end of each day, by the shoppers so far, and ends with the planned number", () => {
    const looks = looksOf({ unitsPerArm: 400 }, calendar(9), daily(100));
    expect(looks.map(({ fraction }) => fraction)).toEqual([0.25, 0.5, 0.75, 1]);
    expect(looks.map(({ isLast }) => isLast)).toEqual([false, false, false, true]);
    expect(looks.map(({ spent }) => spent)).toEqual([0.25, 0.5, 0.75, 1].map((part) => spentAt(part, USED * ALPHA)));
  });

  it("leaves today out until it is over", () => {
    expect(looksOf({ unitsPerArm: 1000 }, calendar(5, 4.99), daily(100))).toHaveLength(4);
    expect(looksOf({ unitsPerArm: 1000 }, calendar(5, 0.5), daily(100))).toEqual([]);
    expect(looksOf({ unitsPerArm: 1000 }, calendar(5, -3), daily(100))).toEqual([]);
  });

  it("counts arms of other sizes as many as say as much", () => {
    // 1 / (1/900 + 1/100) = 90, as much as two arms of 180.
    expect(looksOf({ unitsPerArm: 1000 }, calendar(1), daily(900, 100)).map(({ fraction }) => fraction)).toEqual([0.18]);
    expect(looksOf({ unitsPerArm: 1000 }, calendar(1), daily(900, 0)).map(({ fraction }) => fraction)).toEqual([0]);
  });

  it("goes by days where the plan is a day, and uses up at that day what is left", () => {
    const looks = looksOf({ lastDay: dayOf(3) }, calendar(9), daily(100));
    expect(looks.map(({ fraction, isLast }) => [fraction, isLast])).toEqual([[0.25, false], [0.5, false], [0.75, false], [1, true]]); // prettier-ignore
    // Fewer shoppers than planned have come by then.
    const short = looksOf({ unitsPerArm: 1000, lastDay: dayOf(3) }, calendar(9), daily(100));
    expect(short.at(-1)).toMatchObject({ day: 3, fraction: 0.4, spent: USED * ALPHA, isLast: true });
    // Nobody came on the last days.
    expect(looksOf({ lastDay: dayOf(9) }, calendar(4, 12), daily(100)).at(-1)).toMatchObject({ day: 3, spent: USED * ALPHA, isLast: true });
  });

  it("has one look where the planned day is before the first one", () => {
    expect(looksOf({ lastDay: dayOf(-5) }, calendar(9), daily(100))).toMatchObject([{ day: 0, isLast: true }]);
  });
});

it.each([
  [{ lastDay: "soon" }, 'plan.lastDay of the experiment is "soon"'],
  [{ unitsPerArm: 0 }, "plan.unitsPerArm of the experiment is 0"],
  [{ unitsPerArm: Number.NaN }, "plan.unitsPerArm of the experiment is NaN"],
])("a plan that is none is refused: %j", (plan, message) => {
  expect(() => looksOf(plan, calendar(3), daily(100))).toThrow(message);
});

/** A judgment of an estimate so many standard errors from 0. */
const at = (z: number, factor: number) => {
  const judgment: Pick<Judgment, "verdict"> = { verdict: z > factor ? "higher" : z < -factor ? "lower" : "open" };
  return judgment as Judgment; // oxlint-disable-line typescript/no-unsafe-type-assertion -- the only member that decides
};
const judging = (z: readonly number[]) => ({
  informationAt: (day: number) => day + 1,
  judgeAt: (day: number, factor: number) => at(z[day]!, factor),
});

describe("callPlanned()", () => {
  const looks = looksOf({ unitsPerArm: 1000 }, calendar(12), daily(100));

  it("keeps what was decided, whatever comes later", () => {
    const called = callPlanned(looks, judging([0, 0, 0, 0, 9, 0, -9, 0, 0, 0, 0, 0]));
    expect([called?.look.day, called?.verdict]).toEqual([4, "higher"]);
  });

  it("decides nothing after the planned end", () => {
    const called = callPlanned(looks, judging([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9]));
    expect([called?.look.day, called?.look.isLast, called?.verdict]).toEqual([9, true, "open"]);
  });

  it("asks for much early and for little more than a single look at the end", () => {
    const early = callPlanned(looks, judging([0, 4.8, ...Array.from({ length: 10 }, () => 0)]));
    expect(early?.verdict).toBe("open");
    const late = callPlanned(looks, judging([...Array.from({ length: 9 }, () => 0), 2.2]));
    expect(late?.verdict).toBe("higher");
    expect(late!.look.factor).toBeGreaterThan(normalQuantile(1 - (USED * ALPHA) / 2));
  });

  it("has no boundary below the one of which mayCall() rules all effects out", () => {
    for (const z of [1.9, 2.1, 2.3, 3, 4]) {
      const all = judging(Array.from({ length: 12 }, () => z));
      if (callPlanned(looks, all)?.verdict !== "open") expect(mayCall(looks, all)).toBe(true);
    }
    expect(mayCall(looks, judging(Array.from({ length: 12 }, () => 1.9)))).toBe(false);
  });

  it("is undefined while nothing can be compared", () => {
    expect(callPlanned([], judging([]))).toBeUndefined();
    expect(callPlanned(looks, { ...judging([]), informationAt: () => 0 })).toBeUndefined();
  });
});

/** 200 shoppers a day in each arm, of whom so many click (one in ten, and more in the arm). */
function shop(days: number, more: (day: number) => number) {
  const searches = Array.from({ length: days * 400 }, (_, i) => {
    const [variant, day] = [i % 2 === 0 ? "control" : "armmt", Math.floor(i / 400)];
    return search(`q${i}`, variant, { unit: `u${i}`, atMs: START_MS + day * DAY_MS });
  });
  const clicked = searches.filter(({ variant }, i) => Math.floor(i / 2) % 200 < 20 + (variant === "armmt" ? more(Math.floor(i / 400)) : 0));
  return logOf(searches, clicked.map(({ queryId }) => action(queryId, "click"))); // prettier-ignore
}

/** One in ten buys, in either arm. */
function bought(days: number) {
  const searches = Array.from({ length: days * 200 }, (_, i) =>
    search(`q${i}`, i % 2 === 0 ? "control" : "armmt", { unit: `u${i}`, atMs: START_MS + Math.floor(i / 200) * DAY_MS }),
  );
  const orders = searches.filter((_, i) => i % 20 < 2).map(({ queryId }) => action(queryId, "purchase", { price: 20, currency: "EUR" }));
  return logOf(searches, orders);
}

const configured = (plan: unknown) => JSON.stringify([{ key: "rerank", variations: ["control", "armmt"], plan }]);

type Data = Awaited<ReturnType<typeof report>>;
const clickThrough = ({ metrics }: Data) => metrics.find(({ metric }) => metric === "click-through")!.comparisons[0]!;

describe("a report on an experiment with a plan", () => {
  it("calls on the day of the crossing what the confidence sequence leaves open, and stays with it", async () => {
    const [planned, sequence] = [await report(shop(10, () => 6), { plan: { unitsPerArm: 2000 } }), await report(shop(10, () => 6))]; // prettier-ignore
    const { verdict, planned: look } = clickThrough(planned);
    expect([verdict, clickThrough(sequence).verdict]).toEqual(["higher", "open"]);
    expect(look!.lift!.low).toBeGreaterThan(0);
    expect(look!.day! < dayOf(9)).toBe(true);
    // The other way round from then on: beyond the planned end, or before.
    const turned = await report(shop(20, (day) => (day < 10 ? 6 : -6)), { plan: { unitsPerArm: 2000 } }); // prettier-ignore
    expect(clickThrough(turned).planned).toEqual(look);
    expect(clickThrough(turned).verdict).toBe("higher");
    expect(turned.plan?.arms).toEqual([{ variant: "armmt", fraction: 1, isOver: true, daysLeft: 0 }]);
    expect(formatReport(planned).replaceAll("\u00a0", " ")).toContain(`higher, decided on ${look!.day}`);
    expect(clickThrough(sequence).planned).toBeNull();
    expect(formatReport(sequence)).toContain("This experiment has no planned end");
  });

  it("does not change by looking: what is read on a day is what any later report says of it", async () => {
    const log = shop(10, () => 6);
    const whole = clickThrough(await report(log, { plan: { unitsPerArm: 2000 } })).planned!.day!;
    for (const days of [3, 6, 8, 10]) {
      const until = new Date(START_MS + (days - 0.5) * DAY_MS).toISOString();
      const range = { experiment: "rerank", since: undefined, until };
      const { verdict, planned } = clickThrough(await report(log, { range, plan: { unitsPerArm: 2000 } })); // oxlint-disable-line no-await-in-loop
      // The half day decides nothing.
      const isDecided = dayOf(days - 2) >= whole;
      expect([days, verdict]).toEqual([days, isDecided ? "higher" : "open"]);
      if (isDecided) expect(planned!.day).toBe(whole);
    }
  });

  it("says when the plan has ended without an effect, and how long it is until then", async () => {
    const [over, running] = [await report(bought(10), { plan: { lastDay: dayOf(8) } }), await report(bought(10), { plan: { unitsPerArm: 1500 } })]; // prettier-ignore
    const [first, second] = [summarise(summaryFacts(over)), summarise(summaryFacts(running))];
    expect(first).toMatchObject({ kind: "ended", sentence: expect.stringMatching(/^The plan has ended, and no effect shows: armmt /) });
    // 100 of 150 hundred shoppers in ten days.
    expect(second.sentence).toBe("We cannot tell yet: the planned end is in 5 days");
    // No boundary can be named yet, and purchases are not few.
    const begun = summarise(summaryFacts(await report(bought(2), { plan: { unitsPerArm: 20_000 } })));
    expect(begun.sentence).toBe("We cannot tell yet: the planned end is in 198 days");
  });

  it("says so where the planned end is before the first search", async () => {
    const { notes } = await report(bought(3), { plan: { lastDay: "2025-11-24" } });
    expect(notes.join()).toContain("The planned end (2025-11-24) is before the first search of this report (2026-11-02)");
    expect((await report(bought(3), { plan: { lastDay: dayOf(0) } })).notes.join()).not.toContain("planned end");
  });
});

describe("the plan of an experiment", () => {
  it("is in its configuration, and the report reads it there", () => {
    const plan = { unitsPerArm: 12_000, lastDay: "2026-12-24" };
    expect(parseExperiments(configured(plan))).toMatchObject({ ok: true, value: [{ plan }] });
    expect(weightsIn(configured(plan), "rerank", "test")?.plan).toEqual(plan);
    expect(weightsIn(configured(null), "rerank", "test")?.plan).toBeUndefined();
  });

  it.each([
    [{}, "give unitsPerArm, lastDay or both"],
    [{ unitsPerArm: 0 }, "use a number of shoppers"],
    [{ lastDay: "soon" }, "use a day such as"],
    [{ until: "2026-12-24" }, "until"],
  ])("is refused as %j", (plan, message) => {
    const parsed = parseExperiments(configured(plan));
    expect(parsed.ok ? [] : parsed.error.join("; ")).toContain(message);
  });
});
