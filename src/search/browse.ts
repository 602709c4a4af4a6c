/**
 * Searches without words: category, collection, brand and home pages. Which page a request asks for, and its order by what the shop's own lists of that
 * page have taught, and by the taste of the shopper. Without a table, or with one that knows nothing of the hits, that is the engine's order.
 */
import type { Hit, SearchPlan } from "../backends/dialect.ts";
import type { Ranker } from "../experiment/treatment.ts";
import { type PageFilters, type Rates, scoreBrowsed } from "../browse/table.ts";
import { likenessTo, likingOf, type Taste } from "../browse/taste.ts";
import { rerank } from "../ranking/rerank.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import { foldGiven } from "../rules/match.ts";
import { sha256Hex, withTimeout } from "../web.ts";
import type { Ranking, Search } from "./contract.ts";
import type { Browsed } from "./live-browse.ts";
import { BROWSED_PARTS, reasonsFor } from "./why.ts";

/** `undefined` for a search with words, and for one that is left alone for another reason. */
export function pageOf({ bypass: left, page }: SearchPlan): PageFilters | undefined {
  const read = left?.reason === "no_query_text" ? page?.() : undefined;
  return read && new Map([...read].map(([field, values]) => [foldGiven(field), new Set(values.map(foldGiven))]));
}

/** As records and headers name the order, in the place of a model's version. */
export function browseVersion({ table }: Browsed): string {
  return `browse-${table?.version ?? "none"}`;
}

/** How far a variant follows the table. */
export function browseTrust(ranker: Ranker, { table }: Browsed): number {
  return ranker.kind === "model" && table !== undefined ? (ranker.trust ?? table.head.trust) : 0;
}

const NO_SALES: Rates = new Map();

/** The order by meaning has no words to read here, so it is the engine's. `leftMs`: of the ranking's budget. */
export async function rankBrowsed(
  search: Search,
  browsed: Browsed,
  ranker: Ranker,
  window: readonly Hit[],
  leftMs: number,
): Promise<Result<Ranking, Bypass>> {
  const { index, plan, request, history, deps } = search;
  const { table, filters } = browsed;
  const trust = browseTrust(ranker, browsed);
  const taste = trust > 0 && history.length > 0 ? table?.head.taste : undefined;
  const modelVersion = browseVersion(browsed);
  const asked = [index.name, index.engine.describeClient(request), plan.identity, modelVersion, trust];
  const key = await sha256Hex(JSON.stringify(taste === undefined ? asked : [...asked, history]));
  const listId = key.slice(0, 16);
  // Vectors may come in time for one page of a search and not for the next.
  const remembered = taste === undefined || request.isExplained ? undefined : deps.lists.recall(key, window);
  if (remembered !== undefined) return ok({ order: remembered, listId, modelVersion, knownHistory: history.length, scores: undefined });
  const liked = taste && (await likingFor(search, taste, window, leftMs));
  const firstRank = 1 + (plan.isCursored ? plan.offset : 0);
  const hits = window.map(({ itemId }, i) => ({ itemId, rank: firstRank + i }));
  const page = table?.pageFor(filters) ?? 0;
  const score = scoreBrowsed(hits, table, page, trust, liked?.liking);
  const isPinned = window.map((hit) => hit.isPinned);
  const sections = window[0]?.section === undefined ? undefined : window.map(({ section = 0 }) => section);
  const order = rerank(score, isPinned, sections);
  if (!order.ok) return order;
  const orderWithout = async (part: (typeof BROWSED_PARTS)[number]): Promise<readonly number[] | undefined> => {
    const known = part === "sales" && table !== undefined ? { ...table, ratesOf: (): Rates => NO_SALES } : table;
    const left = rerank(scoreBrowsed(hits, known, page, trust, part === "taste" ? undefined : liked?.liking), isPinned, sections);
    return left.ok ? left.value : undefined;
  };
  const why = request.isExplained ? await reasonsFor(order.value, BROWSED_PARTS, orderWithout) : undefined;
  if (taste !== undefined) deps.lists.keep(key, window, order.value);
  return ok({ order: order.value, listId, modelVersion, knownHistory: liked?.known ?? 0, scores: { score }, why });
}

/** `undefined`, counted with its reason, where taste has nothing to say: then the order is that of all shoppers. */
async function likingFor({ index, history, deps, request }: Search, taste: Taste, window: readonly Hit[], leftMs: number) {
  const ids = window.map(({ itemId }) => itemId);
  const lookup = await withTimeout(index.store.lookup([...ids, ...history]), leftMs, () =>
    bypass("over_budget", "Item vectors took longer than the rest of the budget"),
  );
  if (!lookup.ok) {
    deps.counters.countTaste(lookup.error.reason);
    // The next page finds them.
    if (lookup.error.reason === "store_timeout") request.afterReply(index.store.lookup(ids));
    return undefined;
  }
  const { set, items } = lookup.value;
  const looked = items.slice(ids.length);
  const known = looked.filter((item) => item !== undefined).length;
  const isSame = set.imageEncoder === taste.encoders.image && set.textEncoder === taste.encoders.text;
  const outcome = !isSame ? "other_encoders" : known === 0 ? "unknown_history" : "applied";
  deps.counters.countTaste(outcome);
  if (outcome !== "applied") return undefined;
  return { known, liking: likingOf(taste, likenessTo(looked, items.slice(0, ids.length), set)) };
}
