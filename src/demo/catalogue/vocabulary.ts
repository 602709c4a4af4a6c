/**
 * The words of the drawn catalogue: what a product may be, and how it may look. The drawing and the titles both choose from here, and
 * the click simulator words its queries with them, so every entry is plain English that reads well as "<style> <colour> <pattern> <noun>".
 */

/** "a b c" → ["a", "b", "c"], with the words as types. */
type Split<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? readonly [Word, ...Split<Rest>] : readonly [Text];
function split<const Text extends string>(text: Text): Split<Text>;
function split(text: string): readonly string[] {
  return text.split(" ");
}

export const COLOURS = split("red orange yellow green teal blue navy purple pink brown beige grey black white");
export type Colour = (typeof COLOURS)[number];

/** Colours of trims and details; the two metals occur only here. */
export type Accent = Colour | "gold" | "silver";

export const PATTERNS = split("plain striped dotted checked floral zigzag marbled");
export type Pattern = (typeof PATTERNS)[number];

export const MATERIALS = split(
  "leather suede canvas cotton linen denim silk velvet wool straw wood metal brass ceramic enamel glass plastic rubber",
);
export type Material = (typeof MATERIALS)[number];

export const STYLES = split("minimal retro sporty elegant rustic playful");
export type Style = (typeof STYLES)[number];

/** The contents of a product's picture. `silhouette`: a shape of its category. */
export interface Look {
  readonly silhouette: string;
  readonly colour: Colour;
  readonly accent: Accent;
  readonly pattern: Pattern;
  readonly material: Material;
  readonly style: Style;
}

/** The words before the colons of `key: value; key: value`; a key alone is its own value. */
type Keys<Text extends string> = Text extends `${infer First};${infer Rest}` ? Key<First> | Keys<Rest> : Key<Text>;
type Key<Text extends string> = Text extends ` ${infer Rest}` | `\n${infer Rest}`
  ? Key<Rest>
  : Text extends `${infer Name}: ${string}`
    ? Name
    : Text;

/** A table of texts, written as `key: value; key: value`, with the keys as types. */
export function table<const Text extends string>(text: Text): Readonly<Record<Keys<Text>, string>>;
export function table(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(";").map((entry) => {
      const [key = "", value = key] = entry.trim().split(": ");
      return [key, value];
    }),
  );
}

const HOME_STYLES = split("minimal retro elegant rustic playful");
const PRINTS = split("plain striped dotted checked floral zigzag");

/** `weight`: frequency of the category, relative to the others. `price`: the middle of the category, in whole currency units. */
const words = (
  weight: number,
  price: number,
  materials: readonly Material[],
  patterns: readonly Pattern[] = PATTERNS,
  styles: readonly Style[] = HOME_STYLES,
) => ({ weight, price, materials, patterns, styles });

/** By category; the key is the noun, singular. */
const CATEGORIES = {
  shoe: words(1.6, 79, split("leather suede canvas"), PRINTS, STYLES),
  bag: words(1.3, 89, split("leather canvas suede straw"), PATTERNS, STYLES),
  lamp: words(1, 95, split("brass ceramic wood metal")),
  chair: words(1, 149, split("wood metal velvet leather")),
  sofa: words(0.7, 690, split("velvet leather linen wool"), PRINTS),
  mug: words(1, 16, split("ceramic enamel glass")),
  watch: words(1, 139, split("leather metal rubber canvas"), split("plain striped dotted checked marbled"), STYLES),
  clock: words(0.7, 49, split("wood metal brass plastic")),
  shirt: words(1.4, 35, split("cotton linen denim wool"), PRINTS, STYLES),
  dress: words(1.2, 69, split("cotton silk linen velvet denim"), PRINTS, STYLES),
  hat: words(0.9, 29, split("cotton wool straw denim"), PRINTS, STYLES),
  sunglasses: words(0.9, 59, split("plastic metal wood"), split("plain striped dotted marbled zigzag"), STYLES),
  vase: words(0.9, 39, split("ceramic glass metal")),
  cushion: words(0.9, 27, split("cotton linen velvet wool")),
  bottle: words(0.9, 24, split("metal glass plastic"), PATTERNS, STYLES),
  headphones: words(
    0.8,
    119,
    split("plastic metal leather"),
    split("plain striped dotted checked marbled"),
    split("minimal retro sporty elegant playful"),
  ),
};

