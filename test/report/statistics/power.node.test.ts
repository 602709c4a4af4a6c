import { describe, expect, it } from "vitest";
import { compareArms } from "../../../src/report/statistics/compare.ts";
import { normalTail } from "../../../src/report/statistics/distributions.ts";
import {
  alwaysValidFactor,
  daysUntil,
  liftSeenNow,
  powerNow,
  shareForVotes,
  unitsForMean,
  unitsForProportion,
} from "../../../src/report/statistics/power.ts";
import { type Estimate, estimateRatio } from "../../../src/report/statistics/ratio.ts";
import { sequenceFactor } from "../../../src/report/statistics/sequential.ts";
import { signTest } from "../../../src/report/statistics/preference.ts";
import { seeded } from "./random.ts";

const WANTED = { alpha: 0.05, power: 0.8 };

describe("unitsForProportion()", () => {
  it("gives R's power.prop.test(p1 = .50, p2 = .75, power = .90): n = 76.7", () => {
    expect(unitsForProportion(0.5, 0.5, { alpha: 0.05, power: 0.9 })).toBe(77);
  });

  it("is within 2 % of the figures that circulate, which take the base's variance for both arms", () => {
    const figures = [
      [0.03, 0.03, 564_000],
      [0.03, 0.01, 5_100_000],
      [0.3, 0.01, 366_000],
      [0.3, 0.03, 41_000],
    ] as const;
    for (const [base, lift, units] of figures) {
      expect(unitsForMean(base, base * (1 - base), lift, WANTED) / units).toBeCloseTo(1, 1.7);
      expect(Math.abs(unitsForProportion(base, lift, WANTED) / units - 1)).toBeLessThan(0.02);
    }
    expect(unitsForMean(0.03, 0.03 * 0.97, 0.03, WANTED)).toBe(563_957);
    expect(unitsForMean(0.3, 0.21, 0.01, WANTED)).toBe(366_282);
  });

  it("refuses what is no proportion", () => {
    for (const [base, lift] of [
      [0, 0.1],
      [0.6, 0.7],
      [0.3, 0],
      [0.3, -1],
    ] as const) {
      // prettier-ignore
      expect(() => unitsForProportion(base, lift, WANTED)).toThrow(RangeError);
    }
  });

  it("plans experiments that find the lift in about 80 % of 2,000 simulations", () => {
    const units = unitsForProportion(0.2, 0.15, WANTED);
    const random = seeded(9);
    const runs = 2000;
    let found = 0;
    for (let run = 0; run < runs; run++) {
      const [a, b] = [0.2, 0.23].map((rate): Estimate | undefined => {
        let y = 0;
        for (let i = 0; i < units; i++) if (random() < rate) y++;
        return estimateRatio({ clusters: units, active: y, y, x: units, yy: y, xx: units, xy: y });
      });
      const result = compareArms(a, b, { alpha: 0.05, tuning: 5000 });
      if (typeof result !== "string" && result.p.fixed < 0.05) found++;
    }
    expect(found / runs).toBeGreaterThan(0.775);
    expect(found / runs).toBeLessThan(0.825);
  });
});

describe("unitsForMean()", () => {
  it("is 16 σ² / δ² at 80 % power and 5 %, to the next per cent (Kohavi et al. 2009)", () => {
    expect(unitsForMean(10, 400, 0.05, WANTED) / ((16 * 400) / 0.25)).toBeCloseTo(0.98, 2);
  });
});

describe("alwaysValidFactor()", () => {
  it("gives the sequence the power that was asked for, at the end", () => {
    const fixed = 100_000;
    const units = fixed * alwaysValidFactor(fixed, WANTED, 5000);
    // Effect in standard errors at `fixed` is 2.8016; it grows with the root of the units.
    const effect = 2.801585218112969 * Math.sqrt(units / fixed);
    expect(normalTail(sequenceFactor(units, { alpha: 0.05, tuning: 5000 }) - effect)).toBeCloseTo(0.8, 6);
    expect(units / fixed).toBeGreaterThan(1.5);
    expect(units / fixed).toBeLessThan(3);
  });
});

describe("shareForVotes()", () => {
  it("gives the preference that sign tests find in about 80 %", () => {
    const votes = 783; // (1.95996 · 0.5 + 0.84162 · √(0.55 · 0.45))² / 0.05²
    expect(shareForVotes(votes, WANTED)).toBeCloseTo(0.55, 4);
    const random = seeded(10);
    let found = 0;
    for (let run = 0; run < 2000; run++) {
      let b = 0;
      for (let i = 0; i < votes; i++) if (random() < 0.55) b++;
      if (signTest(votes - b, b) < 0.05) found++;
    }
    expect(found / 2000).toBeGreaterThan(0.76); // the exact test is a little careful
    expect(found / 2000).toBeLessThan(0.83);
  });

  it("grows with fewer votes, up to all of them", () => {
    expect(shareForVotes(2178, WANTED)).toBeCloseTo(0.53, 4); // (1.95996 · 0.5 + 0.84162 · √(0.53 · 0.47))² / 0.03²
    expect(shareForVotes(1, WANTED)).toBe(1);
  });
});

describe("of a running experiment", () => {
  it("agree with each other", () => {
    const standardError = 0.012;
    const lift = liftSeenNow(standardError, WANTED);
    expect(powerNow(lift, standardError, 0.05)).toBeCloseTo(0.8, 4);
    expect(powerNow(0, standardError, 0.05)).toBeCloseTo(0.05, 10);
    const running = { standardError, clusters: 20_000, days: 10 };
    expect(daysUntil(lift, running, WANTED)).toBeCloseTo(10, 6);
    expect(daysUntil(lift, running, WANTED, { alpha: 0.05, tuning: 5000 })).toBeGreaterThan(15);
    expect(daysUntil(Math.expm1(Math.log1p(lift) / 2), running, WANTED)).toBeCloseTo(40, 6);
  });
});
