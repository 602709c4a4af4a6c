/**
 * Always-valid inference: an interval that may be looked at after every day, by anybody, and an experiment that may be stopped whenever it
 * pleases, without more false alarms than promised.
 *
 * Asymptotic confidence sequences: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
 * confidence sequences" (Annals of Statistics 2024; arXiv 2103.06476v7). GrowthBook uses the same. The price is width: at its best the sequence is
 * about 1.6 times as wide as an interval that may be looked at once.
 */

/** N*: at how many clusters (both arms together) the sequence is tightest; GrowthBook's default. Fixed before the experiment, or it is not valid. */
export const DEFAULT_TUNING = 5000;

export interface SequenceOptions {
  /** Probability of ever excluding the truth. */
  readonly alpha: number;
  /** N* */
  readonly tuning: number;
}

/** ρ² of equation 161: the mixture that makes the sequence tightest at N*. */
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
 * May be compared with α after every look.
 */
export function alwaysValidP(z: number, n: number, options: SequenceOptions): number {
  const t = n * mixture(options);
  return Math.min(1, Math.sqrt(t + 1) * Math.exp((-z * z * t) / (2 * (t + 1))));
}
