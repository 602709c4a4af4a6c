/** Differences of earlier editions with the seeds' variance added, against scipy. */
import { describe, expect, it } from "vitest";
import type { Row } from "../../../../src/lab/study/compare/benchmark-file.ts";
import { withSeeds } from "../../../../src/lab/study/compare/seeds.ts";

const row = (more: Partial<Row>): Row => ({
  part: "fashion ablations",
  level: "fashion",
  model: "teacher",
  metric: "purchases@10 pbm",
  mean: 0.386,
  low: 0.381,
  high: 0.391,
  seeds: 3,
  split: "test",
  ...more,
});
const whole = row({});
const without = row({ model: "teacher-no-cafu", mean: 0.388, low: 0.3865, high: 0.3895 });
const difference = row({ against: "teacher-no-cafu", mean: -0.002, low: -0.0038, high: -0.0002 });

describe("withSeeds()", () => {
  it("adds the variances of both models over seeds, with Satterthwaite's degrees of freedom", () => {
    // scipy 1.17.1: s = half / t.ppf(.975, 2) of both, q = .0018 / norm.ppf(.975); v = sum of squares; df = v² / (Σ s⁴ / 2); t.ppf and t.sf of df.
    const [, , wider] = withSeeds([whole, without, difference]);
    expect(wider?.low).toBeCloseTo(-0.005749426, 7);
    expect(wider?.high).toBeCloseTo(0.001749426, 7);
    expect(wider?.p).toBeCloseTo(0.238041746, 6);
  });

  it("leaves alone what has a p, what has no seeds, and data without seeds", () => {
    const known = { ...difference, p: 0.03 };
    expect(withSeeds([whole, without, known])[2]).toBe(known);
    const single = { ...difference, model: "engine", against: "shuffle" };
    expect(withSeeds([whole, without, single])[2]).toBe(single);
    // Of judged data the intervals of means are over queries.
    const chorus = [whole, without, difference].map((each): Row => ({ ...each, part: "chorus", level: "chorus" }));
    expect(withSeeds(chorus)).toEqual(chorus);
  });
});
