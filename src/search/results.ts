/** The kinds of BatchResult, and the hits that a shopper sees of each search. */
import type { EngineReply } from "../backends/engine.ts";
import type { WindowRequest } from "../ranking/window.ts";
import type { Bypass, Result } from "../result.ts";
import type { Batch, BatchResult, SearchResult, Shown } from "./contract.ts";

/**
 * The hits to ask the engine for, or why this search is left alone. `unranked`: why only the shop's rules order it, where they do.
 */
export type WindowDecision = Result<WindowRequest & { readonly unranked?: Bypass | undefined }, Bypass>;

export const NOTHING: Shown = { hits: [], indices: [], firstRank: 0 };

export function leave(reason: Bypass): SearchResult {
  return { outcome: { bypass: reason }, page: undefined };
}

/** The engine's reply, byte for byte; it answers the shopper's own request. */
export function untouched(batch: Batch, reply: EngineReply, results: readonly SearchResult[]): BatchResult {
  return { kind: "untouched", results, reply, shown: lazily(() => shownHits(batch, results, reply)) };
}

export function edited(
  batch: Batch,
  reply: EngineReply,
  { results, body, isWidened }: Omit<Extract<BatchResult, { kind: "edited" }>, "kind" | "reply" | "shown">,
): BatchResult {
  return { kind: "edited", results, reply, body, isWidened, shown: lazily(() => shownHits(batch, results, reply)) };
}

/** The engine gave no reply. */
export function none({ searches }: Batch, reason: Bypass): BatchResult {
  return { kind: "none", bypass: reason, results: searches.map(() => leave(reason)), shown: () => searches.map(() => NOTHING) };
}

/** Parses the reply only where a search was not edited: serving it took no parsing. */
function shownHits({ plan, searches }: Batch, results: readonly SearchResult[], reply: EngineReply): readonly Shown[] {
  const isNeeded = reply.rest === undefined && results.some(({ page }) => page === undefined);
  const read = isNeeded ? plan.parseReply(reply.body) : undefined;
  return searches.map((search, i) => {
    const page = results[i]?.page;
    if (page !== undefined) return page;
    const own = read?.ok === true ? read.value.searches[i] : undefined;
    if (own?.ok !== true) return NOTHING;
    // An untouched reply begins where the page begins.
    const { hits, queryId } = own.value;
    return { hits, indices: [...hits.keys()], firstRank: search.plan.offset, queryId };
  });
}

function lazily<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => (computed ??= { value: compute() }).value;
}
