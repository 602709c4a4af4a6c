/**
 * The simulator's shop: products whose true look is known, the words that shoppers like and ask with, and the shop's own engine. Implemented
 * by drawn-shop.ts (the drawn catalogue) and fashion/shop.ts (real photographs). Neither the engine nor the model reads the true look.
 */
import type { Product } from "../../../demo/catalogue/catalogue.ts";
import type { Random } from "../../../demo/catalogue/random.ts";
import { words } from "../../../ranking/tokenizer.ts";

export type LookPart = "kind" | "silhouette" | "colour" | "accent" | "pattern" | "material" | "style" | "audience";

export interface ShopProduct extends Required<Product> {
  /** Content of the picture, one word or phrase per part. */
  readonly look: Readonly<Partial<Record<LookPart, string>>>;
  /** The maker that shoppers trust or not; default the title's first word. */
  readonly brand?: string;
  /** Words of the title, where the shop normalises them (singular, without hyphens). */
  readonly titleWords?: ReadonlySet<string>;
  /** False where only the picture shows which kind it is. Default: the category says it. */
  readonly namesKind?: boolean;
}

interface Wanted {
  readonly part: LookPart;
  /** The look's word. */
  readonly word: string;
  /** The words by which a title names it, as the shop reads titles. */
  readonly typed: readonly string[];
}

export interface Wish {
  /** The text typed into the search box. */
  readonly text: string;
  /** The shop's own category of the wanted products. */
  readonly category: string;
  /** Set where the category holds several kinds and the shopper wants one of them. */
  readonly kind?: string;
  readonly asked: readonly Wanted[];
}

/** Words of which a shopper likes some and dislikes others. */
export interface Taste {
  readonly words: readonly string[];
  readonly liked: number;
  readonly disliked: number;
}

/** Parts of a look by which two products seem alike; four, so that being alike in half of them is two. */
export type Likeness = readonly [LookPart, LookPart, LookPart, LookPart];

export type Hits = readonly { readonly id: string; readonly score: number }[];

export interface Shop {
  /** The data level: never mixed up in words or tables. */
  readonly level: "drawn" | "fashion";
  readonly products: readonly ShopProduct[];
  /** Numbers of hits that a search may show, drawn by chance. */
  readonly windows: readonly number[];
  readonly tastes: readonly Taste[];
  readonly likeness: Likeness;
  /** Interests of one shopper, an input of `makeWish`. */
  drawInterests(random: Random): readonly string[];
  /** `likes` returns how often a shopper asks for a word, relative to 1. */
  makeWish(interests: readonly string[], likes: (word: string) => number, random: Random): Wish;
  /** The shop's engine over some of its products: hits by score, best first. */
  openEngine(products: readonly ShopProduct[]): { hits(query: string, size: number): Hits };
}

const wordsByTitle = new WeakMap<ShopProduct, ReadonlySet<string>>();

/** Words of the title, lower case. */
export function titleWordsOf(product: ShopProduct): ReadonlySet<string> {
  if (product.titleWords !== undefined) return product.titleWords;
  const known = wordsByTitle.get(product) ?? new Set(words(product.title));
  wordsByTitle.set(product, known);
  return known;
}

export function brandOf(product: ShopProduct): string {
  return product.brand ?? words(product.title)[0] ?? "";
}

/** Words of each likeness part, sorted; the index in the list is the code of the word in the truth. */
export type LookCodes = readonly { readonly part: LookPart; readonly words: readonly string[] }[];

export function lookCodes(shop: Shop): LookCodes {
  return shop.likeness.map((part) => ({
    part,
    words: [...new Set(shop.products.flatMap((product) => product.look[part] ?? []))].toSorted(),
  }));
}

/** Numbers of words of a look that a query asks for, and their frequency. */
const ASKED_COUNT = [
  { count: 0, weight: 0.2 },
  { count: 1, weight: 0.4 },
  { count: 2, weight: 0.3 },
  { count: 3, weight: 0.1 },
] as const;

/** Up to three different parts of a look with a word each, in the order of `parts`. */
export function pickParts<P extends LookPart>(
  parts: readonly P[],
  weight: (part: P) => number,
  random: Random,
  wordOf: (part: P) => string,
): { part: P; word: string }[] {
  const { count } = random.pickWeighted(ASKED_COUNT, (entry) => entry.weight);
  const left = [...parts];
  const chosen = new Map<P, string>();
  for (let i = 0; i < count && left.length > 0; i++) {
    const part = random.pickWeighted(left, weight);
    left.splice(left.indexOf(part), 1);
    chosen.set(part, wordOf(part));
  }
  return parts.flatMap((part) => {
    const word = chosen.get(part);
    return word === undefined ? [] : [{ part, word }];
  });
}
