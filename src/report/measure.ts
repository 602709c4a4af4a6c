/** One metric of all arms against control, as the report shows it. */
import type { ArmSums, Sums } from "./cells.ts";
import type { Adjustment } from "./cuped.ts";
import { expectedError } from "./plan/few-events.ts";
import type { Metric } from "./metrics.ts";
import { type MoneyReport, whyWithheld } from "./money.ts";
import type { Weights } from "./sample-ratio.ts";
import type { Interval } from "./statistics/compare.ts";
import { mergeSums } from "./statistics/ratio.ts";
import type { SequenceOptions } from "./statistics/sequential.ts";
import type { ArmTally, Tally } from "./tally.ts";
import { callPlanned, type PlannedLook, type PlannedVerdict } from "./planned.ts";
import { informationOf, type Judgment, judge, searchEffect } from "./verdict.ts";
import { DAY_MS } from "../web.ts";

export type MetricReport = ReturnType<typeof measure>;
export type MetricComparison = MetricReport["comparisons"][number];

interface Measuring extends SequenceOptions {
  readonly tally: Tally;
  readonly money: MoneyReport;
  readonly control: string;
  /** Of `shareBetween`. */
  readonly shareOf: (variant: string) => number;
  /** Of an arm against control, where the experiment has a planned end. */
  readonly looksOf: ((arm: number) => readonly PlannedLook[]) | undefined;
}

export const dayName = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function measure(metric: Metric, { tally, control, money, shareOf, looksOf, ...sequence }: Measuring) {
  const { arms, days, sumsAt, checks } = tally;
  const last = days - 1;
  const base = arms.findIndex(({ variant }) => variant === control);
  const adjustments = Array.from({ length: days }, (_, day) =>
    checks.adjustmentAt(
      metric,
      day,
      arms.map((__, arm) => mergeSums(sumsAt(arm, metric, day).capped.known, sumsAt(arm, metric, day).capped.alone)),
    ),
  );
  const { id, title, meaning, per, kind } = metric;
  return {
    metric: id,
    title,
    meaning,
    per,
    kind,
    currency: kind === "money" ? money.currency : null,
    /** As they are, without caps. */
    arms: arms.map(({ variant }, arm) => {
      const { raw } = sumsAt(arm, metric, last);
      const { clusters, y } = mergeSums(raw.known, raw.alone);
      return { variant, value: valueOf(raw), clusters, sum: y };
    }),
    comparisons: arms.flatMap(({ variant }, arm) => {
      if (arm === base || base < 0) return [];
      const options = { ...sequence, share: shareOf(variant) };
      const pairAt = (day: number) => [sumsAt(base, metric, day), sumsAt(arm, metric, day)] as const;
      const shiftsAt = (adjustment = NO_ADJUSTMENT) => {
        const [theirs, mine] = [adjustment.shifts[base], adjustment.shifts[arm]];
        return theirs && mine && ([theirs, mine] as const);
      };
      const at = (day: number, adjustment = adjustments[day], factor?: number) =>
        judge(metric, ...pairAt(day), { ...options, shifts: shiftsAt(adjustment), factor });
      const judgment = at(last);
      const looks = looksOf?.(arm);
      const called =
        looks &&
        callPlanned(looks, {
          informationAt: (day) => informationOf(...pairAt(day), searchEffect(...pairAt(day)), shiftsAt(adjustments[day])),
          judgeAt: (day, factor) => at(day, adjustments[day], factor),
        });
      const withheld = kind === "money" ? whyWithheld(money, variant) : null;
      return [
        {
          variant,
          ...describe(metric, tally, [base, arm], judgment, withheld),
          ...(looks && verdictOf(called, withheld)),
          /** Of the look that decides, or of the last one; null without a planned end. */
          planned: looks === undefined ? null : describePlanned(called, tally.firstDayMs),
          /** For what shoppers did before; null where nothing is known of that. */
          adjustment: describeAdjustment(adjustments[last], judgment, at(last, NO_ADJUSTMENT), days),
          /** If the arms were alike; null where they can be compared, or nothing has happened. */
          expected: typeof judgment.capped === "string" ? expectedOf(sumsAt(base, metric, last), sumsAt(arm, metric, last)) : null,
          daily: daily(tally, (day) => at(day).capped),
        },
      ];
    }),
  };
}

/** Of an experiment with a planned end, which goes before that of the sequence. */
function verdictOf(called: PlannedVerdict | undefined, withheld: string | null): Pick<ReturnType<typeof describe>, "verdict" | "held"> {
  return { verdict: withheld === null ? (called?.verdict ?? "open") : "open", held: called?.held ?? null };
}

/** The intervals hold at all looks together (Jennison & Turnbull 1989, "Interim analyses: the repeated confidence interval approach"). */
function describePlanned(called: PlannedVerdict | undefined, firstDayMs: number) {
  const found = called === undefined || typeof called.capped === "string" ? undefined : called.capped;
  return {
    /** At whose end the look is; null before the first look that could call anything. */
    day: called === undefined ? null : dayName(firstDayMs + called.look.day * DAY_MS),
    /** Half the width of the intervals, in standard errors. */
    factor: called?.look.factor ?? null,
    lift: found?.lift.always ?? null,
    difference: found?.difference.always ?? null,
  };
}

