/** Forty queries to the drawn shop, written down and committed before anybody looked at a result of theirs. They stay as they are. */

export const KINDS = ["colour and kind", "style", "misspelt", "long"] as const;
export type Kind = (typeof KINDS)[number];

const BY_KIND: Readonly<Record<Kind, readonly string[]>> = {
  "colour and kind": [
    "black bag",
    "red dress",
    "white sneaker",
    "blue mug",
    "green sofa",
    "yellow cushion",
    "navy shirt",
    "pink headphones",
    "brown boots",
    "purple vase",
  ],
  style: [
    "elegant black bag",
    "minimal lamp",
    "retro clock",
    "sporty watch",
    "rustic chair",
    "playful mug",
    "elegant dress",
    "retro sunglasses",
    "minimal backpack",
    "rustic wall clock",
  ],
  misspelt: [
    "blak bag",
    "red dres",
    "lether sofa",
    "sunglases",
    "stripped shirt",
    "bakpack green",
    "hedphones white",
    "velvit armchair",
    "orange cusion",
    "wooden clok",
  ],
  long: [
    "black leather bag for the office that looks elegant",
    "colourful playful mug with dots for a child",
    "a simple white ceramic vase without any pattern",
    "blue and white striped summer dress in cotton",
    "comfortable green velvet sofa for a small living room",
    "gold elegant watch with a leather strap for women",
    "retro orange floor lamp for the living room",
    "big straw sun hat for the beach in beige",
    "sporty running shoes in red or orange",
    "wireless over-ear headphones in black with a minimal look",
  ],
};

export interface Query {
  readonly text: string;
  readonly kind: Kind;
}

export const QUERIES: readonly Query[] = KINDS.flatMap((kind) => BY_KIND[kind].map((text) => ({ text, kind })));
