/** Sums → the report. Every number of it is made here or below; `terminal.ts` and `page.ts` only say it. */
import { compareArms } from "./statistics/compare.ts";
import { holm } from "./statistics/holm.ts";
import { daysUntil, liftSeenNow, powerNow } from "./statistics/power.ts";
import { preferenceOf } from "./statistics/preference.ts";
import { estimateRatio } from "./statistics/ratio.ts";
import { parseTreatment, type Ranker } from "../experiment/treatment.ts";
import { type Metric, METRICS } from "./metrics.ts";
import { compareSampleRatio } from "./mismatch.ts";
import type {
  ArmExposures,
  InterleavingReport,
  InterleavingVotes,
  MetricComparison,
  MetricReport,
  ReportData,
  Segments,
  SegmentRow,
  TimeToAnswer,
} from "./report-data.ts";
import { SEGMENT_ORDER } from "./segments.ts";
import type { Money, StageCounts } from "./stage.ts";
import type { ArmTally, Tally } from "./tally.ts";
import type { Weights } from "./report-data.ts";
import { noteOddities } from "./oddities.ts";
import { DAY_MS, UserError } from "../web.ts";

export interface AnalyseOptions {
  readonly experiment: string;
  readonly place: string;
  readonly weights: Weights;
  /** The arm that others are compared with; `undefined`: "control", else the first. */
  readonly control: string | undefined;
  readonly alpha: number;
  /** N* */
  readonly tuning: number;
  /** Of the segments and of the time to an answer. */
  readonly metric: Metric;
  /** What one would like to see, relative. */
  readonly lift: number;
  readonly power: number;
  readonly notes: readonly string[];
}

export interface Analysed {
  /** `undefined` without a search. */
  readonly tally: Tally | undefined;
  readonly counts: StageCounts;
  readonly money: Money;
}

const dayName = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Throws a UserError for a control that is no arm. */
export function analyse({ tally, counts, money }: Analysed, options: AnalyseOptions): ReportData {
  const { experiment, place, weights, alpha, tuning, metric, lift, power } = options;
  const arms = tally?.arms ?? [];
  const control = chooseControl(options.control, arms);
  const exposures = arms.map((arm) => exposuresOf(arm, weights));
  const sampleRatio = compareSampleRatio(arms, weights);
  const metrics = tally === undefined ? [] : METRICS.map((one) => measure(one, { tally, control, money, alpha, tuning }));
  return {
    experiment,
    place,
    simulated: counts.simulated > 0,
    period:
      tally === undefined
        ? null
        : { from: dayName(tally.firstDayMs), to: dayName(tally.firstDayMs + (tally.days - 1) * DAY_MS), days: tally.days },
    control,
    alpha,
    tuning,
    trusted: !sampleRatio.isMismatch,
    notes: [...options.notes, ...noteOddities({ tally, counts, money, weights })],
    exposures: {
      weightsFrom: weights.from,
      searches: exposures.reduce((sum, { searches }) => sum + searches, 0),
      searchesPerDay: exposures.reduce((sum, { searches }) => sum + searches, 0) / (tally?.days ?? 1),
      arms: exposures,
    },
    sampleRatio,
    metrics,
    segments: tally === undefined ? { metric: metric.id, rows: [] } : compareSegments(tally, { control, metric, alpha, tuning }),
    interleaving: arms.filter(({ interleaved }) => interleaved > 0).map((arm) => countVotes(arm, { alpha, tuning })),
    timeToAnswer: tellTime(metrics, {
      drafts: arms.filter(isDraft).map(({ variant }) => variant),
      days: tally?.days ?? 0,
      alpha,
      tuning,
      lift,
      power,
    }),
  };
}

function chooseControl(wanted: string | undefined, arms: readonly ArmTally[]): string {
  const names = arms.map(({ variant }) => variant);
  if (wanted !== undefined && names.length > 0 && !names.includes(wanted)) {
    throw new UserError(`No search was in an arm "${wanted}": name one of ${names.join(", ")} with --control`);
  }
  return wanted ?? (names.includes("control") ? "control" : (names[0] ?? "control"));
}

