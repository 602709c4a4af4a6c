/** Tails and quantiles of the normal, chi-square and beta distributions, by Cephes (compiled to WebAssembly). */
import * as cephes from "cephes";
import { errorText } from "../../web.ts";

await cephes.compiled;

/** P(Z > z) */
export function normalTail(z: number): number {
  if (Math.abs(z) === Infinity) return z > 0 ? 0 : 1; // NaN in Cephes
  return cephes.ndtr(-z);
}

/** P(|Z| > |z|) */
export function twoSidedP(z: number): number {
  return 2 * normalTail(Math.abs(z));
}

/** The z with P(Z < z) = p, 0 < p < 1. Throws a RangeError outside. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A probability between 0 and 1 is needed, not ${p}`);
  return cephes.ndtri(p);
}

/** P(X > chiSquare) with `degreesOfFreedom` > 0; 0 where it is below the smallest number, about 1e-308. */
export function chiSquareTail(chiSquare: number, degreesOfFreedom: number): number {
  try {
    return cephes.igamc(degreesOfFreedom / 2, chiSquare / 2);
  } catch (error) {
    if (errorText(error).includes("underflow")) return 0;
    throw error;
  }
}

/** I_x(a, b), the regularised incomplete beta function; a, b > 0, 0 <= x <= 1. DLMF 8.17.2. */
export function incompleteBeta(x: number, a: number, b: number): number {
  return cephes.incbet(a, b, x);
}

/** The x with I_x(a, b) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  return cephes.incbi(a, b, p);
}

/** ln B(a, b); a, b > 0. */
export function logBeta(a: number, b: number): number {
  return cephes.lbeta(a, b);
}
