import { describe, expect, it } from "vitest";
import type { ListItem } from "../../src/ranking/candidate.ts";
import { blend, enginePart, type MeaningQuery, scoreByMeaning, semanticScores } from "../../src/ranking/meaning.ts";
import { codeHashes, hashWord, queryWords, wordHashes } from "../../src/ranking/words.ts";

const NONE = [0, 0, 0, 0];

function orderOf(scores: ArrayLike<number>): readonly number[] {
  return Array.from(scores, (score, i) => ({ score, i }))
    .toSorted((a, b) => b.score - a.score)
    .map(({ i }) => i);
}

const isByScore = (scores: readonly (number | undefined)[]): boolean => Math.max(...enginePart(scores)) === 1;

describe("enginePart()", () => {
  it("is score ÷ best score", () => {
    expect(Array.from(enginePart([8, 4, 2, 0]))).toEqual([1, 0.5, 0.25, 0]);
    expect(Array.from(enginePart([0.9, 0.45]))).toEqual([1, 0.5]);
  });

  it("gives a pinned hit, which has no score, the one before it", () => {
    expect(Array.from(enginePart([undefined, 8, 4, 2]))).toEqual([1, 1, 0.5, 0.25]);
    expect(Array.from(enginePart([8, 4, undefined, 2]))).toEqual([1, 0.5, 0.5, 0.25]);
  });

  it("lets hits of nearly one score swap, as replicas do", () => {
    expect(isByScore([8, 7, 7.05, 3])).toBe(true);
  });

  const many = Array.from({ length: 60 }, (_, i) => 9 - i / 10);
  it.each<[string, readonly (number | undefined)[]]>([
    ["there are none", [undefined, undefined, undefined]],
    ["many are missing", [9, undefined, undefined, 7]],
    ["one is negative", [3, 1, -1]],
    ["all are negative", [-1, -2, -3]],
    ["all are 0", [0, 0, 0]],
    ["one is no number", [3, Number.NaN, 1]],
    ["one is infinite", [Infinity, 2, 1]],
    ["all are alike", [5, 5, 5]],
    ["all are nearly alike, as bits of a large number", [5.7873e17, 5.78729e17, 5.78728e17]],
    ["one pin is far above", [1e6, 9, 8, 7]],
    ["one pin is a hundred times above", [900, 9, 8]],
    ["a few pins are far above", [1e6 + 2, 1e6 + 1, 1e6, ...many]],
    ["a boost of 1000 lifts some", [9000, 8000, ...many]],
    ["a rescore has spread them over decades", [1e5, 1e4, 1e3, 100, 10, 1]],
    ["two lists were merged", [9, 5, 3, 8, 4, 2]],
    ["the list is sorted by something else", [2, 3, 1, 5, 4]],
    ["there is one", [3]],
  ])("follows the ranks where %s", (_, scores) => {
    const part = enginePart(scores);
    expect(isByScore(scores) && scores.length > 1).toBe(false);
    expect(orderOf(part)).toEqual([...scores.keys()]);
    expect(part.every(Number.isFinite)).toBe(true);
  });

  it("of nothing is nothing", () => {
    expect(enginePart([])).toHaveLength(0);
  });
});

describe("semanticScores()", () => {
  const engineScores = [4, 3, 2, 1];

  it("adds the engine's part, both cosines and the words' share", () => {
    const scores = semanticScores({
      engineScores,
      textCosine: [0.1, 0.2, 0.3, 0.4],
      coverage: [0, 0.5, 1, 0],
      pictureCosine: [1, 0, 0, -1],
      pictureWeight: 0.5,
    });
    [1 + 0.1 + 0.5, 0.75 + 0.2 + 0.5, 0.5 + 0.3 + 1, 0.25 + 0.4 - 0.5].forEach((score, i) => expect(scores[i]).toBeCloseTo(score, 12));
  });

  it("is the engine's order where nothing else is known", () => {
    const unknown = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    const scores = semanticScores({ engineScores, textCosine: unknown, coverage: unknown, pictureCosine: unknown, pictureWeight: 1 });
    expect(orderOf(scores)).toEqual([0, 1, 2, 3]);
  });

  it("neither sinks nor lifts an item that the catalogue does not know", () => {
    const textCosine = [0.5, Number.NaN, 0.4, 0.6];
    const scores = semanticScores({ engineScores, textCosine, coverage: NONE, pictureCosine: NONE, pictureWeight: 0 });
    expect(scores[1]).toBeCloseTo(0.75 + 0.5, 12);
  });
});

const query = (text: string, over: Partial<MeaningQuery> = {}): MeaningQuery => ({
  text: undefined,
  picture: undefined,
  words: [...new Set(queryWords(text))].map((word) => ({ hash: hashWord(word), rarity: 1 })),
  codes: [],
  ...over,
});
const item = (itemId: string, title: string, over: Partial<ListItem> = {}): ListItem => {
  return { itemId, image: undefined, text: undefined, features: [], words: wordHashes([title]), ...over };
};

