/** The drawn catalogue's query table, and what a search for what only pictures show finds by it. */
import { describe, expect, it } from "vitest";
import { builtinTexts } from "../../../../src/cli/embed/text/builtin-table.ts";
import { drawCatalogue, type DrawnProduct } from "../../../../src/demo/catalogue/catalogue.ts";
import { SYNONYMS } from "../../../../src/demo/catalogue/synonyms.ts";
import { createEngine } from "../../../../src/demo/engine.ts";
import { createTextEncoder, itemText } from "../../../../src/embeddings/text-encoder.ts";
import { orderByScore } from "../../../../src/cli/evaluate/metrics.ts";
import { readByMeaning } from "../../../../src/ranking/meaning.ts";

const drawn = drawCatalogue({ count: 1200 });
const byId = new Map(drawn.map((product) => [product.id, product]));
const items = drawn.map((product) => ({ product, text: itemText(product), image: undefined }));
const encode = createTextEncoder();
/** Rasterising takes long: a picture's vector is that of the words for what it shows. */
const pictureOf = ({ look: { silhouette, colour, pattern, style, material } }: DrawnProduct) =>
  encode([silhouette, colour, pattern, style, material].join(" "));
const records = drawn.map((product) => ({
  itemId: product.id,
  image: pictureOf(product),
  text: encode(itemText(product)),
  features: [],
}));
const texts = builtinTexts(items, records);
const table = texts.table!.table;
const known = new Map(records.map((record, i) => [record.itemId, { ...record, words: texts.words[i]! }]));
const engine = createEngine(drawn, SYNONYMS);

/** The first ten by engine, and by engine and meaning, of the engine's first hundred. */
function search(queryText: string): Readonly<Record<"engine" | "semantic", readonly DrawnProduct[]>> {
  const hits = engine.hits(queryText, 100);
  const candidates = hits.map(({ id, score }, i) => ({ itemId: id, rank: i + 1, score }));
  const { scores } = readByMeaning({ queryText, candidates, items: hits.map(({ id }) => known.get(id)) }, table);
  const first = (order: readonly number[]) => order.slice(0, 10).map((i) => byId.get(hits[i]!.id)!);
  return { engine: first([...hits.keys()]), semantic: first(orderByScore(scores)) };
}

const blackBags = (list: readonly DrawnProduct[]) =>
  list.filter(({ category, look }) => category === "bag" && look.colour === "black").length;

describe("builtinTexts()", () => {
  it("keeps the items' vectors, gives each its words, and reads a word as the builtin encoder does", () => {
    expect(texts.vectors).toEqual(records.map(({ text }) => text));
    expect(texts.words[0]!.length).toBeGreaterThan(1);
    const [red, own] = [table.encodeQuery("red").text!, encode("red")!];
    expect(red.reduce((sum, value, d) => sum + value * own[d]!, 0)).toBeGreaterThan(0.99);
  });

  it("gives the same bytes again", () => {
    expect(builtinTexts(items, records).table!.bytes).toEqual(texts.table!.bytes);
  });

  it("has no weight for pictures that say nothing of the titles", () => {
    const shuffled = records.map((record, i) => ({ ...record, image: records[(i * 7 + 13) % records.length]!.image }));
    expect(builtinTexts(items, shuffled).table!.table.pictureWeight).toBe(0);
    expect(table.pictureWeight).toBeGreaterThan(1);
  });

  it("does without pictures", () => {
    const bare = builtinTexts(
      items,
      records.map((record) => ({ ...record, image: undefined })),
    );
    expect(bare.table!.table).toMatchObject({ pictureDim: 0, pictureWeight: 0 });
  });
});

describe("engine and meaning on the drawn catalogue", () => {
  it("shows black bags for an elegant black bag", () => {
    const found = search("elegant black bag");
    expect(blackBags(found.semantic)).toBeGreaterThanOrEqual(8);
    expect(blackBags(found.semantic)).toBeGreaterThan(blackBags(found.engine));
  });

  it.each([
    ["striped blue shirt", "shirt", "blue", "striped"],
    ["red floral dress", "dress", "red", "floral"],
    ["white zigzag cushion", "cushion", "white", "zigzag"],
  ])("shows more of what is meant by %s", (query, category, colour, pattern) => {
    const count = (list: readonly DrawnProduct[]) =>
      list.reduce(
        (sum, { category: of, look }) => sum + (of === category ? Number(look.colour === colour) + Number(look.pattern === pattern) : 0),
        0,
      );
    const found = search(query);
    expect(count(found.semantic)).toBeGreaterThan(count(found.engine));
  });
});

describe("the demo's engine", () => {
  it("finds a thing by its other names, and a colour by the plain word", () => {
    const few = createEngine(
      [
        { ...drawn[0]!, id: "a", title: "Norvik Trainer", category: "shoe" },
        { ...drawn[0]!, id: "b", title: "Norvik Ember Loveseat", category: "sofa" },
        { ...drawn[0]!, id: "c", title: "Norvik Mug", category: "mug" },
      ],
      SYNONYMS,
    );
    expect(few.hits("sneaker", 5).map(({ id }) => id)).toEqual(["a"]);
    expect(few.hits("two-seat", 5).map(({ id }) => id)).toEqual(["b"]);
    expect(few.hits("red", 5).map(({ id }) => id)).toEqual(["b"]);
    // A word of a catalogue's language is no other name of the plain one.
    expect(few.hits("cherry", 5)).toEqual([]);
  });

  it("puts what matches all words before what matches one of them often", () => {
    for (const query of ["red leather bag", "blue ceramic vase", "wool cushion"]) {
      const words = query.split(" ");
      const titles = engine
        .hits(query, 5)
        .map(({ id }) => byId.get(id)!)
        .map(({ title, category }) => `${title} ${category}`.toLowerCase());
      const matches = titles.map((title) => words.filter((word) => title.includes(word)).length);
      expect(matches).toEqual(matches.toSorted((a, b) => b - a));
    }
  });
});
