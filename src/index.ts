/**
 * armmt-edge for programs with a server of their own: `rerank()` orders the hits of one search, `openEdge()` is the whole edge as a Hono app.
 *
 * `armmt-edge/hono`, `/cloudflare` and `/node` bring what a runtime needs besides.
 */
import { createItemStore, type ItemStore, type KvReader, ShardCache } from "./embeddings/store.ts";
import type { Scorers } from "./inference/scorer.ts";
import { rerank as orderByScore } from "./ranking/rerank.ts";
import { bypass, type Bypass, err, ok, type Result } from "./result.ts";
import { followedBy, scoreList, vectorsMissing } from "./search/follow.ts";
import { DAY_MS, errorStack, withTimeout } from "./web.ts";

export type { DialectDefinition, Dialects, IndexDefinition, IndexOptions } from "./backends/dialects.ts";
export { defineDialect, dialectsOf } from "./backends/dialects.ts";
export type { Fetch } from "./backends/engine.ts";
export type { Config } from "./config/config.ts";
export type { EdgeOptions } from "./config/options.ts";
export type { Platform } from "./edge.ts";
export { ConfigurationError, openEdge } from "./edge.ts";
export type { ItemStore, KvReader } from "./embeddings/store.ts";
export type { RetryingSink, Sink } from "./events/sink.ts";
export type { Experiment } from "./experiment/assign.ts";
export type { Scorer, Scorers } from "./inference/scorer.ts";
export type { PublicOutcome } from "./protocol.ts";
export { HISTORY_HEADER, OUTCOME_HEADER, parseOutcomes, SESSION_HEADER, TOKENS_HEADER, USER_HEADER } from "./protocol.ts";
export type { Bypass, BypassReason, ReasonFacts, Result } from "./result.ts";
export { isBypassReason, REASONS } from "./result.ts";
export type { FlagClient } from "./search/flags.ts";
export type { Log } from "./web.ts";

export interface VectorOptions {
  /** Where `armmt publish` wrote: a KV namespace, or `folderKv()` of `armmt-edge/node`. */
  readonly kv: KvReader;
  /** `--catalog` of `armmt publish`. */
  readonly catalog: string;
  /** Packed vectors that stay in memory, in bytes. Default: 33 554 432. */
  readonly cacheBytes?: number | undefined;
  /** For the vectors of one search. Default: 140 ms. */
  readonly timeoutMs?: number | undefined;
}

/** The published item vectors of one catalogue. Open them once: what was read stays in memory, and a new version is noticed within a minute. */
export function openVectors({ kv, catalog, cacheBytes = 33_554_432, timeoutMs = 140 }: VectorOptions): ItemStore {
  return createItemStore({ kv, catalog, shards: new ShardCache(cacheBytes), timeoutMs, now: () => Date.now() });
}

/** One hit of the search engine. */
export interface RerankHit {
  /** The id by which the catalogue knows the item. */
  readonly id: string;
  /** The engine's own score, where it gives one. */
  readonly score?: number | undefined;
  /** Keeps its position: promoted by the engine or by a merchandiser. */
  readonly pinned?: boolean | undefined;
}

export interface RerankOptions {
  /** The shopper's words. */
  readonly query: string;
  /** In the engine's order, from its first hit on: as many as the model may move, at most some hundred. */
  readonly hits: readonly RerankHit[];
  readonly vectors: ItemStore;
  readonly scorer: Scorers;
  /** Ids of items that the shopper viewed, most recent first. Default: none. */
  readonly history?: readonly string[] | undefined;
  /** For vectors and model together. Default: 200 ms. */
  readonly budgetMs?: number | undefined;
  /** One of several models, by its version. Default: the live one. */
  readonly version?: string | undefined;
}

export interface Reranked {
  /** Indices of `hits` in the order to show: always each of them once. */
  readonly order: readonly number[];
  /** Version of the model, or `semantic-<version of the published set>` where none is trusted; `undefined` where `order` is the engine's. */
  readonly model: string | undefined;
  /** Scores of that order, parallel to `hits`. */
  readonly scores: Float32Array | undefined;
  /** Why `order` is the engine's. */
  readonly bypass: Bypass | undefined;
}

/**
 * Orders the hits of one search. Never rejects: whatever fails, the order is the engine's and `bypass` says why.
 *
 * @example
 * import { openVectors, rerank } from "armmt-edge";
 * import { folderKv, nodeScorer } from "armmt-edge/node";
 *
 * const vectors = openVectors({ kv: folderKv(".armmt/server/kv"), catalog: "products" });
 * const { scorer } = await nodeScorer();
 *
 * const { order } = await rerank({ query: "red mug", hits: hits.map(({ id, score }) => ({ id, score })), vectors, scorer });
 * const shown = order.map((i) => hits[i]);
 */
export async function rerank(options: RerankOptions): Promise<Reranked> {
  const { hits, budgetMs = 200 } = options;
  let isWanted = true;
  const late = () => {
    isWanted = false;
    return bypass("over_budget", `Ranking took longer than ${budgetMs} ms`);
  };
  const ranked = await withTimeout(
    score(options, () => isWanted).catch((cause: unknown) => bypass("internal_error", errorStack(cause))),
    budgetMs,
    late,
  );
  if (ranked.ok) return { ...ranked.value, bypass: undefined };
  return { order: [...hits.keys()], model: undefined, scores: undefined, bypass: ranked.error };
}

async function score(options: RerankOptions, isWanted: () => boolean): Promise<Result<Omit<Reranked, "bypass">, Bypass>> {
  const { query, hits, vectors, history = [], version } = options;
  if (hits.length < 2) return bypass("too_few_hits", `There are ${hits.length} hits`);
  const scorer = options.scorer(version);
  if (!scorer.ok) return scorer;
  const found = await vectors.lookup([...hits.map(({ id }) => id), ...history]);
  if (!found.ok) return found;
  const followed = followedBy(scorer.value, found.value);
  if (!followed.ok) return followed;
  const items = found.value.items.slice(0, hits.length);
  const missing = vectorsMissing(items, found.value.set.version);
  if (missing !== undefined) return err(missing);
  const isPinned = hits.map(({ pinned }) => pinned === true);
  const list = {
    queryText: query,
    candidates: hits.map(({ id, score: engineScore }, i) => ({ itemId: id, rank: i + 1, score: engineScore })),
    items,
    history: found.value.items.slice(hits.length).filter((item) => item !== undefined),
    nowDay: Math.floor(Date.now() / DAY_MS),
  };
  const scored = await scoreList(list, isPinned, followed.value, isWanted, (run) => run());
  if (!scored.ok) return scored;
  const order = orderByScore(scored.value.score, isPinned);
  if (!order.ok) return order;
  return ok({ order: order.value, model: followed.value.version, scores: Float32Array.from(scored.value.score) });
}
