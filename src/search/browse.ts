/**
 * Searches without words: category, collection, brand and home pages. Which page a request asks for, and its order by what the shop's own lists of that
 * page have taught. Without a table, or with one that knows nothing of the hits, that is the engine's order.
 */
import type { Hit, SearchPlan } from "../backends/dialect.ts";
import type { Ranker } from "../experiment/treatment.ts";
import { type PageFilters, scoreBrowsed } from "../browse/table.ts";
import { rerank } from "../ranking/rerank.ts";
import { type Bypass, ok, type Result } from "../result.ts";
import { foldText } from "../rules/match.ts";
import { sha256Hex } from "../web.ts";
import type { Ranking, Search } from "./contract.ts";
import type { Browsed } from "./live-browse.ts";

/** `undefined` for a search with words, and for one that is left alone for another reason. */
export function pageOf({ bypass, page }: SearchPlan): PageFilters | undefined {
  const read = bypass?.reason === "no_query_text" ? page?.() : undefined;
  return read && new Map([...read].map(([field, values]) => [foldText(field), new Set(values.map(foldText))]));
}

/** As records and headers name the order, in the place of a model's version. */
export function browseVersion({ table }: Browsed): string {
  return `browse-${table?.version ?? "none"}`;
}

/** How far a variant follows the table. */
export function browseTrust(ranker: Ranker, { table }: Browsed): number {
  return ranker.kind === "model" && table !== undefined ? (ranker.trust ?? table.head.trust) : 0;
}

/** The order by meaning has no words to read here, so it is the engine's. */
export async function rankBrowsed(
  search: Search,
  browsed: Browsed,
  ranker: Ranker,
  window: readonly Hit[],
): Promise<Result<Ranking, Bypass>> {
  const { index, plan, request } = search;
  const { table, filters } = browsed;
  const trust = browseTrust(ranker, browsed);
  const firstRank = 1 + (plan.isCursored ? plan.offset : 0);
  const hits = window.map(({ itemId }, i) => ({ itemId, rank: firstRank + i }));
  const score = scoreBrowsed(hits, table, table?.pageFor(filters) ?? 0, trust);
  const isPinned = window.map((hit) => hit.isPinned);
  const sections = window[0]?.section === undefined ? undefined : window.map(({ section = 0 }) => section);
  const order = rerank(score, isPinned, sections);
  if (!order.ok) return order;
  const modelVersion = browseVersion(browsed);
  const key = await sha256Hex(JSON.stringify([index.name, index.engine.describeClient(request), plan.identity, modelVersion, trust]));
  return ok({ order: order.value, listId: key.slice(0, 16), modelVersion, knownHistory: 0, scores: { score } });
}
