import { describe, expect, it } from "vitest";
import { fitMeans, solveRidge } from "../../../../src/cli/embed/text/ridge.ts";

describe("fitMeans()", () => {
  it("gives the rows that numpy gives for the same sums", () => {
    // numpy.linalg.solve(A'A + ridge·I, A'(Y − A·W0)) + W0, with A of the means below.
    const rows = fitMeans({
      texts: [[0, 1], [1], [0, 1, 2], [2, 2, 0]],
      targets: Float32Array.of(1, 0, 0, 1, 0.5, -1, 2, 1),
      start: Float32Array.of(0.1, 0.2, -0.3, 0.4, 0, 0.5),
      width: 2,
      ridge: 0.02,
    });
    REFERENCE.forEach((value, i) => expect(rows[i]).toBeCloseTo(value, 3));
  });
});

const REFERENCE = [1.6451, -1.39773, -0.08613, 0.75252, 1.67004, 1.26075];

describe("solveRidge()", () => {
  it("gives the solution that numpy gives", () => {
    // numpy.linalg.solve(X'X + .5·I, X'Y); of X'X only the lower triangle is read.
    const solved = solveRidge(Float64Array.of(14, Number.NaN, 3, 10), Float64Array.of(7, 3, 5, 9, 0, 2), { n: 2, m: 3, ridge: 0.5 });
    [0.324607, 0.219895, 0.324607, 0.764398, -0.062827, 0.097731].forEach((value, i) => expect(solved[i]).toBeCloseTo(value, 5));
  });
});