function exposuresOf(arm: ArmTally, { arms }: Weights): ArmExposures {
  const whole = [...arms.values()].reduce((sum, weight) => sum + weight, 0);
  const weight = arms.get(arm.variant);
  const keepsOrder = isEngineOrder(arm.variant);
  // An arm that is meant to show the engine's order says so of every search that could have been re-ranked.
  const meant = keepsOrder ? (arm.bypasses.get("engine_order") ?? 0) : 0;
  const reasons = [...arm.bypasses]
    .filter(([reason]) => !(keepsOrder && reason === "engine_order"))
    .map(([reason, searches]) => ({ reason, searches }))
    .toSorted((a, b) => b.searches - a.searches || (a.reason < b.reason ? -1 : 1));
  const bypassed = reasons.reduce((sum, { searches }) => sum + searches, 0);
  return {
    variant: arm.variant,
    weight: weight === undefined ? null : weight / whole,
    searches: arm.searches,
    shoppers: arm.shoppers,
    searchesWithoutShopper: arm.searches - arm.shopperSearches,
    bypasses: { meant, searches: bypassed, rate: arm.searches === 0 ? null : bypassed / arm.searches, reasons },
  };
}

function isEngineOrder(variant: string): boolean {
  const treatment = parseTreatment(variant);
  return (
    treatment.ok && (treatment.value.kind === "shadow" || (treatment.value.kind === "serve" && treatment.value.ranker.kind === "engine"))
  );
}

interface Measuring {
  readonly tally: Tally;
  readonly control: string;
  readonly money: Money;
  readonly alpha: number;
  readonly tuning: number;
}

function measure(metric: Metric, { tally, control, money, alpha, tuning }: Measuring): MetricReport {
  const { arms, days, sumsAt } = tally;
  const last = days - 1;
  const base = arms.findIndex(({ variant }) => variant === control);
  const compare = (arm: number, day: number) =>
    compareArms(estimateRatio(sumsAt(base, metric, day)), estimateRatio(sumsAt(arm, metric, day)), { alpha, tuning });
  const comparisons = arms.flatMap(({ variant }, arm): MetricComparison[] => {
    if (arm === base || base < 0) return [];
    const result = compare(arm, last);
    const always = typeof result === "string" ? undefined : result.lift.always;
    return [
      {
        variant,
        result: typeof result === "string" ? null : result,
        why: typeof result === "string" ? result : null,
        verdict: always === undefined || (always.low <= 0 && always.high >= 0) ? "open" : always.low > 0 ? "higher" : "lower",
        daily: Array.from({ length: days }, (_, day) => {
          const then = compare(arm, day);
          const known = typeof then === "string" ? undefined : then.lift;
          return { day: dayName(tally.firstDayMs + day * DAY_MS), lift: known?.value ?? null, always: known?.always ?? null };
        }),
      },
    ];
  });
  const { id, title, meaning, per, kind } = metric;
  return {
    metric: id,
    title,
    meaning,
    per,
    kind,
    currency: kind === "money" ? (money.currency ?? null) : null,
    arms: arms.map(({ variant }, arm) => {
      const sums = sumsAt(arm, metric, last);
      return { variant, value: sums.x > 0 ? sums.y / sums.x : null, clusters: sums.clusters, sum: sums.y };
    }),
    comparisons,
  };
}

interface Comparing {
  readonly control: string;
  readonly metric: Metric;
  readonly alpha: number;
  readonly tuning: number;
}

/** Interleaving asks another question: such an arm is neither cut into segments nor waited for. */
function isDraft(arm: ArmTally | undefined): boolean {
  return arm !== undefined && arm.interleaved > 0;
}

