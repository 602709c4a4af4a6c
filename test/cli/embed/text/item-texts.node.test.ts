import { describe, expect, it } from "vitest";
import { documentText, nameTexts, wordTexts } from "../../../../src/cli/embed/text/item-texts.ts";
import { catalogueTokenizer } from "../../../../src/cli/embed/text/pieces.ts";
import { createWordpiece } from "../../../../src/ranking/wordpiece.ts";

function item(title: string, { category = "", brand = "", description = "", further = "" } = {}) {
  return { product: { id: "1", title, category, image: "" }, text: title, about: { brand, description, further }, image: undefined };
}

describe("documentText()", () => {
  it("is title, the category that it does not say, further fields, description without its markup", () => {
    const description = "<p class=x>5 &lt; 6 &amp; <b>warm</b></p><script>var a = '<p>';</script> &#8364;";
    expect(documentText(item("Red coat", { category: "Coat", brand: "Alba", description, further: "wool" }))).toBe(
      "Red coat wool 5 < 6 & warm €",
    );
    expect(documentText(item("Red one", { category: "Coat" }))).toBe("Red one Coat");
    expect(wordTexts(item("Red one", { category: "Coat", brand: "Alba" }))).toEqual(["Red one", "Alba", "Coat"]);
  });

  it("is cut at 400 characters, never through one", () => {
    const text = documentText(item(`${"a".repeat(399)}😀 more`));
    expect([text.length, text.isWellFormed()]).toEqual([399, true]);
  });

  it.each(["<script ", "<script>", "<a", "&#", "<!--", "&"])("is quick with many of %j", (part) => {
    const started = performance.now();
    documentText(item("Bag", { description: part.repeat(100_000) }));
    // Milliseconds; minutes without a bound.
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("nameTexts()", () => {
  it("has categories and brands once each", () => {
    expect(
      nameTexts([item("a", { category: "Coat", brand: "Alba" }), item("b", { category: "Coat" }), item("c", { brand: "Alba" })]),
    ).toEqual(["Alba", "Coat"]);
  });
});

describe("catalogueTokenizer()", () => {
  it("spells words that the catalogue does not have by what its words share", () => {
    const texts = ["Herrenschuhe", "Damenschuhe", "Kinderschuhe", "Laufschuhe", "Turnschuhe", "Zelt 赤い靴"];
    const rules = catalogueTokenizer(texts, 1000);
    const split = (text: string) => createWordpiece(rules)(text).map((id) => rules.vocabulary[id]);
    expect(split("Laufschuhe")).toEqual(["laufschuhe"]);
    expect(split("Zelte")).toEqual(["zelt", "##e"]);
    expect(split("Tanzschuhe").at(-1)).toBe("##schuhe");
    expect(split("赤")).toEqual(["赤"]);
    expect(split("кот")).toEqual(["[UNK]"]);
    expect(catalogueTokenizer([], 1000).vocabulary).toEqual(["[UNK]"]);
    expect(catalogueTokenizer(texts, 20).vocabulary.length).toBeLessThanOrEqual(100);
  });
});
