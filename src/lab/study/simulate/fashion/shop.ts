/**
 * The fashion shop: simulated shoppers over real photographs. Colour, usage, kind and gender of the look are the data's own labels, the
 * pattern is measured in the pixels; prices, ratings, sales, stock and age are invented (catalogue.ts). The wanted look is often in the
 * picture only (titles.ts), and the category that the engine and the text vectors read does not reveal the kind either.
 */
import { createEngine } from "../../../../demo/engine.ts";
import type { Random } from "../../../../demo/catalogue/random.ts";
import { itemText } from "../../../../embeddings/text-encoder.ts";
import { words } from "../../../../ranking/tokenizer.ts";
import type { Catalog } from "../../../../cli/catalog/file.ts";
import { pickParts, pickSome, type Shop, type ShopProduct, type Wish } from "../shop.ts";
import { withGaps } from "../honest/gaps.ts";
import { type FashionItem, type FashionRow, inventTrade, PATTERNS, readFashion, readPatterns } from "./catalogue.ts";
import { shownTitle, stems, vocabularyOf } from "./titles.ts";

interface FashionProduct extends ShopProduct {
  readonly look: Readonly<Record<AskedPart | "kind" | "audience", string>>;
  /** Which words its title has lost. */
  readonly withheld: ReturnType<typeof shownTitle>["withheld"];
  /** Path of the photograph; `image` is what a shop would show. */
  readonly file: string;
}

export interface FashionShop extends Shop {
  readonly products: readonly FashionProduct[];
  /** The folder that was read. */
  readonly folder: string;
}

/** Fewest products of a kind for one gender that shoppers shop for. */
const FEWEST_PRODUCTS = 25;
const INTERESTS = 5;
/** Fewest products of a colour or usage for shoppers to have a taste for it. */
const FEWEST_OF_A_WORD = 60;

/** More of one kind than this, and a category's name is as good as the kind's. */
const MOSTLY = 2 / 3;

const ASKED_PARTS = [
  ["style", 0.3],
  ["colour", 1],
  ["pattern", 0.3],
] as const;
type AskedPart = (typeof ASKED_PARTS)[number][0];
const AUDIENCE_SHARE = 0.7;
/** Some ask for the department ("men topwear") and not for a kind. */
const BROAD_SHARE = 0.15;

function countOf(values: Iterable<string>): Map<string, number> {
  const groups = Map.groupBy(values, (value) => value);
  return new Map(Array.from(groups, ([value, all]) => [value, all.length]));
}

/**
 * The department that stands for an item's kind in all texts: the subCategory ("Topwear"), unless it names a kind ("Watches", "Shoes") or
 * holds little else than one; then the masterCategory ("Accessories", "Footwear").
 */
function departments(rows: readonly FashionRow[]): (row: FashionRow) => string {
  const kindWords = new Set(rows.flatMap((row) => stems(row.articleType)));
  const open = new Set<string>();
  for (const [name, of] of Map.groupBy(rows, (row) => row.subCategory)) {
    const most = Math.max(...countOf(of.map((row) => row.articleType)).values());
    if (most / of.length <= MOSTLY && !stems(name).some((stem) => kindWords.has(stem))) open.add(name);
  }
  return (row) => (open.has(row.subCategory) ? row.subCategory : row.masterCategory);
}

async function readProducts(items: readonly FashionItem[]): Promise<FashionProduct[]> {
  const vocabulary = vocabularyOf(items);
  const departmentOf = departments(items);
  const patterns = await readPatterns(items);
  return items.map((item, i) => {
    const { title, withheld } = shownTitle(item, vocabulary);
    const titleWords = new Set(stems(title));
    const brand = words(item.title)[0] ?? "";
    return {
      id: item.id,
      title,
      category: departmentOf(item),
      brand,
      titleWords,
      namesKind: stems(item.articleType).every((stem) => titleWords.has(stem)),
      look: {
        kind: item.articleType.toLowerCase(),
        colour: item.baseColour.toLowerCase(),
        pattern: patterns[i]!,
        style: item.usage.toLowerCase(),
        audience: item.gender.toLowerCase(),
      },
      ...inventTrade(item.id, item.articleType, brand),
      withheld,
      image: `/images/${item.id}.jpg`,
      file: item.image,
    };
  });
}

/** The words of a part of the look among products, and how often each occurs. */
function wordsIn(products: readonly FashionProduct[], part: AskedPart): [word: string, count: number][] {
  return [...countOf(products.map(({ look }) => look[part]))];
}

/** Possible interests of a shopper, by name: a kind for one gender. */
function interestsOf(products: readonly FashionProduct[]) {
  const groups = [...Map.groupBy(products, ({ look }) => `${look.audience} ${look.kind}`)];
  return new Map(
    groups.flatMap(([name, all]) => {
      if (all.length < FEWEST_PRODUCTS) return [];
      const { look, category } = all[0]!;
      const named = { style: wordsIn(all, "style"), colour: wordsIn(all, "colour"), pattern: wordsIn(all, "pattern") };
      return [[name, { audience: look.audience, kind: look.kind, department: category, words: named }] as const];
    }),
  );
}

