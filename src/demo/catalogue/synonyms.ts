/** The shop's own list of synonyms, as whoever runs its engine keeps one: other names of a shape, and plain words for the colours of catalogues. */
import { CATEGORY_LIST } from "./vocabulary.ts";
import { FANCY_COLOURS } from "./catalogue.ts";

/** Phrase of a title, lower case → what else it is called. A phrase that names several things has no other name. */
export const SYNONYMS: ReadonlyMap<string, readonly string[]> = collect();

function collect(): Map<string, readonly string[]> {
  const names = CATEGORY_LIST.flatMap(({ silhouettes }) => silhouettes.map(({ titles }) => titles));
  const count = (phrase: string): number => names.filter((titles) => titles.includes(phrase)).length;
  const isCategory = new Set(CATEGORY_LIST.map(({ name }) => name));
  const found = new Map<string, readonly string[]>();
  for (const titles of names) {
    for (const phrase of titles) {
      const others = titles.filter((other) => other !== phrase);
      if (others.length > 0 && count(phrase) === 1 && !isCategory.has(phrase)) found.set(phrase, others);
    }
  }
  for (const [colour, fancy] of Object.entries(FANCY_COLOURS)) for (const name of fancy.split(", ")) found.set(name, [colour]);
  return found;
}
