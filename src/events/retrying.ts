/**
 * Wraps a sink with retries and a dead-letter queue: a failed write is retried, then put into the queue and retried after the reply, and
 * later with the next write.
 *
 * Queued before the later retries, because an isolate may end at any time after the reply. Without a queue the write fails, and the client
 * keeps its records.
 */
import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import * as v from "valibot";
import { err, ok, type Result } from "../result.ts";
import { errorText, type Log, sleep } from "../web.ts";
import type { EventCounters } from "./counters.ts";
import { countOf, type Envelope, parseEnvelope } from "./envelope.ts";
import { type AfterReply, attempt, type EventsKept, type EventsWritten, type RetryingSink, type Sink } from "./sink.ts";

/** Before the second and third attempt, while the client waits. */
const WAITS_MS = [50, 250] as const;

/** Before the attempts after the reply; an invocation may go on for 30 seconds. */
const LATER_WAITS_MS = [1000, 4000, 12_000] as const;

/** Minimum interval between redeliveries of earlier letters, per isolate. */
const DRAIN_EVERY_MS = 10 * 60 * 1000;
const LETTERS_PER_DRAIN = 20;

export interface RetryingOptions {
  readonly sink: Sink;
  readonly deadLetters: DeadLetters | undefined;
  readonly counters: EventCounters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** For tests; default sleep(). */
  readonly wait?: (ms: number) => Promise<void>;
}

export function createRetryingSink({ sink, deadLetters, counters, now, log, wait = sleep }: RetryingOptions): RetryingSink {
  let drainedAt: number | undefined;

  async function writeOnce(envelope: Envelope, isRepeated: boolean): Promise<Result<EventsWritten, string>> {
    try {
      if (envelope.kind === "events") return await sink.writeEvents(envelope.events);
      const written = await sink.writeExposures([envelope.exposure], isRepeated);
      return written.ok ? ok({ written: 1, duplicates: 0 }) : written;
    } catch (error) {
      return err(errorText(error));
    }
  }

  /** Reads a letter, writes it, and only then removes it. True when the letter is gone. */
  async function redeliver(letters: DeadLetters, key: string): Promise<boolean> {
    const letter = await letters.read(key);
    if (letter === undefined) return true;
    if (!letter.ok) {
      log({ level: "error", event: "dead_letter_unreadable", sink: sink.name, key, detail: letter.error });
      return false;
    }
    const written = await writeOnce(letter.value, true);
    if (!written.ok) return false;
    await letters.remove(key);
    counters.countSink(sink.name, "redelivered", countOf(letter.value));
    return true;
  }

  /** Logs what the dead-letter queue rejects with. */
  async function orLog(work: () => Promise<void>): Promise<void> {
    const done = await attempt(work);
    if (!done.ok) log({ level: "warn", event: "dead_letters_failed", sink: sink.name, detail: done.error });
  }

  const redeliverLater = (letters: DeadLetters, key: string): Promise<void> =>
    orLog(async () => {
      for (const ms of LATER_WAITS_MS) {
        await wait(ms); // oxlint-disable-line no-await-in-loop
        if (await redeliver(letters, key)) return; // oxlint-disable-line no-await-in-loop
      }
    });

  const drain = (letters: DeadLetters): Promise<void> =>
    orLog(async () => {
      for (const key of await letters.list(sink.name, LETTERS_PER_DRAIN)) await redeliver(letters, key); // oxlint-disable-line no-await-in-loop
    });

  async function deliver(envelope: Envelope, afterReply: AfterReply): Promise<Result<EventsKept, string>> {
    let result = await writeOnce(envelope, false);
    for (const ms of WAITS_MS) {
      if (result.ok) break;
      counters.countSink(sink.name, "retried");
      await wait(ms); // oxlint-disable-line no-await-in-loop
      result = await writeOnce(envelope, true); // oxlint-disable-line no-await-in-loop
    }
    if (result.ok) {
      if (deadLetters !== undefined && (drainedAt === undefined || now() - drainedAt >= DRAIN_EVERY_MS)) {
        drainedAt = now();
        afterReply(drain(deadLetters));
      }
      return ok({ ...result.value, deferred: 0 });
    }
    counters.countSink(sink.name, "failed");
    log({ level: "warn", event: "sink_failed", sink: sink.name, records: countOf(envelope), detail: result.error });
    if (deadLetters === undefined) return result;
    const kept = await deadLetters.put(sink.name, envelope);
    if (!kept.ok) {
      log({ level: "error", event: "dead_letters_failed", sink: sink.name, detail: kept.error });
      return err(`${result.error}; and it could not be kept aside: ${kept.error}`);
    }
    counters.countSink(sink.name, "deferred", countOf(envelope));
    afterReply(redeliverLater(deadLetters, kept.value));
    return ok({ written: 0, duplicates: 0, deferred: countOf(envelope) });
  }

  return {
    // Called after the reply already, so it waits for its own retries.
    async write(exposure) {
      const later: Promise<unknown>[] = [];
      const delivered = await deliver({ kind: "exposure", exposure }, (work) => later.push(work));
      await Promise.all(later);
      return delivered.ok ? ok(true) : delivered;
    },
    writeEvents: (events, afterReply) => deliver({ kind: "events", events }, afterReply),
  };
}

export type DeadLetters = ReturnType<typeof createDeadLetters>;

export type LetterStore = Pick<KVNamespace, "put" | "get" | "list" | "delete"> | R2Bucket;

interface DeadLettersOptions extends Pick<RetryingOptions, "now"> {
  readonly store: LetterStore;
  readonly createId: () => string;
}

const textSchema = v.pipe(v.string(), v.parseJson());

/**
 * Records that a sink could not take, in KV or R2: `<sink>/<time>-<id>` holds an envelope. Times sort, so the oldest come first. All methods
 * but `put` reject when the store fails.
 */
export function createDeadLetters({ store, now, createId }: DeadLettersOptions) {
  return {
    /** Returns the key of the new letter. Never rejects. */
    async put(sink: string, envelope: Envelope): Promise<Result<string, string>> {
      const key = `${sink}/${new Date(now()).toISOString()}-${createId()}`;
      const put = await attempt(() => store.put(key, JSON.stringify(envelope)));
      return put.ok ? ok(key) : put;
    },
    /** Keys, oldest first. */
    async list(sink: string, limit: number): Promise<readonly string[]> {
      const prefix = `${sink}/`;
      if (isBucket(store)) return (await store.list({ prefix, limit })).objects.map(({ key }) => key);
      return (await store.list({ prefix, limit })).keys.map(({ name }) => name);
    },
    /** An error if the letter cannot be parsed; `undefined` if it is gone. */
    async read(key: string): Promise<Result<Envelope, string> | undefined> {
      const found = isBucket(store) ? await (await store.get(key))?.text() : ((await store.get(key, "text")) ?? undefined);
      if (found === undefined) return undefined;
      const parsed = v.safeParse(textSchema, found);
      return parsed.success ? parseEnvelope(parsed.output) : err("not JSON");
    },
    remove: (key: string): Promise<void> => store.delete(key),
  };
}

function isBucket(store: LetterStore): store is R2Bucket {
  return "head" in store;
}
