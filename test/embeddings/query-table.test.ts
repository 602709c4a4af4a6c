import { describe, expect, it } from "vitest";
import {
  decodeQueryTable,
  encodeQueryTable,
  normaliseQuery,
  type QueryTable,
  type QueryTableContent,
  tableChecksumIn,
} from "../../src/embeddings/query-table.ts";
import { randomBits } from "../../src/ranking/interleave.ts";
import { hashWord } from "../../src/ranking/words.ts";

const VOCABULARY = ["[PAD]", "[UNK]", "red", "shoe", "##s", "blue", "東"];

function content(over: Partial<QueryTableContent> = {}): QueryTableContent {
  return {
    textEncoder: "test/1+4",
    tokenizer: { kind: "wordpiece", lowerCase: true, stripAccents: true, maxWordLength: 100, vocabulary: VOCABULARY, unknown: 1 },
    textDim: 4,
    pictureDim: 2,
    pictureWeight: 0.5,
    pieceIds: Uint32Array.of(2, 3, 6),
    // prettier-ignore
    rows: Float32Array.of(
      1, 0, 0, 0, /**/ 1, 0,
      0, 2, 0, 0, /**/ 0, 0,
      0, 0, 0.5, 0, /**/ 0, -3,
    ),
    offset: Float32Array.of(0, 0, 0, 0.5, 0, 0),
    itemCount: 100,
    wordCounts: new Map([
      [hashWord("red"), 9],
      [hashWord("shoe"), 60],
    ]),
    knownQueries: new Map([["Running  Shoes", Float32Array.of(0.6, 0.8, 0, 0, 0, 1)]]),
    ...over,
  };
}

function encoded(over?: Partial<QueryTableContent>): Uint8Array<ArrayBuffer> {
  const packed = encodeQueryTable(content(over));
  if (!packed.ok) throw new Error(packed.error);
  return packed.value;
}

function decoded(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): QueryTable {
  const table = decodeQueryTable(bytes);
  if (!table.ok) throw new Error(table.error);
  return table.value;
}

const rarity = (count: number): unknown => expect.closeTo(Math.log(1 + (100 - count + 0.5) / (count + 0.5)), 10);

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
}

function errorOf(bytes: Uint8Array<ArrayBuffer>): string {
  const table = decodeQueryTable(bytes);
  return table.ok ? "" : table.error;
}

const near = (values: readonly number[]) => values.map((value): unknown => expect.closeTo(value, 2));

