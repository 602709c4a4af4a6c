/** The effect over time, two models in one arm, and guardrails in a report. */
import { describe, expect, it } from "vitest";
import type { ActionRow, SearchRow } from "../../src/report/log.ts";
import { formatReport } from "../../src/report/sections.ts";
import { solve } from "../../src/report/statistics/solve.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";
import { seeded } from "./statistics/random.ts";

interface Shop {
  readonly seed: number;
  readonly shoppers: number;
  /** Share of searches with a click, by days since the shopper's first search and by weekday from Monday. */
  readonly rate: (variant: string, age: number, weekday: number) => number;
  readonly ages: readonly number[];
}

/** START_MS is a Monday. */
function drawShop({ seed, shoppers, rate, ages }: Shop): { searches: SearchRow[]; actions: ActionRow[] } {
  const random = seeded(seed);
  const searches: SearchRow[] = [];
  const actions: ActionRow[] = [];
  for (let n = 0; n < shoppers; n++) {
    const variant = random() < 0.5 ? "control" : "armmt";
    const taste = random() < 0.5 ? 0.6 : 1.4;
    const firstDay = Math.floor(random() * 7);
    for (const age of ages) {
      const day = firstDay + age;
      searches.push(
        search(`q${n}-${age}`, variant, { unit: `u${n}`, atMs: START_MS + day * DAY_MS, ms: 80 + 40 * random(), isEmpty: false }),
      );
      if (random() < taste * rate(variant, age, day % 7)) actions.push(action(`q${n}-${age}`, "click"));
    }
  }
  return { searches, actions };
}

async function reportOf(shop: Shop) {
  const { searches, actions } = drawShop(shop);
  return report(logOf(searches, actions));
}

describe("the effect over time", () => {
  it("agrees with Cochran's Q where every shopper is in one part only", async () => {
    const shop = {
      seed: 3,
      shoppers: 4000,
      ages: [0],
      rate: (variant: string, _: number, day: number) => (variant === "armmt" && day > 4 ? 0.45 : 0.3),
    };
    const { searches, actions } = drawShop(shop);
    const data = await report(logOf(searches, actions));
    const row = data.checks.overTime.find(({ dimension }) => dimension.startsWith("weekday"))!;
    const clicked = new Set(actions.map(({ queryId }) => queryId));
    const parts = Array.from({ length: 7 }, (_, day) =>
      ["control", "armmt"].map((variant) => {
        const own = searches.filter((one) => one.variant === variant && Math.floor((one.atMs - START_MS) / DAY_MS) % 7 === day);
        const clicks = own.filter(({ queryId }) => clicked.has(queryId)).length;
        // Variance of the logarithm of a share, Katz et al. 1978.
        return { log: Math.log(clicks / own.length), variance: 1 / clicks - 1 / own.length };
      }),
    ).map(([a, b]) => ({ lift: b!.log - a!.log, weight: 1 / (a!.variance + b!.variance) }));
    const sum = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((all, part) => all + of(part), 0);
    const mean = sum(({ lift, weight }) => lift * weight) / sum(({ weight }) => weight);
    expect(row.chiSquare / sum(({ lift, weight }) => weight * (lift - mean) ** 2)).toBeCloseTo(1, 2);
    expect(row).toMatchObject({ variant: "armmt", degreesOfFreedom: 6 });
    expect(row.parts.map(({ part }) => part)).toEqual(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]);
    row.parts.forEach(({ lift }, i) => expect(Math.log1p(lift)).toBeCloseTo(parts[i]!.lift, 10));
    expect(data.notes.join("\n")).toContain("The effect of armmt differs by weekday");
  });

  it("is noted where it wears off", async () => {
    const data = await reportOf({
      seed: 5,
      shoppers: 3000,
      ages: [0, 3, 8],
      rate: (variant, age) => (variant === "armmt" && age === 0 ? 0.5 : 0.3),
    });
    const row = data.checks.overTime.find(({ dimension }) => dimension.startsWith("days"))!;
    expect(row.parts.map(({ part }) => part)).toEqual(["first day", "1 to 6 days", "7 to 13 days"]);
    expect(row.p).toBeLessThan(0.001);
    expect(data.notes.join("\n")).toContain("The effect of armmt differs by days since the first search");
    expect(formatReport(data)).toContain("armmt by days since the first search: chi-square");
  });

  it("is not noted in experiments in which it is the same, although shoppers' searches hang together", async () => {
    let noted = 0;
    for (let seed = 1; seed <= 12; seed++) {
      // oxlint-disable-next-line no-await-in-loop
      const data = await reportOf({ seed, shoppers: 500, ages: [0, 2, 9], rate: (variant) => (variant === "armmt" ? 0.36 : 0.3) });
      if (data.notes.some((note) => note.startsWith("The effect of"))) noted++;
    }
    // 1 % each.
    expect(noted).toBeLessThanOrEqual(1);
  });

  it("solves its equations, or says that it cannot", () => {
    expect(solve([[0, 2], [1, 1]], [4, 3])).toEqual([1, 2]); // prettier-ignore
    expect(solve([[1, 2], [2, 4]], [1, 2])).toBeUndefined(); // prettier-ignore
  });
});

