import { describe, expect, it } from "vitest";
import { exactShare, preferenceOf, signTest } from "../../../src/report/statistics/preference.ts";
import { seeded } from "./random.ts";

const OPTIONS = { alpha: 0.05, tuning: 5000 };

describe("signTest()", () => {
  it("agrees with scipy.stats.binomtest", () => {
    expect(signTest(3, 7)).toBeCloseTo(0.34375, 12);
    expect(signTest(10, 0)).toBeCloseTo(0.001953125, 12);
    expect(signTest(560, 440)).toBeCloseTo(0.00016504987055045286, 12);
    expect(signTest(51_000, 49_000) / 2.5887160383468943e-10).toBeCloseTo(1, 6);
  });

  it("says nothing of a draw", () => expect([signTest(5, 5), signTest(0, 0)]).toEqual([1, 1]));
});

describe("exactShare()", () => {
  it("agrees with scipy's proportion_ci(method='exact')", () => {
    const cases = [
      [7, 10, 0.3475471499399921, 0.9332604888222655],
      [0, 10, 0, 0.30849710781876294],
      [10, 10, 0.6915028921812371, 1],
      [51_000, 100_000, 0.5068963922874611, 0.5131030276209113],
    ] as const;
    for (const [k, n, low, high] of cases) {
      const share = exactShare(k, n, 0.05);
      expect(share.low).toBeCloseTo(low, 8);
      expect(share.high).toBeCloseTo(high, 8);
    }
  });
});

describe("preferenceOf()", () => {
  it("counts ties for both", () => {
    const preference = preferenceOf({ a: 20, b: 60, ties: 20 }, OPTIONS);
    expect(preference?.score).toBeCloseTo(0.2, 12); // (60 + 10) / 100 − 1/2
    expect(preference?.shareOfB).toBe(0.75);
  });

  it("has no preference without votes", () => expect(preferenceOf({ a: 0, b: 0, ties: 9 }, OPTIONS)).toBeUndefined());

  it("does not lead astray those who look after every fortieth vote", () => {
    const random = seeded(8);
    const runs = 1000;
    const found = { always: 0, sign: 0 };
    for (let run = 0; run < runs; run++) {
      const votes = { a: 0, b: 0, ties: 0 };
      let [isAlways, isSign] = [false, false];
      for (let i = 1; i <= 1000; i++) {
        if (random() < 0.5) votes.a++;
        else votes.b++;
        if (i % 40 !== 0) continue;
        const preference = preferenceOf(votes, OPTIONS);
        if (preference === undefined) continue;
        isAlways ||= preference.always.low > 0.5 || preference.always.high < 0.5;
        isSign ||= preference.p < 0.05;
      }
      if (isAlways) found.always++;
      if (isSign) found.sign++;
    }
    expect(found.always / runs).toBeLessThanOrEqual(0.05);
    expect(found.sign / runs).toBeGreaterThan(0.15);
  });
});
