import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignVariant, chooseVariant, type Experiment } from "../../src/experiment/assign.ts";

const UNITS = 100_000;
const experiment: Experiment = { key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 };

const units = Array.from({ length: UNITS }, (_, i) => `shopper-${i}`);
const variantOf = (one: Experiment, id: string): string | undefined => assignVariant(one, { id })?.variant;
const share = (variants: readonly (string | undefined)[], wanted: string | undefined) =>
  variants.filter((variant) => variant === wanted).length / variants.length;
/** Four standard deviations of a share p over all units. */
const fourSigma = (p: number) => 4 * Math.sqrt((p * (1 - p)) / UNITS);

describe("assignVariant()", () => {
  it("gives a unit the same variant every time, whatever the unit", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (id) => {
        const first = assignVariant(experiment, { id });
        expect(first).toBeDefined();
        expect(assignVariant({ ...experiment }, { id })).toEqual(first);
      }),
    );
  });

  it("gives 100,000 units the same variant twice, in shares that their weights predict", () => {
    for (const weights of [
      [0.5, 0.5],
      [0.9, 0.1],
    ]) {
      const variants = units.map((unit) => variantOf({ ...experiment, weights }, unit));
      expect(units.map((unit) => variantOf({ ...experiment, weights }, unit))).toEqual(variants);
      expect(Math.abs(share(variants, "control") - weights[0]!)).toBeLessThan(fourSigma(weights[0]!));
    }
  });

  it("splits two experiments independently", () => {
    const one = units.map((unit) => variantOf(experiment, unit));
    const other = units.map((unit) => variantOf({ ...experiment, key: "checkout" }, unit));
    const both = one.map((variant, i) => `${variant} ${other[i]}`);
    for (const cell of ["control control", "control armmt", "armmt control", "armmt armmt"]) {
      expect(Math.abs(share(both, cell) - 0.25)).toBeLessThan(fourSigma(0.25));
    }
  });

  it("leaves out what coverage leaves out, and moves nobody when coverage grows", () => {
    const some = units.map((unit) => variantOf({ ...experiment, coverage: 0.2 }, unit));
    const more = units.map((unit) => variantOf({ ...experiment, coverage: 0.6 }, unit));
    expect(Math.abs(share(some, undefined) - 0.8)).toBeLessThan(fourSigma(0.8));
    expect(some.every((variant, i) => variant === undefined || variant === more[i])).toBe(true);
  });

  it("assigns no empty unit, and nobody where there is nothing to choose", () => {
    expect(assignVariant(experiment, { id: "" })).toBeUndefined();
    expect(assignVariant(experiment, { id: undefined })).toBeUndefined();
    expect(assignVariant({ key: "empty", variations: [] }, { id: "a" })).toBeUndefined();
    expect(assignVariant({ key: "single", variations: ["armmt"] }, { id: "a" })).toBeUndefined();
  });

  it("says where the unit fell, and by what", () => {
    const assigned = assignVariant(experiment, { id: "shopper-1" })!;
    expect(assigned).toMatchObject({ experiment: "rerank", unit: "shopper-1", variant: assigned.bucket! < 0.5 ? "control" : "armmt" });
    const bySession: Experiment = { ...experiment, hashAttribute: "session" };
    expect(assignVariant(bySession, { id: "u", session: "s" })?.unit).toBe("s");
    expect(assignVariant(bySession, { id: "u" })).toBeUndefined();
  });

  it.each(["draft", "stopped"] as const)("assigns nobody to a %s experiment", (status) => {
    expect(assignVariant({ ...experiment, status }, { id: "a" })).toBeUndefined();
  });

  it("follows targeting", () => {
    const targeted: Experiment = { ...experiment, condition: { country: { $in: ["DE", "AT"] } } };
    expect(assignVariant(targeted, { id: "a", country: "DE" })).toBeDefined();
    expect(assignVariant(targeted, { id: "a", country: "FR" })).toBeUndefined();
    expect(assignVariant(targeted, { id: "a" })).toBeUndefined();
  });
});

describe("chooseVariant()", () => {
  it("takes the first experiment that has the unit, and namespaces keep two apart", () => {
    const one: Experiment = { key: "one", variations: ["control", "armmt"], namespace: ["search", 0, 0.4] };
    const other: Experiment = { key: "other", variations: ["control", "shadow(armmt)"], namespace: ["search", 0.4, 1] };
    const some = units.slice(0, 20_000);
    const chosen = some.map((id) => chooseVariant([one, other], { id })?.experiment);
    expect(chosen.every((key) => key !== undefined)).toBe(true);
    expect(some.map((id) => chooseVariant([other, one], { id })?.experiment)).toEqual(chosen);
    expect(Math.abs(share(chosen, "one") - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / some.length));
  });
});
