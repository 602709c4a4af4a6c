/**
 * Wraps a sink with retries and a dead-letter queue: a failed write is retried, then put into the queue and retried after the reply, and
 * later with the next write.
 *
 * Queued before the later retries, because an isolate may end at any time after the reply. Without a queue the write fails, and the client
 * keeps its records. A sink that hangs holds nobody: each attempt has a limit, a breaker leaves a sink alone that has failed too often, and
 * what is under way is bounded. What is dropped for it is counted.
 */
import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import * as v from "valibot";
import { type Breaker, type Breakers, createBreaker } from "../breaker.ts";
import { createInFlight } from "../in-flight.ts";
import { err, ok, type Result } from "../result.ts";
import { errorText, isRecent, type Log, sleep, withTimeout } from "../web.ts";
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

/** One attempt, or one letter. What takes longer may still be written: it is not tried again while somebody waits. */
export const ATTEMPT_MS = 5000;

/** Of one sink and isolate, under way at once; about 10 MB. More are dropped. */
export const MAX_RECORDS = 2000;

/** Of one sink and isolate, retried after the reply at once. More wait in the queue for a later write. */
const MAX_REDELIVERIES = 100;

/** For a sink with retries of its own. */
const LIMIT_MS = 15_000;

/** Longer than any of this work takes. */
const FORGOTTEN_MS = 60_000;

export interface RetryingOptions {
  readonly sink: Sink;
  readonly deadLetters: DeadLetters | undefined;
  readonly counters: EventCounters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** Where the breakers are listed; default: nowhere. */
  readonly breakers?: Breakers | undefined;
  /** For tests; default sleep(). */
  readonly wait?: (ms: number) => Promise<void>;
  /** For tests; default 5 seconds. */
  readonly attemptMs?: number;
}

