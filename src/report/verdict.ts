/**
 * One metric of two arms → what can be said of it. All rules by which the report calls an effect are here, and `armmt report --check` runs the same.
 *
 * An effect is called only where the confidence sequences of the difference and of the lift both leave 0 out, with every shopper capped (caps.ts),
 * and still do when the heaviest shopper of either arm is left out. Where an arm has too few events for them, exact counts decide. While shoppers
 * are unknown and their searches hang together in an unknown way, nothing is called.
 */
import type { ArmSums, Extreme, Sums } from "./cells.ts";
import type { Metric } from "./metrics.ts";
import { type Shift, shifted } from "./cuped.ts";
import { compareArms, type Comparison, FEWEST_ACTIVE, type Interval } from "./statistics/compare.ts";
import { twoSidedP } from "./statistics/distributions.ts";
import { compareCounts, type Count, type ExactComparison } from "./statistics/exact.ts";
import { estimatePair, mergeSums, NO_SUMS, type Pair, residualSquares, withoutCluster } from "./statistics/ratio.ts";
import type { SequenceOptions } from "./statistics/sequential.ts";

export type Verdict = "lower" | "open" | "higher";

/**
 * Something is broken, most likely: one arm has nothing where the other has enough that chance is ruled out, or has lost at least half.
 */
export type Alarm = "nothing_in_arm" | "nothing_in_control" | "halved";

/** Why no effect is called although one scale alone shows it. */
export type Held = "difference" | "lift" | "one_shopper" | "few_events";

export interface JudgeOptions extends SequenceOptions {
  /** Of the variant in the split between the two arms, 0..1. */
  readonly share: number;
  /** Of both arms, for what was known of their shoppers before (cuped.ts); no raw figure is shifted. */
  readonly shifts?: Pair<Shift> | undefined;
  /** Of a look that a plan has fixed (planned.ts): its boundary, by which effects are called instead of the sequence. */
  readonly factor?: number | undefined;
}

export type Judgment = ReturnType<typeof judge>;

/** Shoppers, of both arms together, from whom a design effect can be told. */
const FEWEST_KNOWN = 300;

/** How many searches with an event a shopper without an id may have had, for an alarm. */
const SEARCHES_PER_UNKNOWN = 10;

/** A lift that is below it for certain is an alarm. */
const HALF = -0.5;

/** Which word holds of an interval: it lies below `neutral`, holds it (as does a missing interval), or lies above. */
export function decide<T>(interval: Interval | undefined, neutral: number, [below, holds, above]: readonly [T, T, T]): T {
  if (interval === undefined || (interval.low <= neutral && interval.high >= neutral)) return holds;
  return interval.low > neutral ? above : below;
}

interface Compared extends SequenceOptions {
  /** Of `searchEffect`. */
  readonly effect: number | undefined;
  readonly fewestActive?: number;
  readonly shifts?: Pair<Shift> | undefined;
  readonly factor?: number | undefined;
}

/** A string: why not. */
export function compareSums(metric: Metric, arms: Pair<Sums>, { effect, shifts, ...options }: Compared) {
  const [control, variant] = estimatePair(arms, effect ?? 1);
  const compared = compareArms(shifted(control, shifts?.[0]), shifted(variant, shifts?.[1]), options);
  return metric.per !== "shopper" && effect === undefined && typeof compared !== "string" ? ("units_unknown" as const) : compared;
}

/**
 * By how much the variance of a metric per search grows because the searches of a shopper hang together, from the known shoppers of both arms.
 * 1 where nobody is unknown; `undefined` where too few are known to tell. Without caps: nothing caps the searches of a shopper who is unknown.
 */
export function searchEffect(control: ArmSums, variant: ArmSums): number | undefined {
  if (control.capped.alone.clusters + variant.capped.alone.clusters === 0) return 1;
  const known = mergeSums(control.raw.known, variant.raw.known);
  if (known.clusters < FEWEST_KNOWN || known.active < FEWEST_ACTIVE) return undefined;
  const ratio = known.y / known.x;
  const alone = control.searchSquares + variant.searchSquares - 2 * ratio * known.y + ratio * ratio * known.x;
  return alone > 0 ? Math.max(1, residualSquares(known, ratio) / alone) : undefined;
}

export function judge(metric: Metric, control: ArmSums, variant: ArmSums, options: JudgeOptions) {
  const effect = searchEffect(control, variant);
  const arms = [control, variant] as const;
  const capped = compareSums(metric, [control.capped, variant.capped], { ...options, effect });
  const raw = compareSums(metric, [control.raw, variant.raw], { ...options, effect, shifts: undefined });
  // Those who order say nothing of how much they order for.
  const exact =
    metric.per !== "order" && (isSmall(control) || isSmall(variant))
      ? compareCounts(countOf(control), countOf(variant), options)
      : undefined;
  const judged =
    typeof capped === "string" ? byCounts(metric, arms, exact, options) : byIntervals(metric, arms, capped, { ...options, effect });
  return { capped, raw, exact, effect, ...judged, alarm: findAlarm(metric, arms, capped, exact, judged.verdict, options) };
}

