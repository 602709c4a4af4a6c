/**
 * The words of the drawn catalogue: what a product may be, and how it may look. The drawing and the titles both choose from here, and
 * the click simulator words its queries with them, so every entry is plain English that reads well as "<style> <colour> <pattern> <noun>".
 *
 * Over 300 lines because it is one table.
 */

export const COLOURS = [
  "red",
  "orange",
  "yellow",
  "green",
  "teal",
  "blue",
  "navy",
  "purple",
  "pink",
  "brown",
  "beige",
  "grey",
  "black",
  "white",
] as const;
export type Colour = (typeof COLOURS)[number];

/** Colours of trims and details; the two metals occur only here. */
export const ACCENTS = [...COLOURS, "gold", "silver"] as const;
export type Accent = (typeof ACCENTS)[number];

export const PATTERNS = ["plain", "striped", "dotted", "checked", "floral", "zigzag", "marbled"] as const;
export type Pattern = (typeof PATTERNS)[number];

export const MATERIALS = [
  "leather",
  "suede",
  "canvas",
  "cotton",
  "linen",
  "denim",
  "silk",
  "velvet",
  "wool",
  "straw",
  "wood",
  "metal",
  "brass",
  "ceramic",
  "enamel",
  "glass",
  "plastic",
  "rubber",
] as const;
export type Material = (typeof MATERIALS)[number];

export const STYLES = ["minimal", "retro", "sporty", "elegant", "rustic", "playful"] as const;
export type Style = (typeof STYLES)[number];

/** A shape within a category. `name` is the look's word and stands for the category's noun: "red tote" is a red bag. */
export interface Silhouette {
  readonly name: string;
  /** What a title may call it. */
  readonly titles: readonly string[];
}

export interface CategoryWords {
  /** How often the category occurs, relative to the others. */
  readonly weight: number;
  /** The price in the middle of the category, in whole currency units. */
  readonly price: number;
  readonly silhouettes: readonly Silhouette[];
  readonly materials: readonly Material[];
  readonly patterns: readonly Pattern[];
  readonly styles: readonly Style[];
}

const shape = (name: string, ...titles: string[]): Silhouette => ({ name, titles: titles.length > 0 ? titles : [name] });

const HOME_STYLES: readonly Style[] = ["minimal", "retro", "elegant", "rustic", "playful"];

