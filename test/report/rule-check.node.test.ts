/** The price of simulated rules, which is known: intervals hold it, and the check can fail. */
import { describe, expect, it } from "vitest";
import { checkRules, simulateExplored, simulateRule } from "../../src/cli/rule-prices/check.ts";
import { priceExplored } from "../../src/cli/rule-prices/explore.ts";
import { DEFAULT_CAP } from "../../src/report/caps.ts";
import { PRICED_METRICS, priceOf } from "../../src/report/rule-price.ts";

const OPTIONS = { alpha: 0.05, tuning: 5000, cap: DEFAULT_CAP, lift: 0.1, power: 0.8 };
const z = (value: number, truth: number, variance: number): number => Math.abs(value - truth) / Math.sqrt(variance);

describe("simulated rules", () => {
  it("have the price that a plain mean finds", () => {
    // Of five rules, fifteen differences: none is 4.5 standard errors off (a chance of 0.0001).
    for (let i = 0; i < 5; i++) {
      const { held, acted, truth } = simulateRule(`plain ${i}`);
      for (const [m, metric] of PRICED_METRICS.entries()) {
        const [control, variant] = [held, acted].map((side) => side.map(({ totals }) => metric.sumOf(totals)));
        const [a, b] = [control!, variant!].map((values) => {
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length ** 2 };
        });
        if (b!.variance + a!.variance > 0) expect(z(b!.mean - a!.mean, truth[m]!.difference, a!.variance + b!.variance)).toBeLessThan(4.5);
      }
    }
  });

  it("are held by the intervals", () => {
    const { metrics, explored } = checkRules(OPTIONS, { runs: 20, seed: "test", json: true });
    for (const { intervals, held, always, wrong } of metrics) {
      // Of 20 intervals at 95 %, 4 miss with a chance of 0.02, and seeds are fixed.
      expect(intervals).toBeGreaterThan(10);
      expect(held).toBeGreaterThan(intervals - 4);
      expect(always).toBeGreaterThan(intervals - 2);
      expect(wrong).toBe(0);
    }
    for (const { intervals, held, wrong } of explored) {
      expect(held).toBeGreaterThan(intervals - 4);
      expect(wrong).toBe(0);
    }
  });

  it("would not be, were the sides mistaken for each other", () => {
    const misses = Array.from({ length: 20 }, (_, i) => simulateRule(`mistaken ${i}`)).filter(({ held, acted, share, truth }) => {
      const [clicks] = priceOf(acted, held, 1 - share, { ...OPTIONS, rules: 1 });
      const { low = 0, high = 0 } = clicks?.difference?.fixed ?? {};
      return clicks?.difference !== null && (truth[0]!.difference < low || truth[0]!.difference > high);
    });
    expect(misses.length).toBeGreaterThan(5);
  });
});

describe("the pairs that explore swaps", () => {
  const { lists } = simulateExplored("pairs");

  it("say nothing of a rule whose hit could not have stood elsewhere", () => {
    // As a pin: its item stays, with a chance of 1, and so does each pair with it.
    const pinned = lists.slice(0, 50).map((list) => {
      const [first = "", ...rest] = list.originalIds;
      const pairs = rest.slice(0, 9).length - 1;
      const propensities = [1, ...rest.map((_, i) => (i > pairs ? 1 : 1 - (i === 0 || i === pairs ? 1 : 2) / (2 * pairs)))];
      return { ...list, servedIds: [first, ...rest], propensities, without: { pin: [1, 2, 3, 0, 4, 5, 6, 7, 8, 9] } };
    });
    const price = priceExplored(pinned, OPTIONS).get("pin");
    expect(price).toMatchObject({ searches: 50, metrics: [] });
    // Of the four places that it changes, 2 and 3 could have been filled so by a swap; 1 and 4 never.
    expect(price?.possible).toBe(0.5);
  });

  it("tell of a rule what a sum by hand over its pair tells", () => {
    const isClicked = ({ outcomes }: (typeof lists)[number], id: string | undefined): boolean => outcomes.some(({ item }) => item === id);
    // The pair that the rule has turned round seldom stands in the engine's order: one of nine pairs is drawn, and swapped every other time.
    const first = Array.from({ length: 10 }, (_, k) => k).find(
      (k) => lists.filter(({ servedIds, originalIds }) => servedIds[k] === originalIds[k]).length < lists.length / 4,
    )!;
    let sum = 0;
    for (const list of lists) {
      for (const k of [first, first + 1]) {
        const id = list.servedIds[k];
        if (!isClicked(list, id)) continue;
        const pairs = k === 0 || k === 9 ? 1 : 2;
        if (id === list.originalIds[k]) sum -= 18;
        else if (id === list.originalIds[2 * first + 1 - k]) sum += 1 / (1 - pairs / 18);
      }
    }
    const [clicks] = priceExplored(lists, OPTIONS).get("rule")!.metrics;
    expect(clicks!.difference?.value).toBeCloseTo(sum / lists.length, 9);
  });
});
