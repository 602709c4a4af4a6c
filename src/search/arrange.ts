/**
 * The window of one search → the order to show, within the budget or not at all: item vectors by id, then meaning, or tensors and one model
 * run, or both; scores to order; then as the treatment says: one order, two interleaved, one with a swapped pair, or the engine's with another in the record.
 */
import type { Hit } from "../backends/dialect.ts";
import type { Ranker, Treatment } from "../experiment/treatment.ts";
import type { PublishedSet } from "../embeddings/store.ts";
import type { ModelManifest } from "../inference/manifest.ts";
import { describeOrder, servedOrder } from "../inference/trust.ts";
import type { ListItem } from "../ranking/candidate.ts";
import type { ListInput } from "../ranking/features.ts";
import { draftTeams, swapNeighbours } from "../ranking/interleave.ts";
import { type ItemValues, refreshFeatures } from "../ranking/item-values.ts";
import { rerank } from "../ranking/rerank.ts";
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { DAY_MS, errorStack, sha256Hex, withTimeout } from "../web.ts";
import type { Assignment, OrderNotes, Ranking, Search } from "./contract.ts";
import { rankBrowsed } from "./browse.ts";
import { followedBy, identityOf, scoreList, vectorsMissing } from "./follow.ts";
import { scorerOf, trustedSet } from "./trusted.ts";
import { PARTS, reasonsFor, without } from "./why.ts";

export interface Arrangement extends OrderNotes {
  /** Indices of the window's hits in the order to show; the notes on hits are parallel to it. */
  readonly order: readonly number[];
  /** Of the model that made the order, or a part of it. */
  readonly ranking: Ranking;
  /** The order before a pair was swapped, and the swap of another order's: rules come between. */
  readonly unswapped?: readonly number[] | undefined;
  readonly swap?: ((order: readonly number[], isStill: readonly boolean[]) => ReturnType<typeof swapNeighbours>) | undefined;
}

/** Interleaving and exploring need a unit, or pages of one search would disagree. */
export function treatmentOf({ treatment, unit }: Assignment): Treatment {
  if (unit !== undefined) return treatment;
  if (treatment.kind === "interleave") return { kind: "serve", ranker: treatment.a };
  return treatment.kind === "explore" ? { kind: "serve", ranker: treatment.ranker } : treatment;
}

/** Hits that are asked for to be ranked. What came may be less, and costs less: the usual share of it is part of the usual cost. */
export function listSize({ index, plan }: Pick<Search, "index" | "plan">): number {
  return plan.isCursored ? Math.min(plan.limit, index.window) : index.window;
}

/**
 * Never rejects. `waitedMs`: of the budget, what is gone already. Reasons: those of the models and of item vectors, over_budget, too_few_hits,
 * internal_error.
 */
export async function arrange(search: Search, window: readonly Hit[], waitedMs = 0): Promise<Result<Arrangement, Bypass>> {
  try {
    return await arrangeAs(treatmentOf(search.assignment), search, window, waitedMs);
  } catch (cause) {
    return err(internalError(cause));
  }
}

/** A bug, with its stack for the log. */
export function internalError(cause: unknown): Bypass {
  return { reason: "internal_error", detail: errorStack(cause) };
}

async function arrangeAs(
  treatment: Treatment,
  search: Search,
  window: readonly Hit[],
  waitedMs: number,
): Promise<Result<Arrangement, Bypass>> {
  const { assignment, index, plan } = search;
  const isPinned = window.map((hit) => hit.isPinned);
  const seed = JSON.stringify([assignment.experiment ?? assignment.variant, assignment.unit ?? "", index.name, plan.identity]);
  if (treatment.kind === "interleave") {
    const [a, b] = await Promise.all([rankBy(search, treatment.a, window, waitedMs), rankBy(search, treatment.b, window, waitedMs)]);
    if (!a.ok) return a;
    if (!b.ok) return b;
    const ranking = treatment.a.kind === "engine" ? b.value : a.value;
    return ok({ ...draftTeams(a.value.order, b.value.order, isPinned, seed), ranking });
  }
  const ranked = await rankBy(search, treatment.ranker, window, waitedMs);
  if (!ranked.ok) return ranked;
  const { order } = ranked.value;
  if (treatment.kind === "shadow") return ok({ order: [...window.keys()], ranking: ranked.value, shadow: order });
  if (treatment.kind === "explore") {
    const swap: NonNullable<Arrangement["swap"]> = (of, isStill) => swapNeighbours(of, isStill, seed, sectionsOf(window));
    return ok({ ...swap(order, isPinned), ranking: ranked.value, unswapped: order, swap });
  }
  return ok({ order, ranking: ranked.value });
}

/** All hits of a list have a section, or none. */
function sectionsOf(window: readonly Hit[]): readonly number[] | undefined {
  return window[0]?.section === undefined ? undefined : window.map(({ section = 0 }) => section);
}

