/**
 * Configuration and bindings → what the searches of each index need. Once per isolate.
 *
 * The only choice made here is what indexes share: catalogs (with their cached vectors), the model, the ranked lists, the counters.
 */
import type { Dialect } from "../backends/dialect.ts";
import type { Dialects } from "../backends/dialects.ts";
import { createDialects } from "../backends/dialects.ts";
import type { EngineClient, Fetch } from "../backends/engine.ts";
import { createEngineClient } from "../backends/engine.ts";
import type { Config, IndexConfig } from "../config/config.ts";
import type { ItemStore, KvReader } from "../embeddings/store.ts";
import { createItemStore, ShardCache } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { ExposureSink } from "../events/sink.ts";
import type { Scorers } from "../inference/scorer.ts";
import { createRankedLists } from "../ranking/ranked-lists.ts";
import type { EdgeDeps, EventDeps, IndexDeps } from "./contract.ts";
import type { FlagClient } from "./flags.ts";
import { createFlagSource } from "./flags.ts";
import { createLiveExperiments } from "./live-experiments.ts";

/** What an isolate buffers of one reply: a window of 1000 hits with full documents is far below it. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** Item vectors get this share of the ranking budget; the rest is the model's. */
const STORE_SHARE = 0.7;

export interface Outside {
  readonly kv: KvReader;
  readonly sink: ExposureSink;
  readonly events?: EventDeps | undefined;
  readonly scorer: Scorers;
  readonly counters: Counters;
  readonly fetch: Fetch;
  readonly dialects: Dialects;
  readonly now: () => number;
  /** Another flag system; only asked where the configuration names a flag. */
  readonly flagClient?: FlagClient | undefined;
  readonly createId: () => string;
  readonly log: EdgeDeps["log"];
  /** Default 16 MiB. */
  readonly maxReplyBytes?: number;
}

export interface Searches {
  readonly edge: EdgeDeps;
  /** Index name → what its searches need; in the order of the configuration. Clients can name no other. */
  readonly indexes: ReadonlyMap<string, IndexDeps>;
}

/** Throws on a backend that parseConfig() should have refused. */
export function assembleSearches(config: Config, outside: Outside): Searches {
  const { kv, fetch, dialects, flagClient, maxReplyBytes = MAX_REPLY_BYTES, ...shared } = outside;
  const catalogs = new Set([...config.indexes.values()].map((index) => index.catalog));
  const stores = new Map<string, ItemStore>();
  const shards = new ShardCache(config.shardCacheBytes);
  for (const catalog of catalogs) {
    stores.set(catalog, createItemStore({ kv, catalog, shards, timeoutMs: config.rankBudgetMs * STORE_SHARE, now: outside.now }));
  }
  const backends = createDialects(withSoleCredentials(config), dialects);
  const engineOf = createEngines(fetch, maxReplyBytes);

  const indexes = new Map<string, IndexDeps>();
  for (const [name, index] of config.indexes) {
    const backend = backends.get(name);
    const store = stores.get(index.catalog);
    if (backend === undefined || store === undefined) throw new Error(`Cannot serve index "${name}"`);
    const engine = engineOf(index, backend, config.engineAuthorizations.get(name));
    indexes.set(name, { name, window: index.window, backend, engine, store });
  }
  const { engineTimeoutMs, rankBudgetMs, defaultVariant, variantFlag } = config;
  const flags =
    flagClient === undefined || variantFlag === undefined
      ? undefined
      : createFlagSource({ client: flagClient, key: variantFlag, log: outside.log });
  const { experiments: configured } = config;
  const experiments = config.hasLiveExperiments
    ? createLiveExperiments({ kv, configured, now: outside.now, log: outside.log })
    : () => Promise.resolve(configured);
  const lists = createRankedLists({ now: outside.now });
  return { edge: { ...shared, engineTimeoutMs, rankBudgetMs, lists, experiments, flags, defaultVariant }, indexes };
}

/** Where the edge has a key of its own, that key goes to the engine whatever clients send: they must not do with it what is no search. */
function withSoleCredentials({ indexes, engineAuthorizations }: Config): ReadonlyMap<string, IndexConfig> {
  return new Map(
    [...indexes].map(([name, index]) => [
      name,
      { ...index, forwardCredentials: index.forwardCredentials && !engineAuthorizations.has(name) },
    ]),
  );
}

/** Indexes that are reached in the same way share an engine, so that one request can search several of them. */
function createEngines(fetch: Fetch, maxReplyBytes: number) {
  const engines = new Map<string, EngineClient>();
  return (
    { url, headers, forwardCredentials, generic }: IndexConfig,
    backend: Dialect,
    authorization: string | undefined,
  ): EngineClient => {
    const { credentials } = backend;
    const keyHeader = generic?.keyHeader ?? credentials.header;
    // Where the edge has a key of its own, a client's must not stand beside it.
    const isForwarding = forwardCredentials && authorization === undefined;
    const own = { ...headers, ...(authorization !== undefined && { [keyHeader]: authorization }) };
    const fromClient = [...backend.clientHeaders, ...(isForwarding ? [...credentials.clientHeaders, keyHeader] : [])];
    const key = JSON.stringify([backend.name, url, own, keyHeader, isForwarding]);
    const engine =
      engines.get(key) ??
      createEngineClient({
        fetch,
        url,
        headers: { fromClient, own },
        withheldParams: isForwarding ? [] : credentials.clientParams,
        maxReplyBytes,
      });
    engines.set(key, engine);
    return engine;
  };
}
