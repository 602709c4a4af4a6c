/**
 * Sums → the report as data: the output of `--json`, and the input of terminal and page. All numbers of the report are computed here or
 * below; `sections.ts` puts them into words.
 */
import { TOKEN_TTL_MS } from "../events/token.ts";
import { parseTreatment } from "../experiment/treatment.ts";
import { DAY_MS, UserError } from "../web.ts";
import { findMetric, type Metric, METRICS, segmentRank } from "./metrics.ts";
import { describeMoney, moneyNotes, whyWithheld } from "./money.ts";
import { checksOf } from "./checks-report.ts";
import { type Calendar, looksOf, type Plan, type PlannedLook, USED } from "./planned.ts";
import { compareSampleRatio, type Weights } from "./sample-ratio.ts";
import { DEFAULT_CAP } from "./caps.ts";
import type { ArmSums } from "./cells.ts";
import { dayName, listAlarms, measure, type MetricReport, shareBetween, valueOf } from "./measure.ts";
import { describeRules } from "./rules.ts";
import { holm } from "./statistics/compare.ts";
import { compareSums, decide, searchEffect } from "./verdict.ts";
import type { Stage } from "./stage.ts";
import { daysUntil, liftSeenNow, plannedDays, powerNow } from "./statistics/power.ts";
import { preferenceOf } from "./statistics/preference.ts";
import type { SequenceOptions } from "./statistics/sequential.ts";
import type { ArmTally, Tally } from "./tally.ts";

export interface AnalyseOptions extends SequenceOptions {
  readonly experiment: string;
  /** The log, in words. */
  readonly place: string;
  readonly weights: Weights;
  /** The arm that others are compared with; `undefined`: "control", else the first. */
  readonly control: string | undefined;
  /** Share of the shoppers whose sums no cap touches (caps.ts); fixed before the test. */
  readonly cap?: number | undefined;
  /** Of the segments. */
  readonly metric: Metric;
  /** Relative lift and power for which the time to an answer is computed. */
  readonly lift: number;
  readonly power: number;
  /** Guardrail → harm that is allowed, instead of its default. */
  readonly allowed?: ReadonlyMap<string, number> | undefined;
  readonly notes: readonly string[];
  /** When the experiment ends, stated before its start. */
  readonly plan?: Plan | undefined;
  /** Since 1970; days that end later are not over. */
  readonly asOfMs?: number | undefined;
  /** Which actions belong to a search. */
  readonly attribution?: Attribution | undefined;
}

export interface Attribution {
  /** Actions count up to so many days after their search. */
  readonly windowDays: number;
  /** Nor after this time, ISO 8601, but refunds and cancellations. */
  readonly until: string | null;
  /** By which other currencies were converted; null without rates. */
  readonly rates: Readonly<Record<string, number>> | null;
}

const USUAL_ATTRIBUTION: Attribution = { windowDays: TOKEN_TTL_MS / DAY_MS, until: null, rates: null };

interface Rows {
  /** `undefined` without a search. */
  readonly tally: Tally | undefined;
  readonly counts: ReturnType<Stage["counts"]>;
  readonly money: ReturnType<Stage["money"]>;
  /** Absent where nobody asked the stage. */
  readonly slots?: ReturnType<Stage["slots"]> | undefined;
  readonly rules?: ReturnType<Stage["rules"]> | undefined;
  /** Prices of rules by the pairs that `explore` swaps. */
  readonly explored?: Parameters<typeof describeRules>[2];
}

export type ReportData = ReturnType<typeof analyse>;
export type { MetricComparison, MetricReport } from "./measure.ts";
export type InterleavingReport = ReturnType<typeof countVotes>;

