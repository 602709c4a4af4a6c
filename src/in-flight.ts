/**
 * How much work is under way, with a bound, so that work that hangs cannot fill the memory.
 *
 * Work of whose end nobody hears counts for `maxAgeMs` only: workerd ends a request's work without a word.
 */
import { isRecent } from "./web.ts";

export type InFlight = ReturnType<typeof createInFlight>;

/** `now`: milliseconds of any clock. */
export function createInFlight({ max, maxAgeMs, now }: { readonly max: number; readonly maxAgeMs: number; readonly now: () => number }) {
  /** In the order of their beginnings. */
  const running = new Set<{ readonly amount: number; readonly startedAt: number }>();
  let total = 0;

  function forgetOld(): void {
    for (const work of running) {
      if (isRecent(work.startedAt, maxAgeMs, now())) return;
      running.delete(work);
      total -= work.amount;
    }
  }

  return {
    get total(): number {
      return total;
    },
    /** To be called when the work has ended; `undefined` where it is too much, and must not begin. */
    enter(amount: number): (() => void) | undefined {
      if (total + amount > max) forgetOld();
      if (total + amount > max) return undefined;
      const work = { amount, startedAt: now() };
      running.add(work);
      total += amount;
      return () => {
        if (running.delete(work)) total -= amount;
      };
    },
  };
}
