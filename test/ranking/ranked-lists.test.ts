import { describe, expect, it } from "vitest";
import { createRankedLists } from "../../src/ranking/ranked-lists.ts";

const IDS = ["a", "b", "c"];

describe("createRankedLists()", () => {
  it("recalls an order, also when the engine gives the same ids in another order", () => {
    const lists = createRankedLists({ now: () => 0 });
    lists.keep("key", IDS, [2, 0, 1]);
    expect(lists.recall("key", IDS)).toEqual([2, 0, 1]);
    expect(lists.recall("key", ["c", "b", "a"])).toEqual([0, 2, 1]);
    expect(lists.recall("other", IDS)).toBe(undefined);
  });

  it.each([[["a", "b"]], [["a", "b", "d"]], [["a", "b", "c", "d"]], [["a", "a", "b"]], [[]]])("recalls nothing for the ids %j", (ids) => {
    const lists = createRankedLists({ now: () => 0 });
    lists.keep("key", IDS, [2, 0, 1]);
    expect(lists.recall("key", ids)).toBe(undefined);
  });

  it("forgets after its time to live", () => {
    let now = 0;
    const lists = createRankedLists({ now: () => now, ttlSeconds: 5 });
    lists.keep("key", IDS, [2, 0, 1]);
    now = 4_999;
    expect(lists.recall("key", IDS)).toEqual([2, 0, 1]);
    now = 5_000;
    expect(lists.recall("key", IDS)).toBe(undefined);
  });

  it("drops the list that was not used for longest", () => {
    const lists = createRankedLists({ now: () => 0, maxLists: 2 });
    lists.keep("first", IDS, [0, 1, 2]);
    lists.keep("second", IDS, [0, 1, 2]);
    lists.recall("first", IDS);
    lists.keep("third", IDS, [0, 1, 2]);
    expect(["first", "second", "third"].map((key) => lists.recall(key, IDS) !== undefined)).toEqual([true, false, true]);
  });
});
