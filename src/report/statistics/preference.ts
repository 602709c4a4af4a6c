/**
 * Interleaving: two orders in one list, and clicks as votes. Is the preference for one of them more than chance?
 *
 * Each judge (a shopper, or a search of an unknown shopper) has one vote, for the team with more of its clicks. Chapelle,
 * Joachims, Radlinski & Yue 2012, "Large-scale validation and analysis of interleaved search evaluation".
 */
import { betaQuantile, incompleteBeta } from "./distributions.ts";
import type { Interval } from "./compare.ts";
import { sequenceFactor, type SequenceOptions } from "./sequential.ts";

/** `ties`: judges with as many clicks on one team as on the other; without a click there is no judge. */
export type Votes = Readonly<Record<"a" | "b" | "ties", number>>;

/** P(at least as uneven as `a` : `b`) for a fair coin. */
export function signTest(a: number, b: number): number {
  const n = a + b;
  const most = Math.max(a, b);
  // P(X >= k) = I_p(k, n − k + 1), DLMF 8.17.5
  return most * 2 === n ? 1 : Math.min(1, 2 * incompleteBeta(0.5, most, n - most + 1));
}

/** Clopper & Pearson 1934: covers at least 1 − α for every share. */
export function exactShare(successes: number, n: number, alpha: number): Interval {
  return {
    low: successes === 0 ? 0 : betaQuantile(alpha / 2, successes, n - successes + 1),
    high: successes === n ? 1 : betaQuantile(1 - alpha / 2, successes + 1, n - successes),
  };
}

/** `undefined` without a vote. */
export function preferenceOf({ a, b, ties }: Votes, options: SequenceOptions) {
  const votes = a + b;
  if (votes === 0) return undefined;
  const shareOfB = b / votes;
  // The largest variance of a share, so that the sequence does not collapse while all votes agree.
  const half = (sequenceFactor(votes, options) * 0.5) / Math.sqrt(votes);
  return {
    /** −0.5..0.5: equation 1 of Chapelle et al., for b. */
    score: (b + ties / 2) / (votes + ties) - 0.5,
    /** Ties left out. */
    shareOfB,
    fixed: exactShare(b, votes, options.alpha),
    always: { low: Math.max(0, shareOfB - half), high: Math.min(1, shareOfB + half) },
    p: signTest(a, b),
  };
}