function expectedOf(...arms: readonly [ArmSums, ArmSums]) {
  const [control, variant] = arms.map(({ capped: { known, alone } }) => mergeSums(known, alone));
  return (control && variant && expectedError(control, variant)) ?? null;
}

const NO_ADJUSTMENT: Adjustment = { theta: 0, known: 0, shifts: [] };

/** `daysSaved`: as many more would have been needed for the same certainty without it. */
function describeAdjustment(adjustment: Adjustment | undefined, { capped }: Judgment, plain: Judgment, days: number) {
  if (adjustment === undefined || typeof capped === "string" || typeof plain.capped === "string") return null;
  const { difference, lift, p, standardError } = plain.capped;
  const removed = 1 - (widthOf(capped.difference.fixed) / widthOf(difference.fixed)) ** 2;
  return {
    theta: adjustment.theta,
    shoppersKnown: adjustment.known,
    varianceRemoved: removed,
    daysSaved: (days * removed) / (1 - removed),
    /** Capped as `result` is, without the adjustment. */
    unadjusted: { difference, lift, p, standardError },
  };
}

const widthOf = ({ low, high }: Interval): number => high - low;

/** `arms`: indices of control and variant. */
function describe(metric: Metric, tally: Tally, [base, arm]: readonly [number, number], judgment: Judgment, withheld: string | null) {
  const { held, alarm, exact, effect, capped } = judgment;
  const last = (index: number) => tally.sumsAt(index, metric, tally.days - 1);
  const [theirs, mine] = [last(base), last(arm)];
  const [result, why] = typeof capped === "string" ? [null, capped] : [capped, null];
  const shown = (of: "raw" | "capped") => {
    const compared = judgment[of];
    const found = typeof compared === "string" ? undefined : compared;
    return {
      control: valueOf(theirs[of]),
      value: valueOf(mine[of]),
      difference: found?.difference ?? null,
      lift: found?.lift ?? null,
      p: found?.p ?? null,
    };
  };
  return {
    /** With every shopper capped: the verdict goes by it. */
    result,
    why,
    difference: result?.difference ?? null,
    lift: result?.lift ?? null,
    /** As `result`, with the values of the arms. */
    capped: {
      ...shown("capped"),
      /** Of the sum of a shopper; null where none is. */
      cap: finite(tally.caps.sumOf(metric)),
      /** Of the searches by which a shopper weighs in a metric per search. */
      mostSearches: metric.per === "search" ? finite(tally.caps.searches) : null,
      /** Shoppers whom a cap touches. */
      touched: { control: theirs.touched, variant: mine.touched },
    },
    /** Without caps; no verdict goes by it. */
    raw: shown("raw"),
    /** Of one shopper (or one search of an unknown one) in the sum of the arm, without caps; null for an empty sum. */
    largestShare: { control: tally.largestShare(base, metric), variant: tally.largestShare(arm, metric) },
    /** Counts of shoppers with an event, where an arm has few; null elsewhere. */
    exact: exact ?? null,
    /** By how much searches of unknown shoppers vary more than independent ones; null where that cannot be told. */
    designEffect: metric.per === "search" ? (effect ?? null) : 1,
    /** Why there is no verdict, whatever the figures are; null where there may be one. */
    withheld,
    verdict: withheld === null ? judgment.verdict : ("open" as const),
    /** Why no effect is called although one test shows it; null elsewhere. */
    held: held ?? null,
    /** Something is broken; null elsewhere. */
    alarm: withheld === null ? (alarm ?? null) : null,
  };
}

/** Up to and including each day; null as long as there were too few events. */
function daily({ days, firstDayMs }: Tally, compare: (day: number) => Judgment["capped"]) {
  return Array.from({ length: days }, (_, day) => {
    const then = compare(day);
    const found = typeof then === "string" ? undefined : then;
    return {
      day: dayName(firstDayMs + day * DAY_MS),
      lift: found?.lift.value ?? null,
      always: found?.lift.always ?? null,
      difference: found === undefined ? null : { value: found.difference.value, always: found.difference.always },
    };
  });
}

export function valueOf({ known, alone }: Sums): number | null {
  const { y, x } = mergeSums(known, alone);
  return x > 0 ? y / x : null;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The alarms of all metrics; empty where nothing is broken. */
export function listAlarms(metrics: readonly MetricReport[]) {
  return metrics.flatMap(({ metric, title, per, comparisons }) =>
    comparisons.flatMap(({ variant, alarm, capped, exact }) =>
      alarm === null ? [] : [{ variant, metric, title, per, alarm, lift: capped.lift ?? exact?.lift ?? null }],
    ),
  );
}

/**
 * The part of an arm in the split between it and control: by the weights, or by those who came where the weights are not known or do not hold.
 */
export function shareBetween(arms: readonly ArmTally[], control: string, weights: Weights, isMismatch: boolean) {
  const configured = (variant: string): number => weights.arms.get(variant) ?? 0;
  const came = (name: string): number => {
    const arm = arms.find(({ variant }) => variant === name);
    return arm === undefined ? 0 : arm.shoppers > 0 ? arm.shoppers : arm.searches;
  };
  return (variant: string): number => {
    const of = isMismatch || !(configured(variant) > 0 && configured(control) > 0) ? came : configured;
    const whole = of(variant) + of(control);
    return whole > 0 ? of(variant) / whole : 0.5;
  };
}
