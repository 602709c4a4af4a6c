/**
 * The window of one search → its order: item vectors by id, tensors, one model run, scores to places. Within the budget or not at all.
 *
 * Knows no HTTP and no page: which part of the order is shown is decided in search.ts.
 */
import type { Hit } from "../backends/dialect.ts";
import { matchShards } from "../inference/manifest.ts";
import type { ListItem } from "../ranking/candidate.ts";
import { buildTensors } from "../ranking/features.ts";
import type { ItemValues } from "../ranking/item-values.ts";
import { refreshFeatures } from "../ranking/item-values.ts";
import { rerank } from "../ranking/rerank.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { Ranking, Search } from "./contract.ts";
import { DAY_MS, errorStack } from "../web.ts";

/** Never rejects and never takes longer than the budget. A model run that has begun cannot be stopped, so W bounds it from the start. */
export async function rankInTime(one: Search, window: readonly Hit[], version: string | undefined): Promise<Result<Ranking, Bypass>> {
  const { rankBudgetMs } = one.deps;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Result<Ranking, Bypass>>((resolve) => {
    timer = setTimeout(() => resolve(bypass("over_budget", `Ranking took longer than ${rankBudgetMs} ms`)), rankBudgetMs);
  });
  try {
    return await Promise.race([rank(one, window, version), late]);
  } catch (cause) {
    return err(internalError(cause));
  } finally {
    clearTimeout(timer);
  }
}

/** A bug, with what it takes to find it. */
export function internalError(cause: unknown): Bypass {
  return { reason: "internal_error", detail: errorStack(cause) };
}

async function rank(
  { request, deps, index, plan, history }: Search,
  window: readonly Hit[],
  version: string | undefined,
): Promise<Result<Ranking, Bypass>> {
  if (window.length < 2) return bypass("too_few_hits", `The window holds ${window.length} hits`);
  const scorer = deps.scorer(version);
  if (!scorer.ok) return scorer;
  const { manifest } = scorer.value;

  const ids = window.map((hit) => hit.itemId);
  const lookup = await index.store.lookup([...ids, ...history]);
  if (!lookup.ok) {
    // Once the shopper has been served, shards that come late are still worth waiting for: the next search finds them.
    if (lookup.error.reason === "store_timeout") request.afterReply(index.store.lookup(ids));
    return lookup;
  }
  const { set } = lookup.value;
  const fit = matchShards(manifest, set);
  if (!fit.ok) return fit;
  const items = window.map(({ itemId, values }, place) => freshen(itemId, lookup.value.items[place], values));
  const known = lookup.value.items.slice(ids.length).filter((item) => item !== undefined);
  if (!items.some((item) => item?.image !== undefined || item?.text !== undefined)) {
    return bypass("no_item_vectors", `None of ${ids.length} hits has a vector in published set ${set.version}`);
  }

  // All that the order depends on, so that the pages of one search share a list and different searches never do.
  const key = await sha256([index.name, plan.identity, manifest.version, manifest.sha256, set.version, history]);
  const ranking = { listId: key.slice(0, 16), modelVersion: manifest.version, knownHistory: known.length };
  // An explanation needs scores, and a client that wants nothing from a cache (to time a search, say) gets a run of the model.
  const isFresh = request.isExplained || request.headers.get("cache-control")?.toLowerCase().includes("no-cache") === true;
  const remembered = isFresh ? undefined : deps.lists.recall(key, ids);
  if (remembered !== undefined) return ok({ ...ranking, order: remembered, scores: undefined });

  const firstRank = 1 + (plan.isCursored ? plan.offset : 0);
  const candidates = window.map(({ itemId, score }, place) => ({ itemId, rank: firstRank + place, score }));
  // Whole days: two pages of one search must see the same ages.
  const nowDay = Math.floor(deps.now() / DAY_MS);
  const tensors = buildTensors(
    { queryText: plan.queryText ?? "", candidates, items, history: known, nowDay },
    { imageDim: manifest.dims.image, textDim: manifest.dims.text, scaling: manifest.features },
  );
  const scores = await scorer.value.score(tensors);
  if (!scores.ok) return scores;
  const isPinned = window.map((hit) => hit.isPinned);
  const order = rerank(scores.value.score, isPinned);
  if (!order.ok) return order;
  deps.lists.keep(key, ids, order.value);
  return ok({ ...ranking, order: order.value, scores: scores.value });
}

/** The stored record with what the hit itself says: prices change faster than catalogues are published. */
function freshen(itemId: string, stored: ListItem | undefined, fresh: ItemValues | undefined): ListItem | undefined {
  if (fresh === undefined) return stored;
  return { itemId, image: stored?.image, text: stored?.text, features: refreshFeatures(stored?.features, fresh) };
}

/** Lower-case hex. */
async function sha256(parts: readonly unknown[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(parts)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
