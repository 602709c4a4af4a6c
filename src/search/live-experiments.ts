/**
 * The experiments that run now: those of a KV key, which changes without a deployment, else those of the configuration.
 *
 * One read per isolate and minute. If the key cannot be read or is invalid, the last good list stays, and the log says why.
 */
import { parseExperiments } from "../config/experiments.ts";
import type { KvReader } from "../embeddings/store.ts";
import type { AfterReply } from "../events/sink.ts";
import type { Experiment } from "../experiment/assign.ts";
import { type Log, sleep } from "../web.ts";

/** In the namespace of the item vectors. */
export const EXPERIMENTS_KEY = "experiments";

const FRESH_MS = 60_000;
/** No shopper waits longer for an experiment. */
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
  let hasRead = false;

  async function read(): Promise<void> {
    try {
      const text = await kv.get(EXPERIMENTS_KEY, "text");
      const parsed = text === null ? undefined : parseExperiments(text);
      if (parsed === undefined) current = configured;
      else if (parsed.ok) current = parsed.value;
      else for (const detail of parsed.error) log({ level: "error", event: "experiments", detail });
    } catch (cause) {
      log({ level: "warn", event: "experiments_unread", detail: String(cause) });
    } finally {
      reading = undefined;
      hasRead = true;
    }
  }

  return async (afterReply) => {
    if (readAt === undefined || now() - readAt >= FRESH_MS) {
      readAt = now();
      reading = read();
      afterReply(reading);
    }
    // Until the key has been read once, the same shopper could get two variants.
    if (!hasRead && reading !== undefined) await Promise.race([reading, sleep(FIRST_READ_MS)]);
    return current;
  };
}
