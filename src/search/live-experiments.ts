/**
 * The experiments that run now: those of a KV key, which changes without a deployment, else those of the configuration.
 *
 * One read per isolate and minute. What cannot be read or is wrong changes nothing: the last good list stays, and the log says why.
 */
import { parseExperiments } from "../config/experiments.ts";
import type { KvReader } from "../embeddings/store.ts";
import type { Experiment } from "../experiment/assign.ts";

/** In the namespace of the item vectors. */
export const EXPERIMENTS_KEY = "experiments";

const FRESH_MS = 60_000;
/** No shopper waits longer for an experiment. */
const FIRST_READ_MS = 300;

export interface LiveExperimentsOptions {
  readonly kv: KvReader;
  readonly configured: readonly Experiment[];
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** The list as it is now. `afterReply` gets the work of reading it anew. Never rejects. */
export type LiveExperiments = (afterReply: (work: Promise<unknown>) => void) => Promise<readonly Experiment[]>;

export function createLiveExperiments({ kv, configured, now, log }: LiveExperimentsOptions): LiveExperiments {
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
    // Until it is known whether there is such a key, the same shopper could be in two arms.
    if (!hasRead && reading !== undefined) await Promise.race([reading, wait(FIRST_READ_MS)]);
    return current;
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
