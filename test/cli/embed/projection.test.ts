import { describe, expect, it } from "vitest";
import { fitProjection, project } from "../../../src/cli/embed/projection.ts";

/** Deterministic, roughly normal numbers: twelve uniforms, Irwin-Hall. */
function createNormal(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  return () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, 0) - 6;
}

/** A random rotation of `dim` axes: Gram-Schmidt of normal rows. */
function rotation(dim: number, seed: number): number[][] {
  const normal = createNormal(seed);
  const rows: number[][] = [];
  for (let i = 0; i < dim; i++) {
    let row = Array.from({ length: dim }, normal);
    for (const other of rows) {
      const along = row.reduce((sum, value, d) => sum + value * other[d]!, 0);
      row = row.map((value, d) => value - along * other[d]!);
    }
    const length = Math.hypot(...row);
    rows.push(row.map((value) => value / length));
  }
  return rows;
}

/** Rows whose standard deviation along axis i of a rotation is `deviations[i]`, around `mean`. */
function cloud(count: number, deviations: readonly number[], axes: number[][], mean: number, seed: number): Float32Array {
  const normal = createNormal(seed);
  const dim = axes.length;
  const rows = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) {
    const along = axes.map((_, a) => normal() * (deviations[a] ?? 0));
    for (let d = 0; d < dim; d++) rows[i * dim + d] = mean + axes.reduce((sum, axis, a) => sum + along[a]! * axis[d]!, 0);
  }
  return rows;
}

const row = (matrix: Float32Array, i: number, dim: number) => matrix.subarray(i * dim, (i + 1) * dim);
const dot = (a: Float32Array, b: ArrayLike<number>) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, d) => value - b[d]!));

describe("fitProjection()", () => {
  const dim = 24;
  const axes = rotation(dim, 7);
  const deviations = [5, 4, 3, 2, 1, 0.5, ...Array.from<number>({ length: dim - 6 }).fill(0.05)];
  const rows = cloud(1500, deviations, axes, 3, 11);
  const fitted = fitProjection(rows, { inDim: dim, outDim: 4 });

  it("finds the axes along which the rows vary most, in order", () => {
    for (let i = 0; i < 4; i++) expect(Math.abs(dot(row(fitted.components, i, dim), axes[i]!))).toBeGreaterThan(0.98);
  });

  it("knows their variance: 25, 16, 9, 4 within sampling error", () => {
    [25, 16, 9, 4].forEach((variance, i) => expect(Math.abs(fitted.variances[i]! / variance - 1)).toBeLessThan(0.15));
    for (let i = 0; i < 4; i++) {
      let squares = 0;
      for (let r = 0; r < 1500; r++) squares += project(fitted, row(rows, r, dim))[i]! ** 2 / 1500;
      expect(squares / fitted.variances[i]!).toBeCloseTo(1, 3);
    }
  });

  it("gives orthonormal components and projects the mean to zero", () => {
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        expect(dot(row(fitted.components, i, dim), row(fitted.components, j, dim))).toBeCloseTo(i === j ? 1 : 0, 5);
      }
    }
    for (const value of project(fitted, fitted.mean)) expect(value).toBeCloseTo(0, 5);
  });

  it("is the same for the same rows, and finds the same axes from another seed", () => {
    expect(fitProjection(rows, { inDim: dim, outDim: 4 })).toEqual(fitted);
    const other = fitProjection(rows, { inDim: dim, outDim: 4, seed: 99 });
    for (let i = 0; i < 4; i++) expect(Math.abs(dot(row(other.components, i, dim), row(fitted.components, i, dim)))).toBeCloseTo(1, 4);
  });

  it("keeps distances when nothing is cut off", () => {
    const whole = fitProjection(rows, { inDim: dim, outDim: dim });
    const [a, b] = [row(rows, 0, dim), row(rows, 1, dim)];
    expect(distance(project(whole, a), project(whole, b))).toBeCloseTo(distance(a, b), 3);
  });

  it("fills up with zeros what few or equal rows cannot give", () => {
    const two = fitProjection(rows.slice(0, 2 * dim), { inDim: dim, outDim: 4 });
    expect([...two.variances].map((variance) => variance > 0)).toEqual([true, false, false, false]);
    const same = fitProjection(Float32Array.of(1, 2, 3, 1, 2, 3), { inDim: 3, outDim: 5 });
    expect(project(same, Float32Array.of(1, 2, 3))).toEqual(new Float32Array(5));
  });
});