/** Throws a UserError for a control that is not an arm. */
export function analyse({ tally, counts, money: sold, slots = [], rules = [], explored }: Rows, options: AnalyseOptions) {
  const { experiment, place, weights, alpha, tuning, metric, cap = DEFAULT_CAP, attribution = USUAL_ATTRIBUTION } = options;
  const arms = tally?.arms ?? [];
  const control = chooseControl(options.control, arms);
  const money = describeMoney(sold, control);
  const exposures = arms.map((arm) => exposuresOf(arm, weights));
  const searches = exposures.reduce((sum, arm) => sum + arm.searches, 0);
  const sampleRatio = compareSampleRatio(arms, weights);
  const shareOf = shareBetween(arms, control, weights, sampleRatio.isMismatch);
  const looksAt = tally && options.plan && plannedLooks(tally, options.plan, control, { alpha, asOfMs: options.asOfMs ?? Date.now() });
  const metrics =
    tally === undefined ? [] : METRICS.map((each) => measure(each, { tally, control, money, shareOf, looksOf: looksAt, alpha, tuning }));
  const days = tally?.days ?? 0;
  const isMoneyWithheld = (variant: string): boolean => whyWithheld(money, variant) !== null;
  const checks = checksOf(tally, control, { alpha, tuning, allowed: options.allowed, isMoneyWithheld });
  return {
    experiment,
    place,
    /** Rows of the simulator are among them: nothing here is about real shoppers. */
    simulated: counts.simulated > 0,
    period: tally === undefined ? null : { from: dayName(tally.firstDayMs), to: dayName(tally.firstDayMs + (days - 1) * DAY_MS), days },
    control,
    alpha,
    tuning,
    /** False after a sample-ratio mismatch: no figure can be trusted. */
    trusted: !sampleRatio.isMismatch,
    /** Metrics in which an arm has nothing at all, or has lost at least half: something is broken. */
    alarms: listAlarms(metrics),
    /** Share of the shoppers whose sums no cap touches; 1 for no caps. */
    cap,
    /** The planned end, by which the verdicts go; null where none was stated: they go by the confidence sequences then. */
    plan: looksAt && options.plan ? describePlan(options.plan, looksAt, tally, control) : null,
    notes: [
      ...options.notes,
      ...pastEnd(options.plan, tally),
      ...findWarnings({ tally, counts }, weights, metrics),
      ...moneyNotes(money, attribution.rates !== null),
      ...checks.notes,
    ],
    exposures: { weightsFrom: weights.from, searches, searchesPerDay: searches / (tally?.days ?? 1), arms: exposures },
    sampleRatio,
    attribution: { ...attribution, leftOut: counts.outside },
    money,
    metrics,
    segments: { metric: metric.id, rows: tally === undefined ? [] : compareSegments(tally, metric, control, { alpha, tuning }) },
    interleaving: arms.filter(({ interleaved }) => interleaved > 0).map((arm) => countVotes(arm, { alpha, tuning })),
    /** Sponsored places: their clicks and purchases are in the metrics too. */
    slots,
    /** What each rule of the shop costs or brings, as far as chance has held it back from some shoppers. */
    rules: describeRules(rules, { alpha, tuning, cap, lift: options.lift, power: options.power }, explored),
    timeToAnswer: timeToAnswer(metrics, arms, days, options),
    checks,
    /** Shoppers who are in no figure: seen in several arms; of those who were in another arm before the report, and all who were there before. */
    left: { crossed: tally?.crossed ?? 0, carriedOver: counts.carriedOver },
  };
}

const SHOPPERS = findMetric("conversion-per-shopper")!;

/** Of an arm against control: the looks at the end of each day. */
function plannedLooks(tally: Tally, plan: Plan, control: string, calendar: Pick<Calendar, "alpha" | "asOfMs">) {
  const base = tally.arms.findIndex(({ variant }) => variant === control);
  const shoppers = (arm: number, day: number): number => tally.sumsAt(arm, SHOPPERS, day).raw.known.clusters;
  return (arm: number) =>
    looksOf(plan, { ...calendar, firstDayMs: tally.firstDayMs, days: tally.days }, (day) => [shoppers(base, day), shoppers(arm, day)]);
}

function describePlan({ unitsPerArm, lastDay }: Plan, looks: (arm: number) => readonly PlannedLook[], tally: Tally, control: string) {
  return {
    unitsPerArm: unitsPerArm ?? null,
    lastDay: lastDay ?? null,
    arms: tally.arms.flatMap(({ variant }, arm) => {
      if (variant === control) return [];
      const last = looks(arm).at(-1);
      const pace = last === undefined || last.fraction === 0 ? Infinity : ((last.day + 1) * (1 - last.fraction)) / last.fraction;
      const byDay = lastDay === undefined ? Infinity : Math.round((Date.parse(lastDay) - tally.firstDayMs) / DAY_MS) - (last?.day ?? -1);
      const daysLeft = last?.isLast === true ? 0 : Math.min(pace, byDay);
      return [
        {
          variant,
          fraction: last?.fraction ?? 0,
          isOver: last?.isLast === true,
          /** At this traffic. */ daysLeft: Number.isFinite(daysLeft) ? Math.max(0, Math.ceil(daysLeft - 1e-9)) : null,
        },
      ];
    }),
  };
}

/** A wrong year, most likely; the rule stays the same, because a plan that follows the figures is none. */
function pastEnd(plan: Plan | undefined, tally: Tally | undefined): readonly string[] {
  if (plan?.lastDay === undefined || tally === undefined || Date.parse(plan.lastDay) >= tally.firstDayMs) return [];
  const first = dayName(tally.firstDayMs);
  return [
    `The planned end (${plan.lastDay}) is before the first search of this report (${first}): its first day alone decides. Is the year right, or --since after the end?`,
  ];
}

