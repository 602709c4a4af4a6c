/** Figures by scipy (BFGS over the same likelihoods, numerical Hessian) and by numpy (the estimators from their definitions). */
import { describe, expect, it } from "vitest";
import { checkCell, orderOf } from "../../../src/cli/gate/check.ts";
import { fitAttraction, measureLooks } from "../../../src/cli/gate/click-model.ts";
import { type Comparison, gatherEvidence, MODEL } from "../../../src/cli/gate/evidence.ts";
import { simulateLists, WIDTH } from "../../../src/cli/gate/simulate.ts";
import { judge } from "../../../src/cli/gate/verdict.ts";

const lists = [...simulateLists({ seed: "reference", searches: 1200, reader: "pbm", explored: 0.3, interleaved: 0.3 })];
const model = { weights: { engine: 0.7, words: 0.8, picture: 0.6, price: -0.2, hidden: 0.3 }, noise: 0 };
const curve = measureLooks(lists);
const attraction = fitAttraction(lists, WIDTH, curve.looks);
const evidence = gatherEvidence({
  lists: lists.map((list) => ({
    ...list,
    attraction: attraction(list.features),
    orders: new Map([
      ["engine", list.engine],
      [MODEL, orderOf(model, list)],
    ]),
  })),
  curve,
  perClick: 0.2,
});

describe("the click model", () => {
  it("has the curve of looks, and its errors, that scipy finds", () => {
    expect(curve.clicks).toBe(1582);
    const looks = [1, 1.00717, 0.78432, 0.66036, 0.66003, 0.44433, 0.31865, 0.33103, 0.26054, 0.24051];
    looks.forEach((look, k) => expect(curve.looks[k]).toBeCloseTo(look, 4));
    const deviations = [0.1168, 0.15, 0.1629, 0.1784, 0.1917, 0.2102, 0.2165, 0.2299, 0.239];
    deviations.forEach((deviation, k) => expect(Math.sqrt(curve.covariance[k + 1]![k + 1]!)).toBeCloseTo(deviation, 3));
  });

  it("has the attraction that scipy finds", () => {
    const found = attraction(lists[0]!.features);
    [0.31357, 0.17285, 0.15391, 0.09301, 0.14511].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
  });
});

describe("estimates of an order", () => {
  it.each([
    [
      "engine",
      { clicks: 0.990663, purchases: 0.225405, "clicks IPS": 0.915682, "clicks SNIPS": 0.906957, "clicks DR": 0.91107 },
      344.067,
      1,
    ],
    [
      MODEL,
      { clicks: 1.429136, purchases: 0.356443, "clicks IPS": 0.600142, "clicks SNIPS": 1.319471, "clicks DR": 1.435488 },
      92.595,
      0.49242,
    ],
  ])("are numpy's: %s", (name, figures, effective, supported) => {
    const found = evidence.orders.find((order) => order.name === name)!;
    for (const [figure, value] of Object.entries(figures)) expect(found.figures[figure]).toBeCloseTo(value, 4);
    expect(found.effectiveLists).toBeCloseTo(effective, 1);
    expect(found.supported).toBeCloseTo(supported, 4);
  });
});

const withClicks = (low: number, high: number): Comparison[] =>
  (["clicks", "purchases", "clicks DR"] as const).map((figure) => ({
    against: "engine",
    figure,
    mean: (low + high) / 2,
    low: figure === "clicks" ? low : -1,
    high: figure === "clicks" ? high : 1,
    base: 1,
  }));

describe("the verdict", () => {
  it.each([
    [0.01, 0.2, "better"],
    [-0.009, 0.2, "not_worse"],
    [-0.011, 0.2, "cannot_tell"],
    [-0.2, -0.001, "worse"],
    [0, 0, "not_worse"],
  ])("of clicks from %f to %f is %s", (low, high, outcome) => {
    expect(judge({ ...evidence, comparisons: withClicks(low, high) }, 0.01).judgments[0]?.outcome).toBe(outcome);
  });

  it("refuses a model that sells less, whatever it is clicked", () => {
    const comparisons = withClicks(0.1, 0.2).map((each) => (each.figure === "purchases" ? { ...each, high: -0.01 } : each));
    expect(judge({ ...evidence, comparisons }, 0.01).judgments[0]).toMatchObject({ outcome: "worse", lost: ["purchases"] });
  });

  it("says what the log lacks", () => {
    const { missing } = judge({ ...evidence, clicked: 7, curve: { ...curve, clicks: 3 } }, 0.01);
    expect(missing).toEqual([expect.stringMatching(/^7 of at least 300 /), expect.stringMatching(/^3 of at least 200 .*explore/)]);
  });
});

describe("the gate, checked by simulated models", () => {
  it("lets good ones pass and no bad one", () => {
    const { good, bad } = checkCell({ name: "small", reader: "pbm", searches: 1000, explored: 0.2, interleaved: 0.2 }, 4, undefined, {
      logCount: 1,
      truthLists: 300,
    });
    expect(bad.passes).toBe(0);
    expect(good.refused).toBe(0);
    expect(good.passes).toBeGreaterThanOrEqual(0.5);
  });
});