type Interests = ReturnType<typeof interestsOf>;
type Interest = Interests extends ReadonlyMap<string, infer Value> ? Value : never;

function drawInterests(interests: Interests, random: Random): readonly string[] {
  const all = [...interests];
  const { audience } = random.pick(all)[1];
  const left = all.filter(([, interest]) => interest.audience === audience).map(([name]) => name);
  return pickSome(left, INTERESTS, random);
}

function makeWish(interest: Interest, likes: (word: string) => number, random: Random): Wish {
  const named = random.chance(AUDIENCE_SHARE);
  const broad = random.chance(BROAD_SHARE);
  const noun = broad ? interest.department.toLowerCase() : interest.kind;
  // Rarer words are asked for more often than they are on sale.
  const wordOf = (part: AskedPart): string =>
    random.pickWeighted(interest.words[part], ([word, count]) => likes(word) * Math.sqrt(count))[0];
  const picked = pickParts(ASKED_PARTS, random, wordOf);
  // "casual casual shoes" is not a query.
  const asked = picked.filter(({ word }) => !noun.split(" ").includes(word));
  const wanted = [...(named ? [{ part: "audience" as const, word: interest.audience }] : []), ...asked];
  return {
    text: [...wanted.map(({ word }) => word), noun].join(" "),
    category: interest.department,
    ...(broad ? {} : { kind: interest.kind }),
    asked: wanted.map(({ part, word }) => ({ part, word, typed: stems(word) })),
  };
}

/** The engine's best matches are scored again with their sales, as search engines do with a rescoring window. */
const RESCORED = 400;
const SALES_WEIGHT = 0.1;

/** The shop's engine: words of title and department. It knows to which department a noun belongs, and ranks equal matches by sales. */
function openEngine(products: readonly ShopProduct[], departmentOf: ReadonlyMap<string, string>): ReturnType<Shop["openEngine"]> {
  const engine = createEngine(products);
  const sales = new Map(products.map((product) => [product.id, Math.log1p(product.popularity)]));
  const nouns = [...departmentOf.keys()].toSorted((a, b) => b.length - a.length); // "casual shoes" before "shoes"
  return {
    hits: (query, size) => {
      const noun = nouns.find((candidate) => query.endsWith(candidate)) ?? "";
      return engine
        .hits(`${query} ${departmentOf.get(noun) ?? ""}`, RESCORED)
        .map(({ id, score }) => ({ id, score: score * (1 + SALES_WEIGHT * (sales.get(id) ?? 0)) }))
        .toSorted((a, b) => b.score - a.score)
        .slice(0, size);
    },
  };
}

function frequent(products: readonly FashionProduct[], part: AskedPart): string[] {
  const often = wordsIn(products, part).filter(([, count]) => count >= FEWEST_OF_A_WORD);
  return often.map(([word]) => word).toSorted();
}

/** Reads every picture of a folder with products.csv and images, about ten seconds. Throws a UserError that names folder and fix. */
export async function openFashionShop(folder: string): Promise<FashionShop> {
  const products = await readProducts(readFashion(folder));
  const interests = interestsOf(products);
  const departmentOf = new Map(products.map((product) => [product.look.kind, product.category]));
  return {
    level: "fashion",
    folder,
    products,
    windows: [20, 30], // training costs grow with the length of a list, and this shop has ten times the searches
    tastes: [
      { words: frequent(products, "colour"), liked: 3, disliked: 3 },
      { words: PATTERNS, liked: 1, disliked: 1 },
      { words: frequent(products, "style"), liked: 1, disliked: 1 },
    ],
    likeness: ["kind", "colour", "pattern", "style"],
    drawInterests: (random) => drawInterests(interests, random),
    makeWish: (names, likes, random) => {
      const interest = interests.get(random.pick(names));
      if (interest === undefined) throw new Error(`Cannot ask for one of ${names.join(", ")}: the shop sells none of them`);
      return makeWish(interest, likes, random);
    },
    openEngine: (some) => openEngine(some, departmentOf),
  };
}

/** The same products as `armmt embed` takes a catalogue. */
export function fashionCatalog(shop: FashionShop): Catalog {
  return {
    name: "fashion",
    source: shop.folder,
    items: shop.products.map((product) => ({ product, text: itemText(product), image: { kind: "file", path: product.file } })),
  };
}

/** The same with world 2's gaps: each item with the photograph that the shop has of it. */
export function fashionCatalogOf(shop: FashionShop): Catalog {
  const files = new Map(shop.products.map(({ id, file }) => [id, file]));
  const items = withGaps(shop.products).map(({ pictured, ...product }) => {
    const path = pictured && files.get(pictured.id);
    return {
      product: { ...product, image: pictured?.image ?? "" },
      text: itemText(product),
      image: path === undefined ? undefined : { kind: "file" as const, path },
    };
  });
  return { name: "fashion", source: shop.folder, items };
}
