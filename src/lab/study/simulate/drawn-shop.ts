/** The drawn shop: shoppers ask for the words of the drawing's vocabulary, many of which are in the picture only and in no title. */
import { drawCatalogue, type CatalogueOptions, drawnProduct } from "../../../demo/catalogue/catalogue.ts";
import { drawPicture } from "../../../demo/drawing/picture.ts";
import { SYNONYMS } from "../../../demo/catalogue/synonyms.ts";
import { createEngine } from "../../../demo/engine.ts";
import type { Random } from "../../../demo/catalogue/random.ts";
import { CATEGORY_LIST, COLOURS, PATTERNS, STYLES, type CategoryWords } from "../../../demo/catalogue/vocabulary.ts";
import { itemText } from "../../../embeddings/text-encoder.ts";
import { words } from "../../../ranking/tokenizer.ts";
import type { Catalog } from "../../../cli/catalog/file.ts";
import { withGaps } from "./honest/gaps.ts";
import { pickParts, type Shop, type Wish } from "./shop.ts";

/** Besides the noun. */
const ASKED_PARTS = [
  ["style", 0.5],
  ["colour", 1],
  ["pattern", 0.8],
  ["material", 0.5],
] as const;

const SILHOUETTE_SHARE = 0.35;
const INTERESTS = 5;

function wordsFor(category: CategoryWords, part: (typeof ASKED_PARTS)[number][0]): readonly string[] {
  if (part === "colour") return COLOURS;
  if (part === "pattern") return category.patterns.filter((word) => word !== "plain");
  return part === "style" ? category.styles : category.materials;
}

function drawInterests(random: Random): readonly string[] {
  const names = CATEGORY_LIST.map((category) => category.name);
  const categories = new Set<string>();
  while (categories.size < INTERESTS) categories.add(random.pick(names));
  return [...categories];
}

function makeWish(categories: readonly string[], likes: (word: string) => number, random: Random): Wish {
  const name = random.pick(categories);
  const category = CATEGORY_LIST.find((entry) => entry.name === name);
  if (category === undefined) throw new Error(`Cannot ask for category "${name}": the vocabulary has none of that name`);
  const silhouette = random.chance(SILHOUETTE_SHARE) ? random.pick(category.silhouettes) : undefined;
  const picked = pickParts(ASKED_PARTS, random, (part) => random.pickWeighted(wordsFor(category, part), likes));
  const asked = picked.map(({ part, word }) => ({ part, word, typed: [word] }));
  const noun = silhouette === undefined ? name : random.pick(silhouette.titles);
  const shape = silhouette === undefined ? [] : [{ part: "silhouette" as const, word: silhouette.name, typed: words(noun) }];
  return { text: [...asked.map((entry) => entry.word), noun].join(" "), category: name, asked: [...asked, ...shape] };
}

export function drawnShop(options: CatalogueOptions = {}): Shop {
  return {
    level: "drawn",
    products: drawCatalogue(options),
    windows: [20, 30, 40, 60], // serving uses up to 100
    tastes: [
      { words: COLOURS, liked: 3, disliked: 3 },
      { words: PATTERNS, liked: 2, disliked: 2 },
      { words: STYLES, liked: 1, disliked: 2 },
    ],
    likeness: ["silhouette", "colour", "pattern", "style"],
    drawInterests,
    makeWish,
    openEngine: (products) => createEngine(products, SYNONYMS),
  };
}

/** The same products as `armmt embed` takes a catalogue. */
export function drawnShopCatalog(options: CatalogueOptions): Catalog {
  const items = drawCatalogue(options).map((product) => ({
    product,
    text: itemText(product),
    image: { kind: "svg" as const, svg: () => drawPicture(product) },
  }));
  return { name: "simulated-shop", source: "drawn", items };
}

/** The catalogue with world 2's gaps: each item with the picture that the shop has of it. */
export function drawnCatalogOf(shop: Shop): Catalog {
  const items = withGaps(shop.products).map(({ pictured, ...product }) => ({
    product: { ...product, image: pictured?.image ?? "" },
    text: itemText(product),
    // A product follows from its id.
    image: pictured && { kind: "svg" as const, svg: () => drawPicture(drawnProduct(pictured.id)) },
  }));
  return { name: "simulated-shop", source: "drawn", items };
}
