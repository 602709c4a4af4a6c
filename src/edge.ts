/**
 * An edge on any runtime: configuration and what the platform has → the Hono app. The entries (worker.ts, server/, the demo's service
 * worker) differ in what they give here and in nothing else.
 */
import { createApp } from "./app.ts";
import type { Dialects } from "./backends/dialects.ts";
import { dialectLimits } from "./backends/dialects.ts";
import type { Fetch } from "./backends/engine.ts";
import type { Config } from "./config/config.ts";
import { parseConfig } from "./config/config.ts";
import type { KvReader } from "./embeddings/store.ts";
import { createCounters, createEventCounters } from "./events/counters.ts";
import { createEventsEndpoint } from "./events/endpoint.ts";
import type { ReliableSink } from "./events/sink.ts";
import type { SinkBindings } from "./events/sinks.ts";
import { openSinks, sinkProblems } from "./events/sinks.ts";
import { createEventTokens } from "./events/token.ts";
import { createUnitHash } from "./events/unit.ts";
import type { Scorers } from "./inference/scorer.ts";
import { assembleSearches } from "./search/assemble.ts";
import type { FlagClient } from "./search/flags.ts";
import { describeStatus } from "./search/status.ts";

export interface Platform {
  /** Variables, as wrangler.toml has them or as text. */
  readonly env: unknown;
  /** Where item vectors were published. */
  readonly kv: KvReader;
  /** Stores for EVENT_SINKS by binding, or one sink for all records. */
  readonly sinks: SinkBindings | ReliableSink;
  readonly scorer: Scorers;
  readonly fetch: Fetch;
  /** That the configuration may name. */
  readonly dialects: Dialects;
  readonly flagClient?: FlagClient | undefined;
  /** Counts one more search (or batch of events) of a client; false beyond its limit. */
  readonly isWithinRate?: ((client: string) => Promise<boolean>) | undefined;
  /** What /armmt/status says of the platform besides. */
  readonly describe?: (() => object) | undefined;
  /** Milliseconds since 1970. Default: the platform's clock. */
  readonly now?: (() => number) | undefined;
  /** Default: random UUIDs. */
  readonly createId?: (() => string) | undefined;
  /** Default: one line of JSON on the console. */
  readonly log?: Log | undefined;
  /** Of one reply of the engine. Default 16 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

export type Log = (entry: Readonly<Record<string, unknown>>) => void;

export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used: ${problems.join("; ")}`);
    this.problems = problems;
  }
}

/** Throws a ConfigurationError with every problem, after logging each of them: nothing can be served with it. */
export function readConfig({ env, sinks, dialects, log = logToConsole }: Pick<Platform, "env" | "sinks" | "dialects" | "log">): Config {
  const config = parseConfig(env, dialectLimits(dialects));
  const problems = config.ok ? (isSink(sinks) ? [] : sinkProblems(config.value.eventSinks, sinks)) : config.error;
  if (config.ok && problems.length === 0) return config.value;
  for (const problem of problems) log({ level: "error", event: "configuration", detail: problem });
  throw new ConfigurationError(problems);
}

/** Throws like readConfig(). */
export function openEdge(platform: Platform): ReturnType<typeof createApp> {
  const { kv, sinks, scorer, fetch, dialects, flagClient, isWithinRate, describe, maxReplyBytes } = platform;
  const { now = () => Date.now(), createId = () => crypto.randomUUID(), log = logToConsole } = platform;
  const config = readConfig(platform);
  const counters = createCounters();
  const eventCounters = createEventCounters();
  const names = config.eventSinks;
  const sink = isSink(sinks) ? sinks : openSinks({ names, bindings: sinks, counters: eventCounters, now, createId, log });
  const { eventSecret: secret } = config;
  const events = secret === undefined ? undefined : { tokens: createEventTokens({ secret, now }), hashUnit: createUnitHash(secret) };
  const shared = { kv, sink, events, scorer, counters, flagClient, fetch, dialects, now, createId, log };
  const searches = assembleSearches(config, { ...shared, ...(maxReplyBytes !== undefined && { maxReplyBytes }) });
  const { adminToken, storefrontUrl, allowOrigins } = config;
  return createApp({
    ...searches,
    adminToken,
    storefrontUrl,
    allowOrigins,
    fetch,
    events: createEventsEndpoint({ ingest: events && { tokens: events.tokens, sink, counters: eventCounters, now }, allowOrigins, log }),
    status: async () => ({ ...(await describeStatus(searches)), events: eventCounters.snapshot(), ...describe?.() }),
    isWithinRate,
  });
}

function isSink(sinks: SinkBindings | ReliableSink): sinks is ReliableSink {
  return "writeEvents" in sinks;
}

/** One line of JSON on the platform's console, which every platform collects. */
export function logToConsole(entry: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(entry));
}
