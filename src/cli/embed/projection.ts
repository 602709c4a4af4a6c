/**
 * Principal components: reduces the vectors of any encoder to the stored dims with the least loss of variance.
 *
 * Subspace iteration with Rayleigh-Ritz (Halko, Martinsson, Tropp 2011, section 4.5): no eigenvalue library, and no matrix larger than the
 * data. Pure and seeded: the same rows give the same projection.
 */

/** out = components · (vector - mean); rows of `components` are orthonormal, in order of falling variance. */
export interface Projection {
  readonly inDim: number;
  /** May ask for more than the rows can give: surplus components are zero. */
  readonly outDim: number;
  readonly mean: Float32Array; // [inDim]
  readonly components: Float32Array; // [outDim, inDim]
  /** Variance of the rows along each component. */
  readonly variances: Float32Array; // [outDim]
}

type FitOptions = Pick<Projection, "inDim" | "outDim"> & { readonly seed?: number };

/** More rows do not change the leading components by much and cost time. */
const MAX_FIT_ROWS = 2000;

/** Extra columns make the wanted ones converge; each round shrinks the error by the ratio of the variances next to the cut. */
const OVERSAMPLING = 12;
const ROUNDS = 8;

/** A column shorter than this after orthogonalisation is rounding noise. */
const DEGENERATE = 1e-9;

/** Fits on `rows` ([n, inDim], row-major, n ≥ 1); with more than MAX_FIT_ROWS on evenly spaced ones. */
export function fitProjection(rows: Float32Array, { inDim, outDim, seed = 1 }: FitOptions): Projection {
  const { sample, mean } = centred(rows, inDim);
  const count = sample.length / inDim;
  const width = Math.min(outDim + OVERSAMPLING, inDim, count);
  let basis = orthonormal(gaussian(width * inDim, seed), width, inDim);
  for (let round = 0; round < ROUNDS; round++) basis = orthonormal(applyCovariance(sample, basis, width, inDim), width, inDim);

  // The covariance within the basis is small enough for Jacobi rotations; its eigenvectors turn the basis into components.
  const image = applyCovariance(sample, basis, width, inDim);
  const small = new Float64Array(width * width);
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) small[i * width + j] = dot(basis, i * inDim, image, j * inDim, inDim);
  const { values, vectors } = eigenSymmetric(small, width);
  const order = [...values.keys()].toSorted((a, b) => values[b]! - values[a]!);

  const components = new Float32Array(outDim * inDim);
  const variances = new Float32Array(outDim);
  for (const [row, from] of order.slice(0, outDim).entries()) {
    if (values[from]! <= DEGENERATE * Math.max(1, values[order[0]!]!)) break;
    variances[row] = values[from]!;
    for (let b = 0; b < width; b++) {
      const weight = vectors[b * width + from]!;
      for (let d = 0; d < inDim; d++) components[row * inDim + d]! += weight * basis[b * inDim + d]!;
    }
  }
  return { inDim, outDim, mean, components, variances };
}

/** One vector [inDim] → [outDim]. */
export function project(projection: Projection, vector: Float32Array): Float32Array {
  const { inDim, outDim, mean, components } = projection;
  const offset = vector.map((value, d) => value - mean[d]!);
  return Float32Array.from({ length: outDim }, (_, row) => dot(components, row * inDim, offset, 0, inDim));
}

function centred(rows: Float32Array, inDim: number): { readonly sample: Float32Array; readonly mean: Float32Array } {
  const available = rows.length / inDim;
  const count = Math.min(available, MAX_FIT_ROWS);
  const sample = new Float32Array(count * inDim);
  const sum = new Float64Array(inDim);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * available) / count) * inDim;
    for (let d = 0; d < inDim; d++) {
      const value = rows[from + d]!;
      sample[i * inDim + d] = value;
      sum[d]! += value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / count);
  for (let i = 0; i < count; i++) for (let d = 0; d < inDim; d++) sample[i * inDim + d]! -= mean[d]!;
  return { sample, mean };
}

/** basis · sampleᵀ · sample / n: every basis row times the covariance. [width, inDim] */
function applyCovariance(sample: Float32Array, basis: Float64Array, width: number, inDim: number): Float64Array {
  const count = sample.length / inDim;
  const result = new Float64Array(width * inDim);
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < width; b++) {
      const along = dot(basis, b * inDim, sample, i * inDim, inDim) / count;
      for (let d = 0; d < inDim; d++) result[b * inDim + d]! += along * sample[i * inDim + d]!;
    }
  }
  return result;
}

/** Gram-Schmidt, twice for accuracy; a row that depends on the others becomes zero. */
function orthonormal(rows: Float64Array, count: number, dim: number): Float64Array {
  const result = rows.slice();
  const scale = Math.sqrt(dot(rows, 0, rows, 0, rows.length) / count);
  for (let i = 0; i < count; i++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const along = dot(result, i * dim, result, j * dim, dim);
        for (let d = 0; d < dim; d++) result[i * dim + d]! -= along * result[j * dim + d]!;
      }
    }
    const length = Math.sqrt(dot(result, i * dim, result, i * dim, dim));
    const keep = length > DEGENERATE * scale ? 1 / length : 0;
    for (let d = 0; d < dim; d++) result[i * dim + d]! *= keep;
  }
  return result;
}

/** Cyclic Jacobi. Column `k` of `vectors` [n, n] belongs to `values[k]`. */
export function eigenSymmetric(matrix: Float64Array, n: number): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p * n + q]! ** 2;
    if (off < 1e-24) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };
}

/** One rotation that zeroes a[p, q] (Golub and Van Loan, 8.5.2). */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const tau = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = tau >= 0 ? 1 / (tau + Math.hypot(1, tau)) : 1 / (tau - Math.hypot(1, tau));
  const c = 1 / Math.hypot(1, t);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [a[p * n + k]!, a[q * n + k]!];
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const [vp, vq] = [vectors[k * n + p]!, vectors[k * n + q]!];
    vectors[k * n + p] = c * vp - s * vq;
    vectors[k * n + q] = s * vp + c * vq;
  }
}

type Numbers = Float32Array | Float64Array;

function dot(a: Numbers, aFrom: number, b: Numbers, bFrom: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aFrom + i]! * b[bFrom + i]!;
  return sum;
}

/** Box-Muller over a linear congruential generator (Numerical Recipes); quality beyond "not aligned with the data" is not needed. */
function gaussian(length: number, seed: number): Float64Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float64Array.from({ length }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
