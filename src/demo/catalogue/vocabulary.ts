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
export const ACCENTS = [...COLOURS, "gold", "silver"] as const;
export type Accent = (typeof ACCENTS)[number];

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

const HOME_STYLES = split("minimal retro elegant rustic playful");
const PRINTS = split("plain striped dotted checked floral zigzag");

/**
 * `weight`: how often the category occurs, relative to the others. `price`: the middle of the category, in whole currency units.
 * `silhouettes`: shape → what a title may call it, separated by commas.
 */
function category<const Shapes extends Readonly<Record<string, string>>>(
  weight: number,
  price: number,
  materials: readonly Material[],
  patterns: readonly Pattern[],
  styles: readonly Style[],
  silhouettes: Shapes,
) {
  return { weight, price, materials, patterns, styles, silhouettes };
}

/** By category; the key is the noun, singular. */
export const CATEGORIES = {
  shoe: category(1.6, 79, ["leather", "suede", "canvas"], PRINTS, STYLES, {
    sneaker: "sneaker, trainer",
    "high-top": "high-top",
    "ankle boot": "ankle boot, boot",
    heel: "heel, pump",
    sandal: "sandal",
    loafer: "loafer, slip-on",
  }),
  bag: category(1.3, 89, ["leather", "canvas", "suede", "straw"], PATTERNS, STYLES, {
    tote: "tote, shopper",
    backpack: "backpack, rucksack",
    handbag: "handbag",
    satchel: "satchel, messenger",
    duffel: "duffel, weekender",
  }),
  lamp: category(1, 95, ["brass", "ceramic", "wood", "metal"], PATTERNS, HOME_STYLES, {
    "table lamp": "table lamp",
    "floor lamp": "floor lamp",
    "desk lamp": "desk lamp, task lamp",
    "pendant lamp": "pendant, hanging lamp",
  }),
  chair: category(1, 149, ["wood", "metal", "velvet", "leather"], PATTERNS, HOME_STYLES, {
    "dining chair": "dining chair, side chair",
    armchair: "armchair, lounge chair",
    stool: "stool, bar stool",
    "rocking chair": "rocking chair, rocker",
  }),
  sofa: category(0.7, 690, ["velvet", "leather", "linen", "wool"], PRINTS, HOME_STYLES, {
    "two-seat sofa": "loveseat, two-seat sofa",
    "three-seat sofa": "three-seat sofa, couch",
    "corner sofa": "corner sofa, sectional",
  }),
  mug: category(1, 16, ["ceramic", "enamel", "glass"], PATTERNS, HOME_STYLES, {
    "straight mug": "mug",
    "round mug": "mug, belly mug",
    "tall mug": "latte mug, tall mug",
    "espresso cup": "espresso cup, cup",
  }),
  watch: category(1, 139, ["leather", "metal", "rubber", "canvas"], ["plain", "striped", "dotted", "checked", "marbled"], STYLES, {
    "round watch": "watch, wristwatch",
    "square watch": "watch, square watch",
    "diver watch": "diver, watch",
    "smart watch": "smart watch, watch",
  }),
  clock: category(0.7, 49, ["wood", "metal", "brass", "plastic"], PATTERNS, HOME_STYLES, {
    "wall clock": "wall clock, clock",
    "alarm clock": "alarm clock",
    "mantel clock": "mantel clock, clock",
    "sunburst clock": "clock, sunburst clock",
  }),
  shirt: category(1.4, 35, ["cotton", "linen", "denim", "wool"], PRINTS, STYLES, {
    "t-shirt": "t-shirt, tee",
    "polo shirt": "polo",
    "button-up shirt": "shirt, button-up",
    hoodie: "hoodie",
    "tank top": "tank top, vest",
  }),
  dress: category(1.2, 69, ["cotton", "silk", "linen", "velvet", "denim"], PRINTS, STYLES, {
    "a-line dress": "dress, a-line dress",
    "sheath dress": "dress, sheath dress",
    "maxi dress": "maxi dress, dress",
    "skater dress": "dress, skater dress",
  }),
  hat: category(0.9, 29, ["cotton", "wool", "straw", "denim"], PRINTS, STYLES, {
    cap: "cap, baseball cap",
    beanie: "beanie",
    fedora: "fedora, hat",
    "bucket hat": "bucket hat",
    "sun hat": "sun hat, wide-brim hat",
  }),
  sunglasses: category(0.9, 59, ["plastic", "metal", "wood"], ["plain", "striped", "dotted", "marbled", "zigzag"], STYLES, {
    "round sunglasses": "sunglasses, round sunglasses",
    "square sunglasses": "sunglasses",
    "cat-eye sunglasses": "cat-eye sunglasses, sunglasses",
    "aviator sunglasses": "aviators, sunglasses",
    "shield sunglasses": "sunglasses, shield sunglasses",
  }),
  vase: category(0.9, 39, ["ceramic", "glass", "metal"], PATTERNS, HOME_STYLES, {
    "bottle vase": "vase, bud vase",
    "amphora vase": "vase, amphora",
    "cylinder vase": "vase",
    "round vase": "vase, globe vase",
    "hourglass vase": "vase",
  }),
  cushion: category(0.9, 27, ["cotton", "linen", "velvet", "wool"], PATTERNS, HOME_STYLES, {
    "square cushion": "cushion, throw pillow",
    "round cushion": "cushion, round cushion",
    "lumbar cushion": "lumbar cushion, cushion",
    "bolster cushion": "bolster, cushion",
  }),
  bottle: category(0.9, 24, ["metal", "glass", "plastic"], PATTERNS, STYLES, {
    "sport bottle": "bottle, sport bottle",
    flask: "flask, bottle",
    tumbler: "tumbler",
    "swing-top bottle": "bottle, swing-top bottle",
  }),
  headphones: category(
    0.8,
    119,
    ["plastic", "metal", "leather"],
    ["plain", "striped", "dotted", "checked", "marbled"],
    ["minimal", "retro", "sporty", "elegant", "playful"],
    {
      "over-ear headphones": "headphones, over-ear headphones",
      "on-ear headphones": "headphones, on-ear headphones",
      "studio headphones": "headphones, studio headphones",
      earbuds: "earbuds",
    },
  ),
};

export type Category = keyof typeof CATEGORIES;

/** A shape within a category. `name` is the look's word and stands for the category's noun: "red tote" is a red bag. */
export interface Silhouette {
  readonly name: string;
  /** What a title may call it. */
  readonly titles: readonly string[];
}

export interface CategoryWords extends Omit<ReturnType<typeof category>, "silhouettes"> {
  readonly name: string;
  readonly silhouettes: readonly Silhouette[];
}

/** CATEGORIES as a list, in the order above. */
export const CATEGORY_LIST: readonly CategoryWords[] = Object.entries(CATEGORIES).map(([name, { silhouettes, ...words }]) => ({
  ...words,
  name,
  silhouettes: Object.entries<string>(silhouettes).map(([shape, titles]) => ({ name: shape, titles: titles.split(", ") })),
}));
