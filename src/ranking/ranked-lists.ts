/**
 * Ranked lists of recent searches, so that all pages of one search agree and the model runs once. Orders and what they follow from, never
 * replies; held in one isolate, least recently used first out.
 *
 * Not the source of truth, because the engine is asked for each page anew: a list is used only while the engine says of each hit what it
 * said when the list was made. Then the model would give the same order, whoever asked first. A hit's score, its fresh values and a pinned
 * hit's position must be the same; so must the position of a hit without a score, as it is all that the engine says of it. Hits with a score may
 * swap positions: engines do that with equals, from replica to replica, and pages must not lose or repeat a hit for it. Whatever else changes
 * (a promotion, a price, a score) is worth another run, and a page that disagrees with the one before, as the engine's own pages do.
 */
import { ITEM_VALUES, type ItemValues } from "./item-values.ts";

/** What the engine says of a hit, in its order. */
export interface RankedHit {
  readonly itemId: string;
  readonly score: number | undefined;
  readonly isPinned: boolean;
  readonly section?: number | undefined;
  readonly values: ItemValues | undefined;
}

export interface RankedListsOptions {
  /** Default: 500. */
  readonly maxLists?: number;
  /** Of all lists, estimated. Default: 16 MiB, 500 lists of 300 hits. */
  readonly maxBytes?: number;
  /** How long a shopper may take from page to page. Default: 60. */
  readonly ttlSeconds?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type RankedLists = ReturnType<typeof createRankedLists>;

interface List {
  /** In the engine's order. */
  readonly ids: readonly string[];
  readonly facts: Float64Array;
  /** The order to show, as indices of `ids`. */
  readonly order: readonly number[];
  readonly bytes: number;
  readonly keptAt: number;
}

export function createRankedLists({ maxLists = 500, maxBytes = 16 * 1024 * 1024, ttlSeconds = 60, now }: RankedListsOptions) {
  const lists = new Map<string, List>();
  let bytes = 0;
  const drop = (key: string): List | undefined => {
    const list = lists.get(key);
    bytes -= list?.bytes ?? 0;
    lists.delete(key);
    return list;
  };
  const put = (key: string, list: List): void => {
    bytes += list.bytes;
    lists.set(key, list);
  };
  return {
    /** The order kept under `key` as indices of `hits`, where the engine says of them what it said then; `undefined` otherwise. */
    recall(key: string, hits: readonly RankedHit[]): readonly number[] | undefined {
      const list = drop(key);
      if (list === undefined) return undefined;
      const age = now() - list.keptAt;
      // A clock that was set back would keep a list for as long.
      if (age < 0 || age >= ttlSeconds * 1000) return undefined;
      put(key, list);
      return refit(list, hits);
    },
    /** `order`: indices of `hits`. */
    keep(key: string, hits: readonly RankedHit[], order: readonly number[]): void {
      drop(key);
      const ids = hits.map(({ itemId }) => itemId);
      const facts = factsOf(hits);
      const size = ids.reduce((sum, id) => sum + 2 * id.length + OVERHEAD_OF_ID, facts.byteLength + 8 * order.length);
      if (size > maxBytes) return;
      put(key, { ids, facts, order, bytes: size, keptAt: now() });
      for (const oldest of lists.keys()) {
        if (lists.size <= maxLists && bytes <= maxBytes) return;
        drop(oldest);
      }
    },
  };
}

/** Bytes of a short text and of the reference to it. */
const OVERHEAD_OF_ID = 32;

/** Numbers per hit: what it is held to, its score, its section, and the fresh values where the index has some. NaN where there is none. */
function factsOf(hits: readonly RankedHit[]): Float64Array {
  const width = hits.some(({ values }) => values !== undefined) ? 3 + ITEM_VALUES.length : 3;
  const facts = new Float64Array(hits.length * width).fill(Number.NaN);
  for (let i = 0; i < hits.length; i++) {
    const { score, isPinned, section, values } = hits[i]!;
    const at = i * width;
    // Negative for a pinned hit, so that one that is no longer pinned differs.
    if (isPinned) facts[at] = -1 - i;
    else if (score === undefined) facts[at] = i;
    if (score !== undefined) facts[at + 1] = score;
    if (section !== undefined) facts[at + 2] = section;
    if (values === undefined) continue;
    for (let v = 0; v < ITEM_VALUES.length; v++) facts[at + 3 + v] = values[ITEM_VALUES[v]!] ?? Number.NaN;
  }
  return facts;
}

/** The list's order as indices of `hits`; `undefined` unless these are the same hits with the same facts. */
function refit({ ids, facts: kept, order }: List, hits: readonly RankedHit[]): readonly number[] | undefined {
  const facts = hits.length === ids.length ? factsOf(hits) : undefined;
  if (facts === undefined || facts.length !== kept.length) return undefined;
  const width = facts.length / hits.length;
  // Index in `ids` → index in `hits`.
  const moved = new Int32Array(ids.length).fill(-1);
  let indexOf: ReadonlyMap<string, number> | undefined;
  for (let i = 0; i < hits.length; i++) {
    const { itemId } = hits[i]!;
    const was = ids[i] === itemId ? i : (indexOf ??= new Map(ids.map((id, index) => [id, index]))).get(itemId);
    if (was === undefined || moved[was] !== -1) return undefined;
    for (let f = 0; f < width; f++) if (!Object.is(facts[i * width + f], kept[was * width + f])) return undefined;
    moved[was] = i;
  }
  return indexOf === undefined ? order : order.map((index) => moved[index]!);
}