function chooseControl(asked: string | undefined, arms: readonly ArmTally[]): string {
  const names = arms.map(({ variant }) => variant);
  if (asked !== undefined && names.length > 0 && !names.includes(asked)) {
    throw new UserError(`No search was in an arm "${asked}": name one of ${names.join(", ")} with --control`);
  }
  return asked ?? (names.includes("control") ? "control" : (names[0] ?? "control"));
}

function exposuresOf(arm: ArmTally, { arms }: Weights) {
  const total = [...arms.values()].reduce((sum, weight) => sum + weight, 0);
  const weight = arms.get(arm.variant);
  const treatment = parseTreatment(arm.variant);
  const keepsOrder =
    treatment.ok && (treatment.value.kind === "shadow" || (treatment.value.kind === "serve" && treatment.value.ranker.kind === "engine"));
  // An arm that is meant to show the engine's order records this reason for every search that could have been re-ranked.
  const meant = keepsOrder ? (arm.bypasses.get("engine_order") ?? 0) : 0;
  const reasons = [...arm.bypasses]
    .filter(([reason]) => !(keepsOrder && reason === "engine_order"))
    .map(([reason, searches]) => ({ reason, searches }))
    .toSorted((a, b) => b.searches - a.searches || (a.reason < b.reason ? -1 : 1));
  const bypassed = reasons.reduce((sum, { searches }) => sum + searches, 0);
  return {
    variant: arm.variant,
    /** Intended share, 0..1; null where the configuration does not know the arm. */
    weight: weight === undefined ? null : weight / total,
    searches: arm.searches,
    shoppers: arm.shoppers,
    /** Of shoppers who gave no consent, or no id. */
    searchesWithoutShopper: arm.searches - arm.shopperSearches,
    /** `searches` kept the engine's order although the arm is not meant to, and stay in their arm (intention to treat). */
    bypasses: { meant, searches: bypassed, rate: arm.searches === 0 ? null : bypassed / arm.searches, reasons },
  };
}

/** Dimensions with more than one segment. Interleaving answers another question: such an arm is in no segment and in no time to an answer. */
function compareSegments(tally: Tally, metric: Metric, control: string, sequence: SequenceOptions) {
  const last = (arm: number) => tally.sumsAt(arm, metric, tally.days - 1);
  // A segment has too few shoppers for a design effect of its own.
  const effectOf = (arm: number) => searchEffect(last(base), last(arm));
  const base = tally.arms.findIndex(({ variant }) => variant === control);
  const rows = [...tally.segments].flatMap(([dimension, segments]) =>
    [...(segments.size > 1 ? segments : [])]
      .toSorted(([a], [b]) => segmentRank(a) - segmentRank(b))
      .flatMap(([segment, sums]) =>
        tally.arms.flatMap(({ variant, interleaved }, arm) => {
          const [mine, theirs] = [sums[arm], sums[base]];
          if (arm === base || mine === undefined || theirs === undefined || interleaved > 0) return [];
          const compared = compareSums(metric, [theirs.capped, mine.capped], { ...sequence, effect: effectOf(arm) });
          const result = typeof compared === "string" ? undefined : compared;
          return [
            {
              dimension,
              segment,
              variant,
              clusters: clustersOf(mine) + clustersOf(theirs),
              control: valueOf(theirs.capped),
              value: valueOf(mine.capped),
              lift: result?.lift.value ?? null,
              fixed: result?.lift.fixed ?? null,
              always: result?.lift.always ?? null,
              difference: result?.difference ?? null,
              /** Corrected below for the number of rows; null where there are too few events. */
              p: result?.p ?? null,
            },
          ];
        }),
      ),
  );
  const tested = rows.flatMap(({ p }) => p ?? []);
  const [fixed, always] = [holm(tested.map((p) => p.fixed)).values(), holm(tested.map((p) => p.always)).values()];
  const corrected = () => ({ fixed: fixed.next().value ?? 1, always: always.next().value ?? 1 });
  return rows.map((row) => ({ ...row, p: row.p && corrected() }));
}

function clustersOf({ raw: { known, alone } }: ArmSums): number {
  return known.clusters + alone.clusters;
}