/** By category; the key is the noun, singular. */
export const CATEGORIES = {
  shoe: {
    weight: 1.6,
    price: 79,
    silhouettes: [
      shape("sneaker", "sneaker", "trainer"),
      shape("high-top", "high-top"),
      shape("ankle boot", "ankle boot", "boot"),
      shape("heel", "heel", "pump"),
      shape("sandal"),
      shape("loafer", "loafer", "slip-on"),
    ],
    materials: ["leather", "suede", "canvas"],
    patterns: ["plain", "striped", "dotted", "checked", "floral", "zigzag"],
    styles: STYLES,
  },
  bag: {
    weight: 1.3,
    price: 89,
    silhouettes: [
      shape("tote", "tote", "shopper"),
      shape("backpack", "backpack", "rucksack"),
      shape("handbag", "handbag"),
      shape("satchel", "satchel", "messenger"),
      shape("duffel", "duffel", "weekender"),
    ],
    materials: ["leather", "canvas", "suede", "straw"],
    patterns: PATTERNS,
    styles: STYLES,
  },
  lamp: {
    weight: 1,
    price: 95,
    silhouettes: [
      shape("table lamp"),
      shape("floor lamp"),
      shape("desk lamp", "desk lamp", "task lamp"),
      shape("pendant lamp", "pendant", "hanging lamp"),
    ],
    materials: ["brass", "ceramic", "wood", "metal"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  chair: {
    weight: 1,
    price: 149,
    silhouettes: [
      shape("dining chair", "dining chair", "side chair"),
      shape("armchair", "armchair", "lounge chair"),
      shape("stool", "stool", "bar stool"),
      shape("rocking chair", "rocking chair", "rocker"),
    ],
    materials: ["wood", "metal", "velvet", "leather"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  sofa: {
    weight: 0.7,
    price: 690,
    silhouettes: [
      shape("two-seat sofa", "loveseat", "two-seat sofa"),
      shape("three-seat sofa", "three-seat sofa", "couch"),
      shape("corner sofa", "corner sofa", "sectional"),
    ],
    materials: ["velvet", "leather", "linen", "wool"],
    patterns: ["plain", "striped", "dotted", "checked", "floral", "zigzag"],
    styles: HOME_STYLES,
  },
  mug: {
    weight: 1,
    price: 16,
    silhouettes: [
      shape("straight mug", "mug"),
      shape("round mug", "mug", "belly mug"),
      shape("tall mug", "latte mug", "tall mug"),
      shape("espresso cup", "espresso cup", "cup"),
    ],
    materials: ["ceramic", "enamel", "glass"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  watch: {
    weight: 1,
    price: 139,
    silhouettes: [
      shape("round watch", "watch", "wristwatch"),
      shape("square watch", "watch", "square watch"),
      shape("diver watch", "diver", "watch"),
      shape("smart watch", "smart watch", "watch"),
    ],
    materials: ["leather", "metal", "rubber", "canvas"],
    patterns: ["plain", "striped", "dotted", "checked", "marbled"],
    styles: STYLES,
  },
  clock: {
    weight: 0.7,
    price: 49,
    silhouettes: [
      shape("wall clock", "wall clock", "clock"),
      shape("alarm clock", "alarm clock"),
      shape("mantel clock", "mantel clock", "clock"),
      shape("sunburst clock", "clock", "sunburst clock"),
    ],
    materials: ["wood", "metal", "brass", "plastic"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  shirt: {
    weight: 1.4,
    price: 35,
    silhouettes: [
      shape("t-shirt", "t-shirt", "tee"),
      shape("polo shirt", "polo"),
      shape("button-up shirt", "shirt", "button-up"),
      shape("hoodie", "hoodie"),
      shape("tank top", "tank top", "vest"),
    ],
    materials: ["cotton", "linen", "denim", "wool"],
    patterns: ["plain", "striped", "dotted", "checked", "floral", "zigzag"],
    styles: STYLES,
  },
  dress: {
    weight: 1.2,
    price: 69,
    silhouettes: [
      shape("a-line dress", "dress", "a-line dress"),
      shape("sheath dress", "dress", "sheath dress"),
      shape("maxi dress", "maxi dress", "dress"),
      shape("skater dress", "dress", "skater dress"),
    ],
    materials: ["cotton", "silk", "linen", "velvet", "denim"],
    patterns: ["plain", "striped", "dotted", "checked", "floral", "zigzag"],
    styles: STYLES,
  },
  hat: {
    weight: 0.9,
    price: 29,
    silhouettes: [
      shape("cap", "cap", "baseball cap"),
      shape("beanie"),
      shape("fedora", "fedora", "hat"),
      shape("bucket hat"),
      shape("sun hat", "sun hat", "wide-brim hat"),
    ],
    materials: ["cotton", "wool", "straw", "denim"],
    patterns: ["plain", "striped", "dotted", "checked", "floral", "zigzag"],
    styles: STYLES,
  },
  sunglasses: {
    weight: 0.9,
    price: 59,
    silhouettes: [
      shape("round sunglasses", "sunglasses", "round sunglasses"),
      shape("square sunglasses", "sunglasses"),
      shape("cat-eye sunglasses", "cat-eye sunglasses", "sunglasses"),
      shape("aviator sunglasses", "aviators", "sunglasses"),
      shape("shield sunglasses", "sunglasses", "shield sunglasses"),
    ],
    materials: ["plastic", "metal", "wood"],
    patterns: ["plain", "striped", "dotted", "marbled", "zigzag"],
    styles: STYLES,
  },
  vase: {
    weight: 0.9,
    price: 39,
    silhouettes: [
      shape("bottle vase", "vase", "bud vase"),
      shape("amphora vase", "vase", "amphora"),
      shape("cylinder vase", "vase"),
      shape("round vase", "vase", "globe vase"),
      shape("hourglass vase", "vase"),
    ],
    materials: ["ceramic", "glass", "metal"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  cushion: {
    weight: 0.9,
    price: 27,
    silhouettes: [
      shape("square cushion", "cushion", "throw pillow"),
      shape("round cushion", "cushion", "round cushion"),
      shape("lumbar cushion", "lumbar cushion", "cushion"),
      shape("bolster cushion", "bolster", "cushion"),
    ],
    materials: ["cotton", "linen", "velvet", "wool"],
    patterns: PATTERNS,
    styles: HOME_STYLES,
  },
  bottle: {
    weight: 0.9,
    price: 24,
    silhouettes: [
      shape("sport bottle", "bottle", "sport bottle"),
      shape("flask", "flask", "bottle"),
      shape("tumbler", "tumbler"),
      shape("swing-top bottle", "bottle", "swing-top bottle"),
    ],
    materials: ["metal", "glass", "plastic"],
    patterns: PATTERNS,
    styles: STYLES,
  },
  headphones: {
    weight: 0.8,
    price: 119,
    silhouettes: [
      shape("over-ear headphones", "headphones", "over-ear headphones"),
      shape("on-ear headphones", "headphones", "on-ear headphones"),
      shape("studio headphones", "headphones", "studio headphones"),
      shape("earbuds", "earbuds"),
    ],
    materials: ["plastic", "metal", "leather"],
    patterns: ["plain", "striped", "dotted", "checked", "marbled"],
    styles: ["minimal", "retro", "sporty", "elegant", "playful"],
  },
} as const satisfies Readonly<Record<string, CategoryWords>>;

export type Category = keyof typeof CATEGORIES;

/** CATEGORIES as a list, in the order above. */
export const CATEGORY_LIST: readonly (CategoryWords & { readonly name: string })[] = Object.entries(CATEGORIES).map(([name, words]) => ({
  name,
  ...words,
}));
