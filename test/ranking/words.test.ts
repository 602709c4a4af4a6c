import { describe, expect, it } from "vitest";
import { fold, hashWord, itemWords, namedCodes, queryWords, stem, wordHashes } from "../../src/ranking/words.ts";

/** The share of a query's words that an item with this text answers to. */
function held(query: string, item: string): number {
  const hashes = new Set(wordHashes([item]));
  const words = queryWords(query);
  return words.filter((word) => hashes.has(hashWord(word))).length / words.length;
}

describe("queryWords()", () => {
  it.each([
    ["iPhone 8 Cases", ["iphon", "8", "cas"]],
    ["Café CRÈME", ["cafe", "crem"]],
    ["ＵＳＢ－Ｃ", ["usb", "c"]],
    ["Straße", ["strass"]],
    ["手机壳", ["手机", "机壳"]],
    ["鞋", ["鞋"]],
    ["iphone手机", ["iphon", "手机"]],
    ["", []],
    ["!?", []],
    ["a".repeat(41), []],
    ["\ud800", []],
  ])("reads %j", (text, words) => {
    expect(queryWords(text)).toEqual(words);
  });
});

describe("stem()", () => {
  it.each([
    ["case", "cases"],
    ["dress", "dresses"],
    ["glass", "glasses"],
    ["box", "boxes"],
    ["watch", "watches"],
    ["battery", "batteries"],
    ["cookie", "cookies"],
    ["size", "sizes"],
    ["cable", "cables"],
    ["schuh", "schuhe"],
    ["jacke", "jacken"],
    ["hose", "hosen"],
    ["tasche", "taschen"],
    ["hemd", "hemden"],
  ])("of %s and %s is the same", (one, many) => {
    expect(stem(many)).toBe(stem(one));
  });

  it.each([
    ["lens", "length"],
    ["glass", "gloss"],
    ["case", "cast"],
    ["car", "care"],
    ["usb", "us"],
    ["s10", "s1"],
    ["12s", "12"],
    ["cap", "cape"],
  ])("of %s and %s differs", (one, other) => {
    expect(stem(other)).not.toBe(stem(one));
  });
});

describe("an item's words", () => {
  it.each([
    ["wh1000xm4", "Sony WH-1000XM4 headphones"],
    ["WH 1000 XM4", "Sony wh1000xm4"],
    ["wh-1000xm4", "Sony WH 1000XM4"],
    ["16gb", "Kingston 16 GB"],
    ["16 GB", "Kingston 16GB"],
    ["00123", "Part 00123"],
    ["ab123456", "AB-12-34-56"],
    ["0.5 mm", "Lead 0.5mm"],
    ["运动", "新款运动鞋"],
    ["鞋", "新款运动鞋"],
    ["スニーカー", "白いスニーカー"],
    ["운동화", "흰색 운동화를"],
    ["Schuhe", "Schuh, schwarz"],
    ["creme", "CRÈME"],
    ["İstanbul", "istanbul"],
  ])("answer %j in %j", (query, item) => {
    expect(held(query, item)).toBe(1);
  });

  it.each([
    ["123", "Part 00123"],
    ["wh1000xm5", "Sony WH-1000XM4"],
    ["schal", "Schuhe"],
  ])("do not answer %j in %j", (query, item) => {
    expect(held(query, item)).toBe(0);
  });

  it("are few, whatever the text", () => {
    expect(itemWords("a1".repeat(1000))).toEqual([]);
    expect(wordHashes(["red shoes red shoe"])).toHaveLength(2);
  });
});

describe("namedCodes()", () => {
  it.each<[string, Readonly<Record<string, readonly string[]>>]>([
    ["WH-1000XM4", { wh1000xm4: [], "1000xm4": [] }],
    ["sony wh 1000xm4", { wh1000xm4: ["wh"], "1000xm4": [] }],
    ["iPhone 11", { iphone11: [] }],
    ["iphone 11 case", { iphone11: ["iphone"] }],
    ["RAM 8GB", { ram8gb: ["gb"] }],
    ["27 inch monitor", { "27inch": ["inch"], "27inchmonitor": ["inch", "monitor"] }],
    ["27-inch", { "27inch": ["inch"] }],
    ["64GB", { "64gb": ["gb"] }],
    ["ddr3 8gb ram", { ddr3: [], ddr38gb: ["gb"], "8gb": ["gb"], "8gbram": ["gb", "ram"] }],
    ["HP L 1706 or L1706", { l1706: [], hpl1706: ["hp", "l"] }],
    ["00123", { "00123": [] }],
    ["red bag", {}],
  ])("in %j", (text, expected) => {
    const found = Object.fromEntries(namedCodes(text).map(({ code, words }) => [code, words]));
    expect(found).toMatchObject(expected);
  });
});

describe("wordHashes()", () => {
  it("is ascending, without repeats, the same for the same words", () => {
    const hashes = wordHashes(["red leather shoes", "Shoes of leather"]);
    expect([...hashes]).toEqual([...new Set(hashes)].toSorted((a, b) => a - b));
    expect(wordHashes(["leather RED", "of shoe"])).toEqual(hashes);
    expect(wordHashes([])).toHaveLength(0);
  });
});

it("fold() keeps vowel signs of other scripts", () => {
  expect(fold("हिन्दी")).toBe("हिन्दी");
  expect(fold("ﬁ ½ K")).toBe("fi 1⁄2 k");
});