/** What a plan's boundaries go by: the variance of the sums whose means are compared. 0 while nothing has happened. */
export function informationOf(
  { capped: control }: ArmSums,
  { capped: variant }: ArmSums,
  effect: number | undefined,
  shifts?: Pair<Shift>,
): number {
  const [theirs, mine] = estimatePair([control, variant], effect ?? 1).map((estimate, arm) => shifted(estimate, shifts?.[arm]));
  const spread = [control, variant].reduce((sum, { known, alone }) => sum + known.x + alone.x, 0);
  return theirs === undefined || mine === undefined ? 0 : spread ** 2 * (theirs.variance + mine.variance);
}

interface Judged {
  readonly verdict: Verdict;
  readonly held: Held | undefined;
}

const WORDS = ["lower", "open", "higher"] as const;

/** Of both scales; open where they do not agree. */
function verdictOf({ lift, difference }: Comparison): Verdict {
  const [relative, linear] = [lift, difference].map(({ always }) => decide<Verdict>(always, 0, WORDS));
  return relative !== undefined && relative === linear ? relative : "open";
}

function byIntervals(metric: Metric, [control, variant]: Pair<ArmSums>, capped: Comparison, options: Compared): Judged {
  const verdict = verdictOf(capped);
  if (verdict === "open") {
    if (decide(capped.lift.always, 0, WORDS) !== "open") return { verdict, held: "difference" };
    return { verdict, held: decide(capped.difference.always, 0, WORDS) === "open" ? undefined : "lift" };
  }
  const pairs: Pair<Sums>[] = [
    ...control.extremes.map((extreme) => [without(control.capped, extreme), variant.capped] as const),
    ...variant.extremes.map((extreme) => [control.capped, without(variant.capped, extreme)] as const),
  ];
  const stays = pairs.every((pair) => {
    const compared = compareSums(metric, pair, { ...options, fewestActive: 1 });
    return typeof compared !== "string" && verdictOf(compared) === verdict;
  });
  return stays ? { verdict, held: undefined } : { verdict: "open", held: "one_shopper" };
}

function without(sums: Sums, { isKnown, ...weight }: Extreme): Sums {
  const part = isKnown ? "known" : "alone";
  return { ...sums, [part]: withoutCluster(sums[part], weight) };
}

/** Exact counts say how many have an event, not how much: where both arms have some, the difference of the metric must agree. */
function byCounts(metric: Metric, [control, variant]: Pair<ArmSums>, exact: ExactComparison | undefined, options: JudgeOptions): Judged {
  if (exact === undefined || !isShown(exact, options)) return { verdict: "open", held: undefined };
  const verdict = exact.lift.value !== null && exact.lift.value < 0 ? "lower" : "higher";
  if (exact.control.units === 0 || exact.variant.units === 0) return { verdict, held: undefined };
  const known: Pair<Sums> = [onlyKnown(control), onlyKnown(variant)];
  const compared = compareSums(metric, known, { ...options, effect: 1, fewestActive: 1, shifts: undefined });
  const agrees = typeof compared !== "string" && decide<Verdict>(compared.difference.always, 0, WORDS) === verdict;
  return agrees ? { verdict, held: undefined } : { verdict: "open", held: "few_events" };
}

function isShown({ p }: ExactComparison, { alpha, factor }: JudgeOptions): boolean {
  return factor === undefined ? p.always < alpha : p.fixed < twoSidedP(factor);
}

const onlyKnown = ({ capped: { known } }: ArmSums): Sums => ({ known, alone: NO_SUMS });

function events({ capped: { known, alone } }: ArmSums): number {
  return known.active + alone.active;
}

function isSmall(arm: ArmSums): boolean {
  return events(arm) < FEWEST_ACTIVE;
}

/** Only shoppers are independent of each other. */
function countOf({ capped: { known } }: ArmSums): Count {
  return { units: known.active, of: known.clusters };
}

/** With as few unknown shoppers as there can be. */
function atLeast({ capped: { known, alone } }: ArmSums): Count {
  return { units: known.active + Math.floor(alone.active / SEARCHES_PER_UNKNOWN), of: known.clusters + alone.clusters };
}

/**
 * Whether an arm has nothing at all is asked of unknown shoppers too, because a broken arm must not hide behind missing consent: each of them counts
 * as if ten of the searches with an event were theirs.
 */
function findAlarm(
  metric: Metric,
  [control, variant]: Pair<ArmSums>,
  capped: Comparison | string,
  exact: ExactComparison | undefined,
  verdict: Verdict,
  options: JudgeOptions,
): Alarm | undefined {
  if (metric.isNeutral === true) return undefined;
  if (events(control) === 0 || events(variant) === 0) {
    const counted = compareCounts(atLeast(control), atLeast(variant), options);
    if (counted === undefined || counted.p.always >= options.alpha) return undefined;
    return events(variant) === 0 ? "nothing_in_arm" : "nothing_in_control";
  }
  const high = typeof capped === "string" ? exact?.lift.always.high : capped.lift.always.high;
  return verdict === "lower" && high !== undefined && high !== null && high < HALF ? "halved" : undefined;
}
