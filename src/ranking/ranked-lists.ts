/**
 * Ranked id lists of recent searches, so that all pages of one search agree and the model runs once. Ids only, never replies; held in one
 * isolate, least recently used first out.
 *
 * Not the source of truth: a list is used only while the engine's window holds the same ids, and losing one costs a model run.
 */

export type RankedLists = ReturnType<typeof createRankedLists>;

/** `maxLists`: default 500. `ttlSeconds`: default 60, how long a shopper may take from page to page. `now`: milliseconds since 1970. */
export function createRankedLists(options: { maxLists?: number; ttlSeconds?: number; now: () => number }) {
  const { maxLists = 500, ttlSeconds = 60, now } = options;
  const lists = new Map<string, { readonly ids: readonly string[]; readonly keptAt: number }>();
  return {
    /** The order kept under `key` as indices of `ids`, where it holds exactly these ids; `undefined` otherwise. */
    recall(key: string, ids: readonly string[]): readonly number[] | undefined {
      const list = lists.get(key);
      if (list === undefined) return undefined;
      lists.delete(key);
      if (now() - list.keptAt >= ttlSeconds * 1000) return undefined;
      lists.set(key, list);
      return indicesOf(list.ids, ids);
    },
    /** `order`: indices of `ids`. */
    keep(key: string, ids: readonly string[], order: readonly number[]): void {
      lists.delete(key);
      lists.set(key, { ids: order.map((i) => ids[i]!), keptAt: now() });
      const [oldest] = lists.keys();
      if (lists.size > maxLists && oldest !== undefined) lists.delete(oldest);
    },
  };
}

/** The ranked ids as indices of `ids`; `undefined` unless both hold the same ids. */
function indicesOf(ranked: readonly string[], ids: readonly string[]): readonly number[] | undefined {
  if (ranked.length !== ids.length) return undefined;
  const indexOf = new Map(ids.map((id, i) => [id, i]));
  const indices = ranked.map((id) => indexOf.get(id));
  return indices.every((index) => index !== undefined) && new Set(indices).size === ids.length ? indices : undefined;
}
