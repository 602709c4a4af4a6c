import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../src/demo/catalogue/random.ts";
import { dcg, mean, ndcg } from "../../../../src/cli/evaluate/metrics.ts";
import { bootstrapMean } from "../../../../src/lab/study/assess/worth.ts";

function generator(): () => number {
  const random = createRandom("bootstrap");
  return () => random.next();
}

describe("nDCG", () => {
  it("dcg() adds (2^grade - 1) / log2(1 + position)", () => {
    // grade 2 at position 1: 3 / log2(2) = 3; grade 1 at position 3: 1 / log2(4) = 0.5
    expect(dcg([2, 0, 1], 10)).toBeCloseTo(3 + 0.5, 12);
  });

  it("dcg() counts the first k only", () => {
    expect(dcg([0, 0, 4], 2)).toBe(0);
  });

  it("ndcg() divides by the best order of the same grades", () => {
    const best = 3 + 1 / Math.log2(3);
    expect(ndcg([2, 0, 1], 10)).toBeCloseTo(3.5 / best, 12);
    expect(ndcg([2, 1, 0], 10)).toBe(1);
  });

  it("ndcg() is undefined when nothing is relevant", () => {
    expect(ndcg([0, 0], 10)).toBeUndefined();
    expect(ndcg([], 10)).toBeUndefined();
  });

  it("ndcg() judges the cut-off against what could stand there", () => {
    // Best possible at 1 is the grade 3 item: 7. Shown there is grade 1: 1.
    expect(ndcg([1, 3], 1)).toBeCloseTo(1 / 7, 12);
  });
});

describe("bootstrapMean()", () => {
  it("of a constant is that constant", () => {
    expect(bootstrapMean([0.25, 0.25, 0.25], generator())).toEqual({ mean: 0.25, low: 0.25, high: 0.25 });
  });

  it("is close to mean ± 1.96 standard errors for many values", () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2); // mean 0.5, standard deviation 0.5, standard error 0.025
    const { mean: middle, low, high } = bootstrapMean(values, generator());
    expect(middle).toBe(0.5);
    expect(low).toBeGreaterThan(0.5 - 1.96 * 0.025 - 0.01);
    expect(low).toBeLessThan(0.5 - 1.96 * 0.025 + 0.01);
    expect(high).toBeGreaterThan(0.5 + 1.96 * 0.025 - 0.01);
    expect(high).toBeLessThan(0.5 + 1.96 * 0.025 + 0.01);
  });

  it("has no interval for no values", () => {
    expect(bootstrapMean([], generator()).mean).toBeNaN();
    expect(mean([])).toBeNaN();
  });
});
