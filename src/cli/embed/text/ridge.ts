/**
 * Least squares with a pull towards a start, for many columns at once. Pure.
 *
 * Sparse: conjugate gradients on the normal equations with their diagonal as preconditioner (Golub and Van Loan, 11.5). Their matrix is never
 * formed: a catalogue has thousands of pieces, a text a handful of them. Dense: Cholesky.
 */

interface MeanFit {
  /** Each text as the rows whose mean stands for it. A row may occur twice. */
  readonly texts: readonly (readonly number[])[];
  /** [texts, width] */
  readonly targets: Float32Array;
  /** [rows, width] */
  readonly start: Float32Array;
  readonly width: number;
  /** Weight of the pull towards `start`. */
  readonly ridge: number;
}

/** Of the length of what is left, against the start. */
const TOLERANCE = 1e-3;
const MAX_ROUNDS = 100;

/** Rows R that minimise Σ |mean of R over a text − its target|² + ridge · |R − start|². [rows, width] */
export function fitMeans({ texts, targets, start, width, ridge }: MeanFit): Float32Array {
  const count = start.length / width;
  const diagonal = new Float64Array(count).fill(ridge);
  for (const rows of texts)
    for (const row of new Set(rows)) diagonal[row]! += (rows.filter((other) => other === row).length / rows.length) ** 2;

  const means = new Float32Array(texts.length * width);
  const toMeans = (values: Float32Array): Float32Array => {
    means.fill(0);
    texts.forEach((rows, text) => {
      for (const row of rows) addScaled(means, text * width, values, row * width, 1 / rows.length, width);
    });
    return means;
  };
  const addToRows = (into: Float32Array, values: Float32Array): void => {
    texts.forEach((rows, text) => {
      for (const row of rows) addScaled(into, row * width, values, text * width, 1 / rows.length, width);
    });
  };

  // What the start leaves of the targets, spread over the rows.
  const rest = new Float32Array(start.length);
  const left = toMeans(start);
  for (let i = 0; i < left.length; i++) left[i] = targets[i]! - left[i]!;
  addToRows(rest, left);

  const change = new Float32Array(start.length);
  const image = new Float32Array(start.length);
  const scaled = new Float32Array(start.length);
  const precondition = (): void => {
    for (let row = 0; row < count; row++) {
      const by = 1 / diagonal[row]!;
      for (let i = row * width; i < (row + 1) * width; i++) scaled[i] = rest[i]! * by;
    }
  };
  precondition();
  const direction = scaled.slice();
  let weighted = columnProducts(rest, scaled, width);
  const goal = weighted.map((value) => value * TOLERANCE ** 2);
  for (let round = 0; round < MAX_ROUNDS && weighted.some((value, d) => value > goal[d]!); round++) {
    for (let i = 0; i < image.length; i++) image[i] = ridge * direction[i]!;
    addToRows(image, toMeans(direction));
    const step = quotients(weighted, columnProducts(direction, image, width));
    for (let at = 0; at < change.length; at += width) {
      for (let d = 0; d < width; d++) {
        change[at + d]! += step[d]! * direction[at + d]!;
        rest[at + d]! -= step[d]! * image[at + d]!;
      }
    }
    precondition();
    const next = columnProducts(rest, scaled, width);
    const keep = quotients(next, weighted);
    for (let at = 0; at < direction.length; at += width) {
      for (let d = 0; d < width; d++) direction[at + d] = scaled[at + d]! + keep[d]! * direction[at + d]!;
    }
    weighted = next;
  }
  for (let i = 0; i < change.length; i++) change[i]! += start[i]!;
  return change;
}

function addScaled(into: Float32Array, at: number, from: Float32Array, start: number, scale: number, width: number): void {
  for (let d = 0; d < width; d++) into[at + d]! += scale * from[start + d]!;
}

/** The dot product of each column of `a` with that of `b`. */
function columnProducts(a: Float32Array, b: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < a.length; at += width) for (let d = 0; d < width; d++) sums[d]! += a[at + d]! * b[at + d]!;
  return sums;
}

/** 0 for a column that is solved already. */
function quotients(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, d) => (b[d]! > 0 ? value / b[d]! : 0));
}

/** `xx` [n, n] = XᵀX and `xy` [n, m] = XᵀY: B of (XᵀX + ridge·I) B = XᵀY, [n, m]. `ridge` above 0. */
export function solveRidge(xx: Float64Array, xy: Float64Array, { n, m, ridge }: Record<"n" | "m" | "ridge", number>): Float64Array {
  const lower = xx.slice();
  for (let i = 0; i < n; i++) lower[i * n + i]! += ridge;
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) {
      const factor = lower[j * n + k]!;
      if (factor !== 0) for (let i = j; i < n; i++) lower[i * n + j]! -= lower[i * n + k]! * factor;
    }
    const pivot = Math.sqrt(Math.max(lower[j * n + j]!, Number.MIN_VALUE));
    for (let i = j; i < n; i++) lower[i * n + j]! /= pivot;
  }
  const solved = xy.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractScaled(solved, i, k, lower[i * n + k]!, m);
    divide(solved, i, lower[i * n + i]!, m);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractScaled(solved, i, k, lower[k * n + i]!, m);
    divide(solved, i, lower[i * n + i]!, m);
  }
  return solved;
}

function subtractScaled(rows: Float64Array, into: number, from: number, scale: number, m: number): void {
  for (let d = 0; d < m; d++) rows[into * m + d]! -= scale * rows[from * m + d]!;
}

function divide(rows: Float64Array, row: number, by: number, m: number): void {
  for (let d = 0; d < m; d++) rows[row * m + d]! /= by;
}
