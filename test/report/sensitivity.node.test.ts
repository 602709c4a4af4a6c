/** Interleaving's sensitivity from a log, and days where there are too few events. */
import { describe, expect, it } from "vitest";
import { expectedError } from "../../src/report/plan/few-events.ts";
import { sensitivitiesOf } from "../../src/report/plan/sensitivity.ts";
import { formatReport } from "../../src/report/sections.ts";
import { addCluster, readSums, SUM_COUNT } from "../../src/report/statistics/ratio.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

type Input = Parameters<typeof sensitivitiesOf>[0];

const clicksOf = (variant: string, count: number) => Array.from({ length: count }, (_, i) => action(`${variant}${i}`, "click"));

/** Only what is read of a report: an A/B test with that z on clicks, and votes. */
async function reportWith(clicks: readonly [control: number, armmt: number], votes: readonly [a: number, b: number]): Promise<Input> {
  const of = 4000;
  const arm = (variant: string) => Array.from({ length: of }, (_, i) => search(`${variant}${i}`, variant, { unit: `${variant}${i}` }));
  const teams = new Map([["x", "a"], ["y", "b"]] as const); // prettier-ignore
  const mixed = Array.from({ length: of / 4 }, (_, i) => search(`m${i}`, "interleave(control, armmt)", { unit: `m${i}`, teams }));
  const voted = [...Array(votes[0] + votes[1]).keys()].map((i) => action(`m${i}`, "click", { itemId: i < votes[0] ? "x" : "y" }));
  const actions = [...clicksOf("control", clicks[0]), ...clicksOf("armmt", clicks[1]), ...voted];
  return report(logOf([...arm("control"), ...arm("armmt"), ...mixed], actions), { weights: undefined });
}

describe("sensitivitiesOf()", () => {
  it("is the ratio of z² per search", async () => {
    const [found] = sensitivitiesOf(await reportWith([1200, 1600], [100, 220]));
    // Katz et al.: log(1600/1200) over the root of 1/1200 − 1/4000 + 1/1600 − 1/4000; the sign test's z is 120 / √320.
    const apart = Math.log(1600 / 1200) / Math.sqrt(1 / 1200 + 1 / 1600 - 2 / 4000);
    const wanted = (120 ** 2 / 320 - 1) / 1000 / ((apart ** 2 - 1) / 8000);
    expect(found).toMatchObject({ by: "clicks", arm: "armmt", why: null, votesPerSearch: 0.32 });
    // Less certain apart, because a report gives each arm at least the relative variance of both together: a larger ratio.
    expect((found?.value ?? 0) / wanted).toBeGreaterThan(0.95);
    expect((found?.value ?? 0) / wanted).toBeLessThan(1.2);
    expect(found?.interval?.low).toBeLessThan(wanted);
    expect(found?.interval?.high).toBeGreaterThan(wanted);
  });

  it("says that it cannot tell where an effect is not clear", async () => {
    const [same, , few] = [
      ...sensitivitiesOf(await reportWith([1200, 1210], [100, 220])),
      ...sensitivitiesOf(await reportWith([1200, 1600], [0, 0])),
    ];
    expect(same).toMatchObject({ value: null, why: expect.stringContaining("no clear effect on clicks") });
    expect(few).toMatchObject({ value: null, why: "too few events" });
  });
});

describe("with too few events", () => {
  it("a report tells about how many days it takes", async () => {
    const searches = Array.from({ length: 6000 }, (_, i) =>
      search(`q${i}`, i % 2 === 0 ? "control" : "armmt", { unit: `u${i}`, atMs: START_MS + (i % 3) * DAY_MS }),
    );
    const data = await report(
      logOf(
        searches,
        [0, 2, 4, 1, 3, 5].map((i) => action(`q${i}`, "purchase", { price: 10 })),
      ),
    );
    const row = data.timeToAnswer.rows.find(({ metric }) => metric === "conversion-per-shopper")!;
    expect(row).toMatchObject({ isRough: true, powerNow: null, seenNow: null });
    // 2 · 7.849 · 0.999 / (0.001 · log(1.03)²) shoppers, 2,000 a day.
    expect((row.days!.fixed * 2000) / ((4 * 7.8489 * 0.999) / (0.001 * Math.log(1.03) ** 2))).toBeCloseTo(1, 2);
    expect(formatReport(data)).toContain("about more than ten years");
    expect(data.timeToAnswer.rows.find(({ metric }) => metric === "clicks")?.days).toBeNull();
  });

  it("needs an event", () => {
    const sums = new Float64Array(SUM_COUNT);
    for (let i = 0; i < 5; i++) addCluster(sums, 0, 0, 1);
    expect(expectedError(readSums(sums, 0), readSums(sums, 0))).toBeUndefined();
  });
});
