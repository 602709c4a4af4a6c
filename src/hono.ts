/** armmt-edge as a Hono app to mount into one's own: the routes of the engines that its indexes speak. */
import type { ClientAddress, EdgeApp } from "./app/deps.ts";
import type { Fetch } from "./backends/engine.ts";
import { dialectsOf } from "./backends/dialects.ts";
import { type EdgeOptions, environmentOf } from "./config/options.ts";
import { openEdge } from "./edge.ts";
import type { KvReader } from "./embeddings/store.ts";
import type { LetterStore } from "./events/retrying.ts";
import type { RetryingSink, Sink } from "./events/sink.ts";
import type { Scorers } from "./inference/scorer.ts";
import { ok } from "./result.ts";
import type { FlagClient } from "./search/flags.ts";
import type { Log } from "./web.ts";

export type { EdgeOptions } from "./config/options.ts";
export { ConfigurationError } from "./edge.ts";

export interface RerankOptions extends EdgeOptions {
  /** Where `armmt publish` wrote: a KV namespace, or `folderKv()` of `armmt-edge/node`. */
  readonly vectors: KvReader;
  /** The models: `openModels()` of `armmt-edge/cloudflare`, or `nodeScorer()` of `armmt-edge/node`. */
  readonly scorer: Scorers;
  /** Each gets all exposures and events; made by `armmt-edge/sinks/*`. Default: nothing is recorded. */
  readonly sinks?: readonly Sink[] | undefined;
  /** Keeps records that a sink could not take. Default: the client keeps its events, exposures are lost. */
  readonly deadLetters?: LetterStore | undefined;
  /** Asks the engines. Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** OpenFeature's client, or one of its shape; see `variantFlag`. */
  readonly flagClient?: FlagClient | undefined;
  /**
   * The address of a request's client, for `isWithinRate` and `forwardClientAddress`: `(c) => getConnInfo(c).remote.address`, with Hono's
   * getConnInfo of the runtime. Default: as Cloudflare says, in a Worker; elsewhere unknown.
   */
  readonly clientAddress?: ClientAddress | undefined;
  /** Counts one more search (or batch of events) of a client; false beyond its limit. Default: no limit. */
  readonly isWithinRate?: ((client: string) => Promise<boolean>) | undefined;
  /** Default: one line of JSON on the console. */
  readonly log?: Log | undefined;
}

/**
 * A Hono app with the searches of the given indexes. Throws a ConfigurationError that names each option that cannot be used.
 *
 * @example
 * import { Hono } from "hono";
 * import { elasticsearch } from "armmt-edge/backends/elasticsearch";
 * import { rerank } from "armmt-edge/hono";
 * import { d1 } from "armmt-edge/sinks/d1";
 *
 * const products = elasticsearch({ url: "https://search.example.com", window: 100 });
 * const search = rerank({ indexes: { products }, vectors: env.EMBEDDINGS, scorer, sinks: [d1(env.EVENTS)] });
 * export default new Hono().route("/", search);
 */
export function rerank({
  vectors,
  scorer,
  sinks = [],
  deadLetters,
  fetch = askEngine,
  flagClient,
  clientAddress,
  isWithinRate,
  log,
  ...options
}: RerankOptions): EdgeApp {
  const { env, dialects, nameProblem } = environmentOf(options);
  return openEdge({
    env,
    kv: vectors,
    sinks: sinks.length === 0 ? NOWHERE : sinks,
    deadLetters,
    scorer,
    fetch,
    dialects: dialectsOf(dialects),
    flagClient,
    clientAddress,
    isWithinRate,
    log,
    nameProblem,
  });
}

/** The global fetch, called as a plain function: workerd refuses it as a method of another object. */
function askEngine(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

const NOWHERE: RetryingSink = {
  write: async () => ok(true),
  writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
};
