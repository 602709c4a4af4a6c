import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeShard, encodeShard } from "../../src/embeddings/format.ts";
import type { Candidate, ItemRecord, ListItem } from "../../src/ranking/candidate.ts";
import {
  buildTensors,
  FEATURE_CLIP,
  FEATURES,
  type ListInput,
  MAX_HISTORY,
  rawFeatures,
  readsMeaning,
} from "../../src/ranking/features.ts";

const at = (name: string) => FEATURES.findIndex((feature) => feature === name);
const scaling = FEATURES.map((name) => ({ name, mean: 0, std: 1 }));
const shape = { imageDim: 2, textDim: 3, scaling };

const candidates = (scores: readonly (number | undefined)[]): Candidate[] =>
  scores.map((score, i) => ({ itemId: `p${i}`, rank: i + 1, score }));

const item = (itemId: string, features: ItemRecord["features"], image = true): ItemRecord => ({
  itemId,
  image: image ? Float32Array.of(1, 0) : undefined,
  text: Float32Array.of(0, 1, 0),
  features,
});

// price_log, popularity_log, rating, rating_count_log, in_stock, created_day
const cheap = item("p0", [1, 2, 4, 3, 1, 100]);
const dear = item("p1", [3, 2, 5, 1, 0, 90]);

function list(over: Partial<ListInput> = {}): ListInput {
  return { queryText: "red mug", candidates: candidates([9, 5, 1]), items: [cheap, dear, undefined], history: [], nowDay: 100, ...over };
}

describe("rawFeatures()", () => {
  const raw = rawFeatures(list());

  it("reads rank as log2(1 + rank) and 1 / rank", () => {
    expect([...raw.rank_log]).toEqual([1, Math.log2(3), 2]);
    expect([...raw.rank_reciprocal]).toEqual([1, 1 / 2, 1 / 3]);
  });

  it("places scores between the list's lowest and highest", () => {
    expect([...raw.score_relative]).toEqual([1, (5 - 1) / (9 - 1), 0]);
    expect(rawFeatures(list({ candidates: candidates([7, 7, 7]) })).score_relative).toEqual(Float64Array.of(1, 1, 1));
    expect(rawFeatures(list({ candidates: candidates([undefined, undefined, undefined]) })).has_score).toEqual(Float64Array.of(0, 0, 0));
  });

  it("compares price with the known neighbours only", () => {
    expect([...raw.price_gap]).toEqual([1 - 2, 3 - 2, Number.NaN]);
    expect([...raw.price_percentile]).toEqual([0.25, 0.75, Number.NaN]);
    expect([...raw.has_price]).toEqual([1, 1, 0]);
  });

  it("gives equals the same percentile", () => {
    expect([...raw.popularity_percentile]).toEqual([0.5, 0.5, Number.NaN]);
  });

  it("counts an item of unknown stock as in stock", () => {
    expect([...raw.in_stock]).toEqual([1, 0, 1]);
  });

  it("counts age from today, never below zero", () => {
    expect([...raw.age_log]).toEqual([0, Math.log1p(10), Number.NaN]);
    expect(rawFeatures(list({ nowDay: 50 })).age_log[0]).toBe(0);
  });
});

const anyVector = (dim: number) =>
  fc.option(
    fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: dim, maxLength: dim }).map((values) => Float32Array.from(values)),
    { nil: undefined },
  );

const tensorsOf = (read: (id: string) => ListItem | undefined) =>
  buildTensors(list({ items: [read("b"), read("nobody"), read("a")], history: [read("b")!] }), shape);

describe("features by meaning", () => {
  const meaning = {
    engineScores: [9, 5, 1],
    textCosine: Float64Array.of(0.5, Number.NaN, 0.1),
    coverage: Float64Array.of(1, 0, Number.NaN),
    pictureCosine: Float64Array.of(Number.NaN, 0.2, 0.3),
    pictureWeight: 1,
    scores: Float64Array.of(1002.5, 1, 2),
  };

  it("are what meaning says of each candidate, and unknown where it says nothing", () => {
    const raw = rawFeatures(list({ meaning }));
    expect(raw.text_cosine).toEqual(meaning.textCosine);
    expect(raw.word_coverage).toEqual(meaning.coverage);
    expect(raw.picture_cosine).toEqual(meaning.pictureCosine);
    expect([...raw.has_meaning]).toEqual([1, 0, 1]);
    // An item that the query names stands a thousand above the others; as a feature it is only far above.
    expect([...raw.prior]).toEqual([10, 1, 2]);
  });

  it("are unknown without meaning, and every other feature stays as it is", () => {
    const [bare, rich] = [rawFeatures(list()), rawFeatures(list({ meaning }))];
    for (const name of ["text_cosine", "word_coverage", "picture_cosine", "prior"] as const)
      expect(bare[name].every(Number.isNaN)).toBe(true);
    expect([...bare.has_meaning]).toEqual([0, 0, 0]);
    for (const name of FEATURES.slice(0, 18)) expect(rich[name]).toEqual(bare[name]);
  });

  it("are read by a model only where its scaling names them", () => {
    expect(readsMeaning(scaling.slice(0, 18))).toBe(false);
    for (const name of ["text_cosine", "word_coverage", "picture_cosine", "has_meaning", "prior"] as const) {
      expect(readsMeaning([scaling[0]!, { name, mean: 0, std: 1 }])).toBe(true);
    }
  });
});

