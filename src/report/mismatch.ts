/** The first question to an experiment: did the arms get what they should have got? */
import { designEffect, MISMATCH_P, testSampleRatio } from "./statistics/sample-ratio.ts";
import type { RatioTest, SampleRatio } from "./report-data.ts";
import type { ArmTally } from "./tally.ts";
import type { Weights } from "./report-data.ts";

/** What to look for, most frequent first (after Fabijan et al. 2019, and what can go wrong here). */
export const USUAL_CAUSES: readonly string[] = [
  "The weights, the coverage or the variants were changed while the experiment ran: give it a new key, or report from that day on (--since).",
  "Searches of one arm are not recorded: it fails, is slower and is given up, or a page of it does not send its shopper's id.",
  "Crawlers that search more in one arm, or that only one arm keeps out.",
  "The shop sends some searches around the edge, or an app still has a fixed variant.",
  "Shoppers get another id on the way (a session id for one, a user id for the other), or one id is shared by many.",
  "Two experiments without namespaces share their shoppers.",
];

/** Arms that the configuration does not know are left out: somebody looked at a forced variant, or the arm was renamed. */
export function compareSampleRatio(arms: readonly ArmTally[], { arms: weights }: Weights): SampleRatio {
  const names = [...weights.keys()];
  const known = names.map((name) => arms.find(({ variant }) => variant === name));
  const count = (of: (arm: ArmTally) => number): number[] => known.map((arm) => (arm === undefined ? 0 : of(arm)));
  const effect = designEffect(sum(count((arm) => arm.shopperSearches)), sum(count((arm) => arm.squaredShopperSearches)));
  const test = (of: RatioTest["of"], counts: readonly number[], correction: number): RatioTest[] => {
    const result = testSampleRatio(counts, [...weights.values()], correction);
    if (result === undefined) return [];
    return [{ of, counts: byName(names, counts), designEffect: correction, ...result, expected: byName(names, result.expected) }];
  };
  const tests = [
    ...test("shoppers", count((arm) => arm.shoppers), 1), // prettier-ignore
    ...test("searches without a shopper", count((arm) => arm.searches - arm.shopperSearches), effect), // prettier-ignore
  ];
  const isMismatch = tests.some((one) => one.isMismatch);
  return { isMismatch, threshold: MISMATCH_P, tests, verdict: verdictOf(tests) };
}

function verdictOf(tests: readonly RatioTest[]): string {
  const bad = tests.filter(({ isMismatch }) => isMismatch);
  if (tests.length === 0) return "Nothing to compare yet: no search was recorded in the arms of the experiment.";
  if (bad.length === 0) return "The arms have the sizes that they should have.";
  const what = bad.map(({ of }) => of).join(" and ");
  const doubt =
    bad.every(({ of }) => of !== "shoppers") && bad.some((one) => one.designEffect === 1)
      ? " (Without shoppers' ids each search counts for itself, although searches of one shopper come together: with few shoppers who search much this alarm can be false.)"
      : "";
  return `Sample-ratio mismatch: the arms do not have the sizes that they should have (${what}). Nothing below can be trusted until the cause is found.${doubt}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** `values` is parallel to `names`. */
function byName(names: readonly string[], values: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0]));
}
