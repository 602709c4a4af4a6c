/**
 * Two counts of shoppers with an event, for arms too small or too empty for the normal approximation.
 *
 * Without an effect, whoever buys was put into either arm by the split alone: each buyer is a toss with the known probability of the arm. So the
 * count is tested against the binomial distribution (Clopper & Pearson 1934 for one look), and for any number of looks by the mixture
 * ∫ θᵏ (1 − θ)ⁿ⁻ᵏ dθ / θ₀ᵏ (1 − θ₀)ⁿ⁻ᵏ, which starts at 1, is a martingale, and so ever reaches 1/α with a probability of at most α
 * (Robbins 1970, "Statistical methods related to the law of the iterated logarithm"; Lindon & Malek 2022, "Anytime-valid inference for
 * multinomial count data"). Both are exact at any size.
 */
import type { Interval } from "./compare.ts";
import { incompleteBeta, logBeta } from "./distributions.ts";
import { exactShare } from "./preference.ts";

/** `units`: with an event, of the `of` in that arm. */
export type Count = Readonly<Record<"units" | "of", number>>;

export type ExactComparison = NonNullable<ReturnType<typeof compareCounts>>;

/**
 * `share`: of the variant in the split between the two, 0..1. `undefined` without any event. The lift is that of the share of units with an event;
 * it has no upper end where control has none.
 */
export function compareCounts(control: Count, variant: Count, { share, alpha }: Record<"share" | "alpha", number>) {
  const n = control.units + variant.units;
  const k = variant.units;
  if (!(n > 0) || !(share > 0 && share < 1)) return undefined;
  const odds = (1 - share) / share;
  const lifted = ({ low, high }: Interval) => ({
    low: (low / (1 - low)) * odds - 1,
    high: high < 1 ? (high / (1 - high)) * odds - 1 : null,
  });
  return {
    control,
    variant,
    share,
    lift: {
      value: control.units > 0 ? (k / control.units) * odds - 1 : null,
      fixed: lifted(exactShare(k, n, alpha)),
      always: lifted(mixtureInterval(k, n, alpha)),
    },
    p: { fixed: binomialP(k, n, share), always: Math.min(1, Math.exp(-logMixture(k, n, share))) },
  };
}

/** Two-sided: twice the smaller tail, as `exactShare` has it. */
function binomialP(k: number, n: number, share: number): number {
  // P(X >= k) = I_p(k, n − k + 1), DLMF 8.17.5
  const atLeast = k === 0 ? 1 : incompleteBeta(share, k, n - k + 1);
  const atMost = k === n ? 1 : incompleteBeta(1 - share, n - k, k + 1);
  return Math.min(1, 2 * Math.min(atLeast, atMost));
}

/** ln of the mixture with a uniform weight on θ. */
function logMixture(k: number, n: number, share: number): number {
  return logBeta(1 + k, 1 + n - k) - logLikelihood(k, n, share);
}

function logLikelihood(k: number, n: number, share: number): number {
  return (k === 0 ? 0 : k * Math.log(share)) + (n === k ? 0 : (n - k) * Math.log1p(-share));
}

/** All shares that the mixture has not rejected. The likelihood has one maximum, at k/n, so this is an interval. */
function mixtureInterval(k: number, n: number, alpha: number): Interval {
  const isRejected = (share: number): boolean => logMixture(k, n, share) >= -Math.log(alpha);
  const edge = (outside: number): number => {
    let [out, inside] = [outside, k / n];
    for (let step = 0; step < 60; step++) {
      const middle = (out + inside) / 2;
      if (isRejected(middle)) out = middle;
      else inside = middle;
    }
    return out;
  };
  return { low: k === 0 ? 0 : edge(0), high: k === n ? 1 : edge(1) };
}
