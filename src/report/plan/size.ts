/** Randomisation units and searches that an experiment needs, as an A/B test and interleaved. */
import { USED } from "../planned.ts";
import { alwaysValidFactor, plannedDays, shareForVotes, unitsForMean, unitsForProportion, type Wanted } from "../statistics/power.ts";

export interface SizeOptions extends Wanted {
  /** Share of units (of shoppers who buy, of searches with a click), or with `variance` the mean of a unit. */
  readonly base: number;
  /** Relative. */
  readonly lift: number;
  /** Of one unit; `undefined`: the base is a proportion. */
  readonly variance?: number | undefined;
  readonly arms: number;
  /** Share of units that take part. */
  readonly coverage: number;
  readonly searchesPerUnit: number;
  /** `undefined`: days are unknown. */
  readonly searchesPerDay?: number | undefined;
  /** N* of the sequence. */
  readonly tuning: number;
  /** Sensitivity of interleaving as a multiple of that of an A/B test. */
  readonly sensitivity: number;
  /** Where that comes from; `undefined`: it is assumed. */
  readonly sensitivityFrom?: string | undefined;
  /** Share of interleaved searches in which one team wins. */
  readonly votesPerSearch: number;
}

const SENSITIVITY_ASSUMPTION =
  "Interleaving is assumed to be this many times as sensitive as an A/B test of the same searches. Published: 10 to 100 times (Expedia), about 50 (Airbnb 2022), up to 100 (Airbnb 2025, arXiv 2508.00751); the default is the cautious end. It says which order is preferred, not by how much a metric moves.";

/** On the units of a plan with one look; so many daily looks. */
function plannedFactor(looks: number, wanted: Wanted): number {
  return plannedDays(looks, wanted, USED * wanted.alpha) / looks;
}

export function sizeOf(options: SizeOptions) {
  const { base, lift, variance, arms, coverage, searchesPerUnit, searchesPerDay, tuning, sensitivity, votesPerSearch } = options;
  /** null without `searchesPerDay`. */
  const daysOf = (searches: number): number | null =>
    searchesPerDay === undefined ? null : Math.ceil(searches / (searchesPerDay * coverage));
  const sizeWith = (unitsPerArm: number) => {
    const units = unitsPerArm * arms;
    const searches = Math.ceil(units * searchesPerUnit);
    return { unitsPerArm, units, searches, days: daysOf(searches) };
  };
  const unitsPerArm = variance === undefined ? unitsForProportion(base, lift, options) : unitsForMean(base, variance, lift, options);
  const fixed = sizeWith(unitsPerArm);
  // The sequence compares two arms, however many there are.
  const anytime = (tightest: number) => ({
    ...sizeWith(Math.ceil(unitsPerArm * alwaysValidFactor(2 * unitsPerArm, options, tightest))),
    tuning: tightest,
  });
  const searches = Math.ceil((2 * unitsPerArm * searchesPerUnit) / sensitivity);
  const votes = Math.floor(searches * votesPerSearch);
  return {
    ab: {
      ...fixed,
      /** The same with the base's variance in both arms, as rules of thumb have it: 2 (z₁ + z₂)² σ² / δ². */
      unitsPerArmByRuleOfThumb: unitsForMean(base, variance ?? base * (1 - base), lift, options),
      /** With a planned end: its units per arm are the plan, by which `armmt report` may be read every day. */
      planned: sizeWith(Math.ceil(unitsPerArm * plannedFactor(fixed.days ?? 28, options))),
      /** For the confidence sequence to have that power at the end; it often stops long before. */
      alwaysValid: anytime(tuning),
      // Tightest at its end, which is about twice the fixed one; a little off costs next to nothing.
      alwaysValidTuned: anytime(Math.round(4 * unitsPerArm)),
    },
    interleaving: {
      searches,
      days: daysOf(searches),
      sensitivity,
      /** False: from the shop's own log. */
      isAssumed: options.sensitivityFrom === undefined,
      assumption: options.sensitivityFrom ?? SENSITIVITY_ASSUMPTION,
      /** Searches in which one team wins, and the smallest share of them for the better order that can be told from a coin. */
      votes,
      tellsShare: shareForVotes(votes, options),
    },
  };
}
