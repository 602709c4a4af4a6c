/**
 * Warm-up: two searches at start, so that V8 compiles the code path before the first request waits for it. Runs at module scope, where a
 * Worker may compute but neither fetch, nor wait, nor draw random numbers.
 *
 * The warmed-up edge is not the one that serves, so only the compiled code remains.
 */
import { dialectLimits, dialectsOf } from "../../backends/dialects.ts";
import { ELASTICSEARCH } from "../../backends/elasticsearch.ts";
import type { EngineClient } from "../../backends/engine.ts";
import { type Config, parseConfig } from "../../config/config.ts";
import { type KvReader, memoryKv } from "../../embeddings/store.ts";
import { createCounters } from "../../events/counters.ts";
import type { ModelManifest } from "../../inference/manifest.ts";
import type { Scorers } from "../../inference/scorer.ts";
import { formatHistory, HISTORY_HEADER } from "../../protocol.ts";
import { ITEM_FEATURES } from "../../ranking/candidate.ts";
import { serve } from "../../search.ts";
import { assembleSearches } from "../../search/assemble.ts";
import type { SearchDeps } from "../../search/contract.ts";
import { openBatch } from "../../search/open.ts";
import { respond } from "../../search/respond.ts";

const CATALOG = "warm-up";
/** Every Worker carries this dialect: most of the code of a search is the same in all of them. */
const DIALECTS = dialectsOf([ELASTICSEARCH]);
/** A list of any length makes V8 compile the same code; a longer one only takes longer. */
const WINDOW = 20;
/** Those that the searches find, and a few more: to pack 400 of them took a tenth of the whole start. */
const ITEMS = 2 * WINDOW;
/** The second finds compiled code where the first had to wait, and a third would only make the start longer. */
export const SEARCHES = 2;

/** Returns how many of SEARCHES were re-ranked. Rejects without a model, or if anything else is missing; no shopper's search fails for it. */
export async function warmUp(scorer: Scorers): Promise<number> {
  const live = scorer();
  if (!live.ok) throw new Error(live.error.detail);
  const { edge, indexes } = assembleSearches(config(), {
    kv: publish(live.value.manifest),
    sink: { write: async () => ({ ok: true, value: true }) },
    scorer,
    counters: createCounters(),
    dialects: DIALECTS,
    fetch: () => Promise.reject(new Error("The warm-up has its own engine")),
    now: () => 0,
    clock: () => 0,
    createId: () => CATALOG,
    log: () => undefined,
  });
  const index = indexes.get(CATALOG);
  if (index === undefined) throw new Error("The warm-up has no index");
  const deps: SearchDeps = { ...edge, backend: index.backend, engine: createEngineClient(), windows: index.windows, indexes: [index] };
  return withoutTimers(async () => {
    let applied = 0;
    for (let i = 0; i < SEARCHES; i++) if (await searchOnce(`red mug ${i}`, deps)) applied++; // oxlint-disable-line no-await-in-loop
    return applied;
  });
}

/** Whether it was re-ranked. */
async function searchOnce(text: string, deps: SearchDeps): Promise<boolean> {
  const ubi = { query_id: CATALOG, client_id: CATALOG };
  const body = new TextEncoder().encode(JSON.stringify({ query: { multi_match: { query: text } }, size: WINDOW, ext: { ubi } }));
  const headers = new Headers({ "content-type": "application/json", [HISTORY_HEADER]: formatHistory([idOf(7)]) });
  const request = { method: "POST", path: `/${CATALOG}/_search`, search: "", body, headers, address: undefined } as const;
  const plan = deps.backend.plan(request, CATALOG);
  if (!plan.ok) throw new Error(plan.error.message);
  const options = { country: undefined, isExplained: false, forcedVariant: undefined, afterReply: () => undefined };
  const batch = await openBatch({ ...request, ...options }, plan.value, deps);
  const served = await serve(batch);
  try {
    respond(batch, served, []);
  } catch {
    // A Response with a body cannot be made at module scope: all code up to there is compiled.
  }
  return served.results.every(({ outcome }) => "ranking" in outcome);
}

function config(): Config {
  const parsed = parseConfig(
    {
      INDEXES: { [CATALOG]: { backend: "elasticsearch", url: "http://localhost", window: WINDOW } },
      ENGINE_TIMEOUT_MS: 5000,
      RANK_BUDGET_MS: 4000,
      SHARD_CACHE_BYTES: 1_000_000,
      DEFAULT_VARIANT: "armmt",
      EXPERIMENTS: [{ key: CATALOG, variations: ["armmt", "control"], weights: [1, 0], coverage: 1 }],
    },
    dialectLimits(DIALECTS),
  );
  if (!parsed.ok) throw new Error(parsed.error.join("; "));
  return parsed.value;
}

/** Replies as a search engine would, with as many hits as the window has. */
function createEngineClient(): EngineClient {
  const hits = Array.from({ length: WINDOW }, (_, i) => ({
    _index: CATALOG,
    _id: idOf(i),
    _score: 10 - i / WINDOW,
    _source: { title: `item ${i} of "many"`, price: 9.5 + i, tags: ["a", "b"] },
  }));
  const reply = JSON.stringify({ took: 1, timed_out: false, hits: { total: { value: WINDOW, relation: "eq" }, hits } });
  const body = new TextEncoder().encode(reply);
  const headers = new Headers({ "content-type": "application/json" });
  return {
    send: async () => ({ ok: true, value: { status: 200, headers, body: body.slice(), rest: undefined } }),
    describeClient: () => "",
  };
}

function idOf(item: number): string {
  return `item-${item}`;
}

function vector(dim: number, item: number): Float32Array {
  return Float32Array.from({ length: dim }, (_, i) => ((i + item) % 3) - 1);
}

/** A published set, as KV would hold it. */
function publish(manifest: ModelManifest): KvReader {
  const { image, text } = manifest.dims;
  const items = Array.from({ length: ITEMS }, (_, i) => ({
    itemId: idOf(i),
    image: vector(image, i),
    text: vector(text, i),
    features: ITEM_FEATURES.map((_name, feature) => (i % 5 === feature ? undefined : (i % 7) + feature)),
  }));
  return memoryKv(CATALOG, items, manifest);
}

/** Timers throw at module scope. No step of the warm-up takes so long that one should fire, and no other code runs meanwhile. */
async function withoutTimers<T>(work: () => Promise<T>): Promise<T> {
  const { setTimeout, clearTimeout } = globalThis;
  Object.assign(globalThis, { setTimeout: () => 0, clearTimeout: () => undefined });
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}