export function createRetryingSink(options: RetryingOptions): RetryingSink {
  const { sink, deadLetters, counters, now, log, breakers, wait = sleep, attemptMs = ATTEMPT_MS } = options;
  const breaker = breakers?.add(`sink ${sink.name}`) ?? createBreaker({ now });
  const max = sink.holdsWrites === true ? Infinity : MAX_RECORDS;
  const underWay = createInFlight({ max, maxAgeMs: FORGOTTEN_MS, now });
  const redeliveries = createInFlight({ max: MAX_REDELIVERIES, maxAgeMs: FORGOTTEN_MS, now });
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

  /** "late": within its limit the sink has said nothing. */
  async function writeInTime(envelope: Envelope, isRepeated: boolean): Promise<Result<EventsWritten, string> | "late"> {
    const writing = writeOnce(envelope, isRepeated);
    if (sink.holdsWrites === true && envelope.kind === "exposure") return writing;
    return withTimeout(writing, attemptMs, () => "late" as const);
  }

  /** Reads a letter, writes it, and only then removes it. True when the letter is gone. */
  async function redeliver(letters: DeadLetters, key: string): Promise<boolean> {
    if (breaker.isOpen()) return false;
    const letter = await letters.read(key);
    if (letter === undefined) return true;
    if (!letter.ok) {
      log({ level: "error", event: "dead_letter_unreadable", sink: sink.name, key, detail: letter.error });
      return false;
    }
    const written = await writeInTime(letter.value, true);
    if (written === "late" || !written.ok) return false;
    await letters.remove(key);
    counters.countSink(sink.name, "redelivered", countOf(letter.value));
    return true;
  }

  /** Logs what the dead-letter queue rejects with. */
  async function orLog(work: () => Promise<void>): Promise<void> {
    const done = await attempt(work);
    if (!done.ok) log({ level: "warn", event: "dead_letters_failed", sink: sink.name, detail: done.error });
  }

  async function redeliverLater(letters: DeadLetters, key: string): Promise<void> {
    const leave = redeliveries.enter(1);
    if (leave === undefined) return;
    await orLog(async () => {
      for (const ms of LATER_WAITS_MS) {
        await wait(ms); // oxlint-disable-line no-await-in-loop
        if (await redeliver(letters, key)) return; // oxlint-disable-line no-await-in-loop
      }
    });
    leave();
  }

  const drain = (letters: DeadLetters): Promise<void> =>
    orLog(async () => {
      let [gone, found] = [0, 0];
      for (const key of await letters.list(sink.name, LETTERS_PER_DRAIN)) {
        found++;
        if (await redeliver(letters, key)) gone++; // oxlint-disable-line no-await-in-loop
      }
      // There are more, and the sink takes them: the next write goes on.
      if (found === LETTERS_PER_DRAIN && gone > 0) drainedAt = undefined;
    });

  async function write(envelope: Envelope): Promise<Result<EventsWritten, string>> {
    let written = await writeInTime(envelope, false);
    for (const ms of WAITS_MS) {
      if (written === "late" || written.ok) break;
      counters.countSink(sink.name, "retried");
      await wait(ms); // oxlint-disable-line no-await-in-loop
      written = await writeInTime(envelope, true); // oxlint-disable-line no-await-in-loop
    }
    // A sink that holds its writes is late only because another process has the file, and writes them afterwards.
    if (written === "late") {
      if (sink.holdsWrites !== true) breaker.failed();
      return err(`No answer within ${attemptMs} ms`);
    }
    if (!written.ok) {
      breaker.failed();
      return written;
    }
    if (breaker.isOpen()) drainedAt = undefined;
    breaker.succeeded();
    return written;
  }

  async function keepAside(envelope: Envelope, problem: string, afterReply: AfterReply): Promise<Result<EventsKept, string>> {
    const records = countOf(envelope);
    if (deadLetters === undefined) {
      counters.countSink(sink.name, "dropped", records);
      return err(problem);
    }
    const kept = await deadLetters.put(sink.name, envelope);
    if (!kept.ok) {
      counters.countSink(sink.name, "dropped", records);
      log({ level: "error", event: "dead_letters_failed", sink: sink.name, detail: kept.error });
      return err(`${problem}; and it could not be kept aside: ${kept.error}`);
    }
    counters.countSink(sink.name, "deferred", records);
    if (!breaker.isOpen()) afterReply(redeliverLater(deadLetters, kept.value));
    return ok({ written: 0, duplicates: 0, deferred: records });
  }

  async function deliver(envelope: Envelope, afterReply: AfterReply): Promise<Result<EventsKept, string>> {
    const records = countOf(envelope);
    const leave = underWay.enter(records);
    if (leave === undefined) {
      counters.countSink(sink.name, "dropped", records);
      return err(`${underWay.total} records are on their way to ${sink.name} already: there is no room for more`);
    }
    try {
      if (!breaker.admits()) return await keepAside(envelope, `${sink.name} has failed too often in a row, and is left alone`, afterReply);
      const written = await write(envelope);
      if (!written.ok) {
        counters.countSink(sink.name, "failed");
        log({ level: "warn", event: "sink_failed", sink: sink.name, records, detail: written.error });
        return await keepAside(envelope, written.error, afterReply);
      }
      if (deadLetters !== undefined && (drainedAt === undefined || !isRecent(drainedAt, DRAIN_EVERY_MS, now()))) {
        drainedAt = now();
        afterReply(drain(deadLetters));
      }
      return ok({ ...written.value, deferred: 0 });
    } finally {
      leave();
    }
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

/** A sink with retries of its own: what is under way is bounded here too, in number and time. */
export function limitSink(sink: RetryingSink, { counters, now }: Pick<RetryingOptions, "counters" | "now">): RetryingSink {
  const underWay = createInFlight({ max: MAX_RECORDS, maxAgeMs: FORGOTTEN_MS, now });
  async function limited<T>(records: number, write: () => Promise<Result<T, string>>): Promise<Result<T, string>> {
    const leave = underWay.enter(records);
    const written =
      leave === undefined
        ? err(`${underWay.total} records are under way already: there is no room for more`)
        : await withTimeout(write(), LIMIT_MS, () => err(`No answer within ${LIMIT_MS} ms`)).finally(leave);
    if (!written.ok) counters.countSink("own", "dropped", records);
    return written;
  }
  return {
    write: (exposure) => limited(1, () => sink.write(exposure)),
    writeEvents: (events, afterReply) => limited(events.length, () => sink.writeEvents(events, afterReply)),
  };
}

export type DeadLetters = ReturnType<typeof createDeadLetters>;

export type LetterStore = Pick<KVNamespace, "put" | "get" | "list" | "delete"> | R2Bucket;

interface DeadLettersOptions extends Pick<RetryingOptions, "now" | "breakers"> {
  readonly store: LetterStore;
  readonly createId: () => string;
}

const textSchema = v.pipe(v.string(), v.parseJson());

/**
 * Records that a sink could not take, in KV or R2: `<sink>/<time>-<id>` holds an envelope. Times sort, so the oldest come first. All methods
 * but `put` reject when the store fails.
 */
export function createDeadLetters({ store, now, createId, breakers }: DeadLettersOptions) {
  const breaker: Breaker = breakers?.add("dead letters") ?? createBreaker({ now });
  return {
    /** Returns the key of the new letter. Never rejects. */
    async put(sink: string, envelope: Envelope): Promise<Result<string, string>> {
      const key = `${sink}/${new Date(now()).toISOString()}-${createId()}`;
      if (!breaker.admits()) return err("the dead-letter queue has failed too often in a row, and is left alone");
      const putting = attempt(() => store.put(key, JSON.stringify(envelope)));
      const put = await withTimeout(putting, ATTEMPT_MS, () => err(`no answer within ${ATTEMPT_MS} ms`));
      if (put.ok) breaker.succeeded();
      else breaker.failed();
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
