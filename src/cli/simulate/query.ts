/**
 * What simulated shoppers look for: a noun and up to three words of a look. Titles name only part of a look, so many an asked-for word can
 * be seen in the picture only.
 */
import type { DrawnProduct } from "../../demo/catalogue.ts";
import type { Random } from "../../demo/random.ts";
import { CATEGORY_LIST, COLOURS, type CategoryWords } from "../../demo/vocabulary.ts";
import { words } from "../../ranking/tokenizer.ts";

/** Parts of a look that a query may name, besides the noun. */
export const ASKED_PARTS = ["style", "colour", "pattern", "material"] as const;
export type AskedPart = (typeof ASKED_PARTS)[number];

export interface Wish {
  /** What is typed into the search box. */
  readonly text: string;
  readonly category: string;
  /** Set when the noun is that of a silhouette ("tote") rather than of the category ("bag"). */
  readonly silhouette: string | undefined;
  readonly asked: readonly { readonly part: AskedPart; readonly word: string }[];
}

/** How many words of a look are asked for, and how often. */
const ASKED_COUNT = [
  { count: 0, weight: 0.2 },
  { count: 1, weight: 0.4 },
  { count: 2, weight: 0.3 },
  { count: 3, weight: 0.1 },
] as const;

const PART_WEIGHT: Readonly<Record<AskedPart, number>> = { colour: 1, pattern: 0.8, style: 0.5, material: 0.5 };

const SILHOUETTE_SHARE = 0.35;

function wordsFor(category: CategoryWords, part: AskedPart): readonly string[] {
  if (part === "colour") return COLOURS;
  if (part === "pattern") return category.patterns.filter((word) => word !== "plain");
  return part === "style" ? category.styles : category.materials;
}

/** `likes` says how often a shopper asks for a word, relative to 1. */
export function makeWish(categories: readonly string[], likes: (word: string) => number, random: Random): Wish {
  const name = random.pick(categories);
  const category = CATEGORY_LIST.find((one) => one.name === name);
  if (category === undefined) throw new Error(`Cannot ask for category "${name}": the vocabulary has none of that name`);
  const silhouette = random.chance(SILHOUETTE_SHARE) ? random.pick(category.silhouettes) : undefined;
  const { count } = random.pickWeighted(ASKED_COUNT, (entry) => entry.weight);
  const left = [...ASKED_PARTS];
  const chosen = new Map<AskedPart, string>();
  for (let i = 0; i < count; i++) {
    const part = random.pickWeighted(left, (entry) => PART_WEIGHT[entry]);
    left.splice(left.indexOf(part), 1);
    chosen.set(part, random.pickWeighted(wordsFor(category, part), likes));
  }
  // The order in which English puts them: "elegant red striped leather tote".
  const asked = ASKED_PARTS.flatMap((part) => {
    const word = chosen.get(part);
    return word === undefined ? [] : [{ part, word }];
  });
  const noun = silhouette === undefined ? name : random.pick(silhouette.titles);
  return { text: [...asked.map((entry) => entry.word), noun].join(" "), category: name, silhouette: silhouette?.name, asked };
}

/** Of the words that a wish asks for and a product has: how many its title names, and how many only its picture shows. */
export function satisfied(wish: Wish, product: DrawnProduct): { named: number; seen: number; asked: number } {
  const title = new Set(words(product.title));
  let named = 0;
  let seen = 0;
  for (const { part, word } of wish.asked) {
    if (product.look[part] !== word) continue;
    if (title.has(word)) named++;
    else seen++;
  }
  if (wish.silhouette !== undefined && product.look.silhouette === wish.silhouette) {
    // The noun was typed as one of the silhouette's titles; a title that carries any word of it gives it away.
    if (
      words(wish.text)
        .slice(wish.asked.length)
        .every((word) => title.has(word))
    )
      named++;
    else seen++;
  }
  return { named, seen, asked: wish.asked.length + (wish.silhouette === undefined ? 0 : 1) };
}
