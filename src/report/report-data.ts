/** The report as data: what `--json` prints, and what terminal and page are made of. Types only. */
import type { Effect, Incomparable, Interval } from "./statistics/compare.ts";
import type { Per } from "./metrics.ts";

/** Which arms an experiment has and how large each should be. */
export interface Weights {
  /** Variant → weight, in the order of the configuration. Any positive sum. */
  readonly arms: ReadonlyMap<string, number>;
  /** For the reader. */
  readonly from: string;
}

export interface ReportData {
  readonly experiment: string;
  /** Where the log lies. */
  readonly place: string;
  /** True where rows of the simulator are among them: then nothing here is about real shoppers. */
  readonly simulated: boolean;
  readonly period: { readonly from: string; readonly to: string; readonly days: number } | null;
  readonly control: string;
  readonly alpha: number;
  /** N* of the sequences. */
  readonly tuning: number;
  /** False where the sample ratio does not fit: nothing below it is to be believed. */
  readonly trusted: boolean;
  readonly notes: readonly string[];
  readonly exposures: Exposures;
  readonly sampleRatio: SampleRatio;
  readonly metrics: readonly MetricReport[];
  readonly segments: Segments;
  readonly interleaving: readonly InterleavingReport[];
  readonly timeToAnswer: TimeToAnswer;
}

export interface Exposures {
  readonly weightsFrom: string;
  readonly searches: number;
  readonly searchesPerDay: number;
  readonly arms: readonly ArmExposures[];
}

export interface ArmExposures {
  readonly variant: string;
  /** Share that it should have, 0..1; null where the configuration does not know it. */
  readonly weight: number | null;
  readonly searches: number;
  /** Known ones only. */
  readonly shoppers: number;
  /** Searches of shoppers who gave no consent, or no id. */
  readonly searchesWithoutShopper: number;
  readonly bypasses: Bypasses;
}

export interface Bypasses {
  /** Searches that kept the engine's order because the arm is meant to. */
  readonly meant: number;
  /** Searches that kept the engine's order although the arm is not meant to. They stay in their arm (intention to treat). */
  readonly searches: number;
  /** Of all searches of the arm, 0..1; null without a search. */
  readonly rate: number | null;
  /** Most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly searches: number }[];
}

export interface SampleRatio {
  readonly isMismatch: boolean;
  /** Below which p it fires. */
  readonly threshold: number;
  readonly tests: readonly RatioTest[];
  /** In words. */
  readonly verdict: string;
}

export interface RatioTest {
  readonly of: "shoppers" | "searches without a shopper";
  readonly counts: Readonly<Record<string, number>>;
  readonly expected: Readonly<Record<string, number>>;
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  readonly designEffect: number;
  readonly p: number;
  readonly isMismatch: boolean;
}

export interface MetricReport {
  readonly metric: string;
  readonly title: string;
  readonly meaning: string;
  readonly per: Per;
  readonly kind: "share" | "count" | "money";
  readonly currency: string | null;
  readonly arms: readonly { readonly variant: string; readonly value: number | null; readonly clusters: number; readonly sum: number }[];
  readonly comparisons: readonly MetricComparison[];
}

export interface MetricComparison {
  readonly variant: string;
  /** null where there is too little to say anything. */
  readonly result: {
    readonly difference: Effect;
    readonly lift: Effect;
    readonly standardError: number;
    readonly clusters: number;
    readonly p: { readonly fixed: number; readonly always: number };
  } | null;
  readonly why: Incomparable | null;
  /** From the always-valid sequence alone. */
  readonly verdict: "higher" | "lower" | "open";
  /** The sequence of the relative lift, up to and including each day; without an interval as long as there was too little. */
  readonly daily: readonly { readonly day: string; readonly lift: number | null; readonly always: Interval | null }[];
}

export interface Segments {
  readonly metric: string;
  readonly rows: readonly SegmentRow[];
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
  /** Corrected for the number of rows by Holm's procedure; null where there was too little. */
  readonly p: { readonly fixed: number; readonly always: number } | null;
}

export interface InterleavingReport {
  readonly variant: string;
  readonly teams: { readonly a: string; readonly b: string };
  readonly searches: number;
  readonly votes: readonly InterleavingVotes[];
}

export interface InterleavingVotes {
  readonly by: "clicks" | "purchases";
  readonly a: number;
  readonly b: number;
  readonly ties: number;
  /** null without a vote. */
  readonly result: {
    /** −0.5..0.5, above 0 for b. */
    readonly score: number;
    readonly shareOfB: number;
    readonly fixed: Interval;
    readonly always: Interval;
    readonly p: number;
  } | null;
  readonly verdict: "a" | "b" | "open";
}

export interface TimeToAnswer {
  readonly lift: number;
  readonly power: number;
  readonly rows: readonly TimeRow[];
}

export interface TimeRow {
  readonly metric: string;
  readonly variant: string;
  /** Chance to see that lift now, in one look; null where there is too little to tell. */
  readonly powerNow: number | null;
  /** Smallest lift that can be seen now, in one look. */
  readonly seenNow: number | null;
  /** Days in all until that lift can be seen: in one look at the end, or with the sequence. */
  readonly days: { readonly fixed: number; readonly always: number } | null;
}
