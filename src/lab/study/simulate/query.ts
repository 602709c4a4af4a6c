/** What simulated shoppers look for, in any shop: a noun and up to three words of a look, each satisfied in the title or in the picture. */
import type { Random } from "../../../demo/catalogue/random.ts";
import { type LookPart, type ShopProduct, titleWordsOf, type Wish } from "./shop.ts";

/** How many words of a look are asked for, and how often. */
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

/** Of the words that a wish asks for and a product has: how many its title names, and how many only its picture shows. */
export function satisfied(wish: Wish, product: ShopProduct): { named: number; seen: number; asked: number } {
  const title = titleWordsOf(product);
  let named = 0;
  let seen = 0;
  for (const { part, word, typed } of wish.asked) {
    if (product.look[part] !== word) continue;
    if (typed.every((one) => title.has(one))) named++;
    else seen++;
  }
  return { named, seen, asked: wish.asked.length };
}

/** Whether a product is of another sort than the one looked for, and what says so: its text, or its picture alone. */
export function mismatch(wish: Wish, product: ShopProduct): "none" | "named" | "seen" {
  if (wish.kind !== undefined && product.look.kind === wish.kind) return "none";
  if (product.category !== wish.category) return "named";
  if (wish.kind === undefined) return "none";
  return product.namesKind === false ? "seen" : "named";
}
