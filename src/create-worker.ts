/**
 * What a Worker is made of: bindings → dependencies, once per isolate.
 *
 * The models are loaded at module scope, so no request waits for them. A model that cannot be loaded does not stop the Worker: its
 * searches then pass through with that reason.
 */
import type { D1Database, ExecutionContext, KVNamespace, RateLimit } from "@cloudflare/workers-types";
import { createApp } from "./app.ts";
import { BACKEND_LIMITS } from "./backends/create.ts";
import { parseConfig } from "./config.ts";
import { createCounters } from "./events/counters.ts";
import { createD1Sink } from "./events/d1.ts";
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

interface Env {
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
function openApp(env: Env, flagClient: FlagClient | undefined): ReturnType<typeof createApp> {
  const config = parseConfig(env, BACKEND_LIMITS);
  if (!config.ok) {
    for (const problem of config.error) log({ level: "error", event: "configuration", detail: problem });
    throw new ConfigurationError(config.error);
  }
  const counters = createCounters();
  const searches = assembleSearches(config.value, {
    kv: env.EMBEDDINGS,
    sink: createD1Sink(env.EVENTS),
    scorer,
    counters,
    flagClient: flagClient ?? env.FLAGS,
    fetch: fetchFromWorker,
    now: () => Date.now(),
    createId: () => crypto.randomUUID(),
    log,
  });
  const { adminToken, storefrontUrl, allowOrigins } = config.value;
  const { RATE_LIMITER: limiter } = env;
  return createApp({
    ...searches,
    adminToken,
    storefrontUrl,
    allowOrigins,
    fetch: fetchFromWorker,
    status: () => describeStatus(searches),
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
  };
}