function countVotes(arm: ArmTally, sequence: SequenceOptions) {
  const votes = (by: "clicks" | "purchases", kind: "click" | "purchase") => {
    const [all, known] = [arm.votes[kind], arm.shopperVotes[kind]];
    return {
      by,
      ...all,
      /** Of them those of known shoppers, by which the verdict goes. */
      shoppers: known,
      /** Votes of searches without a shopper: one shopper may have had many of them, so the verdict does not go by them. */
      withoutShopper: all.a + all.b + all.ties - known.a - known.b - known.ties,
      result: preferenceOf(all, sequence) ?? null,
      verdict: decide(preferenceOf(known, sequence)?.always, 0.5, ["a", "open", "b"] as const),
    };
  };
  // From the variant's name, `interleave(control, armmt)`.
  const [, a = "team a", b = "team b"] = /^interleave\((.+?), *(.+)\)$/.exec(arm.variant) ?? [];
  return {
    variant: arm.variant,
    teams: { a, b },
    searches: arm.interleaved,
    votes: [votes("clicks", "click"), votes("purchases", "purchase")],
  };
}

function timeToAnswer(metrics: readonly MetricReport[], arms: readonly ArmTally[], days: number, options: AnalyseOptions) {
  const { alpha, tuning, lift, power } = options;
  const wanted = { alpha, power };
  const interleaved = new Set(arms.flatMap((arm) => (arm.interleaved > 0 ? arm.variant : [])));
  const rows = metrics.flatMap(({ metric, comparisons }) =>
    comparisons
      .filter(({ variant }) => !interleaved.has(variant))
      .map(({ variant, result, expected }) => {
        const known = result ?? expected;
        if (known === null || !(known.standardError > 0))
          return { metric, variant, isRough: false, powerNow: null, seenNow: null, days: null };
        const running = { standardError: known.standardError, clusters: known.clusters, days };
        return {
          metric,
          variant,
          /** From too few events to compare the arms, as if they were alike. */
          isRough: result === null,
          /** Probability to see that lift now, and the smallest lift that can be seen, in one look; null where there are too few events. */
          powerNow: result && powerNow(lift, result.standardError, alpha),
          seenNow: result && liftSeenNow(result.standardError, wanted),
          /** In all until that lift can be seen: in one look at the end, with daily looks until a planned end, or with the confidence sequence. */
          days: {
            fixed: daysUntil(lift, running, wanted),
            planned: plannedDays(daysUntil(lift, running, wanted), wanted, USED * alpha),
            always: daysUntil(lift, running, wanted, { alpha, tuning }),
          },
        };
      }),
  );
  return { lift, power, rows };
}

/** How searches of unknown shoppers count. */
function perSearch(metrics: readonly MetricReport[]): string {
  const all = metrics
    .filter(({ per }) => per === "search")
    .flatMap(({ comparisons }) => comparisons.map(({ designEffect }) => designEffect));
  const known = all.flatMap((effect) => effect ?? []);
  if (known.length === 0)
    return "and too few shoppers are known to tell how much the searches of one hang together: there is no verdict per search.";
  const [least, most] = [Math.min(...known), Math.max(...known)].map((effect) => effect.toFixed(1));
  return (
    `and per search with a variance that is ${least === most ? least : `${least} to ${most}`} times as large (the design effect of the known shoppers)` +
    (known.length < all.length ? "; where too few are known to tell it, there is no verdict." : ".")
  );
}

/** More pages per search than shoppers look at. */
const MANY_PAGES = 5;

/** Warnings about the rows of the log, for the reader of the figures; empty where nothing is wrong. */
function findWarnings(
  { tally, counts }: Pick<Rows, "tally" | "counts">,
  weights: Weights,
  metrics: readonly MetricReport[],
): readonly string[] {
  const notes: string[] = [];
  const { pages, searches, withoutTime, ambiguous, strayActions, simulated, outside, carriedOver } = counts;
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
      "No search names its shopper (x-armmt-consent): how much the searches of one shopper hang together is not known, so there is no verdict per search, and nothing per shopper.",
    );
  } else if (alone > 0) notes.push(`${alone} searches name no shopper: they do not count per shopper, ${perSearch(metrics)}`);
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
  if (outside.actions > 0)
    notes.push(
      `${outside.actions} clicks, carts or purchases (${outside.purchases} purchases) came after the attribution window or the end of the report, or long before their search, and are left out.`,
    );
  if (outside.undated > 0)
    notes.push(`${outside.undated} clicks, carts or purchases have no readable timestamp: they count, whenever they were.`);
  if (carriedOver.moved > 0)
    notes.push(
      `${carriedOver.moved} shoppers were in another arm before the start of the report: what they saw there may still act. All ${carriedOver.leftOut} shoppers who were there before are left out, of every arm alike.`,
    );
  return notes;
}
