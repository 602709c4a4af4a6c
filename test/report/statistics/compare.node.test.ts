/** Ratio metrics, intervals and sequences: against published numbers, scipy and simulated experiments. */
import { describe, expect, it } from "vitest";
import { compareArms, type Comparison, FEWEST_ACTIVE, holm } from "../../../src/report/statistics/compare.ts";
import { addCluster, type ClusterSums, type Estimate, estimateRatio, readSums, SUM_COUNT } from "../../../src/report/statistics/ratio.ts";
import { alwaysValidP, DEFAULT_TUNING, sequenceFactor } from "../../../src/report/statistics/sequential.ts";
import { drawShopper, seeded } from "./random.ts";

const OPTIONS = { alpha: 0.05, tuning: DEFAULT_TUNING };

/** A plain mean: x = 1 per cluster. */
const meanOf = (sum: number, squares: number, n: number): Estimate | undefined =>
  estimateRatio({ clusters: n, active: n, y: sum, x: n, yy: squares, xx: n, xy: sum });

/** From mean and standard deviation, as papers print them. */
const described = (mean: number, deviation: number, n: number): Estimate | undefined =>
  meanOf(mean * n, deviation ** 2 * (n - 1) + n * mean ** 2, n);

function compared(a: Estimate | undefined, b: Estimate | undefined, options = OPTIONS): Comparison {
  const result = compareArms(a, b, options);
  if (typeof result === "string") throw new Error(result);
  return result;
}

describe("estimateRatio()", () => {
  it("is mean and standard error of a mean where every cluster counts once", () => {
    const sums = new Float64Array(SUM_COUNT);
    for (const y of [2, 4, 4, 4, 5, 5, 7, 9]) addCluster(sums, 0, y, 1);
    const estimate = estimateRatio(readSums(sums, 0));
    expect(estimate?.value).toBe(5);
    expect(estimate?.variance).toBeCloseTo(32 / 7 / 8, 12);
  });

  it("agrees with the jackknife over shoppers (Efron 1982), which knows nothing of the formula", () => {
    const random = seeded(3);
    const shoppers = Array.from({ length: 3000 }, () => drawShopper(random, 0.3));
    const y = shoppers.reduce((sum, { clicks }) => sum + clicks, 0);
    const x = shoppers.reduce((sum, { searches }) => sum + searches, 0);
    const without = shoppers.map(({ clicks, searches }) => (y - clicks) / (x - searches));
    const middle = without.reduce((sum, value) => sum + value, 0) / without.length;
    const jackknife = ((without.length - 1) / without.length) * without.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    const sums = new Float64Array(SUM_COUNT);
    for (const { clicks, searches } of shoppers) addCluster(sums, 0, clicks, searches);
    const estimate = estimateRatio(readSums(sums, 0));
    expect(estimate?.value).toBeCloseTo(y / x, 12);
    expect((estimate?.variance ?? 0) / jackknife).toBeCloseTo(1, 2);
    // Searches counted one by one would look surer than they are.
    expect((estimate?.variance ?? 0) / (((y / x) * (1 - y / x)) / x)).toBeGreaterThan(1.2);
  });

  it("takes out what it added", () => {
    const sums = new Float64Array(SUM_COUNT * 2);
    addCluster(sums, SUM_COUNT, 3, 5);
    addCluster(sums, SUM_COUNT, 0, 2);
    addCluster(sums, SUM_COUNT, 3, 5, -1);
    expect(readSums(sums, SUM_COUNT)).toEqual({ clusters: 1, active: 0, y: 0, x: 2, yy: 0, xx: 4, xy: 0 } satisfies ClusterSums);
    expect(readSums(sums, 0).clusters).toBe(0);
  });

  it("has nothing to say of one cluster, or of none that searched", () => {
    expect(meanOf(1, 1, 1)).toBeUndefined();
    expect(estimateRatio({ clusters: 5, active: 0, y: 0, x: 0, yy: 0, xx: 0, xy: 0 })).toBeUndefined();
  });
});

