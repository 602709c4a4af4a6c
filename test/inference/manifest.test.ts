import { describe, expect, it } from "vitest";
import { matchShards, parseManifest } from "../../src/inference/manifest.ts";
import { FEATURES } from "../../src/ranking/features.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../src/ranking/tokenizer.ts";

const scaled = (names: readonly string[]) => names.map((name) => ({ name, mean: 0, std: 1 }));
const manifest = (over: object = {}) => ({
  format: 1,
  version: "m",
  sha256: "0".repeat(64),
  dims: { image: 64, text: 64 },
  features: scaled(FEATURES),
  tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
  encoders: { image: "i", text: "t" },
  trainedOn: "nothing",
  metrics: {},
  parameters: { total: 0, tokenTable: 0 },
  licence: "Apache-2.0",
  ...over,
});

const refusal = (over: object): string => {
  const parsed = parseManifest(manifest(over));
  return parsed.ok ? "accepted" : parsed.error.detail;
};

describe("parseManifest()", () => {
  it.each([
    ["all features", FEATURES],
    ["the features of models before meaning was one", FEATURES.slice(0, 18)],
    ["a few, in any order", ["prior", "price_log", "rank_log"]],
    ["one", ["word_coverage"]],
  ])("accepts %s", (_, names) => {
    const parsed = parseManifest(manifest({ features: scaled(names) }));
    expect(parsed).toMatchObject({ ok: true, value: { features: names.map((name) => ({ name })) } });
  });

  it("names what it refuses", () => {
    expect(refusal({ features: scaled(["rank_log", "horoscope"]) })).toContain('this code computes no feature "horoscope"');
    expect(refusal({ features: scaled(["rank_log", "Rank_log"]) })).toContain("Rank_log");
    expect(refusal({ features: scaled(["toString"]) })).toContain("toString");
    expect(refusal({ features: scaled(["rank_log", "rating", "rank_log"]) })).toBe("Model m names feature rank_log twice");
    expect(refusal({ features: [] })).toContain("features");
    expect(refusal({ form: "ratio" })).toContain("form");
  });

  it("knows both forms, and takes a manifest without one for the older", () => {
    expect(parseManifest(manifest({ form: "delta" }))).toMatchObject({ ok: true, value: { form: "delta" } });
    expect(parseManifest(manifest({ form: "score" }))).toMatchObject({ ok: true, value: { form: "score" } });
    expect(parseManifest(manifest())).toMatchObject({ ok: true });
  });
});

describe("matchShards()", () => {
  const model = { version: "m", dims: { image: 64, text: 64 }, encoders: { image: "i", text: "t" }, trainedOn: "nothing" };
  const set = { imageDim: 64, textDim: 64, imageEncoder: "i", textEncoder: "t" };

  it("lets a model read the first of a set's text numbers", () => {
    expect(matchShards(model, set).ok).toBe(true);
    expect(matchShards(model, { ...set, textDim: 128 }).ok).toBe(true);
  });

  it.each([
    ["more text numbers than there are", { textDim: 63 }, "needs text dim 64 or more, the published set has 63"],
    ["other image numbers", { imageDim: 128 }, "needs image dim 64, the published set has 128"],
    ["another image encoder", { imageEncoder: "other" }, "needs image encoder i, the published set has other"],
    ["another text encoder", { textEncoder: "other" }, "needs text encoder t, the published set has other"],
  ])("refuses %s", (_, over, detail) => {
    expect(matchShards(model, { ...set, ...over })).toMatchObject({
      ok: false,
      error: { reason: "model_mismatch", detail: `Model m ${detail}` },
    });
  });
});