describe("encodeQuery()", () => {
  const table = decoded(encoded());

  it("is the unit mean of the pieces' rows and the offset, each part by itself", () => {
    const { text, picture } = table.encodeQuery("Red shoes");
    // "##s" has no row: the mean is over two.
    const norm = Math.hypot(0.5, 1, 0.5);
    expect(Array.from(text!)).toEqual(near([0.5 / norm, 1 / norm, 0, 0.5 / norm]));
    expect(Array.from(picture!)).toEqual(near([1, 0]));
    expect(Array.from(table.encodeQuery("東").picture!)).toEqual(near([0, -1]));
  });

  it("has no vector for pieces without rows, and none for a part without a direction", () => {
    expect(table.encodeQuery("blue")).toMatchObject({ text: undefined, picture: undefined });
    expect(table.encodeQuery("")).toEqual({ text: undefined, picture: undefined, words: [], codes: [] });
    expect(table.encodeQuery("shoe").picture).toBeUndefined();
    const plain = decoded(
      encoded({
        pictureDim: 0,
        pictureWeight: 0,
        rows: new Float32Array(12).fill(1),
        offset: new Float32Array(4),
        knownQueries: new Map(),
      }),
    );
    expect(plain.encodeQuery("red").picture).toBeUndefined();
    expect(Array.from(plain.encodeQuery("red").text!)).toEqual(near([0.5, 0.5, 0.5, 0.5]));
  });

  it("takes a known query's own vector, however it is typed", () => {
    for (const typed of ["running shoes", " RUNNING shoes ", "running\tshoes"]) {
      const { text, picture } = table.encodeQuery(typed);
      expect(Array.from(text!)).toEqual(near([0.6, 0.8, 0, 0]));
      expect(Array.from(picture!)).toEqual(near([0, 1]));
    }
    expect(table.encodeQuery("running shoe").text).not.toEqual(table.encodeQuery("running shoes").text);
  });

  it("weighs each word once, by how few items hold it", () => {
    const { words } = table.encodeQuery("red shoes, RED hat");
    expect(words).toEqual([
      { hash: hashWord("red"), rarity: rarity(9), itemCount: 9 },
      { hash: hashWord("shoe"), rarity: rarity(60), itemCount: 60 },
      { hash: hashWord("hat"), rarity: rarity(0), itemCount: 0 },
    ]);
  });

  it("takes for a code what a few items hold, and no measure or word beside a number", () => {
    const counts =
      "l1706 2, 1706 2, wh1000xm4 1, 1000 3, 4 3, wh 4, iphone 30, iphone11 1, 11 1, 27inch 1, 27 1, inch 40, laptop8 1, 8 9, laptop 20, 64gb 2, 64 2, gb 9, 12v 1, 12 1, 00123 1";
    const wordCounts = new Map(
      counts.split(", ").map((entry) => {
        const [word = "", count] = entry.split(" ");
        return [hashWord(word), Number(count)] as const;
      }),
    );
    const coded = decoded(encoded({ wordCounts }));
    const codesIn = (text: string) => coded.encodeQuery(text).codes.map(([first]) => first);
    expect(codesIn("hp l1706 monitor")).toEqual([hashWord("l1706")]);
    expect(codesIn("WH-1000XM4")).toContain(hashWord("wh1000xm4"));
    expect(codesIn("ink 00123")).toEqual([hashWord("00123")]);
    expect(codesIn("iPhone 11")).toEqual([hashWord("iphone11")]);
    for (const text of ["iphone 11 case", "27 inch monitor", "27-inch", "27inch", "laptop 8 gb", "64gb microsd", "12v adapter"])
      expect(codesIn(text)).toEqual([]);
  });

  it("reads the beginning of a long text, in bounded time", () => {
    const start = performance.now();
    for (const long of ["x".repeat(1e6), "red ".repeat(3e5), "東".repeat(3e5), "a1-".repeat(3e5), "\u0301".repeat(1e6)]) {
      expect(table.encodeQuery(long).words.length).toBeLessThan(200);
    }
    expect(table.encodeQuery("red ".repeat(1000))).toEqual(table.encodeQuery("red ".repeat(100)));
    // A second at the most on the slowest machine; reading all of it takes minutes.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("keeps the direction of real vectors", () => {
    const next = randomBits(5);
    const random = (length: number) => Float32Array.from({ length }, () => (next() % 2001) / 1000 - 1);
    const [textDim, pictureDim] = [128, 64];
    const rows = random(3 * 192);
    const vector = random(192);
    const large = decoded(
      encoded({ textDim, pictureDim, rows, offset: new Float32Array(192), knownQueries: new Map([["known", vector]]) }),
    );
    const red = large.encodeQuery("red");
    expect(cosine(red.text!, rows.subarray(0, 128))).toBeGreaterThan(0.9999);
    expect(cosine(red.picture!, rows.subarray(128, 192))).toBeGreaterThan(0.9999);
    const known = large.encodeQuery("known");
    expect(cosine(known.text!, vector.subarray(0, 128))).toBeGreaterThan(0.999);
    expect(cosine(known.picture!, vector.subarray(128))).toBeGreaterThan(0.985);
    expect(Math.hypot(...known.text!)).toBeCloseTo(1, 5);
  });
});

