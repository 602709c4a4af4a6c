/**
 * What the simulator needs of a shop: products whose true look is known, the words shoppers like and ask with, and the shop's own engine.
 *
 * Two shops implement it: drawn-shop.ts (the drawn catalogue) and fashion/shop.ts (real photographs). The true look stays in the simulator;
 * neither the engine nor the model reads it.
 */
import type { Product } from "../../../demo/catalogue/catalogue.ts";
import type { Random } from "../../../demo/catalogue/random.ts";
import { words } from "../../../ranking/tokenizer.ts";

export type LookPart = "kind" | "silhouette" | "colour" | "accent" | "pattern" | "material" | "style" | "audience";

export interface ShopProduct extends Required<Product> {
  /** What the picture shows, one word or phrase per part. */
  readonly look: Readonly<Partial<Record<LookPart, string>>>;
  /** The maker that shoppers trust or not; default the title's first word. */
  readonly brand?: string;
  /** Words that the title says, where the shop reads them otherwise than as they stand (singular, without hyphens). */
  readonly titleWords?: ReadonlySet<string>;
  /** False where only the picture shows which kind it is. Default: the category says it. */
  readonly namesKind?: boolean;
}

export interface Wanted {
  readonly part: LookPart;
  /** The look's word. */
  readonly word: string;
  /** The words by which a title names it, as the shop reads titles. */
  readonly typed: readonly string[];
}

export interface Wish {
  /** What is typed into the search box. */
  readonly text: string;
  /** The shop's own category of what is looked for. */
  readonly category: string;
  /** Set where the category holds several kinds and one of them is looked for. */
  readonly kind?: string;
  readonly asked: readonly Wanted[];
}

/** Of these words a shopper likes some and dislikes others. */
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
  /** How many hits a search shows: one of these, by chance. */
  readonly windows: readonly number[];
  readonly tastes: readonly Taste[];
  readonly likeness: Likeness;
  /** What one shopper shops for, as `makeWish` takes it. */
  drawInterests(random: Random): readonly string[];
  /** `likes` says how often a shopper asks for a word, relative to 1. */
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

/** Words of each likeness part, sorted; the place in the list is the code by which the truth names the word. */
export type LookCodes = readonly { readonly part: LookPart; readonly words: readonly string[] }[];

export function lookCodes(shop: Shop): LookCodes {
  return shop.likeness.map((part) => ({
    part,
    words: [...new Set(shop.products.flatMap((product) => product.look[part] ?? []))].toSorted(),
  }));
}
