/** The arithmetic against other implementations: pytrec_eval 0.5 (gains 2^rating - 1 as its relevances) and scipy.stats.bootstrap. */
import { describe, expect, it } from "vitest";
import { metricsOf } from "../../../src/cli/evaluate/compare.ts";
import { bootstrapMeans, reciprocalRank } from "../../../src/cli/evaluate/metrics.ts";
import { createRandom } from "../../../src/demo/catalogue/random.ts";
import { LISTS, RATINGS } from "./fixture.ts";

/** By pytrec_eval's ndcg_cut and recip_rank; judged: of the same lists without the products that are not in the judgments. */
const EXPECTED: Readonly<Record<string, ReturnType<typeof metricsOf>>> = {
  "red mug": {
    "nDCG@10": 0.48796553831010026,
    "nDCG@10 judged": 0.5773534652239384,
    "nDCG@5": 0.3741951202093122,
    "nDCG@5 judged": 0.5773534652239384,
    MRR: 1 / 3,
    "MRR judged": 0.5,
  },
  "blue lamp": {
    "nDCG@10": 0.411833840435435,
    "nDCG@10 judged": 0.9197207891481876,
    "nDCG@5": 0,
    "nDCG@5 judged": 0.9197207891481876,
    MRR: 1 / 6,
    "MRR judged": 1,
  },
  "green chair": {
    "nDCG@10": 0.09027901390346374,
    "nDCG@10 judged": 0.47918604867911435,
    "nDCG@5": 0.09027901390346374,
    "nDCG@5 judged": 0.3704035088874773,
    MRR: 1 / 3,
    "MRR judged": 1 / 3,
  },
};

describe("metricsOf()", () => {
  it.each(Object.keys(EXPECTED))("%s: as pytrec_eval", (query) => {
    const found = metricsOf(LISTS[query]!, new Map(Object.entries(RATINGS[query]!)));
    for (const [metric, value] of Object.entries(EXPECTED[query]!)) {
      expect(found, metric).toHaveProperty([metric], expect.closeTo(value, 12));
    }
  });

  it("is 0 for a list without a hit, and for one that nobody judged", () => {
    const ratings = new Map([["a", 3]]);
    for (const shown of [[], ["b", "c"]]) {
      expect(metricsOf(shown, ratings)).toEqual({
        "nDCG@10": 0,
        "nDCG@10 judged": 0,
        "nDCG@5": 0,
        "nDCG@5 judged": 0,
        MRR: 0,
        "MRR judged": 0,
      });
    }
  });

  it("takes ratings between grades", () => {
    // (2^2.5 - 1) / log2(3) over (2^2.5 - 1) + (2^0.5 - 1) / log2(3)
    const found = metricsOf(["x", "a"], new Map([["a", 2.5], ["b", 0.5]])); // prettier-ignore
    expect(found["nDCG@10"]).toBeCloseTo((2 ** 2.5 - 1) / Math.log2(3) / (2 ** 2.5 - 1 + (2 ** 0.5 - 1) / Math.log2(3)), 12);
  });
});

describe("reciprocalRank()", () => {
  it("is 1 over the position of the first relevant grade, 0 without one", () => {
    expect([reciprocalRank([0, 0, 1]), reciprocalRank([0.5]), reciprocalRank([0]), reciprocalRank([])]).toEqual([1 / 3, 1, 0, 0]);
  });
});

describe("bootstrapMeans()", () => {
  const values = Array.from({ length: 40 }, (_, i) => Number((Math.sin((i + 1) ** 2) / 4 + 0.05).toFixed(4)));

  it("agrees with scipy.stats.bootstrap (percentile, 200,000 draws): -0.0332 to 0.0746", () => {
    const [found] = bootstrapMeans([values], createRandom("armmt evaluate").next, 10_000);
    expect(found!.mean).toBeCloseTo(0.019785, 10);
    // A quantile of 10,000 draws is itself uncertain by some thousandths.
    expect(Math.abs(found!.low - -0.0332476)).toBeLessThan(0.0025);
    expect(Math.abs(found!.high - 0.0746126)).toBeLessThan(0.0025);
  });

  it("draws the same queries for all columns, and the same ones again", () => {
    const twice = values.map((value) => 2 * value);
    const [one, two] = bootstrapMeans([values, twice], createRandom("seed").next, 500);
    expect(two).toEqual({ mean: 2 * one!.mean, low: 2 * one!.low, high: 2 * one!.high });
    expect(bootstrapMeans([values], createRandom("seed").next, 500)).toEqual([one]);
  });

  it("of one query is that query, of none nothing", () => {
    expect(bootstrapMeans([[0.25]], createRandom("seed").next, 10)).toEqual([{ mean: 0.25, low: 0.25, high: 0.25 }]);
    expect(bootstrapMeans([[]], createRandom("seed").next, 10)[0]!.mean).toBeNaN();
  });
});