describe("compareArms()", () => {
  it("gives GrowthBook's difference, interval and p-value (gbstats, test_two_sided_ttest)", () => {
    const { difference, p } = compared(described(0.41, 3.9, 3407), described(0.7, 6.2, 3461));
    expect(difference.value).toBeCloseTo(0.29, 10);
    // Theirs is Student's t with some 5,800 degrees of freedom: [0.04538, 0.53462], p = 0.02016 for the difference.
    expect(difference.fixed.low).toBeCloseTo(0.04538, 3);
    expect(difference.fixed.high).toBeCloseTo(0.53462, 3);
    expect(p.fixed).toBeGreaterThan(0.01);
    expect(p.fixed).toBeLessThan(0.05);
  });

  it("gives the interval of a risk ratio by Katz et al. (scipy.stats.contingency.relative_risk(1500, 5000, 1400, 5000))", () => {
    const { lift } = compared(meanOf(1400, 1400, 5000), meanOf(1500, 1500, 5000));
    expect(lift.value).toBeCloseTo(1500 / 1400 - 1, 12);
    expect(lift.fixed.low).toBeCloseTo(1.0076354900081765 - 1, 4);
    expect(lift.fixed.high).toBeCloseTo(1.1392603724826664 - 1, 4);
  });

  it("says the same of B against A as of A against B", () => {
    const [a, b] = [meanOf(1400, 1400, 5000), meanOf(1500, 1500, 5000)];
    const [forth, back] = [compared(a, b), compared(b, a)];
    expect((1 + forth.lift.fixed.low) * (1 + back.lift.fixed.high)).toBeCloseTo(1, 12);
    expect(forth.p.fixed).toBeCloseTo(back.p.fixed, 12);
    expect(forth.p.always).toBeCloseTo(back.p.always, 12);
  });

  it("shows nothing where there is too little, and says why", () => {
    const good = meanOf(1400, 1400, 5000);
    expect(compareArms(undefined, good, OPTIONS)).toBe("no_data");
    expect(compareArms(good, meanOf(0, 0, 5000), OPTIONS)).toBe("no_events");
    expect(compareArms(good, { value: 0.01, variance: 1e-6, clusters: 5000, active: FEWEST_ACTIVE - 1 }, OPTIONS)).toBe("too_few_events");
  });

  it("survives arms without any spread", () => {
    const sure: Estimate = { value: 1, variance: 0, clusters: 100, active: 100 };
    expect(compared(sure, sure)).toMatchObject({ p: { fixed: 1, always: 1 }, lift: { value: 0 } });
    expect(compared(sure, { ...sure, value: 2 }).p).toEqual({ fixed: 0, always: 0 });
  });

  it("covers the true lift in about 95 % of simulated experiments, over shoppers who search several times", () => {
    const random = seeded(4);
    const runs = 2000;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const sums = new Float64Array(SUM_COUNT * 2);
      for (let i = 0; i < 800; i++) {
        const shopper = drawShopper(random, i % 2 === 0 ? 0.3 : 0.36);
        addCluster(sums, (i % 2) * SUM_COUNT, shopper.clicks, shopper.searches);
      }
      const { fixed } = compared(estimateRatio(readSums(sums, 0)), estimateRatio(readSums(sums, SUM_COUNT))).lift;
      if (fixed.low <= 0.2 && fixed.high >= 0.2) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.935);
    expect(covered / runs).toBeLessThan(0.965);
  });
});

