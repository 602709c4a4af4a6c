/**
 * What a Worker is made of: bindings → dependencies, once per isolate.
 *
 * The models are loaded at module scope, so no request waits for them. A model that cannot be loaded does not stop the Worker: its
 * searches then pass through with that reason.
 */
import type { D1Database, ExecutionContext, KVNamespace, MessageBatch, RateLimit } from "@cloudflare/workers-types";
import { createApp } from "./app.ts";
import { BACKEND_LIMITS } from "./backends/create.ts";
import { parseConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { createCounters, createEventCounters } from "./events/counters.ts";
import { createEventsEndpoint } from "./events/endpoint.ts";
import { consumeBatch } from "./events/queue.ts";
import type { SinkBindings } from "./events/sinks.ts";
import { openQueueSink, openSinks, sinkProblems } from "./events/sinks.ts";
import { createEventTokens } from "./events/token.ts";
import { createUnitHash } from "./events/unit.ts";
import type { Scorer } from "./inference/scorer.ts";
import type { ModelFiles } from "./inference/scorers.ts";
import { loadScorers } from "./inference/scorers.ts";
import { createWasmScorer } from "./inference/wasm.ts";
import { MODELS } from "./models.ts";
import type { Bypass, Result } from "./result.ts";
import { bypass } from "./result.ts";
import { assembleSearches } from "./search/assemble.ts";
import type { FlagClient } from "./search/flags.ts";
import { describeStatus } from "./search/status.ts";

/** The optional ones of SinkBindings are for EVENT_SINKS. */
interface Env extends SinkBindings {
  readonly EMBEDDINGS: KVNamespace;
  readonly EVENTS: D1Database;
  /** Optional: a flag system of OpenFeature's shape (Cloudflare's Flagship). */
  readonly FLAGS?: FlagClient;
  /** Optional: searches of one address beyond its limit are refused. */
  readonly RATE_LIMITER?: RateLimit;
}

const scorer = await loadScorers(MODELS, loadScorer);

async function loadScorer(files: ModelFiles): Promise<Result<Scorer, Bypass>> {
  try {
    return await createWasmScorer(files);
  } catch (cause) {
    return bypass("model_unavailable", cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
}

function log(entry: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(entry));
}

function now(): number {
  return Date.now();
}

function createId(): string {
  return crypto.randomUUID();
}

/** The global fetch, called as a plain function: workerd refuses it as a method of another object. */
function fetchFromWorker(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used: ${problems.join("; ")}`);
    this.problems = problems;
  }
}

/** Throws on a configuration with problems, after logging each of them: nothing can be served with it. */
function readConfig(env: Env): Config {
  const config = parseConfig(env, BACKEND_LIMITS);
  const problems = config.ok ? sinkProblems(config.value.eventSinks, env) : config.error;
  if (config.ok && problems.length === 0) return config.value;
  for (const problem of problems) log({ level: "error", event: "configuration", detail: problem });
  throw new ConfigurationError(problems);
}

/** Throws like readConfig(). */
function openApp(env: Env, flagClient: FlagClient | undefined): ReturnType<typeof createApp> {
  const config = readConfig(env);
  const counters = createCounters();
  const eventCounters = createEventCounters();
  const sink = openSinks({ names: config.eventSinks, bindings: env, counters: eventCounters, now, createId, log });
  const { eventSecret: secret } = config;
  const events = secret === undefined ? undefined : { tokens: createEventTokens({ secret, now }), hashUnit: createUnitHash(secret) };
  const searches = assembleSearches(config, {
    kv: env.EMBEDDINGS,
    sink,
    events,
    scorer,
    counters,
    flagClient: flagClient ?? env.FLAGS,
    fetch: fetchFromWorker,
    now,
    createId,
    log,
  });
  const { adminToken, storefrontUrl, allowOrigins } = config;
  const { RATE_LIMITER: limiter } = env;
  return createApp({
    ...searches,
    adminToken,
    storefrontUrl,
    allowOrigins,
    fetch: fetchFromWorker,
    events: createEventsEndpoint({ ingest: events && { tokens: events.tokens, sink, counters: eventCounters, now }, allowOrigins, log }),
    status: async () => ({ ...(await describeStatus(searches)), events: eventCounters.snapshot() }),
    isWithinRate: limiter === undefined ? undefined : async (key) => (await limiter.limit({ key })).success,
  });
}

export interface WorkerOptions {
  /** OpenFeature's client, for shops that have another flag system; see VARIANT_FLAG. */
  readonly flagClient?: FlagClient;
}

/** For `export default`; a Worker of your own gives what bindings and variables cannot: `createWorker({ flagClient: OpenFeature.getClient() })`. */
export function createWorker({ flagClient }: WorkerOptions = {}) {
  let app: ReturnType<typeof createApp> | undefined;
  return {
    async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
      try {
        app ??= openApp(env, flagClient);
      } catch (cause) {
        log({ level: "error", event: "start", detail: String(cause) });
        // On a laptop whoever asks is whoever can mend it; elsewhere nobody is told how this shop is set up.
        const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(request.url).hostname);
        const problems = isLocal && cause instanceof ConfigurationError ? { problems: cause.problems } : {};
        const reason = "The edge is not configured; its log says what is wrong";
        return Response.json({ error: { type: "configuration", reason, ...problems }, status: 500 }, { status: 500 });
      }
      return app.fetch(request, env, context);
    },
    /** Of the queue that EVENT_SINKS may name. What is thrown here makes the whole batch come again. */
    async queue(batch: MessageBatch, env: Env): Promise<void> {
      await consumeBatch(batch, { sink: openQueueSink(readConfig(env).queueSink, env), log });
    },
  };
}
