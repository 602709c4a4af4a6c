/**
 * Counts of this isolate since it started, per variant and outcome, for /armmt/status: to a shopper, a working deployment and one that bypasses
 * every search look alike. Not a metric store: nothing is added up between isolates.
 */
import type { BypassReason } from "../result.ts";

type Counts = Readonly<Record<string, number>>;

export type Counters = ReturnType<typeof createCounters>;

export function createCounters() {
  const searches = createTable();
  const exposures = { written: 0, failed: 0, left_out: 0 };
  let bots = 0;
  const calls = createTable();
  const taste = createTable();
  return {
    countSearch: (variant: string, outcome: "applied" | BypassReason): void => searches.add(variant, outcome, 1),
    countExposure: (outcome: keyof typeof exposures): void => void exposures[outcome]++,
    countBot: (): void => void bots++,
    countCall: (outcome: string): void => calls.add("", outcome, 1),
    /** Of pages without words whose shopper has a history. */
    countTaste: (outcome: "applied" | "other_encoders" | "unknown_history" | BypassReason): void => taste.add("", outcome, 1),
    /**
     * `searches`: variant → outcome → searches. `bots`: searches of crawlers, in none of the other figures. `calls`: what pages asked beside their
     * searches, by outcome, and `taste`: whether pages without words followed what their shoppers looked at, or why not; only where there are some.
     */
    snapshot() {
      const [passed, followed] = [calls.snapshot()[""], taste.snapshot()[""]];
      const rare = { ...(passed && { calls: passed }), ...(followed && { taste: followed }) };
      return { searches: searches.snapshot(), exposures: describeExposures(exposures), bots, ...rare };
    },
  };
}

/** `left_out`: of searches beyond those of a request that are recorded; rare, so it is shown only where there are some. */
function describeExposures({ left_out, ...others }: Readonly<Record<"written" | "failed" | "left_out", number>>): Counts {
  return left_out > 0 ? { ...others, left_out } : others;
}

/** `dropped`: neither the sink nor the dead-letter queue has taken it; for events the client is told. */
export type SinkOutcome = "retried" | "failed" | "deferred" | "redelivered" | "dropped";

/** Counts of clients' events, and of the sinks' work. */
export type EventCounters = ReturnType<typeof createEventCounters>;

export function createEventCounters() {
  const events = { accepted: 0, duplicates: 0 };
  let suspects = 0;
  const waits: number[] = [];
  const rejected = createTable();
  const forwarded = createTable();
  const sinks = createTable();
  return {
    countEvents: (outcome: "accepted" | "duplicates", by: number): void => void (events[outcome] += by),
    /** Purchases with a price far from the published one, as they came: a duplicate counts again. */
    countSuspectPrices: (by: number): void => void (suspects += by),
    /** Milliseconds that a page waited for a search. */
    countWait(ms: number): void {
      if (waits.push(Math.round(ms)) > MOST_WAITS) waits.shift();
    },
    /** Requests with events for the engine itself. `left_out`: too many under way, or of indexes that are not configured, or are not named for certain. */
    countForwarded: (outcome: "sent" | "failed" | "left_out"): void => forwarded.add("", outcome, 1),
    countRejected: (reason: string): void => rejected.add("", reason, 1),
    countSink: (sink: string, outcome: SinkOutcome, by = 1): void => sinks.add(sink, outcome, by),
    /** `forwarded`, `suspect_prices`, `waits` (how long pages waited, of the last that said so): only where there are some. `rejected`: reason → events, and requests that were refused for their origin, signature or key. `sinks`: sink → outcome → count; for "deferred", "redelivered" and "dropped" the count is of records. */
    snapshot: () => ({
      ...events,
      ...(forwarded.snapshot()[""] && { forwarded: forwarded.snapshot()[""] }),
      ...(suspects > 0 && { suspect_prices: suspects }),
      ...(waits.length > 0 && { waits: describeWaits(waits) }),
      rejected: rejected.snapshot()[""] ?? {},
      sinks: sinks.snapshot(),
    }),
  };
}

/** Of an isolate. */
const MOST_WAITS = 500;

function describeWaits(waits: readonly number[]): Readonly<Record<"searches" | "median_ms" | "p95_ms", number>> {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { searches: sorted.length, median_ms: at(0.5), p95_ms: at(0.95) };
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
