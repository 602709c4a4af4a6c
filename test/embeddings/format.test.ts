import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeShard, encodeShard, type Shard, type ShardDims, shardOf } from "../../src/embeddings/format.ts";
import type { ItemRecord } from "../../src/ranking/candidate.ts";
import { fnv1a } from "../../src/ranking/tokenizer.ts";
import type { Result } from "../../src/result.ts";

const DIMS: ShardDims = { imageDim: 4, textDim: 3, featureCount: 2 };

function item(itemId: string, parts: Partial<ItemRecord> = {}): ItemRecord {
  return {
    itemId,
    image: Float32Array.of(0.5, -0.5, 0.1, 0),
    text: Float32Array.of(1, 0, 0),
    features: [1.5, undefined],
    ...parts,
  };
}

function value<T>(result: Result<T, string>): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function errorOf(result: Result<unknown, string>): string {
  if (result.ok) throw new Error("expected an error");
  return result.error;
}

function packed(records: readonly ItemRecord[], dims = DIMS): Uint8Array<ArrayBuffer> {
  return value(encodeShard(records, dims));
}

function shard(records: readonly ItemRecord[], dims = DIMS): Shard {
  return value(decodeShard(packed(records, dims), dims));
}

/** A copy with one uint32 of the header replaced. */
function withHeader(bytes: Uint8Array<ArrayBuffer>, at: number, number: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, number, true);
  return copy;
}

/** The same bytes, one byte into another buffer. */
function misaligned(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length + 1);
  larger.set(bytes, 1);
  return larger.subarray(1);
}

const component = fc.float({ min: -8, max: 8, noNaN: true });
const vector = (dim: number) =>
  fc.option(
    fc.array(component, { minLength: dim, maxLength: dim }).map((values) => Float32Array.from(values)),
    { nil: undefined },
  );
