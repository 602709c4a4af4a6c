import { describe, expect, it } from "vitest";
import { catalogueSpans, spanWords } from "../../../../src/cli/embed/text/spans.ts";

const catalogue = Array.from({ length: 40 }, (_, i) => `Brand${i} cordless drill ${i}V with ${i % 3} batteries`);

describe("catalogueSpans()", () => {
  it("gives different spans of one to five words of a text, in lower case", () => {
    const spans = catalogueSpans(catalogue, 100);
    expect(spans.length).toBe(100);
    expect(new Set(spans).size).toBe(100);
    for (const span of spans) {
      const words = span.split(" ");
      expect(words.length).toBeLessThanOrEqual(5);
      expect(catalogue.some((text) => words.every((word) => text.toLowerCase().split(" ").includes(word)))).toBe(true);
    }
    expect(spans.some((span) => span.split(" ").length === 1) && spans.some((span) => span.split(" ").length === 5)).toBe(true);
  });

  it("does not depend on the order, and changes little for one more product", () => {
    const spans = catalogueSpans(catalogue, 100);
    expect(catalogueSpans(catalogue.toReversed(), 100)).toEqual(spans);
    const more = new Set(catalogueSpans([...catalogue, "An entirely different product, a garden hose of 20 m"], 100));
    expect(spans.filter((span) => more.has(span)).length).toBeGreaterThan(85);
  });

  it("has what there is of a small catalogue, and nothing of one without words", () => {
    expect(catalogueSpans(["Mug"], 1000)).toEqual(["mug"]);
    expect(catalogueSpans(["!!", ""], 1000)).toEqual([]);
    expect(catalogueSpans([], 1000)).toEqual([]);
  });
});

describe("spanWords()", () => {
  it("keeps part numbers and sizes whole, and parts what writes no spaces", () => {
    expect(spanWords('Makita DHP484Z 18V, 1/2" chuck')).toEqual(["Makita", "DHP484Z", "18V", '1/2"', "chuck"]);
    expect(spanWords("赤い靴 サイズ 25cm").length).toBeGreaterThan(3);
    expect(spanWords("Übergröße für Männer")).toEqual(["Übergröße", "für", "Männer"]);
  });
});
