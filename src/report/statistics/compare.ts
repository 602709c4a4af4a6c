/**
 * Two arms, one metric: difference and relative lift, each with an interval that holds for one look at a length fixed before, and with a
 * sequence that holds for any number of looks.
 *
 * The relative lift is taken on the logarithm of the ratio by the delta method (Katz et al. 1978 for proportions; Deng et al. 2018, section
 * 2.3): it never leaves −100 %, and B against A says the same as A against B, which neither holds for an interval around the ratio itself.
 */
import { normalQuantile, twoSidedP } from "./normal.ts";
import type { Estimate } from "./ratio.ts";
import { alwaysValidP, sequenceFactor, type SequenceOptions } from "./sequential.ts";

/** Clusters with an event that each arm needs before anything is said: below it the normal approximation does not hold. */
export const FEWEST_ACTIVE = 20;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Effect {
  readonly value: number;
  /** For one look at a length fixed before. */
  readonly fixed: Interval;
  /** For any number of looks. */
  readonly always: Interval;
}

export interface Comparison {
  readonly difference: Effect;
  /** 0.03 is three percent more than control. */
  readonly lift: Effect;
  /** Of the logarithm of the ratio. */
  readonly standardError: number;
  /** Both arms together. */
  readonly clusters: number;
  readonly p: { readonly fixed: number; readonly always: number };
}

/** Why nothing can be compared. */
export type Incomparable = "no_data" | "no_events" | "too_few_events";

/** The p-values and the intervals of the lift say the same; the difference is there for its unit. */
export function compareArms(
  control: Estimate | undefined,
  variant: Estimate | undefined,
  options: SequenceOptions,
): Comparison | Incomparable {
  if (control === undefined || variant === undefined) return "no_data";
  if (!(control.value > 0) || !(variant.value > 0)) return "no_events";
  if (control.active < FEWEST_ACTIVE || variant.active < FEWEST_ACTIVE) return "too_few_events";
  const clusters = control.clusters + variant.clusters;
  const once = normalQuantile(1 - options.alpha / 2);
  const anytime = sequenceFactor(clusters, options);

  const difference = variant.value - control.value;
  const deviation = Math.sqrt(control.variance + variant.variance);
  const log = Math.log(variant.value / control.value);
  const standardError = Math.sqrt(control.variance / control.value ** 2 + variant.variance / variant.value ** 2);
  const lifted = (half: number): Interval => ({ low: Math.expm1(log - half), high: Math.expm1(log + half) });
  const z = standardError > 0 ? log / standardError : log === 0 ? 0 : Infinity;
  return {
    difference: { value: difference, fixed: around(difference, once * deviation), always: around(difference, anytime * deviation) },
    lift: { value: Math.expm1(log), fixed: lifted(once * standardError), always: lifted(anytime * standardError) },
    standardError,
    clusters,
    p: { fixed: twoSidedP(z), always: alwaysValidP(z, clusters, options) },
  };
}

function around(value: number, half: number): Interval {
  return { low: value - half, high: value + half };
}
