/** Fashion titles without colour or kind: 95 % of the originals name the colour and 88 % the kind, which leaves a picture little to add. */
import { normaliseTerm } from "../../../../demo/engine.ts";
import { words } from "../../../../ranking/tokenizer.ts";
import { shareOf } from "../../../../cli/lists/split.ts";
import type { FashionRow } from "./catalogue.ts";

/** Share of items whose title loses the colour, and, drawn apart, share of those whose title loses the kind. */
const WITHHELD_SHARE = 0.6;

/** Colour words that titles use beside the labels' own. */
const MORE_COLOURS = "aqua gray wine ivory indigo violet crimson golden turq multicolour multicolored multicoloured coral lime lilac";

/** Nouns that titles use for a kind beside the labels' own. */
const MORE_KINDS =
  "tee sneaker sandal slipper wedge stiletto pump ballerina bellie loafer moccasin boot floater clog purse tote satchel hobo goggle eyewear " +
  "wayfarer aviator denim pant chino pullover hoodie cardigan jersey blouse vest innerwear underwear boxer trainer flipflop beanie " +
  "perfume deo edt timepiece chronograph lounger jegging bottom cufflink sling duffle pouch belly";

/** Words of labels that are no noun of one kind: they stay in a title unless they are of the item's own kind. */
const NOT_KINDS =
  "and set free gift body mist mobile laptop waist lounge travel casual formal sport accessory inner wear personal care item apparel";

/** Singular, without hyphens: "T-Shirts" and "tshirt", "Kurtis" and "kurti" are one word. */
export function stems(text: string): string[] {
  return words(joined(text)).map((word) => {
    const stem = normaliseTerm(word);
    return /[^s]s$/.test(stem) && stem.length > 4 ? stem.slice(0, -1) : stem;
  });
}

function joined(text: string): string {
  return text.replaceAll(/\bt[\s-]+(?=shirts?\b)/gi, (t) => t.charAt(0)).replaceAll(/\bflip-?(?=flops?\b)/gi, "flip ");
}

/** The words that name a colour or a kind anywhere in the shop. */
export function vocabularyOf(rows: readonly FashionRow[]) {
  const others = NOT_KINDS.split(" ");
  const kinds = rows.flatMap((row) => stems(`${row.articleType} ${row.subCategory}`)).filter((stem) => !others.includes(stem));
  return {
    colours: new Set([...rows.flatMap((row) => stems(row.baseColour)), ...stems(MORE_COLOURS)]),
    kinds: new Set([...kinds, ...stems(MORE_KINDS)]),
  };
}

/**
 * The title as the shop shows it. What is withheld follows from the item's id alone. Withholding takes away the item's own words wherever
 * they stand, and those of other colours or kinds except as the first word, which is the brand ("Red Tape").
 */
export function shownTitle(row: FashionRow, { colours, kinds }: ReturnType<typeof vocabularyOf>) {
  const isWithheld = (what: string): boolean => shareOf(`${what}:${row.id}`) < WITHHELD_SHARE;
  const withheld = { colour: isWithheld("colour"), kind: isWithheld("kind") };
  const own = new Set([...(withheld.colour ? stems(row.baseColour) : []), ...(withheld.kind ? stems(row.articleType) : [])]);
  if (!withheld.colour && !withheld.kind) return { title: row.title, withheld };
  const goes = (word: string, at: number): boolean => {
    const [stem = ""] = stems(word);
    return own.has(stem) || (at > 0 && ((withheld.colour && colours.has(stem)) || (withheld.kind && kinds.has(stem))));
  };
  const title = joined(row.title)
    .replaceAll(/[\p{L}\p{N}]+/gu, (word, at: number) => (goes(word, at) ? "" : word))
    .split(/\s+/)
    .map((word) => word.replaceAll(/^[-/&,'’]+|[-/&,]+$/g, ""))
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .join(" ");
  return { title, withheld };
}
