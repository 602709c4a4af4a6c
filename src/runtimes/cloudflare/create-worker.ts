/**
 * Builds the Worker: bindings → dependencies, once per isolate.
 *
 * At module scope the models are loaded, the configuration is read and two searches warm the code up, so that no request waits for them. A
 * model that cannot be loaded does not stop the Worker: its searches then pass through with that reason.
 */
import { env as bindings } from "cloudflare:workers";
import type { D1Database, ExecutionContext, KVNamespace, MessageBatch, RateLimit } from "@cloudflare/workers-types";
import type { EdgeApp } from "../../app.ts";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { ConfigurationError, logToConsole as log, openEdge, readConfig } from "../../edge.ts";
import { consumeBatch } from "../../events/queue.ts";
import type { SinkBindings } from "../../events/sinks.ts";
import { openQueueSink } from "../../events/sinks.ts";
import type { FlagClient } from "../../search/flags.ts";
import { loadModels } from "./models.ts";
import { SEARCHES, warmUp } from "./warm-up.ts";

/** The optional members of SinkBindings are for EVENT_SINKS. */
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
  const applied = await warmUp(scorer);
  if (applied < SEARCHES) log({ level: "warn", event: "warm_up", detail: `${applied} of ${SEARCHES} searches were re-ranked` });
} catch (cause) {
  // The first searches take longer, and nothing else.
  log({ level: "warn", event: "warm_up", detail: String(cause) });
}

/** The global fetch, called as a plain function: workerd refuses it as a method of another object. */
function fetchFromWorker(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Throws a ConfigurationError. */
function openApp(env: Env, flagClient: FlagClient | undefined): EdgeApp {
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

/** Reads the configuration once at start, so that its problems are in the log before the first request. */
function logProblems(): void {
  try {
    readConfig({ env: bindings, sinks: bindings, dialects: ALL_DIALECTS });
  } catch {
    // The first request is answered with an error.
  }
}

export interface WorkerOptions {
  /** OpenFeature's client, for shops that have another flag system; see VARIANT_FLAG. */
  readonly flagClient?: FlagClient;
}

/** For `export default`. Options are for values that bindings and variables cannot hold: `createWorker({ flagClient: OpenFeature.getClient() })`. */
export function createWorker({ flagClient }: WorkerOptions = {}) {
  logProblems();
  let app: EdgeApp | undefined;
  return {
    async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
      try {
        app ??= openApp(env, flagClient);
      } catch (cause) {
        log({ level: "error", event: "start", detail: String(cause) });
        // Only a client on this machine, who can correct the configuration, is told its problems.
        const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(request.url).hostname);
        const problems = isLocal && cause instanceof ConfigurationError ? { problems: cause.problems } : {};
        const reason = "The edge is not configured; its log says what is wrong";
        return Response.json({ error: { type: "configuration", reason, ...problems }, status: 500 }, { status: 500 });
      }
      return app.fetch(request, env, context);
    },
    /** Consumer of the queue that EVENT_SINKS may name. An exception makes the whole batch retry. */
    async queue(batch: MessageBatch, env: Env): Promise<void> {
      await consumeBatch(batch, { sink: openQueueSink(readConfig({ env, sinks: env, dialects: ALL_DIALECTS }).queueSink, env), log });
    },
  };
}