const rows = (variant: string, model: string, day: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    search(`${variant}-${model}-${day}-${i}`, variant, { unit: `${variant}${day}${i}`, model, atMs: START_MS + day * DAY_MS }),
  );

describe("two models in one arm", () => {
  it("are told apart, with control in the same time", async () => {
    const searches = [
      ...rows("control", "m1", 0, 30),
      ...rows("control", "m2", 5, 40),
      ...rows("armmt", "m1", 0, 30),
      ...rows("armmt", "m2", 5, 40),
    ];
    const clicks = ["control-m1-0-0", "armmt-m1-0-0", "armmt-m1-0-1", "armmt-m1-0-2", "armmt-m2-5-0"].map((id) => action(id, "click"));
    const data = await report(logOf(searches, clicks));
    expect(data.checks.models).toMatchObject([
      { variant: "armmt", model: "m1", searches: 30, shoppers: 30, clickThrough: 0.1, control: { searches: 30, clickThrough: 1 / 30 } },
      { variant: "armmt", model: "m2", searches: 40, shoppers: 40, clickThrough: 1 / 40, control: { searches: 40, clickThrough: 0 } },
    ]);
    expect(data.notes.join("\n")).toContain("Arm armmt was served by 2 models (m1, m2)");
    expect(formatReport(data)).toContain("Models in one arm");
  });

  it("need no word where there is one", async () => {
    const data = await report(logOf([...rows("control", "m1", 0, 30), ...rows("control", "m2", 5, 40), ...rows("armmt", "m1", 0, 30)]));
    expect(data.checks.models).toEqual([]);
    expect(data.notes.join("\n")).not.toContain("models");
  });
});

const arms = (slower: number) =>
  logOf(
    Array.from({ length: 1200 }, (_, i) =>
      search(`q${i}`, i % 2 === 0 ? "control" : "armmt", { unit: `u${i}`, ms: 100 + (i % 20) + (i % 2) * slower, isEmpty: false }),
    ),
  );

describe("guardrails in a report", () => {
  it("say harm where an arm is slow, and not where it is within what is allowed", async () => {
    const [slow, usual] = [await report(arms(120)), await report(arms(20))];
    const latency = (data: typeof slow) => data.checks.guardrails.find(({ guardrail }) => guardrail === "latency");
    expect(latency(slow)).toMatchObject({ variant: "armmt", state: "harm" });
    expect(slow.notes.join("\n")).toContain("Guardrail: armmt makes it worse: time until the reply");
    expect(latency(usual)).toMatchObject({ state: "open" });
    expect(formatReport(usual)).toContain("Guardrails, against control");
  });
});
