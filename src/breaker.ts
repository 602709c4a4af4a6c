/**
 * A circuit breaker: after a number of failures in a row, what fails is not asked for a while; then one call tries it again, and each try
 * that fails makes the pause longer, up to a bound.
 *
 * A call asks `admits()` first, and reports `succeeded()` or `failed()` when it has ended. A call that reports nothing costs a pause at most.
 */
import { isRecent, type Log } from "./web.ts";

export type BreakerState = "closed" | "open" | "probing";

export interface BreakerSnapshot {
  readonly state: BreakerState;
  /** In a row, until now. */
  readonly failures: number;
  /** How often it has opened. */
  readonly opened: number;
  /** Calls that were not made because it was open. */
  readonly refused: number;
}

export interface BreakerOptions {
  /** This many in a row open it. Default 5. */
  readonly failures?: number | undefined;
  /** Before the first try. Each further pause is twice as long. Default 1 second. */
  readonly pauseMs?: number | undefined;
  /** Default 30 seconds. */
  readonly maxPauseMs?: number | undefined;
  /** Milliseconds of any clock. A clock that jumps costs one early try and nothing else. */
  readonly now: () => number;
  /** When it opens, and when it closes again: for a line of the log. */
  readonly onChange?: ((state: "open" | "closed") => void) | undefined;
}

export type Breaker = ReturnType<typeof createBreaker>;

export function createBreaker({ failures: limit = 5, pauseMs = 1000, maxPauseMs = 30_000, now, onChange }: BreakerOptions) {
  let state: BreakerState = "closed";
  let [failures, opened, refused] = [0, 0, 0];
  let pause = pauseMs;
  /** Of this pause, or of the try that is under way. */
  let startedAt = 0;

  return {
    /** Whether no call would be admitted now. Changes nothing. */
    isOpen: (): boolean => state !== "closed" && isRecent(startedAt, pause, now()),
    /** Whether a call may be made now. In a breaker that is open, the first one after a pause takes the only place of a try. */
    admits(): boolean {
      if (state === "closed") return true;
      if (isRecent(startedAt, pause, now())) {
        refused++;
        return false;
      }
      // The place is free again after another pause, whatever became of the call.
      state = "probing";
      startedAt = now();
      return true;
    },
    succeeded(): void {
      failures = 0;
      if (state === "closed") return;
      state = "closed";
      pause = pauseMs;
      onChange?.("closed");
    },
    failed(): void {
      failures++;
      // Calls from before it opened fail one after the other: only the try makes the pause longer.
      if (state === "open" || (state === "closed" && failures < limit)) return;
      const isFirst = state === "closed";
      state = "open";
      startedAt = now();
      pause = isFirst ? pauseMs : Math.min(pause * 2, maxPauseMs);
      if (!isFirst) return;
      opened++;
      onChange?.("open");
    },
    snapshot: (): BreakerSnapshot => ({ state, failures, opened, refused }),
  };
}

export type Breakers = ReturnType<typeof createBreakers>;

/** The breakers of an edge by what they are for: each is logged when it opens and closes, and all are shown by /armmt/status. */
export function createBreakers({ now, log }: Pick<BreakerOptions, "now"> & { readonly log: Log }) {
  const breakers = new Map<string, Breaker>();
  return {
    /** `name`: such as "store products". */
    add(name: string, options: Omit<BreakerOptions, "now" | "onChange"> = {}): Breaker {
      const onChange = (state: "open" | "closed"): void =>
        log({ level: state === "open" ? "warn" : "info", event: "breaker", name, state });
      const breaker = createBreaker({ ...options, now, onChange });
      breakers.set(name, breaker);
      return breaker;
    },
    /** Name → state and counts. */
    snapshot: (): Readonly<Record<string, BreakerSnapshot>> =>
      Object.fromEntries([...breakers].map(([name, breaker]) => [name, breaker.snapshot()] as const)),
  };
}
