/**
 * Asymptotic confidence sequences: intervals that may be read after every day, in an experiment that may be stopped at any time, without more
 * false alarms than α.
 *
 * Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
 * confidence sequences" (Annals of Statistics 2024; arXiv 2103.06476v7). GrowthBook uses the same. At its best the sequence is about
 * 1.6 times as wide as an interval for one look.
 */

/** N*: number of clusters (both arms together) at which the sequence is tightest; GrowthBook's default. Valid only if fixed before the experiment. */
export const DEFAULT_TUNING = 5000;

export interface SequenceOptions {
  /** Probability of ever excluding the truth. */
  readonly alpha: number;
  /** N* */
  readonly tuning: number;
}

/** ρ² of equation 161, which makes the sequence tightest at N*. */
function mixture({ alpha, tuning }: SequenceOptions): number {
  const log = -2 * Math.log(alpha);
  return (log + Math.log(log + 1)) / tuning;
}

/** Half width of the sequence in standard errors of the estimate, after `n` clusters: equation 9 over σ/√n. Infinite at n = 0. */
export function sequenceFactor(n: number, options: SequenceOptions): number {
  const t = n * mixture(options);
  return Math.sqrt(((2 * (t + 1)) / t) * Math.log(Math.sqrt(t + 1) / options.alpha));
}

/**
 * The smallest α at which the sequence of the same mixture would exclude 0, for an estimate `z` standard errors away from it: equation 9 solved for α.
 * Valid after every look.
 */
export function alwaysValidP(z: number, n: number, options: SequenceOptions): number {
  const t = n * mixture(options);
  return Math.min(1, Math.sqrt(t + 1) * Math.exp((-z * z * t) / (2 * (t + 1))));
}
