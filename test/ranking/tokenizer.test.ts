import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_QUERY_TOKENS, TOKEN_TABLE_ROWS, fnv1a, tokenize, words } from "../../src/ranking/tokenizer.ts";

const step = (hash: number, byte: number) => Math.imul(hash ^ byte, 0x01000193);

function shared(a: string, b: string): number {
  const of = new Set(tokenize(a));
  return tokenize(b).filter((id) => of.has(id)).length;
}

describe("words()", () => {
  it("lower-cases, folds compatibility forms and drops punctuation", () => {
    expect(words("Rote ＴＡＳＳＥ, 2-fach! ﬁne")).toEqual(["rote", "tasse", "2", "fach", "fine"]);
  });

  it("finds nothing in punctuation", () => {
    expect(words(" -- ?! ")).toEqual([]);
  });
});

describe("fnv1a()", () => {
  it("agrees with the published offset basis on empty input", () => {
    expect(fnv1a("")).toBe(0x811c9dc5);
  });

  it("reads low and high byte of a unit", () => {
    // one step by hand: low byte 0x61, then high byte 0
    expect(fnv1a("a")).toBe(step(step(0x811c9dc5, 0x61), 0) >>> 0);
  });
});

describe("tokenize()", () => {
  it("gives words first, then their trigrams", () => {
    // "mug" → w:mug, then ^mu, mug, ug$
    expect(tokenize("mug")).toHaveLength(1 + 3);
    expect(tokenize("red mug")[0]).toBe(tokenize("red")[0]);
    expect(tokenize("red mug")[1]).toBe(tokenize("mug")[0]);
  });

  it("lets singular and plural share tokens, and different words not", () => {
    expect(shared("shoe", "shoes")).toBeGreaterThanOrEqual(3);
    expect(shared("shoe", "lamp")).toBe(0);
  });

  it("reads no more than anybody types, whatever its marks", () => {
    const marks = "\u0301\u0316".repeat(250_000);
    expect(tokenize(`red mug ${marks}`)).toEqual(tokenize(`red mug ${marks.slice(0, 100)}`));
    expect(tokenize(`${"red mug ".repeat(100)}${marks}`)).toEqual(tokenize("red mug ".repeat(100)));
  });

  it("stays inside the table, never uses the padding row, never exceeds the limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), (text) => {
        const ids = tokenize(text);
        return ids.length <= MAX_QUERY_TOKENS && ids.every((id) => id >= 1 && id < TOKEN_TABLE_ROWS);
      }),
    );
  });
});
