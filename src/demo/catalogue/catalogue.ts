/**
 * The drawn catalogue of the demo shop: invented products whose pictures show more than their titles say. A product follows from its id, so
 * nothing is stored and any part of the project can make the same catalogue again.
 *
 * `look` describes the picture (../drawing/): the click simulator and the training of the image encoder read it, the search engine and the
 * ranking model never do.
 */
import * as v from "valibot";
import { createRandom, type Random } from "./random.ts";
import {
  type Accent,
  CATEGORY_LIST,
  type CategoryWords,
  type Colour,
  COLOURS,
  type Look,
  type Material,
  type Style,
  table,
} from "./vocabulary.ts";

/** A catalogue entry, of this or any other shop. An absent field is unknown. */
export const productSchema = v.object({
  id: v.pipe(v.string(), v.minLength(1)),
  title: v.string(),
  category: v.string(),
  /** In whole currency units, cents after the point. */
  price: v.exactOptional(v.number()),
  /** Mean of the ratings, 1..5. */
  rating: v.exactOptional(v.number()),
  ratingCount: v.exactOptional(v.number()),
  /** Units sold in the last 30 days. */
  popularity: v.exactOptional(v.number()),
  inStock: v.exactOptional(v.boolean()),
  /** YYYY-MM-DD */
  createdAt: v.exactOptional(v.string()),
  /** URL path such as /images/<id>.svg */
  image: v.string(),
});

export type Product = v.InferOutput<typeof productSchema>;

export interface DrawnProduct extends Required<Product> {
  look: Look;
}

export const DRAWN_COUNT = 2400;

/** The catalogue's today: ages are the same whenever it is drawn. */
const LAST_DAY = Date.UTC(2026, 10, 15);
const DAY_MS = 86_400_000;

/** Everyday colours come in more products than loud ones. */
const COLOUR_WEIGHT: Readonly<Record<Colour, string>> = table(
  `red: 1; orange: 0.8; yellow: 0.8; green: 1; teal: 0.8; blue: 1.1; navy: 0.9; purple: 0.7; pink: 0.9; brown: 0.9; beige: 0.9;
  grey: 0.9; black: 1.2; white: 1.1`,
);

const PRICE_OF_MATERIAL: Partial<Record<Material, string>> = table(
  `leather: 1.4; silk: 1.5; velvet: 1.25; brass: 1.3; suede: 1.25; wood: 1.1; plastic: 0.7; canvas: 0.85; cotton: 0.9; rubber: 0.8`,
);
const PRICE_OF_STYLE: Partial<Record<Style, number>> = { elegant: 1.35, playful: 0.85, sporty: 1.05, minimal: 1.1 };

function accentFor(style: Style, colour: Colour, random: Random): Accent {
  const choices: Readonly<Record<Style, readonly Accent[]>> = {
    minimal: ["white", "grey", "black", "beige", "silver"],
    retro: ["orange", "yellow", "teal", "brown", "red"],
    sporty: ["white", "yellow", "orange", "black", "teal", "red"],
    elegant: ["gold", "gold", "silver"],
    rustic: ["brown", "beige", "brown"],
    playful: ["pink", "yellow", "teal", "purple", "orange", "blue"],
  };
  const others = choices[style].filter((accent) => accent !== colour);
  return random.pick(others.length > 0 ? others : (["white"] satisfies Accent[]));
}

function lookOf(category: CategoryWords, random: Random): Look {
  const style = random.pick(category.styles);
  const colour = random.pickWeighted(COLOURS, (name) => Number(COLOUR_WEIGHT[name]));
  const others = category.patterns.filter((name) => name !== "plain");
  // Minimal and elegant things are mostly plain, playful ones seldom.
  const plain = style === "minimal" ? 0.75 : style === "elegant" ? 0.5 : style === "playful" ? 0.15 : 0.35;
  return {
    silhouette: random.pick(category.silhouettes).name,
    colour,
    accent: accentFor(style, colour, random),
    pattern: random.chance(plain) ? "plain" : random.pick(others),
    material: random.pick(category.materials),
    style,
  };
}

/** Prices end in .00, .50, .90 or .95 below 200, and in 9 above. */
function priceOf(category: CategoryWords, look: Look, random: Random): number {
  const factor = Number(PRICE_OF_MATERIAL[look.material] ?? 1) * (PRICE_OF_STYLE[look.style] ?? 1) * Math.exp(0.35 * random.normal());
  const price = category.price * factor;
  const ending = random.pick([0, 0.5, 0.9, 0.95, 0.95]);
  return price < 200 ? Math.max(3, Math.floor(price)) + ending : Math.round(price / 10) * 10 - 1;
}

/** Shares of titles that name a part of the look (`plain` is never named). `colour` counts those in the language of catalogues, too. */
export const NAMED_SHARE = { colour: 0.45, material: 0.35, pattern: 0.2, style: 0.12, silhouette: 0.65 } as const;

