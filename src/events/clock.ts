/**
 * The time of an event by our clock. Clients' clocks are wrong by seconds, hours or years, but right about how long ago an event was.
 *
 * Pure.
 */
import { err, ok, type Result } from "../result.ts";

/** Tolerated, because clocks are set while pages are open. */
export const FUTURE_TOLERANCE_MS = 5 * 60 * 1000;

/** A clock that is wrong by more is not used at all. */
export const MAX_OFFSET_MS = 24 * 3600 * 1000;

/** All in milliseconds since 1970. */
export interface ClientTimes {
  /** By the client's clock. */
  readonly happenedAtMs: number | undefined;
  /** By the client's clock, when it sent the batch. Without it the client's clock is taken for ours. */
  readonly sentAtMs: number | undefined;
  /** By our clock. */
  readonly receivedAtMs: number;
  /** By our clock: no event can be older than the search that it follows. */
  readonly notBeforeMs: number;
}

/** By our clock, between notBeforeMs and receivedAtMs. */
export function correctTime(times: ClientTimes): Result<number, "timestamp_in_future"> {
  const { happenedAtMs, sentAtMs, receivedAtMs, notBeforeMs } = times;
  if (happenedAtMs === undefined) return ok(receivedAtMs);
  const clientNowMs = sentAtMs ?? receivedAtMs;
  if (happenedAtMs > clientNowMs + FUTURE_TOLERANCE_MS) return err("timestamp_in_future");
  const offsetMs = receivedAtMs - clientNowMs;
  if (Math.abs(offsetMs) > MAX_OFFSET_MS) return ok(receivedAtMs);
  return ok(Math.max(notBeforeMs, Math.min(receivedAtMs, happenedAtMs + offsetMs)));
}
