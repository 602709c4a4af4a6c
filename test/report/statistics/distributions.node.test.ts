/** Normal, chi-square and beta distributions against scipy 1.17.1 and against printed tables. */
import { describe, expect, it } from "vitest";
import {
  betaQuantile,
  chiSquareTail,
  incompleteBeta,
  normalQuantile,
  normalTail,
  twoSidedP,
} from "../../../src/report/statistics/distributions.ts";

/** Relative. */
function close(actual: number, expected: number, within = 1e-11): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(within);
}

describe("chi-square", () => {
  it("has the tail of scipy.stats.chi2.sf, far out too", () => {
    const cases = [
      [0.5, 1, 0.47950012218695337],
      [15, 3, 0.0018166489665723214],
      [160, 1, 1.1314837902433038e-36],
      [1.2, 4, 0.8780986177504424],
      [200, 100, 1.1784500720979781e-8],
    ] as const;
    for (const [x, df, p] of cases) close(chiSquareTail(x, df), p);
  });

  it("agrees with the printed table of chi-square (NIST/SEMATECH e-Handbook 1.3.6.7.4)", () => {
    const table = [
      [1, 3.841, 0.05],
      [1, 10.828, 0.001],
      [5, 11.07, 0.05],
      [10, 29.588, 0.001],
    ] as const;
    for (const [df, x, p] of table) expect(chiSquareTail(x, df)).toBeCloseTo(p, 4);
  });

  it("ends at 1 and 0, where the tail is too small for a number too", () => {
    expect([0, 1500, 5e5, 1e300].map((x) => chiSquareTail(x, 1))).toEqual([1, 0, 0, 0]);
    expect(chiSquareTail(5e5, 40)).toBe(0);
  });
});

describe("beta", () => {
  it("agrees with scipy.special.betainc", () => {
    const cases = [
      [2, 3, 0.4, 0.5248],
      [50, 70, 0.45, 0.7717610017525626],
      [0.5, 0.5, 0.1, 0.20483276469913345],
      [5000, 5100, 0.49, 0.15505519246383542],
      [1, 1, 0.3, 0.3],
    ] as const;
    for (const [a, b, x, p] of cases) close(incompleteBeta(x, a, b), p, 1e-10);
    close(incompleteBeta(0.5, 1e6, 1_000_200), 0.5562286770199754, 1e-8);
  });

  it("is inverted", () => {
    for (const p of [0.025, 0.5, 0.975]) expect(incompleteBeta(betaQuantile(p, 7, 4), 7, 4)).toBeCloseTo(p, 12);
  });

  it("ends at 0 and 1", () => expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]));
});

describe("normal", () => {
  it("agrees with scipy.stats.norm", () => {
    const tails = [
      [1, 0.15865525393145707],
      [1.96, 0.024997895148220435],
      [5, 2.866515718791933e-7],
      [10, 7.61985302416047e-24],
      [-1, 0.8413447460685429],
    ] as const;
    for (const [z, p] of tails) close(normalTail(z), p);
    const quantiles = [
      [0.8, 0.8416212335729143],
      [0.975, 1.959963984540054],
      [0.995, 2.5758293035489004],
      [1e-10, -6.361340902404056],
    ] as const;
    for (const [p, z] of quantiles) close(normalQuantile(p), z);
    expect(normalQuantile(0.5)).toBe(0);
  });

  it("has no tail at infinity", () => expect([normalTail(Infinity), normalTail(-Infinity), twoSidedP(-Infinity)]).toEqual([0, 1, 0]));

  it("refuses what is no probability", () => {
    for (const p of [0, 1, -1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(/between 0 and 1/);
  });
});
