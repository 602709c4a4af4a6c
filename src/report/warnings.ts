/** Warnings about the rows of a log, for the reader of the figures. */
import type { Weights } from "./sample-ratio.ts";
import type { Stage } from "./stage.ts";
import type { Tally } from "./tally.ts";

/** More pages per search than shoppers look at. */
const MANY_PAGES = 5;

export interface Rows {
  /** `undefined` without a search. */
  readonly tally: Tally | undefined;
  readonly counts: ReturnType<Stage["counts"]>;
  readonly money: ReturnType<Stage["money"]>;
  readonly weights: Weights;
}

/** Sentences; empty where nothing is wrong. */
export function findWarnings({ tally, counts, money, weights }: Rows): readonly string[] {
  const notes: string[] = [];
  const { pages, searches, withoutTime, ambiguous, strayActions, simulated } = counts;
  if (simulated > 0) {
    notes.push(`Simulated: ${simulated === pages ? "all" : `${simulated} of ${pages}`} rows come from the simulator, not from shoppers.`);
  }
  if (tally === undefined)
    return [
      ...notes,
      "No search was recorded in this experiment and time: a search takes part only where it names a user or a session (x-armmt-user, x-armmt-session).",
    ];
  const { arms, crossed } = tally;
  const known = arms.reduce((sum, arm) => sum + arm.shoppers, 0);
  const alone = arms.reduce((sum, arm) => sum + arm.searches - arm.shopperSearches, 0);
  if (known === 0) {
    notes.push(
      "No search names its shopper (x-armmt-consent), so each search counts for itself: where shoppers search several times, intervals are too narrow, and there is nothing per shopper.",
    );
  } else if (alone > 0) {
    notes.push(`${alone} searches name no shopper: they count per search, each for itself, and not per shopper.`);
  }
  if (crossed > 0)
    notes.push(`${crossed} shoppers were seen in more than one arm and are left out: were weights changed, or variants forced?`);
  if (ambiguous > 0)
    notes.push(
      `${ambiguous} query ids were used by two shoppers or in two arms and are left out: a client must make a new one for each search.`,
    );
  if (searches > 0 && pages / searches > MANY_PAGES)
    notes.push(`A search has ${(pages / searches).toFixed(1)} pages on average: does the client send one query id for different searches?`);
  if (withoutTime > 0) notes.push(`${withoutTime} rows have no readable timestamp and are left out.`);
  if (strayActions > 0) notes.push(`${strayActions} clicks, carts or purchases belong to no search of this experiment and time.`);
  for (const [variant] of weights.arms) {
    if (!arms.some((arm) => arm.variant === variant && arm.searches > 0)) notes.push(`No search was in arm ${variant}.`);
  }
  for (const { variant, searches: count } of arms) {
    if (!weights.arms.has(variant))
      notes.push(`Arm ${variant} (${count} searches) is not in the configuration: it is left out of the sample ratio.`);
  }
  if (money.withoutPrice > 0) notes.push(`${money.withoutPrice} of ${money.purchases} purchases have no price: revenue counts them as 0.`);
  if (money.otherCurrency > 0)
    notes.push(
      `${money.otherCurrency} purchases are in another currency than ${money.currency ?? "the others"} and not part of the revenue.`,
    );
  return notes;
}