/** Shoppers come over 28 days, some come back, and somebody looks every evening. */
function peek(seed: number, rates: readonly [number, number], perDay: number, returns: number) {
  const random = seeded(seed);
  const runs = 2000;
  const found = { always: 0, fixed: 0 };
  for (let run = 0; run < runs; run++) {
    const sums = new Float64Array(SUM_COUNT * 2);
    const known: { y: number; x: number; arm: number }[] = [];
    let [isAlways, isFixed] = [false, false];
    for (let day = 0; day < 28; day++) {
      for (let i = 0; i < perDay; i++) {
        const back = known.length > 0 && random() < returns ? known[Math.floor(random() * known.length)] : undefined;
        const shopper = back ?? { y: 0, x: 0, arm: random() < 0.5 ? 0 : 1 };
        const at = shopper.arm * SUM_COUNT;
        if (back === undefined) known.push(shopper);
        else addCluster(sums, at, shopper.y, shopper.x, -1);
        shopper.x++;
        if (random() < (rates[shopper.arm] ?? 0)) shopper.y++;
        addCluster(sums, at, shopper.y, shopper.x);
      }
      const result = compareArms(estimateRatio(readSums(sums, 0)), estimateRatio(readSums(sums, SUM_COUNT)), OPTIONS);
      if (typeof result === "string") continue;
      isAlways ||= result.lift.always.low > 0 || result.lift.always.high < 0;
      isFixed ||= result.lift.fixed.low > 0 || result.lift.fixed.high < 0;
    }
    if (isAlways) found.always++;
    if (isFixed) found.fixed++;
  }
  return { always: found.always / runs, fixed: found.fixed / runs };
}

/** In standard errors. */
const at = (n: number): number => sequenceFactor(n, OPTIONS);

describe("sequences", () => {
  it("give GrowthBook's intervals (gbstats, TestSequentialTTest, N* = 1000 and 5000)", () => {
    // Their relative standard errors 0.33341 and 0.03386, their intervals 0.50336 ± 1.0618 and 0.50386 ± 0.102885.
    expect(0.33341 * sequenceFactor(6461, { alpha: 0.05, tuning: 1000 })).toBeCloseTo((1.56516 + 0.55844) / 2, 3);
    expect(0.03386 * sequenceFactor(6461, OPTIONS)).toBeCloseTo((0.60675 - 0.40098) / 2, 3);
  });

  it("are tightest near N*, and always wider than an interval", () => {
    expect(at(5000)).toBeLessThan(at(2500));
    expect(at(5000)).toBeLessThan(at(20_000));
    for (const n of [10, 1000, 1e6, 1e9]) expect(at(n)).toBeGreaterThan(2.7);
    expect(at(0)).toBe(Infinity);
  });

  it("exclude 0 exactly where their p-value is below α", () => {
    for (const n of [50, 5000, 1e6]) {
      const factor = sequenceFactor(n, OPTIONS);
      expect(alwaysValidP(factor, n, OPTIONS)).toBeCloseTo(0.05, 10);
      expect(alwaysValidP(factor * 0.99, n, OPTIONS)).toBeGreaterThan(0.05);
    }
    expect(alwaysValidP(0, 100, OPTIONS)).toBe(1);
  });

  it("reject at most 5 % of 2,000 experiments without an effect, looked at on 28 days; intervals reject far more", () => {
    const found = peek(5, [0.3, 0.3], 150, 0);
    // Quoted in the README.
    expect([found.always, found.fixed]).toEqual([0.0085, 0.253]);
    expect(found.always).toBeLessThanOrEqual(0.05);
    expect(found.fixed).toBeGreaterThan(0.15);
  });

  it("… where events are rare and shoppers come back", () => {
    expect(peek(6, [0.03, 0.03], 200, 0.3).always).toBeLessThanOrEqual(0.05);
  });

  it("… and find an effect that is there", () => {
    expect(peek(7, [0.3, 0.36], 300, 0.3).always).toBeGreaterThan(0.9);
  });
});

describe("holm()", () => {
  it("gives R's p.adjust(c(0.01, 0.04, 0.03, 0.005), 'holm')", () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((p, i) => expect(adjusted[i]).toBeCloseTo(p, 12));
  });

  it("never exceeds 1 and leaves a single one alone", () => {
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([0.04])).toEqual([0.04]);
    expect(holm([])).toEqual([]);
  });

  it("names a segment falsely in at most 5 % of tables without any effect", () => {
    const random = seeded(11);
    let named = 0;
    for (let run = 0; run < 2000; run++) {
      const p = Array.from({ length: 14 }, random);
      if (holm(p).some((one) => one < 0.05)) named++;
    }
    expect(named / 2000).toBeGreaterThan(0.035);
    expect(named / 2000).toBeLessThan(0.062);
  });
});
