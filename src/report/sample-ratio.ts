/**
 * Sample-ratio mismatch (SRM): do the arms have the sizes that their weights promise? Where they do not, units were lost or doubled,
 * most likely not at random, and no other figure of the experiment can be trusted.
 *
 * Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (KDD): chi-square goodness of fit.
 */
import type { Plan } from "./planned.ts";
import { chiSquareTail } from "./statistics/distributions.ts";
import type { ArmTally } from "./tally.ts";

/** The arms of an experiment and their intended sizes. */
export interface Weights {
  /** Variant → weight, in the order of the configuration. Any positive sum. */
  readonly arms: ReadonlyMap<string, number>;
  /** The source, in words. */
  readonly from: string;
  /** When the experiment ends, where its configuration says so. */
  readonly plan?: Plan | undefined;
}

/** The p-value below which the test fires, as at GrowthBook: rare enough for a test that is read every day. */
const MISMATCH_P = 0.001;

/** Most frequent first (after Fabijan et al. 2019, and specific to this edge). */
export const USUAL_CAUSES: readonly string[] = [
  "The weights, the coverage or the variants were changed while the experiment ran: give it a new key, or report from that day on (--since).",
  "Searches of one arm are not recorded: it fails, is slower and is given up, or a page of it does not send its shopper's id.",
  "Crawlers that search more in one arm, or that only one arm keeps out.",
  "The shop sends some searches around the edge, or an app still has a fixed variant.",
  "Shoppers get another id on the way (a session id for one, a user id for the other), or one id is shared by many.",
  "Two experiments without namespaces share their shoppers.",
];

/** Arms that the configuration does not know (forced or renamed variants) are left out. */
export function compareSampleRatio(arms: readonly ArmTally[], { arms: weights }: Weights) {
  const names = [...weights.keys()];
  const known = names.map((name) => arms.find(({ variant }) => variant === name));
  const count = (of: (arm: ArmTally) => number): number[] => known.map((arm) => (arm === undefined ? 0 : of(arm)));
  const byName = (values: readonly number[]) => Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0]));
  const test = (of: "shoppers" | "searches without a shopper", counts: readonly number[], correction: number) => {
    const result = testSampleRatio(counts, [...weights.values()], correction);
    return result && { of, counts: byName(counts), designEffect: correction, ...result, expected: byName(result.expected) };
  };
  const effect = designEffect(sum(count((arm) => arm.shopperSearches)), sum(count((arm) => arm.squaredShopperSearches)));
  const shoppers = count((arm) => arm.shoppers);
  const withoutShopper = count((arm) => arm.searches - arm.shopperSearches);
  const both = [test("shoppers", shoppers, 1), test("searches without a shopper", withoutShopper, effect)];
  const tests = both.filter((result) => result !== undefined);
  return { isMismatch: tests.some(({ isMismatch }) => isMismatch), threshold: MISMATCH_P, tests, verdict: verdictOf(tests) };
}

function verdictOf(tests: readonly { readonly of: string; readonly isMismatch: boolean; readonly designEffect: number }[]): string {
  const bad = tests.filter(({ isMismatch }) => isMismatch);
  if (tests.length === 0) return "Nothing to compare yet: no search was recorded in the arms of the experiment.";
  if (bad.length === 0) return "The arms have the sizes that they should have.";
  const doubt =
    bad.every(({ of }) => of !== "shoppers") && bad.some((test) => test.designEffect === 1)
      ? " (Without shoppers' ids each search counts for itself, although searches of one shopper come together: with few shoppers who search much this alarm can be false.)"
      : "";
  const of = bad.map((test) => test.of).join(" and ");
  return `Sample-ratio mismatch: the arms do not have the sizes that they should have (${of}). Nothing below can be trusted until the cause is found.${doubt}`;
}

/**
 * `counts` of units (or searches) per arm, `weights` parallel to them, of any positive sum. `undefined` where there is nothing to compare:
 * fewer than two arms with a weight, or no count at all. Units in an arm of weight 0 are always a mismatch.
 * `inflation` (>= 1): the design effect (Kish 1965), by how much counts of clustered things vary more than independent ones.
 */
export function testSampleRatio(counts: readonly number[], weights: readonly number[], inflation = 1) {
  const total = sum(counts);
  const whole = sum(weights);
  const arms = weights.filter((weight) => weight > 0).length;
  if (arms < 2 || total === 0) return undefined;
  const expected = weights.map((weight) => (total * weight) / whole);
  const distances = counts.map((count, i) => (count === expected[i] ? 0 : (count - expected[i]!) ** 2 / expected[i]!));
  const chiSquare = sum(distances) / inflation;
  const p = chiSquare === Infinity ? 0 : chiSquareTail(chiSquare, arms - 1);
  return { chiSquare, degreesOfFreedom: arms - 1, p, isMismatch: p < MISMATCH_P, expected };
}

/** Σn² / Σn over the sizes of clusters: how much a count of clustered things varies more than one of single things. */
export function designEffect(sumOfSizes: number, sumOfSquaredSizes: number): number {
  return sumOfSizes > 0 ? Math.max(1, sumOfSquaredSizes / sumOfSizes) : 1;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
