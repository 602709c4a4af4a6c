/**
 * One sentence that says what to do, made by rule: the top of the report and of the dashboard. summary-steps.ts has what it rests on.
 *
 * One metric decides: orders per shopper where the log has orders, else what is nearest. It is chosen by what is recorded, never by how it
 * turned out. Revenue can only warn, and clicks never decide: a list can be clicked more and sell less. What makes every figure worthless
 * comes first, then harm, then gain.
 */
import * as format from "./format.ts";

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Of one arm against control. */
export interface Effect {
  /** As "orders per shopper". */
  readonly name: string;
  readonly verdict: "lower" | "open" | "higher";
  /** Relative, by the confidence sequence; `undefined` with too few events for one. */
  readonly always: Range | undefined;
}

export interface ArmFacts {
  readonly variant: string;
  /** `unchanged`: shoppers see the engine's order, as in control. */
  readonly kind: "ranked" | "unchanged" | "interleaved";
  /** Nothing, or less than half, of `what` ("purchases") in `of` (this arm or control), although the other has so much that chance is ruled out. */
  readonly alarm?: { readonly of: string; readonly what: string; readonly isHalved: boolean } | undefined;
  /** Share of searches that should have been re-ranked and were not, and the most frequent reason. */
  readonly faults?: { readonly share: number; readonly reason: string } | undefined;
  readonly sales?: Effect | undefined;
  readonly money?: Effect | undefined;
  readonly clicks?: Effect | undefined;
  /** The largest part of its revenue that one shopper has, 0..1. */
  readonly heaviest?: number | undefined;
  /** Until the planned lift shows in `sales`, from now on; `undefined` where nothing tells. */
  readonly daysLeft?: number | undefined;
  /** Where the experiment has a planned end. */
  readonly plan?:
    | { readonly isOver: boolean; /** At this traffic; null where nothing tells. */ readonly daysLeft: number | null }
    | undefined;
  /** In an interleaved arm: the votes for team `name` against `other`, as a share. */
  readonly votes?: readonly { readonly by: string; readonly name: string; readonly other: string; readonly always: Range }[] | undefined;
}

export interface SummaryFacts {
  readonly experiment: string;
  readonly control: string;
  readonly simulated: boolean;
  readonly days: number;
  readonly searches: number;
  readonly shoppers: number;
  readonly clicks: number;
  readonly purchases: number;
  readonly hasMismatch: boolean;
  /** The planned lift: 0.03 is three per cent. */
  readonly lift: number;
  /** All but control. */
  readonly arms: readonly ArmFacts[];
}

/** The most urgent first: where arms differ, the sentence is that of the arm whose kind comes first. */
const KINDS = [
  "no_searches",
  "mismatch",
  "broken",
  "not_served",
  "less",
  "earns_less",
  "mixed",
  "more",
  "same",
  "ended",
  "preferred",
  "open",
] as const;

export type SummaryKind = (typeof KINDS)[number];

/** They ask for something at once. */
export const ALARMS: ReadonlySet<SummaryKind> = new Set(["mismatch", "broken", "not_served", "less", "earns_less"]);

export interface Verdict {
  readonly kind: SummaryKind;
  /** The arm that it is about; null where it is about all of them. */
  readonly variant: string | null;
  /** A sentence without its full stop. */
  readonly text: string;
}

/** A share of unserved searches from which an arm says nothing about what it should have shown. */
export const MOSTLY = 0.5;

const YEAR_DAYS = 365;

/** The most urgent first, at least one: of the experiment as a whole, or of each arm. */
export function verdictsOf(facts: SummaryFacts): readonly [Verdict, ...Verdict[]] {
  const whole = ofAll(facts);
  if (whole !== undefined) return [whole];
  const each = facts.arms.map((arm) => ofArm(arm, facts)).toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const [first = { kind: "open", variant: null, text: `We cannot tell: ${facts.control} is the only arm` }, ...others] = each;
  return [first, ...others];
}

/** Without its full stop. */
export function sentenceOf({ text }: Verdict, { simulated }: SummaryFacts): string {
  return simulated ? `Simulated: ${text}` : text;
}

/** What holds of the experiment as a whole and leaves nothing to say about its arms. */
function ofAll({ searches, hasMismatch, experiment }: SummaryFacts): Verdict | undefined {
  if (searches === 0) return { kind: "no_searches", variant: null, text: `No search has taken part in ${experiment} yet` };
  if (hasMismatch) return { kind: "mismatch", variant: null, text: "Do not act: the sample ratio is broken" };
  return undefined;
}

