/** Group-sequential boundaries against published tables, an independent integration in Python (scipy), and simulated motions. */
import { describe, expect, it } from "vitest";
import { boundariesOf, inflationOf, spentAt } from "../../../src/report/statistics/group-sequential.ts";
import { createLongRandom } from "../../../src/demo/catalogue/random.ts";

const ALPHA = 0.05;

const looksAt = (fractions: readonly number[], information = fractions, alpha = ALPHA) =>
  fractions.map((fraction, i) => ({ spent: spentAt(fraction, alpha), information: information[i]! }));
const equal = (looks: number): readonly number[] => Array.from({ length: looks }, (_, i) => (i + 1) / looks);

function expectClose(found: readonly number[], wanted: readonly number[], within: number): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    if (wanted[i] === Infinity) expect(value).toBe(Infinity);
    else expect(Math.abs(value - wanted[i]!)).toBeLessThan(within);
  });
}

describe("boundariesOf()", () => {
  // As ldbounds and gsDesign (sfLDOF) print them for a two-sided 5 %: Reboussin, DeMets, Kim & Lan 2000, "Computations for group sequential boundaries
  // using the Lan-DeMets spending function method".
  it.each([
    [1, [1.96]],
    [2, [2.9626, 1.9686]],
    [3, [3.7103, 2.5114, 1.993]],
    [4, [4.3326, 2.9631, 2.359, 2.0141]],
    [5, [4.8769, 3.3569, 2.6803, 2.2898, 2.031]],
  ])("of %d looks are the published ones", (looks, wanted) => {
    expectClose(boundariesOf(looksAt(equal(looks))), wanted, 1.5e-4);
  });

  // Below by scipy 1.17: Simpson's rule on a grid of 0.002 to 0.004, brentq.
  it("of 28 daily looks are those of an independent integration", () => {
    const wanted = [
      [Infinity, Infinity, Infinity, 5.81533, 5.17803, 4.7087, 4.34588, 4.05513, 3.8156, 3.61393, 3.44114, 3.29097, 3.15887, 3.0415],
      [2.93631, 2.84134, 2.75502, 2.67613, 2.60365, 2.53676, 2.47477, 2.41712, 2.36333, 2.31297, 2.2657, 2.22122, 2.17926, 2.13959],
    ].flat();
    expectClose(boundariesOf(looksAt(equal(28))), wanted, 2e-5);
  });

  it("follow the information where it is not the fraction of the plan", () => {
    const days = [0.1, 0.2, 0.4, 0.5, 0.55, 0.8, 0.95, 1];
    const information = [0.05, 0.08, 0.3, 0.31, 0.33, 0.7, 0.9, 1];
    const wanted = [Infinity, 4.87688, 3.35717, 2.96315, 2.84584, 2.30026, 2.13996, 2.18572];
    expectClose(boundariesOf(looksAt(days, information)), wanted, 2e-5);
    expectClose(boundariesOf(looksAt([0.3, 0.6, 1], [0.2, 0.7, 1])), [3.92857, 2.67128, 1.9729], 2e-5);
    expectClose(boundariesOf(looksAt(equal(4), equal(4), 0.01)), [5.49296, 3.8014, 3.04448, 2.60301], 2e-5);
  });

  it("use up at the last look what is left, after fewer looks than planned", () => {
    const [first, second] = boundariesOf([...looksAt([0.5]), { spent: ALPHA, information: 0.6 }]);
    expect(first).toBeCloseTo(2.9626, 3);
    // By hand: with all of α at once it would be 1.96, and nothing that was used up comes back.
    expect(second).toBeGreaterThan(1.96);
    expect(second).toBeLessThan(2.02);
  });

  it.each([90, 365])("of %d looks end near the continuous boundary", (looks) => {
    const found = boundariesOf(looksAt(equal(looks)));
    expect(found.at(-1)).toBeGreaterThan(2.18);
    // Of the fraction t it is about z(1 − α/4) / √t where looks are many.
    expect(found.at(-1)).toBeLessThan(2.2415);
    const finite = found.filter((value) => value < Infinity);
    expect(finite).toEqual(finite.toSorted((a, b) => b - a));
  });

  it("hold where looks add next to no information, or none", () => {
    const found = boundariesOf(looksAt([0.5, 0.5, 0.500001, 0.9, 1], [0.5, 0.5, 0.5, 0.5, 1]));
    expect(found.every((value) => value >= 1.95)).toBe(true);
    expect(found[1]).toBe(Infinity);
  });

  it("are crossed in 5 % of motions without a drift", () => {
    const random = createLongRandom("motions");
    const looks = 28;
    const boundaries = boundariesOf(looksAt(equal(looks)));
    let crossed = 0;
    for (let run = 0; run < 20_000; run++) {
      let sum = 0;
      for (let k = 0; k < looks; k++) {
        sum += random.normal();
        if (Math.abs(sum) / Math.sqrt(k + 1) <= boundaries[k]!) continue;
        crossed++;
        break;
      }
    }
    // Four standard errors.
    expect(Math.abs(crossed / 20_000 - ALPHA)).toBeLessThan(0.0062);
  });
});

describe("spentAt()", () => {
  it("uses up 4 (1 − Φ(z(1 − α/4) / √t)), nothing at the start and all at the end", () => {
    expect([spentAt(0, ALPHA), spentAt(1, ALPHA), spentAt(2, ALPHA)]).toEqual([0, ALPHA, ALPHA]);
    // 2 × .00305 either side (Lan & DeMets 1983, for a one-sided .025 at one half); scipy: 4 * norm.sf(norm.ppf(1 - .05 / 4) / sqrt(.5)) = .0030510
    expect(spentAt(0.5, ALPHA)).toBeCloseTo(0.003051, 6);
    expect(spentAt(0.01, ALPHA)).toBe(0);
    expect(spentAt(Number.NaN, ALPHA)).toBe(0);
  });
});

describe("inflationOf()", () => {
  // Jennison & Turnbull's inflation factor; by scipy, a grid of .01.
  it.each([
    [5, 0.8, 1.02472],
    [5, 0.9, 1.02308],
    [28, 0.8, 1.04909],
    [1, 0.8, 1],
  ])("of %d looks with a power of %d is %d", (looks, power, wanted) => {
    expect(inflationOf(looks, { alpha: ALPHA, power })).toBeCloseTo(wanted, 5);
  });
});