/** Takes no longer than the budget. A model run that has begun cannot be stopped, so W bounds it. */
async function rankBy(search: Search, ranker: Ranker, window: readonly Hit[], waitedMs: number): Promise<Result<Ranking, Bypass>> {
  if (window.length < 2) return bypass("too_few_hits", `The window holds ${window.length} hits`);
  if (ranker.kind === "engine") return ok({ order: [...window.keys()], listId: "", modelVersion: "", knownHistory: 0, scores: undefined });
  const { request, deps } = search;
  if (search.browsed !== undefined) return rankBrowsed(search, search.browsed, ranker, window, Math.max(0, deps.rankBudgetMs - waitedMs));
  const { queue, clock } = deps;
  // An explanation ranks the list again without each part.
  const rankBudgetMs = deps.rankBudgetMs * (request.isExplained ? 1 + PARTS.length : 1);
  const leftMs = Math.max(0, rankBudgetMs - waitedMs);
  const deadline = clock() + leftMs;
  let isLate = false;
  const isWanted = (): boolean => !isLate && request.signal?.aborted !== true && clock() <= deadline;
  const late = () => {
    isLate = true;
    return bypass("over_budget", `Ranking took longer than ${rankBudgetMs} ms`);
  };
  const ranking = rank(search, window, ranker, isWanted);
  // workerd ends all code of a request whose client leaves, unless it is work for after the reply: others would wait for its turn to end.
  if (queue.isBusy()) request.afterReply(ranking.catch(() => undefined));
  return withTimeout(ranking, leftMs, late);
}

async function rank(
  search: Search,
  window: readonly Hit[],
  ranker: Exclude<Ranker, { readonly kind: "engine" }>,
  isWanted: () => boolean,
): Promise<Result<Ranking, Bypass>> {
  const { request, deps, index, plan, history } = search;
  const scorer = ranker.kind === "model" ? scorerOf(ranker, search) : undefined;
  if (scorer?.ok === false) return scorer;

  const ids = window.map((hit) => hit.itemId);
  const lookup = await index.store.lookup(scorer === undefined ? ids : [...ids, ...history]);
  if (!lookup.ok) {
    // Once the shopper has been served, shards that come late are still worth waiting for: the next search finds them.
    if (lookup.error.reason === "store_timeout") request.afterReply(index.store.lookup(ids));
    return lookup;
  }
  const published = lookup.value.set;
  const set = ranker.kind === "model" && scorer !== undefined ? trustedSet(ranker, scorer.value, search, published) : published;
  const followed = followedBy(scorer?.value, set === published ? lookup.value : { ...lookup.value, set });
  if (!followed.ok) return followed;
  const { version: modelVersion, scorer: model } = followed.value;
  const setVersion = set.version;
  if (scorer !== undefined && model === undefined) sayOnce(search, scorer.value.manifest, set);
  const items = window.map(({ itemId, values }, i) => freshen(itemId, lookup.value.items[i], values));
  const known = model === undefined ? [] : lookup.value.items.slice(ids.length).filter((item) => item !== undefined);
  const missing = vectorsMissing(items, setVersion);
  if (missing !== undefined) return err(missing);

  // All that the order depends on, the engine's too, so that the pages of one search share a list, and two searches or two shoppers never do.
  const asked = [index.name, index.engine.describeClient(request), plan.identity, model === undefined ? [] : history];
  const ruled = search.rules === undefined ? [] : [search.rules.version, search.rules.rules.map(({ rule }) => rule.id)];
  const key = await sha256Hex(JSON.stringify([...asked, ...identityOf(followed.value), setVersion, ...ruled]));
  const ranking = { listId: key.slice(0, 16), modelVersion, knownHistory: known.length };
  // An explanation needs scores, and a client that wants nothing from a cache (to time a search, say) gets a run of the model.
  const isFresh = request.isExplained || request.headers.get("cache-control")?.toLowerCase().includes("no-cache") === true;
  const remembered = isFresh ? undefined : deps.lists.recall(key, window);
  if (remembered !== undefined) return ok({ ...ranking, order: remembered, scores: undefined });

  const firstRank = 1 + (plan.isCursored ? plan.offset : 0);
  const candidates = window.map(({ itemId, score }, i) => ({ itemId, rank: firstRank + i, score }));
  // Whole days: two pages of one search must see the same ages.
  const nowDay = Math.floor(search.startedAt / DAY_MS);
  const isPinned = window.map((hit) => hit.isPinned);
  const list = { queryText: plan.queryText ?? "", candidates, items, history: known, nowDay };
  const score = (of: ListInput) =>
    scoreList(of, isPinned, followed.value, isWanted, (run) => deps.queue.run(listSize(search), isWanted, run));
  const scores = await score(list);
  if (!scores.ok) return scores;
  const order = rerank(scores.value.score, isPinned, sectionsOf(window));
  if (!order.ok) return order;
  deps.lists.keep(key, window, order.value);
  const orderOf = async (of: ListInput): Promise<readonly number[] | undefined> => {
    const left = await score(of);
    const ordered = left.ok ? rerank(left.value.score, isPinned, sectionsOf(window)) : left;
    return ordered.ok ? ordered.value : undefined;
  };
  const why = request.isExplained ? await reasonsFor(order.value, PARTS, (part) => orderOf(without(list, part))) : undefined;
  return ok({ ...ranking, order: order.value, scores: scores.value, why });
}

const said = new WeakSet<PublishedSet>();

/** Once per isolate and published set: whoever starts a server, or tries one, reads why the model's order is not served. */
function sayOnce({ deps, index }: Search, manifest: ModelManifest, set: PublishedSet): void {
  if (said.has(set)) return;
  said.add(set);
  deps.log({ level: "info", event: "order", index: index.name, detail: describeOrder(servedOrder(manifest, set)) });
}

/** The stored record with the hit's own values: prices change faster than catalogues are published. */
export function freshen(itemId: string, stored: ListItem | undefined, fresh: ItemValues | undefined): ListItem | undefined {
  if (fresh === undefined) return stored;
  const { image, text, words } = stored ?? {};
  return { itemId, image, text, words, features: refreshFeatures(stored?.features, fresh) };
}
