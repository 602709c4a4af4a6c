import { describe, expect, it } from "vitest";
import { holm } from "../../../src/report/statistics/holm.ts";
import { seeded } from "./random.ts";

describe("holm()", () => {
  it("gives R's p.adjust(c(0.01, 0.04, 0.03, 0.005), 'holm')", () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((p, i) => expect(adjusted[i]).toBeCloseTo(p, 12));
  });

  it("never exceeds 1 and leaves a single one alone", () => {
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([0.04])).toEqual([0.04]);
    expect(holm([])).toEqual([]);
  });

  it("names a segment falsely in at most 5 % of tables without any effect", () => {
    const random = seeded(11);
    let named = 0;
    for (let run = 0; run < 2000; run++) {
      const p = Array.from({ length: 14 }, random);
      if (holm(p).some((one) => one < 0.05)) named++;
    }
    expect(named / 2000).toBeGreaterThan(0.035);
    expect(named / 2000).toBeLessThan(0.062);
  });
});
