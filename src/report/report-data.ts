/** The report as data: the output of `--json` and the input of terminal and page. Types only. */
import type { Metric } from "./metrics.ts";
import type { Comparison, Incomparable, Interval } from "./statistics/compare.ts";
import type { Preference, Votes } from "./statistics/preference.ts";

/** The arms of an experiment and their intended sizes. */
export interface Weights {
  /** Variant → weight, in the order of the configuration. Any positive sum. */
  readonly arms: ReadonlyMap<string, number>;
  /** The source, in words. */
  readonly from: string;
}

export interface ReportData {
  readonly experiment: string;
  /** The log, in words. */
  readonly place: string;
  /** Rows of the simulator are among them: nothing here is about real shoppers. */
  readonly simulated: boolean;
  readonly period: { readonly from: string; readonly to: string; readonly days: number } | null;
  readonly control: string;
  readonly alpha: number;
  /** N* of the confidence sequences. */
  readonly tuning: number;
  /** False after a sample-ratio mismatch: no figure can be trusted. */
  readonly trusted: boolean;
  readonly notes: readonly string[];
  readonly exposures: {
    readonly weightsFrom: string;
    readonly searches: number;
    readonly searchesPerDay: number;
    readonly arms: readonly ArmExposures[];
  };
  readonly sampleRatio: SampleRatio;
  readonly metrics: readonly MetricReport[];
  readonly segments: { readonly metric: string; readonly rows: readonly SegmentRow[] };
  readonly interleaving: readonly InterleavingReport[];
  /** Relative lift and power that the rows are for. */
  readonly timeToAnswer: { readonly lift: number; readonly power: number; readonly rows: readonly TimeRow[] };
}

export interface ArmExposures {
  readonly variant: string;
  /** Intended share, 0..1; null where the configuration does not know the arm. */
  readonly weight: number | null;
  readonly searches: number;
  /** Shoppers with an id. */
  readonly shoppers: number;
  /** Searches of shoppers who gave no consent, or no id. */
  readonly searchesWithoutShopper: number;
  readonly bypasses: {
    /** Searches that kept the engine's order because the arm is meant to. */
    readonly meant: number;
    /** Searches that kept the engine's order although the arm is not meant to. They stay in their arm (intention to treat). */
    readonly searches: number;
    /** Of all searches of the arm, 0..1; null without a search. */
    readonly rate: number | null;
    /** Most frequent first. */
    readonly reasons: readonly { readonly reason: string; readonly searches: number }[];
  };
}

export interface SampleRatio {
  readonly isMismatch: boolean;
  /** The test fires for a smaller p. */
  readonly threshold: number;
  readonly tests: readonly RatioTest[];
  /** In words. */
  readonly verdict: string;
}

export interface SampleRatioTest {
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
  readonly isMismatch: boolean;
  /** Parallel to the counts. */
  readonly expected: readonly number[];
}

export interface RatioTest extends Omit<SampleRatioTest, "expected"> {
  readonly of: "shoppers" | "searches without a shopper";
  readonly counts: Readonly<Record<string, number>>;
  readonly expected: Readonly<Record<string, number>>;
  readonly designEffect: number;
}

export interface MetricReport extends Pick<Metric, "title" | "meaning" | "per" | "kind"> {
  readonly metric: string;
  readonly currency: string | null;
  readonly arms: readonly { readonly variant: string; readonly value: number | null; readonly clusters: number; readonly sum: number }[];
  readonly comparisons: readonly MetricComparison[];
}

export interface MetricComparison {
  readonly variant: string;
  /** null where there are too few events. */
  readonly result: Comparison | null;
  readonly why: Incomparable | null;
  /** By the confidence sequence alone. */
  readonly verdict: "higher" | "lower" | "open";
  /** The confidence sequence of the relative lift, up to and including each day; null as long as there were too few events. */
  readonly daily: readonly { readonly day: string; readonly lift: number | null; readonly always: Interval | null }[];
}

export interface SegmentRow {
  readonly dimension: string;
  readonly segment: string;
  readonly variant: string;
  readonly clusters: number;
  readonly control: number | null;
  readonly value: number | null;
  readonly lift: number | null;
  readonly fixed: Interval | null;
  readonly always: Interval | null;
  /** Corrected for the number of rows by Holm's procedure; null where there are too few events. */
  readonly p: Comparison["p"] | null;
}

export interface InterleavingReport {
  readonly variant: string;
  readonly teams: { readonly a: string; readonly b: string };
  readonly searches: number;
  readonly votes: readonly InterleavingVotes[];
}

export interface InterleavingVotes extends Votes {
  readonly by: "clicks" | "purchases";
  /** null without a vote. */
  readonly result: Preference | null;
  readonly verdict: "a" | "b" | "open";
}

export interface TimeRow {
  readonly metric: string;
  readonly variant: string;
  /** Probability to see that lift now, in one look; null where there are too few events. */
  readonly powerNow: number | null;
  /** Smallest lift that can be seen now, in one look. */
  readonly seenNow: number | null;
  /** Days in all until that lift can be seen: in one look at the end, or with the confidence sequence. */
  readonly days: { readonly fixed: number; readonly always: number } | null;
}
