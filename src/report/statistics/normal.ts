/** The standard normal distribution: tails and quantiles. */
import { upperGamma } from "./gamma.ts";

/** P(Z > z); exact far into the tail. */
export function normalTail(z: number): number {
  if (Math.abs(z) === Infinity) return z > 0 ? 0 : 1;
  // erfc(x) = Q(1/2, x²), DLMF 7.11.2
  const half = upperGamma(0.5, (z * z) / 2) / 2;
  return z >= 0 ? half : 1 - half;
}

/** P(|Z| > |z|) */
export function twoSidedP(z: number): number {
  return Math.min(1, 2 * normalTail(Math.abs(z)));
}

/** The z with P(Z < z) = p, 0 < p < 1. Throws a RangeError outside. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A probability between 0 and 1 is needed, not ${p}`);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  // Abramowitz & Stegun 26.2.23 to three digits, Newton's method for the rest.
  const t = Math.sqrt(-2 * Math.log(tail));
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 6; step++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    z += (normalTail(z) - tail) / density;
  }
  return p < 0.5 ? -z : z;
}
