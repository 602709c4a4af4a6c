/**
 * Configuration and bindings → the dependencies of each index's searches, once per isolate; and their state, for /armmt/status.
 *
 * The only choice made here: indexes share catalogs (with their cached vectors), the model, the ranked lists and the counters.
 */
import type { Breakers } from "../breaker.ts";
import { AUTHORIZATION, type Dialect, FORWARDED_FOR } from "../backends/dialect.ts";
import { createDialects, type Dialects } from "../backends/dialects.ts";
import { createEngineClient, type EngineClient, type Fetch } from "../backends/engine.ts";
import type { Config, IndexConfig } from "../config/config.ts";
import { createItemStore, type ItemStore, type KvReader, type PublishedSet, ShardCache } from "../embeddings/store.ts";
import type { OpenPublished } from "../inference/published-model.ts";
import { servedOrder } from "../inference/trust.ts";
import { createRankedLists } from "../ranking/ranked-lists.ts";
import type { EdgeDeps, IndexDeps } from "./contract.ts";
import { createFlagSource, type FlagClient } from "./flags.ts";
import { createLiveExperiments } from "./live-experiments.ts";
import { createLiveModels } from "./live-models.ts";
import { createLiveRules, type LiveRules } from "./live-rules.ts";
import { createRankQueue } from "./rank-queue.ts";
import { scorerOf, trustedSet } from "./trusted.ts";
import { createWindows, type Windows } from "./windows.ts";

/** Buffered per reply; a window of 1000 hits with full documents is far smaller. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** Item vectors get this share of the ranking budget; the rest is the model's. */
const STORE_SHARE = 0.7;

export interface Outside extends Pick<EdgeDeps, "sink" | "events" | "scorer" | "counters" | "now" | "clock" | "createId" | "log"> {
  readonly kv: KvReader;
  readonly fetch: Fetch;
  readonly dialects: Dialects;
  /** Opens models that were published without a deployment; asked only where the configuration wants them. */
  readonly openPublished?: OpenPublished | undefined;
  /** Another flag system; asked only where the configuration names a flag. */
  readonly flagClient?: FlagClient | undefined;
  /** Where the breakers are listed; default: nowhere. */
  readonly breakers?: Breakers | undefined;
  /** Default 16 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

export interface Searches {
  readonly edge: EdgeDeps;
  /** By name, in the order of the configuration. Clients can name no other. */
  readonly indexes: ReadonlyMap<string, IndexDeps>;
}

/** Throws on a backend that parseConfig() should have refused. */
export function assembleSearches(config: Config, outside: Outside): Searches {
  const { kv, fetch, dialects, flagClient, breakers, openPublished, maxReplyBytes = MAX_REPLY_BYTES, ...shared } = outside;
  const stores = new Map<string, ItemStore>();
  const shards = new ShardCache(config.shardCacheBytes);
  const timeoutMs = config.rankBudgetMs * STORE_SHARE;
  for (const { catalog } of config.indexes.values()) {
    if (stores.has(catalog)) continue;
    const breaker = breakers?.add(`store ${catalog}`);
    stores.set(catalog, createItemStore({ kv, catalog, shards, timeoutMs, now: outside.now, breaker }));
  }
  const models =
    openPublished && config.hasLiveModels
      ? createLiveModels({ ...outside, catalogs: [...stores.keys()], deployed: outside.scorer, open: openPublished })
      : undefined;
  const scorer = models?.scorer ?? outside.scorer;
  const rules = new Map<string, LiveRules>();
  if (config.hasLiveRules)
    for (const catalog of stores.keys()) rules.set(catalog, createLiveRules({ kv, catalog, now: outside.now, log: outside.log }));
  const sole = withSoleCredentials(config, createDialects(config.indexes, dialects));
  const backends = createDialects(sole, dialects);
  const engineOf = createEngines(fetch, maxReplyBytes);
  const windowsOf = new Map<EngineClient, Windows>();

  const indexes = new Map<string, IndexDeps>();
  for (const [name, index] of sole) {
    const backend = backends.get(name);
    const store = stores.get(index.catalog);
    if (backend === undefined || store === undefined) throw new Error(`Cannot serve index "${name}"`);
    const engine = engineOf(index, backend, config.engineAuthorizations.get(name));
    const windows = windowsOf.get(engine) ?? createWindows(outside.clock);
    windowsOf.set(engine, windows);
    const ranking = models && (() => models.rankingOf(index.catalog));
    const { eventsUrl } = index;
    const eventsEngine =
      eventsUrl === undefined || backend.eventsPath === undefined
        ? undefined
        : engineOf({ ...index, url: eventsUrl }, backend, config.engineAuthorizations.get(name));
    const own = { backend, engine, eventsEngine, windows, store, ranking, rules: rules.get(index.catalog) };
    indexes.set(name, { name, window: index.window, ...own });
  }
  const { engineTimeoutMs, rankBudgetMs, defaultVariant, variantFlag } = config;
  const flags =
    flagClient === undefined || variantFlag === undefined
      ? undefined
      : createFlagSource(flagClient, variantFlag, outside.log, breakers?.add(`flag ${variantFlag}`));
  const { experiments: configured } = config;
  const experiments = config.hasLiveExperiments ? createLiveExperiments(configured, outside) : () => Promise.resolve(configured);
  const lists = createRankedLists({ now: outside.now });
  const queue = createRankQueue(outside.clock);
  return { edge: { ...shared, scorer, models, engineTimeoutMs, rankBudgetMs, lists, queue, experiments, flags, defaultVariant }, indexes };
}

