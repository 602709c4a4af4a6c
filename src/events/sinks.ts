/** The configured sinks combined: each with its own retries and dead letters. The first one's counts are the answer. */
import type { AnalyticsEngineDataset, KVNamespace, Queue, R2Bucket } from "@cloudflare/workers-types";
import { ok, type Result } from "../result.ts";
import { createAnalyticsSink } from "./analytics.ts";
import { createD1Sink, type EventDatabase } from "./d1.ts";
import { createNdjsonSink } from "./ndjson.ts";
import { createPipelineSink, type PipelineBinding } from "./pipeline.ts";
import { createQueueSink } from "./queue.ts";
import { createDeadLetters, createRetryingSink, type LetterStore, type RetryingOptions } from "./retrying.ts";
import type { EventsKept, RetryingSink, Sink } from "./sink.ts";

/** Name in the configuration → the binding that it needs. */
export const SINK_BINDINGS = {
  d1: "EVENTS",
  queue: "EVENTS_QUEUE",
  pipeline: "EVENTS_PIPELINE",
  analytics: "EVENTS_ANALYTICS",
} as const;

export type SinkName = keyof typeof SINK_BINDINGS;

export function isSinkName(value: unknown): value is SinkName {
  return typeof value === "string" && Object.hasOwn(SINK_BINDINGS, value);
}

/** Where the consumer of the queue writes to. R2 only there: an object for every search would cost more than the searches. */
export const QUEUE_SINK_NAMES = ["d1", "r2"] as const;

export type QueueSinkName = (typeof QUEUE_SINK_NAMES)[number];

export interface SinkBindings {
  readonly EVENTS?: EventDatabase;
  readonly EVENTS_QUEUE?: Queue;
  readonly EVENTS_BUCKET?: R2Bucket;
  readonly EVENTS_PIPELINE?: PipelineBinding;
  readonly EVENTS_ANALYTICS?: AnalyticsEngineDataset;
  /** The dead-letter queue. */
  readonly DEAD_LETTERS?: KVNamespace | R2Bucket;
}

/** The missing bindings of these sinks, with the fix. */
export function sinkProblems(names: readonly SinkName[], bindings: SinkBindings): readonly string[] {
  return names
    .filter((name) => bindings[SINK_BINDINGS[name]] === undefined)
    .map(
      (name) =>
        `EVENT_SINKS names "${name}", but there is no binding ${SINK_BINDINGS[name]}: add it to wrangler.toml, or take the sink out`,
    );
}

export interface SinkDeps extends Pick<RetryingOptions, "counters" | "now" | "log" | "breakers"> {
  readonly createId: () => string;
}

interface SinksOptions extends SinkDeps {
  /** At least one. */
  readonly names: readonly SinkName[];
  readonly bindings: SinkBindings;
}

/** Throws where a binding is missing: parseConfig() should have refused that. */
export function openSinks({ names, bindings, ...shared }: SinksOptions): RetryingSink {
  const sinks = names.map((name) => OPEN[name](bindings));
  return joinSinks(sinks, bindings.DEAD_LETTERS, shared);
}

/** At least one; each with its own retries and dead letters. */
export function joinSinks(sinks: readonly Sink[], store: LetterStore | undefined, shared: SinkDeps): RetryingSink {
  const deadLetters = store === undefined ? undefined : createDeadLetters({ store, ...shared });
  return combineSinks(sinks.map((sink) => createRetryingSink({ sink, deadLetters, ...shared })));
}

/** Throws like openSinks(). */
export function openQueueSink(name: QueueSinkName, bindings: SinkBindings): Sink {
  return OPEN[name](bindings);
}

const OPEN: Readonly<Record<SinkName | QueueSinkName, (bindings: SinkBindings) => Sink>> = {
  r2: ({ EVENTS_BUCKET }) => createNdjsonSink(bound(EVENTS_BUCKET, "EVENTS_BUCKET")),
  d1: ({ EVENTS }) => createD1Sink(bound(EVENTS, SINK_BINDINGS.d1)),
  queue: ({ EVENTS_QUEUE }) => createQueueSink(bound(EVENTS_QUEUE, SINK_BINDINGS.queue)),
  pipeline: ({ EVENTS_PIPELINE }) => createPipelineSink(bound(EVENTS_PIPELINE, SINK_BINDINGS.pipeline)),
  analytics: ({ EVENTS_ANALYTICS }) => createAnalyticsSink(bound(EVENTS_ANALYTICS, SINK_BINDINGS.analytics)),
};

function bound<T>(binding: T | undefined, name: string): T {
  if (binding === undefined) throw new Error(`There is no binding ${name}: add it to wrangler.toml, or take its sink out`);
  return binding;
}

/** All sinks must take or keep a record; the first that can do neither is the error. */
export function combineSinks(sinks: readonly RetryingSink[]): RetryingSink {
  const [only] = sinks;
  if (only === undefined) throw new Error("There is no sink: name one in EVENT_SINKS");
  if (sinks.length === 1) return only;
  return {
    async write(exposure) {
      const all = await Promise.all(sinks.map((sink) => sink.write(exposure)));
      return all.find((written) => !written.ok) ?? ok(true);
    },
    async writeEvents(events, afterReply): Promise<Result<EventsKept, string>> {
      const all = await Promise.all(sinks.map((sink) => sink.writeEvents(events, afterReply)));
      return all.find((written) => !written.ok) ?? all[0]!;
    },
  };
}
