import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Experiment } from "../../src/experiment/assign.ts";
import { assignVariant, bucketRanges, chooseVariation, hash } from "../../src/experiment/assign.ts";

const UNITS = 100_000;
const experiment: Experiment<"control" | "armmt"> = { key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 };

const units = Array.from({ length: UNITS }, (_, i) => `shopper-${i}`);
const share = (variants: readonly (string | undefined)[], wanted: string | undefined) =>
  variants.filter((variant) => variant === wanted).length / variants.length;
/** Four standard deviations of a share p over all units. */
const fourSigma = (p: number) => 4 * Math.sqrt((p * (1 - p)) / UNITS);

describe("hash()", () => {
  it.each([
    ["", "a", 1, 0.22],
    ["", "b", 1, 0.077],
    ["seed", "a", 2, 0.0505],
    ["seed", "b", 2, 0.2696],
    ["foo", "ab", 2, 0.2575],
    ["foo", "def", 2, 0.2019],
  ])("of seed %j and value %j in version %i is %f, as GrowthBook publishes", (seed, value, version, expected) => {
    expect(hash(seed, value, version)).toBe(expected);
  });

  it("knows no version 3", () => {
    expect(hash("seed", "a", 3)).toBeUndefined();
  });
});

describe("assignVariant()", () => {
  it("gives a unit the same variant every time, whatever the unit", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (unit) => {
        const first = assignVariant(experiment, unit);
        expect(first).toBeDefined();
        expect(assignVariant({ ...experiment }, unit)).toEqual(first);
      }),
    );
  });

  it("gives 100,000 units the same variant twice, in shares that their weights predict", () => {
    for (const weights of [
      [0.5, 0.5],
      [0.9, 0.1],
    ]) {
      const variants = units.map((unit) => assignVariant({ ...experiment, weights }, unit)?.variant);
      const again = units.map((unit) => assignVariant({ ...experiment, weights }, unit)?.variant);
      expect(again).toEqual(variants);
      expect(Math.abs(share(variants, "control") - weights[0]!)).toBeLessThan(fourSigma(weights[0]!));
    }
  });

  it("splits two experiments independently", () => {
    const one = units.map((unit) => assignVariant(experiment, unit)?.variant);
    const other = units.map((unit) => assignVariant({ ...experiment, key: "checkout" }, unit)?.variant);
    const both = one.map((variant, i) => `${variant} ${other[i]}`);
    for (const cell of ["control control", "control armmt", "armmt control", "armmt armmt"]) {
      expect(Math.abs(share(both, cell) - 0.25)).toBeLessThan(fourSigma(0.25));
    }
  });

  it("leaves out what coverage leaves out, and moves nobody when coverage grows", () => {
    const some = units.map((unit) => assignVariant({ ...experiment, coverage: 0.2 }, unit)?.variant);
    const more = units.map((unit) => assignVariant({ ...experiment, coverage: 0.6 }, unit)?.variant);
    expect(Math.abs(share(some, undefined) - 0.8)).toBeLessThan(fourSigma(0.8));
    expect(some.every((variant, i) => variant === undefined || variant === more[i])).toBe(true);
  });

  it("assigns no empty unit, and nobody where there is nothing to choose", () => {
    expect(assignVariant(experiment, "")).toBeUndefined();
    expect(assignVariant({ key: "empty", variations: [] }, "shopper-1")).toBeUndefined();
    expect(assignVariant({ key: "single", variations: ["armmt"] }, "shopper-1")).toBeUndefined();
  });

  it("says where the unit fell", () => {
    const assigned = assignVariant(experiment, "shopper-1");
    expect(assigned?.bucket).toBe(hash("rerank", "shopper-1", 2));
    expect(assigned?.variant).toBe(assigned!.bucket < 0.5 ? "control" : "armmt");
  });
});

describe("bucketRanges() and chooseVariation()", () => {
  it("leave a gap after each range at half coverage", () => {
    const ranges = bucketRanges(2, { coverage: 0.5 });
    expect(ranges).toEqual([
      [0, 0.25],
      [0.5, 0.75],
    ]);
    expect([0.2, 0.25, 0.5, 0.8].map((bucket) => chooseVariation(bucket, ranges))).toEqual([0, -1, 1, -1]);
  });

  it("cover every bucket once at full coverage", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 9999 }), (count, n) => {
        const holding = bucketRanges(count).filter(([start, end]) => n / 10_000 >= start && n / 10_000 < end);
        expect(holding.length).toBe(1);
      }),
    );
  });
});
