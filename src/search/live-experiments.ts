/**
 * The experiments that run now: those of a KV key, which changes without a deployment, else those of the configuration.
 *
 * One read per isolate and minute. If the key cannot be read or is invalid, the last good list stays, and the log says why.
 */
import { parseExperiments } from "../config/experiments.ts";
import type { KvReader } from "../embeddings/store.ts";
import type { AfterReply } from "../events/sink.ts";
import type { Experiment } from "../experiment/assign.ts";
import { isRecent, type Log, sleep, withTimeout } from "../web.ts";

/** In the namespace of the item vectors. */
export const EXPERIMENTS_KEY = "experiments";

const FRESH_MS = 60_000;

/** The host waits no longer for a read that hangs. */
const READ_MS = 10_000;

/** No shopper waits longer for an experiment, and none at all once the first read has taken that long. */
const FIRST_READ_MS = 300;

/** The current list. `afterReply` gets the work of reading it again. Never rejects. */
export type LiveExperiments = (afterReply: AfterReply) => Promise<readonly Experiment[]>;

export function createLiveExperiments(
  configured: readonly Experiment[],
  { kv, now, log }: { readonly kv: KvReader; readonly now: () => number; readonly log: Log },
): LiveExperiments {
  let current = configured;
  let readAt: number | undefined;
  let reading: Promise<void> | undefined;
  let lastRead = 0;
  /** Since when searches wait for the first read; `undefined` once it has ended. */
  let waitingSince: number | undefined;

  async function read(number: number): Promise<void> {
    try {
      const text = await kv.get(EXPERIMENTS_KEY, "text");
      // One that hung for a minute must not replace a newer list.
      if (number !== lastRead) return;
      const parsed = text === null ? undefined : parseExperiments(text);
      if (parsed === undefined) current = configured;
      else if (parsed.ok) current = parsed.value;
      else for (const detail of parsed.error) log({ level: "error", event: "experiments", detail });
    } catch (cause) {
      log({ level: "warn", event: "experiments_unread", detail: String(cause) });
    } finally {
      waitingSince = undefined;
    }
  }

  return async (afterReply) => {
    if (readAt === undefined || !isRecent(readAt, FRESH_MS, now())) {
      if (readAt === undefined) waitingSince = now();
      readAt = now();
      reading = read(++lastRead);
      afterReply(withTimeout(reading, READ_MS, () => undefined));
    }
    // Until the key has been read once, the same shopper could get two variants.
    if (waitingSince !== undefined && isRecent(waitingSince, FIRST_READ_MS, now())) {
      await Promise.race([reading, sleep(waitingSince + FIRST_READ_MS - now())]);
    }
    return current;
  };
}
