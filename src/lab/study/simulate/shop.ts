/** The simulator's shop: products with their true look (which neither engine nor model reads), the words that shoppers use, an engine. */
import type { Product } from "../../../demo/catalogue/catalogue.ts";
import type { Random } from "../../../demo/catalogue/random.ts";
import { words } from "../../../ranking/tokenizer.ts";

type LookPart = "kind" | "silhouette" | "colour" | "accent" | "pattern" | "material" | "style" | "audience";

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

export interface Wish {
  /** The text typed into the search box. */
  readonly text: string;
  /** The shop's own category of the wanted products. */
  readonly category: string;
  /** Set where the category holds several kinds and the shopper wants one of them. */
  readonly kind?: string;
  /** Words of the look, and how a title names each, as the shop reads titles. */
  readonly asked: readonly { readonly part: LookPart; readonly word: string; readonly typed: readonly string[] }[];
}

export type Hits = readonly { readonly id: string; readonly score: number }[];

export interface Shop {
  /** The data level: never mixed up in words or tables. */
  readonly level: "drawn" | "fashion";
  readonly products: readonly ShopProduct[];
  /** Numbers of hits that a search may show, drawn by chance. */
  readonly windows: readonly number[];
  /** Words of which a shopper likes some and dislikes others. */
  readonly tastes: readonly { readonly words: readonly string[]; readonly liked: number; readonly disliked: number }[];
  /** Parts of a look by which two products seem alike; four, so that being alike in half of them is two. */
  readonly likeness: readonly [LookPart, LookPart, LookPart, LookPart];
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

export const brandOf = ({ brand, title }: ShopProduct): string => brand ?? words(title)[0] ?? "";

/** Words of each likeness part, sorted; the index in the list is the code of the word in the truth. */
export function lookCodes({ likeness, products }: Shop): { part: LookPart; words: string[] }[] {
  return likeness.map((part) => ({ part, words: [...new Set(products.flatMap(({ look }) => look[part] ?? []))].toSorted() }));
}

/** Different entries of a list, in the order in which they are drawn; all of them when there are fewer than `count`. */
export function pickSome<T>(from: readonly T[], count: number, random: Random): T[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(left.indexOf(random.pick(left)), 1)[0]!);
}

/** How often a query asks for no, one, two or three words of a look. */
const ASKED_COUNT_WEIGHTS = [0.2, 0.4, 0.3, 0.1] as const;

/** Parts of a look that a query may name, and the weight with which each is picked; in the order in which English puts them. */
type AskedParts<P> = readonly (readonly [part: P, weight: number])[];

/** Up to three different parts of a look with a word each, in the order of `parts`. */
export function pickParts<P extends LookPart>(
  parts: AskedParts<P>,
  random: Random,
  wordOf: (part: P) => string,
): { part: P; word: string }[] {
  const count = random.pickWeighted([0, 1, 2, 3] as const, (asked) => ASKED_COUNT_WEIGHTS[asked]);
  const chosen = new Map<P, string>();
  while (chosen.size < Math.min(count, parts.length)) {
    const left = parts.filter(([part]) => !chosen.has(part));
    const [part] = random.pickWeighted(left, ([, weight]) => weight);
    chosen.set(part, wordOf(part));
  }
  return parts.flatMap(([part]) => (chosen.has(part) ? [{ part, word: chosen.get(part)! }] : []));
}
