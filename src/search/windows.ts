/**
 * What one engine has done with requests for a window, of late. One that is too busy for them gets the shoppers' own requests at once for a
 * while, and so do searches whose windows it refuses, cuts or cannot give: nobody waits twice for ever. That the engine is down is never decided
 * here; a shopper's own request is always sent.
 */
import { createBreaker } from "../breaker.ts";
import { createWindowMemory } from "./window-memory.ts";

/** Of the engine's time, for a widened request: the shopper's own can still be sent and answered. */
export const WINDOW_SHARE = 0.6;

/** Windows in a row. */
const FAILURES = 5;
const PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 5 * 60_000;

/** Of short windows in a row that were right. */
const FALSE_ALARMS = 3;
const TRUST_MS = 60_000;
const MAX_TRUST_MS = 10 * 60_000;

/** Weight of the latest reply. */
const WEIGHT = 0.05;

/** Of this time and the one before, the quickest reply. */
const QUICKEST_MS = 30_000;

export type Windows = ReturnType<typeof createWindows>;

export function createWindows(now: () => number) {
  const breaker = createBreaker({ failures: FAILURES, pauseMs: PAUSE_MS, maxPauseMs: MAX_PAUSE_MS, now });
  /** Open: this engine's short windows were right, and are believed for a while. */
  const trust = createBreaker({ failures: FALSE_ALARMS, pauseMs: TRUST_MS, maxPauseMs: MAX_TRUST_MS, now });
  const memory = createWindowMemory(now);
  let usualMs: number | undefined;
  const quickest = { since: now(), ms: Infinity, before: Infinity };
  return {
    /** Of searches that are the reason themselves. */
    memory,
    /** Whether to ask for a window now. */
    admits: (): boolean => breaker.admits(),
    /** Whether a window that may be short is to be compared with the shopper's own reply. */
    isDoubted: (): boolean => trust.admits(),
    succeeded: (): void => breaker.succeeded(),
    /** The engine had no time or no room for a window. */
    failed: (): void => breaker.failed(),
    wasShort: (isReally: boolean): void => (isReally ? trust.succeeded() : trust.failed()),
    /** What a reply takes of late, until this thread has it: who needs no model waits as long. */
    usualMs: (): number => usualMs ?? 0,
    /** What the engine itself takes: of its replies of late, the one that waited least for this thread. */
    quickestMs(): number {
      const ms = Math.min(quickest.ms, quickest.before);
      return Number.isFinite(ms) ? ms : 0;
    },
    noteReply(ms: number): void {
      if (Math.abs(now() - quickest.since) > QUICKEST_MS) Object.assign(quickest, { since: now(), ms: Infinity, before: quickest.ms });
      quickest.ms = Math.min(quickest.ms, Math.max(0, ms));
      usualMs = usualMs === undefined ? Math.max(0, ms) : usualMs + WEIGHT * (Math.max(0, ms) - usualMs);
    },
    snapshot: () => ({ ...breaker.snapshot(), remembered: memory.snapshot() }),
  };
}
