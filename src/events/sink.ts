/**
 * Where records go: exposures (one per search) and events (what shoppers did with them). The interface only; d1.ts, queue.ts, pipeline.ts,
 * analytics.ts and ndjson.ts implement it, and sinks.ts combines those that are configured.
 */
import { err, ok, type Result } from "../result.ts";
import { errorText } from "../web.ts";
import type { ServedEvent, UbiQueryRecord } from "./ubi.ts";

export interface ExposureSink {
  /** Never rejects; the error is the store's message. Called after the reply. */
  write(record: UbiQueryRecord): Promise<Result<true, string>>;
}

export interface EventsWritten {
  /** New ones. */
  readonly written: number;
  /** Known before; 0 from a store that cannot know. */
  readonly duplicates: number;
}

/** One store. Writes never reject; the error is the store's message. */
export interface Sink extends ExposureSink {
  /** As in the configuration. */
  readonly name: string;
  /** It keeps writes in a bounded queue of its own until they are done, however long that takes: an exposure waits for it. */
  readonly holdsWrites?: boolean;
  /** All of them or none. `isRepeated`: an earlier attempt may have succeeded although it looked as if it had not. */
  writeExposures(records: readonly UbiQueryRecord[], isRepeated: boolean): Promise<Result<true, string>>;
  /** All of them or none. Writing an event again changes nothing where the store knows ids. */
  writeEvents(events: readonly ServedEvent[]): Promise<Result<EventsWritten, string>>;
}

/** Keeps the host alive until `work` is done. */
export type AfterReply = (work: Promise<unknown>) => void;

/** A sink with retries and a dead-letter queue. */
export interface RetryingSink extends ExposureSink {
  writeEvents(events: readonly ServedEvent[], afterReply: AfterReply): Promise<Result<EventsKept, string>>;
}

export interface EventsKept extends EventsWritten {
  /** In the dead-letter queue: the sink gets them later. */
  readonly deferred: number;
}

/** Writes events to a store that does not know ids: all count as new. */
export async function writeAsNew(events: readonly ServedEvent[], write: () => unknown): Promise<Result<EventsWritten, string>> {
  const done = await attempt(write);
  return done.ok ? ok({ written: events.length, duplicates: 0 }) : done;
}

export async function attempt(write: () => unknown): Promise<Result<true, string>> {
  try {
    await write();
    return ok(true);
  } catch (error) {
    return err(errorText(error));
  }
}
