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
