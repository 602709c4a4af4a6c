/**
 * armmt-edge as a Cloudflare Worker: bindings, variables and options → the edge, once per isolate.
 *
 * The models are loaded and warmed up when the Worker is created, at module scope, so that no request waits for them.
 */
import { env as bindings } from "cloudflare:workers";
import type { D1Database, ExecutionContext, KVNamespace, MessageBatch, RateLimit } from "@cloudflare/workers-types";
import type { EdgeApp } from "../../app/deps.ts";
import { type DialectDefinition, dialectsOf } from "../../backends/dialects.ts";
import { type EdgeOptions, environmentOf } from "../../config/options.ts";
import { ConfigurationError, logToConsole as log, openEdge, type Platform, readConfig } from "../../edge.ts";
import { consumeBatch } from "../../events/queue.ts";
import { d1Reader } from "../../events/read.ts";
import { openQueueSink, type SinkBindings } from "../../events/sinks.ts";
import type { FlagClient } from "../../search/flags.ts";
import { openModels, openPublished, type WorkerModels } from "./open-models.ts";
import { SEARCHES, warmUp } from "./warm-up.ts";

export type { EdgeOptions } from "../../config/options.ts";
export type { WorkerModels } from "./open-models.ts";
export { openModels, openPublished } from "./open-models.ts";

/** Bindings; those of SinkBindings that EVENT_SINKS does not name are optional. Variables stand beside them. */
export interface Env extends SinkBindings {
  readonly EMBEDDINGS: KVNamespace;
  readonly EVENTS: D1Database;
  /** Optional: a flag system of OpenFeature's shape (Cloudflare's Flagship). */
  readonly FLAGS?: FlagClient;
  /** Optional: searches of one address beyond its limit are refused. */
  readonly RATE_LIMITER?: RateLimit;
}

/** Options win over the variables of wrangler.toml that they stand for. */
export interface WorkerOptions extends Partial<EdgeOptions> {
  /** The files of `.armmt/edge`, which `armmt build` writes. */
  readonly models: WorkerModels;
  /** `armmt-edge/rules-page.bin`: the dashboard's page of rules. Default: it has none. */
  readonly rulesPage?: ArrayBuffer | undefined;
  /** Dialects that the variable INDEXES may name; those of `indexes` need not be listed. The Worker carries no others. */
  readonly dialects?: readonly DialectDefinition[] | undefined;
  /** OpenFeature's client, for shops that have another flag system; see `variantFlag`. Default: the binding FLAGS. */
  readonly flagClient?: FlagClient | undefined;
}

export interface EdgeWorker {
  fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response>;
  /** Consumer of the queue that EVENT_SINKS may name. An exception makes the whole batch retry. */
  queue(batch: MessageBatch, env: Env): Promise<void>;
}

/**
 * For `export default`. Never rejects: a configuration that cannot be used is logged, and every request is answered with 500.
 *
 * @example
 * import { elasticsearch } from "armmt-edge/backends/elasticsearch";
 * import { createWorker } from "armmt-edge/cloudflare";
 * import edge from "../.armmt/edge/edge.bin";
 * import runtime from "../.armmt/edge/runtime.wasm";
 *
 * const products = elasticsearch({ url: "https://search.example.com", window: 100 });
 * export default await createWorker({ models: { edge, runtime }, indexes: { products } });
 */
export async function createWorker({ models, rulesPage, dialects = [], flagClient, ...options }: WorkerOptions): Promise<EdgeWorker> {
  const scorer = await openModels(models);
  await warmUpOnce(scorer);
  const given = environmentOf(options);
  const known = dialectsOf([...dialects, ...given.dialects]);
  const settingsOf = (env: Env) => ({ env: { ...env, ...given.env }, sinks: env, dialects: known, nameProblem: given.nameProblem });
  const open = (env: Env): EdgeApp => {
    const { RATE_LIMITER: limiter } = env;
    return openEdge({
      ...settingsOf(env),
      kv: env.EMBEDDINGS,
      writeKv: (key, value) => env.EMBEDDINGS.put(key, value),
      rulesPage: rulesPage && (async () => rulesPage),
      readEvents: isBound(env.EVENTS) ? d1Reader(env.EVENTS) : undefined,
      scorer,
      openPublished,
      fetch: fetchFromWorker,
      flagClient: flagClient ?? env.FLAGS,
      isWithinRate: limiter === undefined ? undefined : async (key) => (await limiter.limit({ key })).success,
    });
  };
  try {
    // Its problems are in the log before the first request.
    readConfig(settingsOf(bindings));
  } catch {
    // Requests are answered with an error.
  }
  let app: EdgeApp | undefined;
  return {
    async fetch(request, env, context) {
      try {
        app ??= open(env);
      } catch (cause) {
        log({ level: "error", event: "start", detail: String(cause) });
        return notConfigured(request, cause);
      }
      return app.fetch(request, env, context);
    },
    async queue(batch, env) {
      await consumeBatch(batch, { sink: openQueueSink(readConfig(settingsOf(env)).queueSink, env), log });
    },
  };
}

/** Only a Worker whose EVENT_SINKS name d1 must have it. */
function isBound(database: D1Database | undefined): database is D1Database {
  return database !== undefined;
}

/** Where it fails, the first searches take longer, and nothing else. */
async function warmUpOnce(scorer: Platform["scorer"]): Promise<void> {
  try {
    const applied = await warmUp(scorer);
    if (applied < SEARCHES) log({ level: "warn", event: "warm_up", detail: `${applied} of ${SEARCHES} searches were re-ranked` });
  } catch (cause) {
    log({ level: "warn", event: "warm_up", detail: String(cause) });
  }
}

/** The global fetch, called as a plain function: workerd refuses it as a method of another object. */
function fetchFromWorker(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Only a client on this machine, who can correct the configuration, is told its problems. */
function notConfigured(request: Request, cause: unknown): Response {
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(request.url).hostname);
  const problems = isLocal && cause instanceof ConfigurationError ? { problems: cause.problems } : {};
  const reason = "The edge is not configured; its log says what is wrong";
  return Response.json({ error: { type: "configuration", reason, ...problems }, status: 500 }, { status: 500 });
}