/**
 * An edge with its own key, which may also stand among an index's headers, sends that key whatever clients send: they must do nothing with it
 * but search.
 */
function withSoleCredentials(
  { indexes, engineAuthorizations }: Config,
  backends: ReadonlyMap<string, Dialect>,
): ReadonlyMap<string, IndexConfig> {
  return new Map(
    [...indexes].map(([name, index]) => {
      const { header, clientHeaders } = backends.get(name)?.credentials ?? AUTHORIZATION;
      const keyHeaders = new Set([header, ...clientHeaders, index.generic?.keyHeader?.toLowerCase()]);
      const isOwn = engineAuthorizations.has(name) || Object.keys(index.headers ?? {}).some((key) => keyHeaders.has(key.toLowerCase()));
      return [name, { ...index, forwardCredentials: index.forwardCredentials && !isOwn }];
    }),
  );
}

/** Indexes with the same address, headers and keys share an engine, so that one request can search several of them. */
function createEngines(fetch: Fetch, maxReplyBytes: number) {
  const engines = new Map<string, EngineClient>();
  return (
    { url, headers, forwardCredentials, forwardClientAddress = false, generic }: IndexConfig,
    backend: Dialect,
    authorization: string | undefined,
  ): EngineClient => {
    const { credentials, addressHeader = FORWARDED_FOR } = backend;
    const keyHeader = generic?.keyHeader ?? credentials.header;
    // Never beside the edge's own key.
    const isForwarding = forwardCredentials;
    const own = { ...headers, ...(authorization !== undefined && { [keyHeader]: authorization }) };
    const fromClient = [...backend.clientHeaders, ...(isForwarding ? [...credentials.clientHeaders, keyHeader] : [])];
    const address = forwardClientAddress ? addressHeader : undefined;
    const key = JSON.stringify([backend.name, url, own, keyHeader, isForwarding, address]);
    const withheldParams = isForwarding ? [] : credentials.clientParams;
    const engine =
      engines.get(key) ?? createEngineClient({ fetch, url, headers: { fromClient, address, own }, withheldParams, maxReplyBytes });
    engines.set(key, engine);
    return engine;
  };
}

/** Model, published vectors and counters of this isolate. */
export async function describeStatus({ edge, indexes }: Searches): Promise<object> {
  const described = await Promise.all(
    [...indexes].map(async ([name, index]) => {
      const { store, backend, window, windows, rules } = index;
      const found = await store.lookup([]);
      const scorer = scorerOf(LIVE, { deps: edge, index });
      const model = scorer.ok ? { version: scorer.value.manifest.version, trainedOn: scorer.value.manifest.trainedOn } : scorer.error;
      const published = found.ok ? describeSet(found.value.set) : found.error;
      // What the variant armmt serves, and why.
      const order =
        found.ok && scorer.ok ? servedOrder(scorer.value.manifest, trustedSet(LIVE, scorer.value, { index }, found.value.set)) : undefined;
      const ruled = rules && { rules: rules.describe() };
      return [name, { backend: backend.name, window, windows: windows.snapshot(), model, published, order, ...ruled }] as const;
    }),
  );
  return {
    indexes: Object.fromEntries(described),
    ranking: edge.queue.snapshot(),
    ...(edge.models && { live: edge.models.snapshot() }),
    ...edge.counters.snapshot(),
  };
}

/** The variant armmt. */
const LIVE = { kind: "model", version: undefined } as const;

function describeSet({ version, itemCount, shardCount, imageEncoder, textEncoder, queryTable }: PublishedSet): object {
  return { version, itemCount, shardCount, imageEncoder, textEncoder, queryTableBytes: queryTable?.bytes ?? 0 };
}
