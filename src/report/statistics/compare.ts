/**
 * Two arms, one metric: difference and relative lift, each with a confidence interval for one look at a fixed length, and with a confidence
 * sequence for any number of looks. Holm's correction for many comparisons.
 *
 * The interval of the lift is computed on the logarithm of the ratio by the delta method (Katz et al. 1978 for proportions; Deng et al. 2018,
 * section 2.3): it never falls below −100 %, and B against A agrees with A against B. An interval around the ratio itself has neither property.
 */
import { normalQuantile, twoSidedP } from "./distributions.ts";
import type { Estimate } from "./ratio.ts";
import { alwaysValidP, sequenceFactor, type SequenceOptions } from "./sequential.ts";

/** Clusters with an event that each arm needs: below it the normal approximation does not hold. */
export const FEWEST_ACTIVE = 20;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export type Comparison = Exclude<ReturnType<typeof compareArms>, string>;

/** Reasons not to compare. */
export type Incomparable = Extract<ReturnType<typeof compareArms>, string>;

/**
 * `fixed`: confidence interval for one look at a fixed length; `always`: confidence sequence for any number of looks. The lift is relative (0.03
 * is three percent more than control), the difference is in the unit of the metric.
 *
 * An effect has to show on both scales. The logarithm alone calls one order that is a hundred times the arm's revenue significant, because its
 * standard error by the delta method never exceeds 1 while the logarithm itself has no bound; on the linear scale such an order is as large as its
 * own standard error. So `p` is the larger of the two, and below α only where both intervals leave 0 out.
 *
 * `factor`: half the width of `always` in standard errors, instead of the sequence's: the boundary of a look that a plan has fixed.
 */
export function compareArms(
  control: Estimate | undefined,
  variant: Estimate | undefined,
  options: SequenceOptions & { readonly fewestActive?: number; readonly factor?: number | undefined },
) {
  const { fewestActive = FEWEST_ACTIVE } = options;
  if (control === undefined || variant === undefined) return "no_data" as const;
  if (control.value < 0 || variant.value < 0) return "below_zero" as const;
  if (!(control.value > 0) || !(variant.value > 0)) return "no_events" as const;
  if (control.active < fewestActive || variant.active < fewestActive) return "too_few_events" as const;
  const clusters = control.clusters + variant.clusters;
  const once = normalQuantile(1 - options.alpha / 2);
  const anytime = options.factor ?? sequenceFactor(clusters, options);

  const difference = variant.value - control.value;
  const deviation = Math.sqrt(control.variance + variant.variance);
  const log = Math.log(variant.value / control.value);
  const standardError = Math.sqrt(control.variance / control.value ** 2 + variant.variance / variant.value ** 2);
  const lifted = (half: number): Interval => ({ low: Math.expm1(log - half), high: Math.expm1(log + half) });
  const pOf = (estimate: number, error: number) => {
    const z = error > 0 ? estimate / error : estimate === 0 ? 0 : Infinity;
    return { fixed: twoSidedP(z), always: alwaysValidP(z, clusters, options) };
  };
  const [linear, relative] = [pOf(difference, deviation), pOf(log, standardError)];
  return {
    difference: {
      value: difference,
      fixed: around(difference, once * deviation),
      always: around(difference, anytime * deviation),
      p: linear,
    },
    lift: { value: Math.expm1(log), fixed: lifted(once * standardError), always: lifted(anytime * standardError), p: relative },
    /** Of the logarithm of the ratio. */
    standardError,
    /** Both arms together. */
    clusters,
    /** Of both scales together: the larger one. */
    p: { fixed: Math.max(linear.fixed, relative.fixed), always: Math.max(linear.always, relative.always) },
  };
}

function around(value: number, half: number): Interval {
  return { low: value - half, high: value + half };
}

/**
 * Adjusted p-values, parallel to `p`: never below the given one, at most 1. The chance that any rejected hypothesis is true stays below α
 * under any dependence between the tests (Holm 1979, "A simple sequentially rejective multiple test procedure"). Chosen over Benjamini and
 * Hochberg's procedure, which controls a share, because a table of segments is read for the one segment to act on.
 */
export function holm(p: readonly number[]): readonly number[] {
  const order = p.map((_, i) => i).toSorted((a, b) => (p[a] ?? 1) - (p[b] ?? 1));
  const adjusted = p.map(() => 1);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, (p.length - rank) * (p[index] ?? 1)));
    adjusted[index] = highest;
  });
  return adjusted;
}
