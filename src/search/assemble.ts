/**
 * Configuration and bindings → what the searches of each index need. Once per isolate.
 *
 * The only choice made here is what indexes share: catalogs (with their cached vectors), the model, the ranked lists, the counters.
 */
import { createBackend } from "../backends/create.ts";
import type { Fetch } from "../backends/engine.ts";
import { createEngine } from "../backends/engine.ts";
import type { Config } from "../config.ts";
import type { ItemStore, KvReader } from "../embeddings/store.ts";
import { createItemStore } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { ExposureSink } from "../events/sink.ts";
import type { Scorer } from "../inference/scorer.ts";
import { createRankedLists } from "../ranking/ranked-lists.ts";
import type { Bypass, Result } from "../result.ts";
import type { SearchDeps } from "./contract.ts";

/** What an isolate buffers of one reply: a window of 1000 hits with full documents is far below it. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** Item vectors get this share of the ranking budget; the rest is the model's. */
const STORE_SHARE = 0.7;

export interface Outside {
  readonly kv: KvReader;
  readonly sink: ExposureSink;
  readonly scorer: () => Result<Scorer, Bypass>;
  readonly counters: Counters;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly createId: () => string;
  readonly log: SearchDeps["log"];
  /** Default 16 MiB. */
  readonly maxReplyBytes?: number;
}

/** Throws on a backend that parseConfig() should have refused. */
export function assembleSearches(config: Config, outside: Outside): ReadonlyMap<string, SearchDeps> {
  const { kv, fetch, maxReplyBytes = MAX_REPLY_BYTES, ...shared } = outside;
  const catalogs = new Set([...config.indexes.values()].map((index) => index.catalog));
  const stores = new Map<string, ItemStore>();
  for (const catalog of catalogs) {
    const cacheBytes = Math.floor(config.shardCacheBytes / catalogs.size);
    stores.set(catalog, createItemStore({ kv, catalog, cacheBytes, timeoutMs: config.rankBudgetMs * STORE_SHARE, now: outside.now }));
  }
  const lists = createRankedLists({ now: outside.now });

  const searches = new Map<string, SearchDeps>();
  for (const [name, { backend: backendName, url, window, catalog, idField }] of config.indexes) {
    const backend = createBackend(backendName, { idField });
    const store = stores.get(catalog);
    if (!backend.ok || store === undefined) throw new Error(`Cannot serve index "${name}": ${backend.ok ? "no store" : backend.error}`);
    searches.set(name, {
      ...shared,
      index: name,
      window,
      backend: backend.value,
      engine: createEngine({ fetch, url, authorization: config.engineAuthorizations.get(name), maxReplyBytes }),
      engineTimeoutMs: config.engineTimeoutMs,
      rankBudgetMs: config.rankBudgetMs,
      store,
      lists,
      experiment: config.experiment,
      defaultVariant: config.defaultVariant,
    });
  }
  return searches;
}
