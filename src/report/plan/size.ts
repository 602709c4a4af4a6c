/** Randomisation units and searches that an experiment needs, as an A/B test and interleaved. */
import { alwaysValidFactor, shareForVotes, unitsForMean, unitsForProportion, type Wanted } from "../statistics/power.ts";

export interface SizeOptions extends Wanted {
  /** Share of units (of shoppers who buy, of searches with a click), or with `variance` the mean of a unit. */
  readonly base: number;
  /** Relative. */
  readonly lift: number;
  /** Of one unit; `undefined`: the base is a proportion. */
  readonly variance: number | undefined;
  readonly arms: number;
  /** Share of units that take part. */
  readonly coverage: number;
  readonly searchesPerUnit: number;
  /** `undefined`: days are unknown. */
  readonly searchesPerDay: number | undefined;
  /** N* of the sequence. */
  readonly tuning: number;
  /** Sensitivity of interleaving as a multiple of that of an A/B test. */
  readonly sensitivity: number;
  /** Share of interleaved searches in which one team wins. */
  readonly votesPerSearch: number;
}

export interface Size {
  readonly unitsPerArm: number;
  /** All arms. */
  readonly units: number;
  readonly searches: number;
  /** null without `searchesPerDay`. */
  readonly days: number | null;
}

export interface AbSize extends Size {
  /** The same with the base's variance in both arms, as rules of thumb have it: 2 (z₁ + z₂)² σ² / δ². */
  readonly unitsPerArmByRuleOfThumb: number;
  /** For the confidence sequence to have that power at the end; it often stops long before. */
  readonly alwaysValid: Size & { readonly tuning: number };
  /** The same with the sequence tightest at its end: `tuning` is the --tuning for report and plan. */
  readonly alwaysValidTuned: Size & { readonly tuning: number };
}

export interface InterleavingSize {
  readonly searches: number;
  readonly days: number | null;
  readonly sensitivity: number;
  readonly assumption: string;
  /** Searches in which one team wins. */
  readonly votes: number;
  /** The smallest share of votes for the better order that these votes can tell from a coin. */
  readonly tellsShare: number;
}

const SENSITIVITY_ASSUMPTION =
  "Interleaving is assumed to be this many times as sensitive as an A/B test of the same searches. Published: 10 to 100 times (Expedia), about 50 (Airbnb 2022), up to 100 (Airbnb 2025, arXiv 2508.00751); the default is the cautious end. It says which order is preferred, not by how much a metric moves.";

export function sizeOf(options: SizeOptions): { readonly ab: AbSize; readonly interleaving: InterleavingSize } {
  const { base, lift, variance, arms, coverage, searchesPerUnit, searchesPerDay, tuning, sensitivity, votesPerSearch } = options;
  const daysOf = (searches: number): number | null =>
    searchesPerDay === undefined ? null : Math.ceil(searches / (searchesPerDay * coverage));
  const sizeWith = (unitsPerArm: number): Size => {
    const units = unitsPerArm * arms;
    const searches = Math.ceil(units * searchesPerUnit);
    return { unitsPerArm, units, searches, days: daysOf(searches) };
  };
  const unitsPerArm = variance === undefined ? unitsForProportion(base, lift, options) : unitsForMean(base, variance, lift, options);
  const fixed = sizeWith(unitsPerArm);
  // The sequence compares two arms, however many there are.
  const anytime = (tightest: number): Size & { tuning: number } => ({
    ...sizeWith(Math.ceil(unitsPerArm * alwaysValidFactor(2 * unitsPerArm, options, tightest))),
    tuning: tightest,
  });
  const searches = Math.ceil((2 * unitsPerArm * searchesPerUnit) / sensitivity);
  const votes = Math.floor(searches * votesPerSearch);
  return {
    ab: {
      ...fixed,
      unitsPerArmByRuleOfThumb: unitsForMean(base, variance ?? base * (1 - base), lift, options),
      alwaysValid: anytime(tuning),
      // Its end is about twice the fixed one, and a little off costs next to nothing.
      alwaysValidTuned: anytime(Math.round(4 * unitsPerArm)),
    },
    interleaving: {
      searches,
      days: daysOf(searches),
      sensitivity,
      assumption: SENSITIVITY_ASSUMPTION,
      votes,
      tellsShare: shareForVotes(votes, options),
    },
  };
}