const dimsOf = fc.record({
  imageDim: fc.integer({ min: 1, max: 9 }),
  textDim: fc.integer({ min: 1, max: 9 }),
  featureCount: fc.integer({ min: 0, max: 5 }),
});
const anySet = dimsOf.chain((dims) =>
  fc.record({
    dims: fc.constant(dims),
    records: fc.uniqueArray(
      fc.record({
        itemId: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
        image: vector(dims.imageDim),
        text: vector(dims.textDim),
        features: fc.array(fc.option(fc.float({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }), {
          minLength: dims.featureCount,
          maxLength: dims.featureCount,
        }),
      }),
      { selector: (record) => record.itemId, maxLength: 30 },
    ),
  }),
);

/** int8 with one scale per vector: no component is off by more than half a step of max/127, plus float32 rounding. */
function expectClose(found: Float32Array | undefined, given: Float32Array | undefined): void {
  if (given === undefined) {
    expect(found).toBeUndefined();
    return;
  }
  const max = given.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  expect(found).toHaveLength(given.length);
  given.forEach((number, d) => expect(Math.abs(found![d]! - number)).toBeLessThanOrEqual((max / 127) * 0.5001 + 1e-42));
}

describe("encodeShard() and decodeShard()", () => {
  it("give every item back: vectors within max/254, features exactly, absences as absences", () => {
    fc.assert(
      fc.property(anySet, ({ dims, records }) => {
        const decoded = shard(records, dims);
        expect(decoded.count).toBe(records.length);
        for (const record of records) {
          const found = decoded.find(record.itemId);
          expect(found?.itemId).toBe(record.itemId);
          expectClose(found?.image, record.image);
          expectClose(found?.text, record.text);
          expect(found?.features).toEqual(record.features);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("do not depend on the order of the records", () => {
    const records = ["a", "b", "c", "d"].map((id) => item(id));
    expect(packed(records)).toEqual(packed(records.toReversed()));
  });

  it("keep unit vectors almost parallel", () => {
    const image = Float32Array.from({ length: 64 }, (_, d) => Math.sin(d * 7 + 1));
    const norm = Math.hypot(...image);
    const unit = image.map((number) => number / norm);
    const dims = { imageDim: 64, textDim: 1, featureCount: 0 };
    const found = shard([{ itemId: "a", image: unit, text: undefined, features: [] }], dims).find("a")!.image!;
    const dot = found.reduce((sum, number, d) => sum + number * unit[d]!, 0);
    expect(dot / Math.hypot(...found)).toBeGreaterThan(0.9999);
  });

  it("hold about 150 bytes an item at the dims in use", () => {
    const dims = { imageDim: 64, textDim: 64, featureCount: 6 };
    const record = { image: new Float32Array(64).fill(0.1), text: new Float32Array(64).fill(0.1), features: [1, 2, 3, 4, 5, 6] };
    const bytes = packed(
      Array.from({ length: 100 }, (_, i) => ({ itemId: `item-${100 + i}`, ...record })),
      dims,
    );
    // 16 bytes of tables, 24 of features, 1 of presence, 128 of vectors, 8 of id, and the header once
    expect(bytes.length).toBe(32 + 100 * (16 + 24 + 1 + 128 + 8));
  });

  it("hold each item's words, in 2 bytes a word and 4 an item", () => {
    const words = [Uint16Array.of(1, 7, 65_535), Uint16Array.of(), Uint16Array.of(7)];
    const plain = ["a", "b", "c", "d"].map((id) => item(id));
    const records = plain.map((record, i) => ({ ...record, ...(words[i] !== undefined && { words: words[i] }) }));
    const bytes = packed(records);
    expect(bytes.length).toBe(packed(plain).length + 4 + 4 * 4 + 2 * 4);
    for (const decoded of [shard(records), value(decodeShard(misaligned(bytes), DIMS))]) {
      expect(["a", "b", "c", "d"].map((id) => decoded.find(id)?.words)).toEqual([words[0], words[1], words[2], Uint16Array.of()]);
      expect(decoded.find("a")).toMatchObject({ features: [1.5, undefined] });
    }
  });

  it("are as before where no item has words", () => {
    expect(new DataView(packed([item("a")]).buffer).getUint32(4, true)).toBe(1);
    expect(shard([item("a")]).locate("a")?.words).toBeUndefined();
  });

  it("read a view that is not aligned", () => {
    const bytes = packed([item("a")]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(value(decodeShard(shifted.subarray(1), DIMS)).find("a")?.text).toEqual(Float32Array.of(1, 0, 0));
  });

  it("read an empty shard", () => {
    expect(shard([]).find("a")).toBeUndefined();
  });
});

describe("find()", () => {
  it("does not know other ids", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2 }), (ids) => {
        const [other, ...known] = ids;
        expect(shard(known.map((id) => item(id))).find(other!)).toBeUndefined();
      }),
    );
  });

  it("tells ids with the same hash apart", () => {
    // Two ids that collide under 32-bit FNV-1a, found by counting up.
    const seen = new Map<number, string>();
    let pair: readonly [string, string] | undefined;
    for (let i = 0; pair === undefined && i < 1_000_000; i++) {
      const id = (Math.imul(i, 0x9e3779b1) >>> 0).toString(36);
      const hash = fnv1a(id);
      const other = seen.get(hash);
      if (other !== undefined) pair = [other, id];
      seen.set(hash, id);
    }
    const [first, second] = pair!;
    const both = shard([item(first, { features: [1, 1] }), item(second, { features: [2, 2] })]);
    expect(both.find(first)?.features).toEqual([1, 1]);
    expect(both.find(second)?.features).toEqual([2, 2]);
    expect(shard([item(first)]).find(second)).toBeUndefined();
  });

  it("does not take a lone surrogate for the replacement character", () => {
    expect(shard([item("\uFFFD")]).find("\uD800")).toBeUndefined();
  });
});

describe("encodeShard() refuses", () => {
  it("an id that occurs twice", () => {
    expect(errorOf(encodeShard([item("a"), item("b"), item("a")], DIMS))).toBe('Item "a" occurs twice: give every item its own id');
  });

  it("a vector of another size", () => {
    const bad = item("a", { image: Float32Array.of(1, 2) });
    expect(errorOf(encodeShard([bad], DIMS))).toBe('Item "a": image vector has 2 numbers, expected 4');
    expect(errorOf(encodeShard([item("a", { text: new Float32Array(4) })], DIMS))).toContain("text vector has 4 numbers, expected 3");
  });

  it("numbers that are not finite", () => {
    const bad = item("a", { text: Float32Array.of(0, Number.NaN, 0) });
    expect(errorOf(encodeShard([bad], DIMS))).toBe('Item "a": text vector has NaN at 1, expected finite numbers');
    expect(errorOf(encodeShard([item("a", { features: [1e39, 0] })], DIMS))).toContain("feature 0 is 1e+39");
  });

  it("another number of features", () => {
    expect(errorOf(encodeShard([item("a", { features: [1] })], DIMS))).toBe('Item "a": 1 features, expected 2');
  });

  it("words that do not ascend", () => {
    expect(errorOf(encodeShard([item("a", { words: Uint16Array.of(2, 2) })], DIMS))).toBe('Item "a": hashes of words do not ascend');
  });

  it("an id that is empty or not valid Unicode", () => {
    expect(errorOf(encodeShard([item("")], DIMS))).toContain('Item id "" is empty');
    expect(errorOf(encodeShard([item("\uD800")], DIMS))).toContain("not valid Unicode");
  });
});

describe("decodeShard() refuses", () => {
  const bytes = packed(["a", "b", "c"].map((id) => item(id)));

  it("another magic", () => {
    expect(errorOf(decodeShard(withHeader(bytes, 0, 0x04034b50), DIMS))).toBe("Cannot decode shard: magic 0x04034b50, expected 0x534d5241");
  });

  it("another format version", () => {
    expect(errorOf(decodeShard(withHeader(bytes, 4, 3), DIMS))).toBe("Cannot decode shard: format version 3, expected 1 or 2");
    expect(decodeShard(withHeader(bytes, 4, 2), DIMS).ok).toBe(false);
  });

  it("other dims, by name", () => {
    expect(errorOf(decodeShard(bytes, { ...DIMS, imageDim: 64 }))).toBe("Cannot decode shard: image dim 4, expected 64");
    expect(errorOf(decodeShard(bytes, { ...DIMS, textDim: 5 }))).toBe("Cannot decode shard: text dim 3, expected 5");
    expect(errorOf(decodeShard(bytes, { ...DIMS, featureCount: 6 }))).toBe("Cannot decode shard: feature count 2, expected 6");
  });

  it("a value that was cut, at every length", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeShard(bytes.slice(0, length), DIMS).ok).toBe(false);
    }
  });

  it("any single flipped bit", () => {
    const withWords = packed([item("a", { words: Uint16Array.of(1, 2) }), item("b")]);
    for (const whole of [bytes, withWords]) {
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const copy = whole.slice();
        copy[bit >> 3]! ^= 1 << (bit & 7);
        expect(decodeShard(copy, DIMS).ok).toBe(false);
      }
    }
  });

  it("garbage, without throwing", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => !decodeShard(Uint8Array.from(garbage), DIMS).ok));
  });
});

describe("shardOf()", () => {
  it("spreads ids evenly: with 8 shards none is off by more than a fifth", () => {
    const sizes = Array.from<number>({ length: 8 }).fill(0);
    for (let i = 0; i < 8000; i++) sizes[shardOf(String(10_000 + i), 8)]!++;
    expect(Math.min(...sizes)).toBeGreaterThan(800);
    expect(Math.max(...sizes)).toBeLessThan(1200);
  });
});