/** A dimension with one segment tells nothing apart. */
function compareSegments(tally: Tally, { control, metric, alpha, tuning }: Comparing): Segments {
  const base = tally.arms.findIndex(({ variant }) => variant === control);
  const found = [...tally.segments].filter(([, segments]) => segments.size > 1);
  const rows = found.flatMap(([dimension, segments]) =>
    [...segments]
      .toSorted(([a], [b]) => placeOf(a) - placeOf(b))
      .flatMap(([segment, sums]) =>
        tally.arms.flatMap(({ variant }, arm) => {
          const [mine, theirs] = [sums[arm], sums[base]];
          if (arm === base || mine === undefined || theirs === undefined || isDraft(tally.arms[arm])) return [];
          const [a, b] = [estimateRatio(theirs), estimateRatio(mine)];
          const result = compareArms(a, b, { alpha, tuning });
          const known = typeof result === "string" ? undefined : result;
          const row: SegmentRow = {
            dimension,
            segment,
            variant,
            clusters: mine.clusters + theirs.clusters,
            control: a?.value ?? null,
            value: b?.value ?? null,
            lift: known?.lift.value ?? null,
            fixed: known?.lift.fixed ?? null,
            always: known?.lift.always ?? null,
            p: known?.p ?? null,
          };
          return [row];
        }),
      ),
  );
  const tested = rows.flatMap(({ p }) => p ?? []);
  const [fixed, always] = [holm(tested.map((p) => p.fixed)), holm(tested.map((p) => p.always))];
  let next = 0;
  return {
    metric: metric.id,
    rows: rows.map((row) => {
      if (row.p === null) return row;
      const corrected = { fixed: fixed[next] ?? 1, always: always[next] ?? 1 };
      next++;
      return { ...row, p: corrected };
    }),
  };
}

function placeOf(segment: string): number {
  const place = SEGMENT_ORDER.indexOf(segment);
  return place < 0 ? SEGMENT_ORDER.length : place;
}

function countVotes(arm: ArmTally, options: { readonly alpha: number; readonly tuning: number }): InterleavingReport {
  const votes = (by: InterleavingVotes["by"], counted: ArmTally["votes"]["click"]): InterleavingVotes => {
    const result = preferenceOf(counted, options);
    const always = result?.always;
    return {
      by,
      ...counted,
      result: result ?? null,
      verdict: always === undefined || (always.low <= 0.5 && always.high >= 0.5) ? "open" : always.low > 0.5 ? "b" : "a",
    };
  };
  return {
    variant: arm.variant,
    teams: teamNames(arm.variant),
    searches: arm.interleaved,
    votes: [votes("clicks", arm.votes.click), votes("purchases", arm.votes.purchase)],
  };
}

/** From the variant's name, `interleave(control, armmt)`. */
function teamNames(variant: string): { readonly a: string; readonly b: string } {
  const treatment = parseTreatment(variant);
  if (!treatment.ok || treatment.value.kind !== "interleave") return { a: "team a", b: "team b" };
  return { a: rankerName(treatment.value.a), b: rankerName(treatment.value.b) };
}

function rankerName(ranker: Ranker): string {
  if (ranker.kind === "engine") return "control";
  return ranker.version === undefined ? "armmt" : `armmt@${ranker.version}`;
}

interface Telling {
  /** Arms that are left out. */
  readonly drafts: readonly string[];
  readonly days: number;
  readonly alpha: number;
  readonly tuning: number;
  readonly lift: number;
  readonly power: number;
}

function tellTime(metrics: readonly MetricReport[], { drafts, days, alpha, tuning, lift, power }: Telling): TimeToAnswer {
  const wanted = { alpha, power };
  return {
    lift,
    power,
    rows: metrics.flatMap(({ metric, comparisons }) =>
      comparisons
        .filter(({ variant }) => !drafts.includes(variant))
        .map(({ variant, result }) => {
          if (result === null || !(result.standardError > 0)) return { metric, variant, powerNow: null, seenNow: null, days: null };
          const running = { standardError: result.standardError, clusters: result.clusters, days };
          return {
            metric,
            variant,
            powerNow: powerNow(lift, result.standardError, alpha),
            seenNow: liftSeenNow(result.standardError, wanted),
            days: { fixed: daysUntil(lift, running, wanted), always: daysUntil(lift, running, wanted, { alpha, tuning }) },
          };
        }),
    ),
  };
}
