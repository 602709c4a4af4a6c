/** What fails once per search while something is down is one line of the log, not one per search; the counters have each. */
import { isRecent, type Log } from "../web.ts";

const FAILURES: ReadonlySet<unknown> = new Set([
  "exposure_failed",
  "sink_failed",
  "dead_letters_failed",
  "flag_failed",
  "rate_limiter_failed",
  "tokens_failed",
  "after_reply_failed",
]);

const EVERY_MS = 10_000;

/** The first of a kind is logged at once, then at most one in ten seconds, with the number of those that were left out before it. */
export function withoutBursts(log: Log, now: () => number): Log {
  const kinds = new Map<string, { loggedAt: number; left: number }>();
  return (entry) => {
    if (!FAILURES.has(entry["event"])) return log(entry);
    const key = JSON.stringify([entry["event"], entry["index"], entry["sink"]]);
    const kind = kinds.get(key);
    if (kind !== undefined && isRecent(kind.loggedAt, EVERY_MS, now())) {
      kind.left++;
      return undefined;
    }
    kinds.set(key, { loggedAt: now(), left: 0 });
    return log(kind === undefined || kind.left === 0 ? entry : { ...entry, left_out: kind.left });
  };
}