describe("buildTensors()", () => {
  it("takes the features that the scaling names, in its order", () => {
    const all = buildTensors(list(), shape).features;
    const chosen = ["has_price", "rank_log", "price_log"] as const;
    const tensors = buildTensors(list(), { ...shape, scaling: chosen.map((name) => ({ name, mean: 0, std: 1 })) });
    expect(tensors.f).toBe(3);
    for (let i = 0; i < 3; i++)
      expect([...tensors.features.subarray(i * 3, i * 3 + 3)]).toEqual(chosen.map((name) => all[i * FEATURES.length + at(name)]));
  });

  it("takes the first numbers of longer vectors, packed or not", () => {
    const whole = Float32Array.of(0.5, -1, 0.25);
    const packed = { components: Int8Array.of(9, 2, -4, 1), start: 1, scale: 0.25 };
    const items = [{ ...cheap, text: whole }, { ...dear, text: packed }, undefined];
    const tensors = buildTensors(list({ items, history: [items[0]!] }), { ...shape, textDim: 2 });
    expect([...tensors.text]).toEqual([0.5, -1, 0.5, -1, 0, 0]);
    expect([...tensors.historyText]).toEqual([0.5, -1]);
  });

  it("puts vectors, presence and masks where the contract says", () => {
    const bare = item("p2", [undefined, undefined, undefined, undefined, undefined, undefined], false);
    const tensors = buildTensors(list({ items: [cheap, bare, undefined] }), shape);
    expect([...tensors.image]).toEqual([1, 0, 0, 0, 0, 0]);
    expect([...tensors.text]).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0]);
    expect([...tensors.presence]).toEqual([1, 1, 0, 1, 0, 0]);
    expect([...tensors.mask]).toEqual([1, 1, 1]);
    expect([...tensors.historyMask]).toEqual([0]);
  });

  it("makes the same bits of packed vectors and of unpacked ones", () => {
    const record = { itemId: "a", features: [1, 2, 3, 4, 1, 90] };
    fc.assert(
      fc.property(anyVector(2), anyVector(3), anyVector(2), (image, text, seen) => {
        const records = [
          { ...record, image, text },
          { ...record, itemId: "b", image: seen, text },
        ];
        const shard = encodeShard(records, { imageDim: 2, textDim: 3, featureCount: 6 });
        const decoded = decodeShard(shard.ok ? shard.value : new Uint8Array(), { imageDim: 2, textDim: 3, featureCount: 6 });
        if (!decoded.ok) throw new Error(decoded.error);
        expect(tensorsOf((id) => decoded.value.locate(id))).toEqual(tensorsOf((id) => decoded.value.find(id)));
        // Zero is a vector like any other: what is there and what is not must not be mixed up.
        expect(tensorsOf((id) => decoded.value.locate(id)).presence[0]).toBe(seen === undefined ? 0 : 1);
      }),
    );
  });

  it("scales by mean and std, clips, and leaves flags alone", () => {
    const scaled = FEATURES.map((name) => ({ name, mean: 2, std: name === "price_log" ? 0.01 : 2 }));
    const tensors = buildTensors(list(), { ...shape, scaling: scaled });
    expect(tensors.features[at("price_log")]).toBe(-FEATURE_CLIP);
    expect(tensors.features[at("rating")]).toBe((4 - 2) / 2);
    expect(tensors.features[at("has_price")]).toBe(1);
    // unknown → 0, the training mean
    expect(tensors.features[2 * FEATURES.length + at("price_log")]).toBe(0);
  });

  it("keeps the most recent history and says how much of it is real", () => {
    const history = Array.from({ length: MAX_HISTORY + 5 }, (_, i) =>
      item(`h${i}`, [undefined, undefined, undefined, undefined, undefined, undefined]),
    );
    expect(buildTensors(list({ history }), shape).h).toBe(MAX_HISTORY);
    expect([...buildTensors(list({ history: history.slice(0, 2) }), shape).historyMask]).toEqual([1, 1]);
  });

  it("masks a query without words", () => {
    const tensors = buildTensors(list({ queryText: "?!" }), shape);
    expect(tensors.lq).toBe(1);
    expect([...tensors.queryMask]).toEqual([0]);
  });

  it("is finite for every finite input", () => {
    const maybe = fc.option(fc.double({ min: -50, max: 50, noNaN: true }), { nil: undefined });
    const anyItem = fc.option(
      fc.record({
        itemId: fc.string(),
        image: fc.constant(undefined),
        text: fc.constant(undefined),
        features: fc.array(maybe, { minLength: 6, maxLength: 6 }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(maybe, anyItem), { minLength: 1, maxLength: 40 }), (rows) => {
        const tensors = buildTensors(
          list({ candidates: candidates(rows.map(([score]) => score)), items: rows.map(([, known]) => known) }),
          shape,
        );
        return tensors.features.every((value) => Number.isFinite(value));
      }),
    );
  });
});
