/** The parts of the demo page that need no document: parsers and arithmetic. The page itself is tested in test/browser. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, parseCatalog, parsePage, summarise } from "../../../src/demo/page/client/api.ts";
import { movement } from "../../../src/demo/page/client/cards.ts";
import { addRecent, parseRecent } from "../../../src/demo/page/client/target.ts";

describe("movement()", () => {
  it("marks up, down and stayed, in signs and in words", () => {
    expect(movement(7, 4)).toEqual({ kind: "up", mark: "▲3", words: "up 3 positions" });
    expect(movement(1, 2)).toEqual({ kind: "down", mark: "▼1", words: "down 1 position" });
    expect(movement(5, 5)).toEqual({ kind: "same", mark: "=", words: "not moved" });
  });
});

describe("median()", () => {
  it("takes the middle, or the mean of the two middle values", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 10, 2])).toBe((2 + 4) / 2);
    expect(median([])).toBeNaN();
  });

  it("has as many values below as above it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });
});

describe("summarise()", () => {
  it("compares within pairs, so that a slow moment hits both sides", () => {
    const samples: [number, number][] = [[5, 8], [50, 53], [6, 9]]; // prettier-ignore
    expect(summarise(samples)).toEqual({ pairs: 3, engineMs: 6, rerankedMs: 9, addedMs: 3 });
  });
});

describe("parsePage()", () => {
  const hits = { total: { value: 1, relation: "eq" }, hits: [{ _id: "a", _score: 1, _source: { title: "Mug", image: "/images/a.svg" } }] };

  it("reads a plain reply of the engine", () => {
    const page = parsePage({ took: 1, hits });
    expect(page.products).toEqual([{ id: "a", title: "Mug", image: "/images/a.svg" }]);
    expect(page.isLowerBound).toBe(false);
    expect(page.explained.size).toBe(0);
  });

  it("reads explanations with and without reasons", () => {
    const items = [
      { id: "a", rank: 3, position: 1, score: 0.5, why: [{ part: "picture", places: 2 }] },
      { id: "b", rank: 1, position: 2, score: null, why: null },
    ];
    const page = parsePage({ hits, armmt: { bypass: null, history: { given: 2, known: 1 }, items } });
    expect(page.explained.get("a")?.why).toEqual([{ part: "picture", places: 2 }]);
    expect(page.explained.get("b")?.why).toBeNull();
    expect(page.history).toEqual({ given: 2, known: 1 });
  });

  it("refuses JSON that is not a search reply", () => {
    expect(() => parsePage({ error: { type: "x" } })).toThrow(/hits/);
  });
});

describe("parseCatalog()", () => {
  it("shows pictures as squares where the shop says nothing else", () => {
    expect(parseCatalog({ name: "drawn", count: 3 })).toEqual({
      name: "drawn",
      count: 3,
      categories: [],
      pictureAspect: 1,
      exampleQueries: [],
    });
  });
});

const product = (id: string) => ({ id, title: `Title ${id}`, image: `/images/${id}.svg` });

describe("recently viewed", () => {
  it("brings a product to the front and shows it once", () => {
    const viewed = addRecent([product("a"), product("b")], product("b"));
    expect(viewed.map(({ id }) => id)).toEqual(["b", "a"]);
  });

  it("keeps as many as the edge uses", () => {
    let viewed = [product("first")];
    for (let i = 0; i < 30; i++) viewed = addRecent(viewed, product(String(i)));
    expect(viewed).toHaveLength(20);
    expect(viewed[0]?.id).toBe("29");
  });

  it("reads anything that is not a list of products as none", () => {
    for (const text of ["{", '{"a":1}', '[{"id":1}]']) expect(parseRecent(text)).toEqual([]);
    expect(parseRecent(JSON.stringify([product("a")]))).toEqual([product("a")]);
  });
});
