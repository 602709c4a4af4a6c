/**
 * What this isolate has served since it started, per variant and outcome. For /armmt/status: a working deployment and one in which every
 * search is bypassed look alike to a shopper, so they must differ here.
 *
 * Not a metric store: isolates come and go, and nothing is added up between them.
 */
import type { BypassReason } from "../result.ts";

export type Outcome = "applied" | BypassReason;

export interface CountersSnapshot {
  /** variant → outcome → searches. */
  readonly searches: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly exposures: { readonly written: number; readonly failed: number };
  /** Searches of crawlers: in none of the figures above. */
  readonly bots: number;
}

export interface Counters {
  countSearch(variant: string, outcome: Outcome): void;
  countExposure(outcome: "written" | "failed"): void;
  countBot(): void;
  snapshot(): CountersSnapshot;
}

export function createCounters(): Counters {
  const searches = new Map<string, Map<Outcome, number>>();
  const exposures = { written: 0, failed: 0 };
  let bots = 0;
  return {
    countSearch(variant, outcome) {
      const outcomes = searches.get(variant) ?? new Map<Outcome, number>();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      searches.set(variant, outcomes);
    },
    countExposure(outcome) {
      exposures[outcome]++;
    },
    countBot() {
      bots++;
    },
    snapshot() {
      const byVariant = [...searches].map(([variant, outcomes]) => [variant, Object.fromEntries(outcomes)] as const);
      return { searches: Object.fromEntries(byVariant), exposures: { ...exposures }, bots };
    },
  };
}

/** What became of the events that clients sent, and of the sinks' work. */
export interface EventCountersSnapshot {
  readonly accepted: number;
  readonly duplicates: number;
  /** Reason → events. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Sink → what happened → how often; of "deferred" and "redelivered", how many records. */
  readonly sinks: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface EventCounters {
  countEvents(outcome: "accepted" | "duplicates", by: number): void;
  countRejected(reason: string): void;
  countSink(sink: string, outcome: "retried" | "failed" | "deferred" | "redelivered", by?: number): void;
  snapshot(): EventCountersSnapshot;
}

export function createEventCounters(): EventCounters {
  const events = { accepted: 0, duplicates: 0 };
  const rejected = new Map<string, number>();
  const sinks = new Map<string, Map<string, number>>();
  return {
    countEvents(outcome, by) {
      events[outcome] += by;
    },
    countRejected(reason) {
      rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
    },
    countSink(sink, outcome, by = 1) {
      const outcomes = sinks.get(sink) ?? new Map<string, number>();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + by);
      sinks.set(sink, outcomes);
    },
    snapshot() {
      const bySink = [...sinks].map(([sink, outcomes]) => [sink, Object.fromEntries(outcomes)] as const);
      return { ...events, rejected: Object.fromEntries(rejected), sinks: Object.fromEntries(bySink) };
    },
  };
}