const ranked = (text: string, items: readonly (ListItem | undefined)[], over: Partial<MeaningQuery> = {}, pictureWeight = 0) => {
  const candidates = items.map((known, i) => ({ itemId: known?.itemId ?? `unknown-${i}`, rank: i + 1, score: 10 - i }));
  return orderOf(scoreByMeaning({ queryText: text, query: query(text, over), pictureWeight, candidates, items }).scores);
};

describe("scoreByMeaning()", () => {
  it("prefers items that hold more of the words, rare ones first", () => {
    expect(ranked("red leather bag", [item("a", "bag"), item("b", "red bag of leather"), item("c", "red")])).toEqual([1, 0, 2]);
    const words = [
      { hash: hashWord("bag"), rarity: 0.1 },
      { hash: hashWord("alpaca"), rarity: 5 },
    ];
    expect(ranked("bag alpaca", [item("a", "bag"), item("b", "alpaca")], { words })).toEqual([1, 0]);
  });

  it("reads packed vectors as it does others, of text and of pictures", () => {
    const components = Int8Array.of(0, 0, 127, 0);
    const near = { components, start: 2, scale: 1 / 127 };
    const far = { components, start: 0, scale: 1 / 127 };
    const direction = Float32Array.of(1, 0);
    const items = [item("a", "", { text: far, image: far }), item("b", "", { text: near }), item("c", "", { image: near })];
    expect(ranked("x", items, { text: direction })[0]).toBe(1);
    expect(ranked("x", items, { picture: direction }, 1)[0]).toBe(2);
    expect(ranked("x", items, { picture: direction }, 0)[0]).toBe(0);
    expect(ranked("x", [item("a", ""), item("b", "", { text: Float32Array.of(1, 0) })], { text: direction })[0]).toBe(0);
  });

  const other = item("77", "red leather bag, best of all", { text: Float32Array.of(1, 0) });
  const LIKES_OTHER = { text: Float32Array.of(1, 0) };
  it.each([
    ["SKU-00123", "SKU-00123"],
    ["sku 00123", "SKU-00123"],
    ["sku00123", "SKU-00123"],
    ["00123", "00123"],
    ["red leather bag 00123", "00123"],
    ["where is ab_12-x, the red leather bag", "AB12X"],
    ["8", "8"],
    ["Bag", "bag"],
    ["ＡＢ１２３", "ab123"],
    ["ÄB-123", "äb123"],
  ])("%j keeps the item with the id %j on top", (text, id) => {
    const named = item(id, "something", { text: Float32Array.of(-1, 0) });
    expect(ranked(text, [other, undefined, other, named], LIKES_OTHER)[0]).toBe(3);
    expect(ranked(text, [named, other, undefined], LIKES_OTHER)[0]).toBe(0);
  });

  it.each([
    ["iphone 8 red leather bag", "8"],
    ["bag of 2024", "2024"],
    ["red leather bag", "bag"],
    ["red 0123 bag", "00123"],
    ["red 123 bag", "00123"],
  ])("%j does not mean the item with the id %j", (text, id) => {
    const named = item(id, "something", { text: Float32Array.of(-1, 0) });
    expect(ranked(text, [other, named, other], LIKES_OTHER).at(-1)).toBe(1);
  });

  it.each([
    ["wh1000xm4", "Sony WH-1000XM4"],
    ["sony wh-1000xm4 headphones", "WH 1000XM4 by Sony"],
    ["00123 ink", "Ink 00123"],
  ])("%j keeps what holds that code on top, the engine's first before others", (text, title) => {
    const code = /wh/.test(text) ? "wh1000xm4" : "00123";
    const named = item("n", title, { text: Float32Array.of(-1, 0) });
    const also = item("m", `Case for ${title}`, { text: Float32Array.of(1, 0) });
    const codes = [codeHashes(code)];
    expect(ranked(text, [other, named, also, other], { ...LIKES_OTHER, codes }).slice(0, 2)).toEqual([1, 2]);
  });

  it("does not take half of a code, or a hash that another word shares, for the code", () => {
    const half = item("n", "Sony WH-1000", { text: Float32Array.of(-1, 0) });
    const shared = item("n", "x", { words: Uint16Array.of(hashWord("wh1000xm4")), text: Float32Array.of(-1, 0) });
    for (const wrong of [half, shared]) {
      expect(ranked("wh1000xm4", [other, wrong, other], { ...LIKES_OTHER, codes: [codeHashes("wh1000xm4")] }).at(-1)).toBe(1);
    }
  });
});

describe("blend()", () => {
  it("is meaning at trust 0, the model at trust 1, both at one scale between", () => {
    const meaning = [3, 2, 1];
    const model = [100, 300, 200];
    expect(orderOf(blend(meaning, model, 0))).toEqual([0, 1, 2]);
    expect(orderOf(blend(meaning, model, 1))).toEqual([1, 2, 0]);
    expect(orderOf(blend(meaning, model, 0.3))).toEqual([0, 1, 2]);
    expect(Array.from(blend([1, 1], [2, 2], 0.5))).toEqual([0, 0]);
  });
});