function ofArm(arm: ArmFacts, facts: SummaryFacts): Verdict {
  const { variant, faults, alarm } = arm;
  const is = (kind: SummaryKind, text: string): Verdict => ({ kind, variant, text });
  if (alarm !== undefined)
    return is(
      "broken",
      `${alarm.of} has ${alarm.isHalved ? `lost more than half of its ${alarm.what}` : `no ${alarm.what}`}: something is broken`,
    );
  const odd = [arm.sales, arm.money, arm.clicks].find((effect) => isDecided(effect));
  if (arm.kind === "unchanged") {
    return odd === undefined
      ? is("open", `${variant} shows the engine's order and does not differ from ${facts.control}, as it should`)
      : is("broken", `Do not act: ${variant} shows the engine's order and yet differs from ${facts.control} in ${odd.name}`);
  }
  if (faults !== undefined && faults.share >= MOSTLY)
    return is(
      "not_served",
      `${variant} was hardly tried: ${format.share(faults.share)} of its searches kept the engine's order (${faults.reason})`,
    );
  return arm.kind === "interleaved" ? byVotes(arm, is) : bySales(arm, facts, is);
}

type Say = (kind: SummaryKind, text: string) => Verdict;

function bySales({ variant, sales, money, clicks, daysLeft, plan }: ArmFacts, facts: SummaryFacts, is: Say): Verdict {
  const [known, earns] = [sales, money].map((effect) => (effect === undefined ? "" : rangeOf(effect)));
  if (facts.shoppers === 0) return is("open", "We cannot tell: no search names its shopper");
  if (sales?.verdict === "lower" && money?.verdict !== "higher") return is("less", `${variant} sells less: ${known}; switch it off`);
  if (money?.verdict === "lower" && sales?.verdict !== "higher") return is("earns_less", `${variant} earns less: ${earns}; switch it off`);
  if (isDecided(sales) && isDecided(money) && sales?.verdict !== money?.verdict)
    return is(
      "mixed",
      `${variant} sells ${sales?.verdict === "higher" ? "more and earns less" : "less and earns more"}: ${known}, ${earns}; decide which counts`,
    );
  if (sales?.verdict === "higher") return is("more", `${variant} sells more: ${known}; safe to stop`);
  const aside = isDecided(clicks)
    ? `; ${variant} is clicked ${clicks?.verdict === "higher" ? "more" : "less"}, which is not yet selling`
    : "";
  if (facts.purchases === 0)
    return is(
      "open",
      facts.clicks === 0 ? "We cannot tell: no click and no purchase is recorded" : `We cannot tell: no purchase is recorded${aside}`,
    );
  const always = sales?.always;
  const isSame = always !== undefined && always.low >= -facts.lift && always.high <= facts.lift;
  // On the first days of a plan no boundary is known: purchases are not few for that.
  if (plan?.isOver === false && !isSame)
    return is(
      "open",
      `We cannot tell yet: the planned end is ${plan.daysLeft === null ? "open" : `in ${dayCount(plan.daysLeft)}`}${aside}`,
    );
  if (always === undefined)
    return is("open", `We cannot tell yet: too few purchases (${format.wholeNumber(facts.purchases)} in all)${aside}`);
  if (isSame)
    return is(
      "same",
      `${variant} sells as much as ${facts.control}: ${known}, less than the ${format.lift(facts.lift)} that were looked for`,
    );
  if (plan !== undefined) return is("ended", `The plan has ended, and no effect shows: ${variant} ${known}${aside}`);
  if (daysLeft === undefined || daysLeft > YEAR_DAYS)
    return is(
      "open",
      `We cannot tell yet: ${known} so far, and a lift of ${format.lift(facts.lift)} takes more than a year to show at this traffic${aside}`,
    );
  if (daysLeft < 1)
    return is(
      "open",
      `We cannot tell: ${known} after ${dayCount(facts.days)}, when a lift of ${format.lift(facts.lift)} would most likely have shown${aside}`,
    );
  return is("open", `We cannot tell yet: ${dayCount(Math.ceil(daysLeft), "more ")} at this traffic${aside}`);
}

function byVotes({ variant, votes = [] }: ArmFacts, is: Say): Verdict {
  const decided = votes.find(({ always }) => always.low > 0.5 || always.high < 0.5);
  if (decided === undefined) return is("open", `We cannot tell yet which order shoppers prefer in ${variant}`);
  const isName = decided.always.low > 0.5;
  const { low, high } = isName ? decided.always : { low: 1 - decided.always.high, high: 1 - decided.always.low };
  const winner = isName ? decided.name : decided.other;
  return is("preferred", `Shoppers prefer ${winner}: ${format.share(low)} to ${format.share(high)} of the votes by ${decided.by}`);
}

const isDecided = (effect: Effect | undefined): boolean => effect !== undefined && effect.verdict !== "open";

/** Where an arm has few events, exact counts may decide without a band. */
function rangeOf({ always, name }: Effect): string {
  return always === undefined ? `${name}, by exact counts` : `${format.range(always)} ${name}`;
}

export function dayCount(days: number, kind = ""): string {
  return `${format.wholeNumber(days)} ${kind}${days === 1 ? "day" : "days"}`;
}
