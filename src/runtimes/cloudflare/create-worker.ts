/**
 * What a Worker is made of: bindings → dependencies, once per isolate.
 *
 * The models are loaded, the configuration is read, and a few searches are rehearsed at module scope, so that no request waits for them. A model that cannot be loaded
 * does not stop the Worker: its searches then pass through with that reason.
 */
import { env as bindings } from "cloudflare:workers";
import type { D1Database, ExecutionContext, KVNamespace, MessageBatch, RateLimit } from "@cloudflare/workers-types";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { ConfigurationError, logToConsole as log, openEdge, readConfig } from "../../edge.ts";
import { consumeBatch } from "../../events/queue.ts";
import type { SinkBindings } from "../../events/sinks.ts";
import { openQueueSink } from "../../events/sinks.ts";
import { loadModels } from "./models.ts";
import { rehearse, SEARCHES } from "./warm-up.ts";
import type { FlagClient } from "../../search/flags.ts";

/** The optional ones of SinkBindings are for EVENT_SINKS. */
export interface Env extends SinkBindings {
  readonly EMBEDDINGS: KVNamespace;
  readonly EVENTS: D1Database;
  /** Optional: a flag system of OpenFeature's shape (Cloudflare's Flagship). */
  readonly FLAGS?: FlagClient;
  /** Optional: searches of one address beyond its limit are refused. */
  readonly RATE_LIMITER?: RateLimit;
}

const scorer = await loadModels();

try {
  const applied = await rehearse(scorer);
  if (applied < SEARCHES) log({ level: "warn", event: "rehearsal", detail: `${applied} of ${SEARCHES} searches came to an order` });
} catch (cause) {
  // The first searches take longer, and nothing else.
  log({ level: "warn", event: "rehearsal", detail: String(cause) });
}

/** The global fetch, called as a plain function: workerd refuses it as a method of another object. */
function fetchFromWorker(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Throws a ConfigurationError. */
function openApp(env: Env, flagClient: FlagClient | undefined): ReturnType<typeof openEdge> {
  const { RATE_LIMITER: limiter } = env;
  return openEdge({
    env,
    kv: env.EMBEDDINGS,
    sinks: env,
    scorer,
    fetch: fetchFromWorker,
    dialects: ALL_DIALECTS,
    flagClient: flagClient ?? env.FLAGS,
    isWithinRate: limiter === undefined ? undefined : async (key) => (await limiter.limit({ key })).success,
  });
}

/**
 * With the bindings of `cloudflare:workers`, which are those of every request, so that the first one waits for less. `undefined` where they
 * cannot be used: their problems are logged, and a request tries again with its own, and is answered.
 */
function openEarly(flagClient: FlagClient | undefined): ReturnType<typeof openEdge> | undefined {
  try {
    return openApp(bindings, flagClient);
  } catch {
    return undefined;
  }
}

/** On Cloudflare a request has no other bindings than the module; whoever tests an entry may give it others. */
function haveSameValues(one: object, other: object): boolean {
  const entries = Object.entries(one);
  return entries.length === Object.keys(other).length && entries.every(([name, value]) => Reflect.get(other, name) === value);
}

export interface WorkerOptions {
  /** OpenFeature's client, for shops that have another flag system; see VARIANT_FLAG. */
  readonly flagClient?: FlagClient;
}

/** For `export default`; a Worker of your own gives what bindings and variables cannot: `createWorker({ flagClient: OpenFeature.getClient() })`. */
export function createWorker({ flagClient }: WorkerOptions = {}) {
  let early = openEarly(flagClient);
  let app: ReturnType<typeof openEdge> | undefined;
  return {
    async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
      try {
        app ??= (haveSameValues(env, bindings) ? early : undefined) ?? openApp(env, flagClient);
        early = undefined;
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
      await consumeBatch(batch, { sink: openQueueSink(readConfig({ env, sinks: env, dialects: ALL_DIALECTS }).queueSink, env), log });
    },
  };
}