describe("encodeQueryTable()", () => {
  it("gives the same bytes for the same content", () => {
    const turned = new Map([...content().wordCounts].toReversed());
    expect(encoded({ wordCounts: turned })).toEqual(encoded());
    expect(tableChecksumIn(encoded())).toBe(decoded(encoded()).checksum);
  });

  it("takes at most 1.5 MB for 10,000 known queries", () => {
    const vector = new Float32Array(192).fill(0.1);
    const knownQueries = new Map(Array.from({ length: 10_000 }, (_, i) => [`a query of the shop's log, number ${i}`, vector]));
    const dims = { textDim: 128, pictureDim: 64, rows: new Float32Array(3 * 192), offset: new Float32Array(192) };
    const bytes = encoded({ ...dims, knownQueries }).length - encoded({ ...dims, knownQueries: new Map() }).length;
    expect(bytes).toBeLessThan(1_500_000);
  });

  it.each<[string, Partial<QueryTableContent>]>([
    ["rows has 17 numbers, expected 3 × 6", { rows: new Float32Array(17) }],
    ["offset has 5 numbers", { offset: new Float32Array(5) }],
    ["offset has NaN at 1", { offset: Float32Array.of(0, Number.NaN, 0, 0, 0, 0) }],
    ["piece 2 at 1, expected ascending ids below 7", { pieceIds: Uint32Array.of(3, 2, 6) }],
    ["piece 7 at 2, expected ascending ids below 7", { pieceIds: Uint32Array.of(2, 3, 7) }],
    ["word 1 is in 101 of 100 items", { wordCounts: new Map([[1, 101]]) }],
    ["pictureWeight is -1", { pictureWeight: -1 }],
    ["pictureWeight is NaN", { pictureWeight: Number.NaN }],
    ["unknown is 9 of 7 pieces", { tokenizer: { ...content().tokenizer, unknown: 9 } }],
    ["holds a line end", { tokenizer: { ...content().tokenizer, vocabulary: ["a", "b\n", "c", "d", "e", "f", "g"] } }],
    ['known query "x" has 3 numbers', { knownQueries: new Map([["x", new Float32Array(3)]]) }],
  ])("refuses: %s", (problem, over) => {
    const packed = encodeQueryTable(content(over));
    expect(packed.ok ? "" : packed.error).toContain(problem);
  });
});

describe("decodeQueryTable()", () => {
  it("reads a part of a larger buffer", () => {
    const bytes = encoded();
    for (const shift of [1, 4]) {
      const larger = new Uint8Array(bytes.length + shift);
      larger.set(bytes, shift);
      expect(decoded(larger.subarray(shift)).encodeQuery("red")).toEqual(decoded(bytes).encodeQuery("red"));
    }
    expect(decoded(bytes.buffer)).toMatchObject({ textEncoder: "test/1+4", textDim: 4, pictureDim: 2, pictureWeight: 0.5, itemCount: 100 });
  });

  it("refuses every changed bit and every cut", () => {
    const bytes = encoded();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >>> 3] = changed[bit >>> 3]! ^ (1 << (bit & 7));
      if (decodeQueryTable(changed).ok) expect.fail(`accepts bit ${bit} changed`);
    }
    for (let length = 0; length < bytes.length; length++) expect(decodeQueryTable(bytes.slice(0, length)).ok).toBe(false);
    expect(decodeQueryTable(new Uint8Array([...bytes, 0])).ok).toBe(false);
  });

  it("names what it refuses", () => {
    expect(errorOf(new Uint8Array(3))).toBe("Cannot decode query table: 3 bytes are less than the header's 16");
    expect(errorOf(new Uint8Array(16))).toContain("magic 0x00000000, expected 0x514d5241");
    const newer = encoded();
    newer[4] = 9;
    expect(errorOf(newer)).toContain("format version 9, expected 1");
  });
});

it("normaliseQuery() folds case, width, accents and white space", () => {
  expect(normaliseQuery("  Café　ＵＳＢ ")).toBe("cafe usb");
});
