/** Pages of one search in a log → one training list. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readLog } from "../../../src/cli/lists/log.ts";
import { joinPages } from "../../../src/cli/lists/pages.ts";
import type { QueryRecord } from "../../../src/report/ubi-log.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Page {
  readonly original: string;
  readonly served?: string;
  readonly offset?: number | null;
  readonly scores?: number[];
  readonly variant?: string;
  readonly client?: string;
}

/** One letter per item. */
const page = ({ original, served = original, offset, scores, variant = "armmt", client }: Page): QueryRecord => ({
  query_id: "q-1",
  ...(client !== undefined && { client_id: client }),
  user_query: "mug",
  timestamp: "2026-11-21T12:00:00.000Z",
  query_attributes: {
    armmt: {
      variant,
      original_ids: original.split(""),
      served_ids: served.split(""),
      ...(offset !== undefined && { offset }),
      ...(scores && { original_scores: scores }),
    },
  },
});

const joined = (...pages: Page[]) => {
  const list = joinPages(pages.map(page));
  return list && [list.itemIds.join(""), list.ranks, list.servedIds.join(""), list.positions];
};

const scoresOf = (...pages: Page[]) => joinPages(pages.map(page))?.scores;

const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

const click = (id: string) => ({
  action_name: "click",
  query_id: "q-1",
  timestamp: "2026-11-21T12:00:01.000Z",
  event_attributes: { object: { object_id: id } },
});

describe("joinPages()", () => {
  it("counts a page's items from the first hit of the whole list", () => {
    expect(joined({ original: "abcdef", served: "dfe", offset: 3 })).toEqual(["abcdef", [1, 2, 3, 4, 5, 6], "dfe", [4, 5, 6]]);
    // Left to the engine: the record knows that page only.
    expect(joined({ original: "fgh", offset: 5 })).toEqual(["fgh", [6, 7, 8], "fgh", [6, 7, 8]]);
  });

  it("makes one list of two pages, in any order of arrival, whether they were cut from a window or not", () => {
    const window = ["abcdef", [1, 2, 3, 4, 5, 6], "cabdfe", [1, 2, 3, 4, 5, 6]];
    const [one, two] = [
      { original: "abcdef", served: "cab", offset: 0 },
      { original: "abcdef", served: "dfe", offset: 3 },
    ];
    expect(joined(one, two)).toEqual(window);
    expect(joined(two, one)?.slice(0, 2)).toEqual(window.slice(0, 2));
    expect(joined({ original: "abc", offset: 0 }, { original: "def", offset: 3 })).toEqual([
      "abcdef",
      [1, 2, 3, 4, 5, 6],
      "abcdef",
      [1, 2, 3, 4, 5, 6],
    ]);
    // The first page was left alone, the second not.
    expect(joined({ original: "abc", offset: 0 }, two)?.slice(0, 2)).toEqual(["abcdef", [1, 2, 3, 4, 5, 6]]);
    // The same page twice, by a reload.
    expect(joined(one, one)).toEqual(["abcdef", [1, 2, 3, 4, 5, 6], "cab", [1, 2, 3]]);
  });

  it("keeps scores where all pages have them", () => {
    expect(scoresOf({ original: "ab", offset: 0, scores: [9, 8] }, { original: "cd", offset: 2, scores: [7, 6] })).toEqual([9, 8, 7, 6]);
    expect(scoresOf({ original: "ab", offset: 0, scores: [9, 8] }, { original: "cd", offset: 2 })).toBeUndefined();
  });

  it("takes a single record from before as a first page, and makes no list of what it cannot place", () => {
    expect(joined({ original: "ab" })).toEqual(["ab", [1, 2], "ab", [1, 2]]);
    expect(joined({ original: "ab" }, { original: "cd" })).toBeUndefined();
    expect(joined({ original: "ab", offset: null })).toBeUndefined();
    expect(joined({ original: "ab", offset: 0 }, { original: "cd", offset: null })).toBeUndefined();
    expect(joined({ original: "ab", offset: 0 }, { original: "cd", offset: 2, variant: "control" })).toBeUndefined();
    expect(joined({ original: "ab", offset: 0, client: "x" }, { original: "cd", offset: 2, client: "y" })).toBeUndefined();
  });
});

it("reads pages of one search as one, with the clicks of all of them", async () => {
  const other = { ...page({ original: "xy", offset: 0 }), query_id: "q-2" };
  writeFileSync(join(folder, "queries.ndjson"), lines([page({ original: "abc", offset: 0 }), other, page({ original: "def", offset: 3 })]));
  writeFileSync(join(folder, "events.ndjson"), lines([click("b"), click("e")]));
  const searches = await readLog(folder);
  expect(searches.map(({ queryId, positions }) => [queryId, positions])).toEqual([
    ["q-2", [1, 2]],
    ["q-1", [1, 2, 3, 4, 5, 6]],
  ]);
  expect([...(searches[1]?.actions.click ?? [])]).toEqual(["b", "e"]);
});
