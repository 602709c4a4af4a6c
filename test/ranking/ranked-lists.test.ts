import { describe, expect, it } from "vitest";
import { createRankedLists, type RankedHit } from "../../src/ranking/ranked-lists.ts";

const hitsOf = (ids: readonly string[], more: Partial<RankedHit> = {}): RankedHit[] =>
  ids.map((itemId) => ({ itemId, score: 1, isPinned: false, values: undefined, ...more }));

const HITS = hitsOf(["a", "b", "c"]);
const ORDER = [2, 0, 1];

const change = (hits: readonly RankedHit[], at: number, more: Partial<RankedHit>): RankedHit[] =>
  hits.map((hit, i) => (i === at ? { ...hit, ...more } : hit));

/** Whether a list of the first hits is recalled for the second. */
function recall(kept: readonly RankedHit[], asked: readonly RankedHit[]): readonly number[] | undefined {
  const lists = createRankedLists({ now: () => 0 });
  lists.keep("key", kept, ORDER);
  return lists.recall("key", asked);
}

describe("createRankedLists()", () => {
  it("recalls an order, also when the engine swaps hits with their scores", () => {
    expect(recall(HITS, HITS)).toEqual([2, 0, 1]);
    expect(recall(HITS, HITS.toReversed())).toEqual([0, 2, 1]);
    const scored = HITS.map((hit, i) => ({ ...hit, score: 3 - i }));
    expect(recall(scored, [scored[1]!, scored[0]!, scored[2]!])).toEqual([2, 1, 0]);
    expect(createRankedLists({ now: () => 0 }).recall("other", HITS)).toBe(undefined);
  });

  it.each([[["a", "b"]], [["a", "b", "d"]], [["a", "b", "c", "d"]], [["a", "a", "b"]], [["c", "c", "c"]], [[]]])(
    "recalls nothing for the ids %j",
    (ids) => {
      expect(recall(HITS, hitsOf(ids))).toBe(undefined);
    },
  );

  it.each<[string, RankedHit[], RankedHit[]]>([
    ["another score", HITS, change(HITS, 1, { score: 1.001 })],
    ["a score that is gone", HITS, change(HITS, 1, { score: undefined })],
    ["a score that has come", hitsOf(["a", "b", "c"], { score: undefined }), HITS],
    ["another position without a score", hitsOf(["a", "b", "c"], { score: undefined }), hitsOf(["b", "a", "c"], { score: undefined })],
    ["a pin that has come", HITS, change(HITS, 0, { isPinned: true })],
    ["a pin that is gone", change(HITS, 0, { isPinned: true }), HITS],
    [
      "a first pin without a score",
      hitsOf(["a", "b", "c"], { score: undefined }),
      change(hitsOf(["a", "b", "c"], { score: undefined }), 0, { isPinned: true }),
    ],
    ["a pin in another position", change(HITS, 0, { isPinned: true }), change(hitsOf(["b", "a", "c"]), 1, { isPinned: true })],
    ["another pin", change(HITS, 0, { isPinned: true }), change(HITS, 1, { isPinned: true })],
    [
      "another price",
      hitsOf(["a", "b", "c"], { values: { price: 9 } }),
      change(hitsOf(["a", "b", "c"], { values: { price: 9 } }), 2, { values: { price: 8 } }),
    ],
    ["a price that is gone", hitsOf(["a", "b", "c"], { values: { price: 9 } }), hitsOf(["a", "b", "c"], { values: {} })],
    ["a price as another value", hitsOf(["a", "b", "c"], { values: { price: 4 } }), hitsOf(["a", "b", "c"], { values: { rating: 4 } })],
    ["no values at all", hitsOf(["a", "b", "c"], { values: { price: 9 } }), HITS],
  ])("recalls nothing for %s", (_, kept, asked) => {
    expect(recall(kept, kept)).toEqual(ORDER);
    expect(recall(kept, asked)).toBe(undefined);
  });

  it("recalls an order with the same pins and values", () => {
    const kept = change(hitsOf(["a", "b", "c"], { values: { price: 9, inStock: undefined } }), 1, { isPinned: true, score: undefined });
    expect(recall(kept, [kept[2]!, kept[1]!, kept[0]!])).toEqual([0, 2, 1]);
  });

  it("forgets after its time to live, and when the clock was set back", () => {
    let now = 0;
    const lists = createRankedLists({ now: () => now, ttlSeconds: 5 });
    lists.keep("key", HITS, ORDER);
    now = 4_999;
    expect(lists.recall("key", HITS)).toEqual(ORDER);
    now = 5_000;
    expect(lists.recall("key", HITS)).toBe(undefined);
    lists.keep("key", HITS, ORDER);
    now = 4_999;
    expect(lists.recall("key", HITS)).toBe(undefined);
  });

  it("drops the list that was not used for longest", () => {
    const lists = createRankedLists({ now: () => 0, maxLists: 2 });
    lists.keep("first", HITS, [0, 1, 2]);
    lists.keep("second", HITS, [0, 1, 2]);
    lists.recall("first", HITS);
    lists.keep("third", HITS, [0, 1, 2]);
    expect(["first", "second", "third"].map((key) => lists.recall(key, HITS) !== undefined)).toEqual([true, false, true]);
  });

  it("holds no more bytes than it may, and no list that is larger", () => {
    const lists = createRankedLists({ now: () => 0, maxBytes: 10_000 });
    const long = (letter: string) => hitsOf(["a", "b", "c"].map((id) => `${id}${letter.repeat(600)}`));
    const isKept = (key: string, letter: string) => lists.recall(key, long(letter)) !== undefined;
    for (const letter of ["k", "l", "m"]) lists.keep(letter, long(letter), ORDER);
    expect(["k", "l", "m"].map((letter) => isKept(letter, letter))).toEqual([false, true, true]);
    // The same list again counts once.
    for (let i = 0; i < 9; i++) lists.keep("m", long("m"), ORDER);
    expect(isKept("l", "l")).toBe(true);
    lists.keep("huge", hitsOf(["a".repeat(9000), "b", "c"]), ORDER);
    expect([lists.recall("huge", hitsOf(["a".repeat(9000), "b", "c"])), isKept("l", "l"), isKept("m", "m")]).toEqual([
      undefined,
      true,
      true,
    ]);
  });
});