/** Invented names; none is a colour, material, style or noun of the vocabulary. */
const BRANDS = (
  "Norvik, Talora, Belmara, Quenna, Osterly, Fjellby, Lumero, Tavio, Kestrin, Marrowfield, Ondine & Fay, Hollis Tor, Pellandra, " +
  "Vantry, Corvello, Saltmarsh, Odelle, Brackwater, Junipero, Mirande, Tusk & Thorn, Elverby, Zandoli, Perrault Mill, Nimbra, " +
  "Halden, Ruskova, Fennimore, Castellane, Drayhouse, Ikaya, Lindqvo"
).split(", ");

const MODELS = (
  "Aria, Juno, Atlas, Otto, Iris, Milo, Vega, Nora, Hugo, Lark, Ravi, Tilda, Ines, Bruno, Kaia, Arlo, Mara, Finn, Greta, Sol, " +
  "Wren, Esme, Theo, Alma"
).split(", ");

/** A share of titles that name the colour do so in the language of catalogues, which no search for the plain word finds. */
const FANCY_SHARE = 0.25;
export const FANCY_COLOURS: Readonly<Record<Colour, string>> = table(
  `red: ember, cherry; orange: tangerine, apricot; yellow: honey, lemon; green: moss, fern; teal: lagoon, petrol; blue: cobalt, sky;
  navy: midnight, ink; purple: plum, lilac; pink: blush, rosé; brown: cocoa, chestnut; beige: sand, oat; grey: ash, fog;
  black: onyx, raven; white: ivory, chalk`,
);

const capitals = (text: string): string => text.replace(/(?<=^|\s)\p{L}/gu, (letter) => letter.toUpperCase());

/** As shops write them: an invented brand, sometimes a model name, and only some of what the picture shows. */
function writeTitle(category: CategoryWords, look: Look, random: Random): string {
  const parts: string[] = [random.pick(BRANDS)];
  if (random.chance(0.5)) parts.push(random.pick(MODELS));
  // Drawn whether used or not, so that one part's presence does not shift the chance of the next.
  const style = random.chance(NAMED_SHARE.style);
  const colour = random.chance(NAMED_SHARE.colour);
  const fancy = random.chance(FANCY_SHARE) ? random.pick(FANCY_COLOURS[look.colour].split(", ")) : undefined;
  const pattern = random.chance(NAMED_SHARE.pattern);
  const material = random.chance(NAMED_SHARE.material);
  const titles = category.silhouettes.find(({ name }) => name === look.silhouette)?.titles ?? [];
  const noun = random.chance(NAMED_SHARE.silhouette) ? random.pick(titles) : category.name;
  if (style) parts.push(look.style);
  if (colour) parts.push(fancy ?? look.colour);
  if (pattern && look.pattern !== "plain") parts.push(look.pattern);
  if (material) parts.push(look.material);
  parts.push(noun);
  return parts.map(capitals).join(" ");
}

/** The product of an id; any text is an id. */
export function drawnProduct(id: string): DrawnProduct {
  const category = createRandom(`${id}:category`).pickWeighted(CATEGORY_LIST, ({ weight }) => weight);
  const look = lookOf(category, createRandom(`${id}:look`));
  const trade = createRandom(`${id}:trade`);
  const quality = trade.normal();
  const ageDays = Math.floor(900 * trade.next() ** 1.6);
  // Popularity is long-tailed, grows with quality and fades with age.
  const popularity = Math.round(Math.exp(3.2 + 1.1 * trade.normal() + 0.35 * quality - ageDays / 900));
  const ratingCount = Math.round(popularity * (0.2 + ageDays / 200) * trade.between(0.3, 1.2));
  return {
    id,
    category: category.name,
    look,
    title: writeTitle(category, look, createRandom(`${id}:title`)),
    price: priceOf(category, look, trade),
    rating: Number(Math.min(5, Math.max(1.6, 4.05 + 0.4 * quality + 0.2 * trade.normal())).toFixed(1)),
    ratingCount,
    popularity,
    inStock: trade.chance(0.93),
    createdAt: new Date(LAST_DAY - ageDays * DAY_MS).toISOString().slice(0, 10),
    image: `/images/${id}.svg`,
  };
}

export interface CatalogueOptions {
  /** Number of products; default 2400. A larger catalogue begins with the smaller one. */
  readonly count?: number;
  /** Another catalogue: its ids begin with the seed, so no two catalogues share one. */
  readonly seed?: number;
}

/** Ids run p0001, p0002 …; with a seed s7-0001, s7-0002 … */
export function drawCatalogue(options: CatalogueOptions = {}): DrawnProduct[] {
  const { count = DRAWN_COUNT, seed } = options;
  if (!Number.isInteger(count) || count < 0) throw new RangeError(`Cannot draw ${count} products: give a whole number from 0 on`);
  const prefix = seed === undefined ? "p" : `s${seed}-`;
  return Array.from({ length: count }, (_, index) => drawnProduct(`${prefix}${String(index + 1).padStart(4, "0")}`));
}
