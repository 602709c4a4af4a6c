/** Exact counts, against scipy 1.x: binom.cdf and sf, beta.ppf, betaln with brentq. */
import { describe, expect, it } from "vitest";
import { compareCounts } from "../../../src/report/statistics/exact.ts";
import { seeded } from "./random.ts";

const compared = (k: number, n: number, share: number) => {
  const result = compareCounts({ units: n - k, of: 5000 }, { units: k, of: 5000 }, { share, alpha: 0.05 });
  if (result === undefined) throw new Error("Nothing to compare");
  return result;
};

/** k of n in the variant, its share; then p of one look, p of any look, and the lift's ends at any look. */
const SCIPY = [
  [0, 152, 0.5, 3.503246160812043e-46, 2.6799833130212097e-44, -1, -0.945777265042557],
  [15, 167, 0.5, 1.0384614835804017e-29, 7.874509942177952e-28, -0.9661355634996655, -0.7739017400342094],
  [7, 7, 0.1, 2.0000000000000007e-7, 8.000000000000025e-7, 7.452431462499124, null],
  [3, 90, 0.1, 0.03376129907468167, 1, -0.9841322726466836, 0.4896137321430609],
  [8, 20, 0.5, 0.5034446716308594, 1, -0.844632156670991, 1.5235527191406852],
  [0, 8, 0.5, 0.0078125, 0.03515625, -1, -0.0861448588033874],
  [0, 7, 0.5, 0.015625, 0.0625, -1, 0.06478236942000337],
] as const;

describe("compareCounts()", () => {
  it.each(SCIPY)("gives scipy's figures for %i of %i at a share of %f", (k, n, share, fixed, always, low, high) => {
    const { p, lift } = compared(k, n, share);
    expect(p.fixed / fixed).toBeCloseTo(1, 8);
    expect(p.always / always).toBeCloseTo(1, 8);
    expect(lift.always.low).toBeCloseTo(low, 8);
    if (high === null) expect(lift.always.high).toBeNull();
    else expect(lift.always.high).toBeCloseTo(high, 8);
  });

  it("says nothing of nothing", () => {
    expect(compareCounts({ units: 0, of: 50 }, { units: 0, of: 50 }, { share: 0.5, alpha: 0.05 })).toBeUndefined();
  });

  it("errs in at most 5 % of 2,000 experiments that are looked at after every buyer", () => {
    for (const share of [0.5, 0.1]) {
      const random = seeded(17);
      let wrong = 0;
      for (let run = 0; run < 2000; run++) {
        let k = 0;
        for (let n = 1; n <= 60; n++) {
          if (random() < share) k++;
          if (compared(k, n, share).p.always >= 0.05) continue;
          wrong++;
          break;
        }
      }
      expect(wrong / 2000).toBeLessThanOrEqual(0.05);
      expect(wrong).toBeGreaterThan(0);
    }
  });
});
