import { describe, expect, it } from "vitest";
import { designEffect, testSampleRatio } from "../../src/report/sample-ratio.ts";
import { seeded } from "./statistics/random.ts";

describe("testSampleRatio()", () => {
  it("gives the p-value of Kohavi, Tang & Xu 2020 (Trustworthy Online Controlled Experiments, chapter 3): 821,588 against 815,482", () => {
    const test = testSampleRatio([821_588, 815_482], [0.5, 0.5]);
    expect(test?.chiSquare).toBeCloseTo(22.77436884189436, 8); // scipy.stats.chisquare
    expect(test?.p).toBeCloseTo(1.8217928726191858e-6, 14);
    expect(test?.isMismatch).toBe(true);
  });

  it("takes weights of any sum and more than two arms (scipy.stats.chisquare([90, 30, 60], [90, 45, 45]))", () => {
    const test = testSampleRatio([90, 30, 60], [2, 1, 1]);
    expect(test).toMatchObject({ degreesOfFreedom: 2, isMismatch: false, expected: [90, 45, 45] });
    expect(test?.chiSquare).toBeCloseTo(10, 10);
    expect(test?.p).toBeCloseTo(0.006737946999085468, 12);
  });

  it("fires on 52 : 48 of 100,000 and is quiet on the same counts where they were promised", () => {
    expect(testSampleRatio([52_000, 48_000], [0.5, 0.5])?.isMismatch).toBe(true);
    expect(testSampleRatio([52_000, 48_000], [0.52, 0.48])?.p).toBe(1);
    expect(testSampleRatio([50_000, 50_000], [0.5, 0.5])?.p).toBe(1);
  });

  it("fires for an arm that got units without a weight, and for one with a weight that got none", () => {
    expect(testSampleRatio([50, 50, 1], [0.5, 0.5, 0])).toMatchObject({ p: 0, isMismatch: true });
    expect(testSampleRatio([100, 0], [0.5, 0.5])?.isMismatch).toBe(true);
  });

  it("says nothing where there is nothing to compare", () => {
    expect(testSampleRatio([0, 0], [0.5, 0.5])).toBeUndefined();
    expect(testSampleRatio([10], [1])).toBeUndefined();
    expect(testSampleRatio([10, 0], [1, 0])).toBeUndefined();
  });

  it("fires in about one of a thousand experiments that are all right", () => {
    const random = seeded(1);
    const runs = 2000;
    let fired = 0;
    let below5 = 0;
    for (let run = 0; run < runs; run++) {
      let first = 0;
      for (let i = 0; i < 20_000; i++) if (random() < 0.5) first++;
      const test = testSampleRatio([first, 20_000 - first], [0.5, 0.5]);
      if (test?.isMismatch === true) fired++;
      if ((test?.p ?? 1) < 0.05) below5++;
    }
    expect(fired).toBeLessThanOrEqual(8); // 2 expected; more than 8 has a chance of 0.02 %
    expect(below5 / runs).toBeGreaterThan(0.035);
    expect(below5 / runs).toBeLessThan(0.065);
  });

  it("needs the design effect where searches, not shoppers, are counted", () => {
    const random = seeded(2);
    const fired = { plain: 0, corrected: 0 };
    for (let run = 0; run < 1000; run++) {
      const counts = [0, 0];
      let [sizes, squares] = [0, 0];
      for (let shopper = 0; shopper < 2000; shopper++) {
        let searches = 1;
        while (random() < 0.8) searches++;
        const arm = random() < 0.5 ? 0 : 1;
        counts[arm] = (counts[arm] ?? 0) + searches;
        sizes += searches;
        squares += searches * searches;
      }
      if (testSampleRatio(counts, [1, 1])?.isMismatch === true) fired.plain++;
      if (testSampleRatio(counts, [1, 1], designEffect(sizes, squares))?.isMismatch === true) fired.corrected++;
    }
    expect(fired.plain).toBeGreaterThan(100);
    expect(fired.corrected).toBeLessThanOrEqual(6);
  });
});
