/**
 * Where records go: exposures (one per search) and events (what shoppers did with them). The interface only; d1.ts, queue.ts, pipeline.ts,
 * analytics.ts and ndjson.ts fill it, and sinks.ts puts together those that are configured.
 */
import type { Result } from "../result.ts";
import type { ServedEvent, UbiQueryRecord } from "./ubi.ts";
import { errorText } from "../web.ts";

export interface ExposureSink {
  /** Never rejects; the error says what the store said. Called in `waitUntil`, so no shopper waits for it. */
  write(record: UbiQueryRecord): Promise<Result<true, string>>;
}

export interface EventsWritten {
  /** New ones. */
  readonly written: number;
  /** Known before; 0 from a store that cannot know. */
  readonly duplicates: number;
}

/** One store. Writes never reject; the error says what the store said. */
export interface Sink extends ExposureSink {
  /** As the configuration has it. */
  readonly name: string;
  /** All of them or none. `isRepeated`: an earlier try may have come through, although it looked as if it had not. */
  writeExposures(records: readonly UbiQueryRecord[], isRepeated: boolean): Promise<Result<true, string>>;
  /** All of them or none. Writing an event again changes nothing where the store knows ids. */
  writeEvents(events: readonly ServedEvent[]): Promise<Result<EventsWritten, string>>;
}

/** Keeps the isolate alive until `work` is done. */
export type AfterReply = (work: Promise<unknown>) => void;

/** What the edge writes to: it keeps what a sink could not take, and tries again after the reply. */
export interface ReliableSink extends ExposureSink {
  writeEvents(events: readonly ServedEvent[], afterReply: AfterReply): Promise<Result<EventsKept, string>>;
}

export interface EventsKept extends EventsWritten {
  /** Kept aside: the sink gets them later. */
  readonly deferred: number;
}

export function messageOf(error: unknown): string {
  return errorText(error);
}