export type Category = keyof typeof CATEGORIES;

/** Shape → what a title may call it, separated by commas. */
export const SILHOUETTES = {
  shoe: table("sneaker: sneaker, trainer; high-top; ankle boot: ankle boot, boot; heel: heel, pump; sandal; loafer: loafer, slip-on"),
  bag: table("tote: tote, shopper; backpack: backpack, rucksack; handbag; satchel: satchel, messenger; duffel: duffel, weekender"),
  lamp: table("table lamp; floor lamp; desk lamp: desk lamp, task lamp; pendant lamp: pendant, hanging lamp"),
  chair: table(`dining chair: dining chair, side chair; armchair: armchair, lounge chair; stool: stool, bar stool;
    rocking chair: rocking chair, rocker`),
  sofa: table("two-seat sofa: loveseat, two-seat sofa; three-seat sofa: three-seat sofa, couch; corner sofa: corner sofa, sectional"),
  mug: table("straight mug: mug; round mug: mug, belly mug; tall mug: latte mug, tall mug; espresso cup: espresso cup, cup"),
  watch: table(`round watch: watch, wristwatch; square watch: watch, square watch; diver watch: diver, watch;
    smart watch: smart watch, watch`),
  clock: table("wall clock: wall clock, clock; alarm clock; mantel clock: mantel clock, clock; sunburst clock: clock, sunburst clock"),
  shirt: table("t-shirt: t-shirt, tee; polo shirt: polo; button-up shirt: shirt, button-up; hoodie; tank top: tank top, vest"),
  dress: table(`a-line dress: dress, a-line dress; sheath dress: dress, sheath dress; maxi dress: maxi dress, dress;
    skater dress: dress, skater dress`),
  hat: table("cap: cap, baseball cap; beanie; fedora: fedora, hat; bucket hat; sun hat: sun hat, wide-brim hat"),
  sunglasses: table(`round sunglasses: sunglasses, round sunglasses; square sunglasses: sunglasses;
    cat-eye sunglasses: cat-eye sunglasses, sunglasses; aviator sunglasses: aviators, sunglasses;
    shield sunglasses: sunglasses, shield sunglasses`),
  vase: table(`bottle vase: vase, bud vase; amphora vase: vase, amphora; cylinder vase: vase; round vase: vase, globe vase;
    hourglass vase: vase`),
  cushion: table(`square cushion: cushion, throw pillow; round cushion: cushion, round cushion; lumbar cushion: lumbar cushion, cushion;
    bolster cushion: bolster, cushion`),
  bottle: table("sport bottle: bottle, sport bottle; flask: flask, bottle; tumbler; swing-top bottle: bottle, swing-top bottle"),
  headphones: table(`over-ear headphones: headphones, over-ear headphones; on-ear headphones: headphones, on-ear headphones;
    studio headphones: headphones, studio headphones; earbuds`),
} satisfies Readonly<Record<Category, unknown>>;

/** `silhouettes`: its shapes. A shape's name replaces the noun: a "red tote" is a red bag. */
export interface CategoryWords extends ReturnType<typeof words> {
  readonly name: string;
  readonly silhouettes: readonly { readonly name: string; readonly titles: readonly string[] }[];
}

const SHAPES: Readonly<Record<string, Readonly<Record<string, string>>>> = SILHOUETTES;

/** CATEGORIES as a list, in the order above. */
export const CATEGORY_LIST: readonly CategoryWords[] = Object.entries(CATEGORIES).map(([name, category]) => ({
  ...category,
  name,
  silhouettes: Object.entries(SHAPES[name] ?? {}).map(([shape, titles]) => ({ name: shape, titles: titles.split(", ") })),
}));
