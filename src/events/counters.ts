/**
 * Counts of this isolate since it started, per variant and outcome, for /armmt/status: to a shopper, a working deployment and one that bypasses
 * every search look alike.
 *
 * Not a metric store: isolates come and go, and nothing is added up between them.
 */
import type { BypassReason } from "../result.ts";

export type Outcome = "applied" | BypassReason;

type Counts = Readonly<Record<string, number>>;

export interface CountersSnapshot {
  /** variant → outcome → searches. */
  readonly searches: Readonly<Record<string, Counts>>;
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
  const searches = createTable();
  const exposures = { written: 0, failed: 0 };
  let bots = 0;
  return {
    countSearch: (variant, outcome) => searches.add(variant, outcome, 1),
    countExposure: (outcome) => void exposures[outcome]++,
    countBot: () => void bots++,
    snapshot: () => ({ searches: searches.snapshot(), exposures: { ...exposures }, bots }),
  };
}

/** Counts of clients' events, and of the sinks' work. */
export interface EventCountersSnapshot {
  readonly accepted: number;
  readonly duplicates: number;
  /** Reason → events. */
  readonly rejected: Counts;
  /** Sink → outcome → count; for "deferred" and "redelivered" the count is of records. */
  readonly sinks: Readonly<Record<string, Counts>>;
}

export interface EventCounters {
  countEvents(outcome: "accepted" | "duplicates", by: number): void;
  countRejected(reason: string): void;
  countSink(sink: string, outcome: "retried" | "failed" | "deferred" | "redelivered", by?: number): void;
  snapshot(): EventCountersSnapshot;
}

export function createEventCounters(): EventCounters {
  const events = { accepted: 0, duplicates: 0 };
  const rejected = createTable();
  const sinks = createTable();
  return {
    countEvents: (outcome, by) => void (events[outcome] += by),
    countRejected: (reason) => rejected.add("", reason, 1),
    countSink: (sink, outcome, by = 1) => sinks.add(sink, outcome, by),
    snapshot: () => ({ ...events, rejected: rejected.snapshot()[""] ?? {}, sinks: sinks.snapshot() }),
  };
}

/** Row → column → count. */
function createTable() {
  const rows = new Map<string, Map<string, number>>();
  return {
    add(row: string, column: string, by: number): void {
      const counts = rows.get(row) ?? new Map<string, number>();
      rows.set(row, counts.set(column, (counts.get(column) ?? 0) + by));
    },
    snapshot: (): Readonly<Record<string, Counts>> =>
      Object.fromEntries([...rows].map(([row, counts]) => [row, Object.fromEntries(counts)] as const)),
  };
}
