/**
 * A sink that loses nothing: a write that fails is tried again, then kept as a dead letter and tried again after the reply, and later by
 * whoever writes next.
 *
 * Kept first, tried again afterwards: an isolate may end at any time after the reply, and what it then only remembers is lost. Without a
 * place to keep records the write fails, and the client keeps them.
 */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { EventCounters } from "./counters.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Envelope } from "./envelope.ts";
import { countOf } from "./envelope.ts";
import type { AfterReply, EventsWritten, ReliableSink, Sink } from "./sink.ts";
import { messageOf } from "./sink.ts";

/** Waits before the second and third try, while the client waits. */
const WAITS_MS = [50, 250] as const;

/** Waits before the tries after the reply; an invocation may go on for 30 seconds. */
const LATER_WAITS_MS = [1000, 4000, 12_000] as const;

/** Letters of earlier failures are looked for at most so often, by each isolate. */
const DRAIN_EVERY_MS = 10 * 60 * 1000;
const LETTERS_PER_DRAIN = 20;

export interface ReliableOptions {
  readonly sink: Sink;
  readonly deadLetters: DeadLetters | undefined;
  readonly counters: EventCounters;
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
  /** Tests do not wait. */
  readonly wait?: (ms: number) => Promise<void>;
}

const NOTHING_WRITTEN: EventsWritten = { written: 0, duplicates: 0 };

export function createReliableSink({ sink, deadLetters, counters, now, log, wait = sleep }: ReliableOptions): ReliableSink {
  let drainedAt: number | undefined;

  async function writeOnce(envelope: Envelope, isRepeated: boolean): Promise<Result<EventsWritten, string>> {
    try {
      if (envelope.kind === "events") return await sink.writeEvents(envelope.events);
      const written = await sink.writeExposures([envelope.exposure], isRepeated);
      return written.ok ? ok({ written: 1, duplicates: 0 }) : written;
    } catch (error) {
      return err(messageOf(error));
    }
  }

  async function writeWithRetries(envelope: Envelope, waits: readonly number[]): Promise<Result<EventsWritten, string>> {
    let result = await writeOnce(envelope, false);
    for (const ms of waits) {
      if (result.ok) break;
      counters.countSink(sink.name, "retried");
      await wait(ms); // oxlint-disable-line no-await-in-loop
      result = await writeOnce(envelope, true); // oxlint-disable-line no-await-in-loop
    }
    return result;
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

  async function redeliverLater(letters: DeadLetters, key: string): Promise<void> {
    try {
      for (const ms of LATER_WAITS_MS) {
        await wait(ms); // oxlint-disable-line no-await-in-loop
        if (await redeliver(letters, key)) return; // oxlint-disable-line no-await-in-loop
      }
    } catch (error) {
      log({ level: "warn", event: "dead_letters_failed", sink: sink.name, detail: messageOf(error) });
    }
  }

  async function drain(letters: DeadLetters): Promise<void> {
    try {
      for (const key of await letters.list(sink.name, LETTERS_PER_DRAIN)) {
        await redeliver(letters, key); // oxlint-disable-line no-await-in-loop
      }
    } catch (error) {
      log({ level: "warn", event: "dead_letters_failed", sink: sink.name, detail: messageOf(error) });
    }
  }

  async function deliver(
    envelope: Envelope,
    afterReply: AfterReply,
  ): Promise<Result<EventsWritten & { readonly deferred: number }, string>> {
    const result = await writeWithRetries(envelope, WAITS_MS);
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
    return ok({ ...NOTHING_WRITTEN, deferred: countOf(envelope) });
  }

  return {
    // Called after the reply already: its own retries are waited for.
    async write(exposure) {
      const later: Promise<unknown>[] = [];
      const delivered = await deliver({ kind: "exposure", exposure }, (work) => later.push(work));
      await Promise.all(later);
      return delivered.ok ? ok(true) : delivered;
    },
    writeEvents: (events, afterReply) => deliver({ kind: "events", events }, afterReply),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
