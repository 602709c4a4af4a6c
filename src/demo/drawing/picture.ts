/** One product → its SVG: the backdrop, then the drawing of its silhouette. */
import type { Category, SILHOUETTES } from "../catalogue/vocabulary.ts";
import { BAGS as bag } from "./bags.ts";
import { backdrop, createBrush, type Draw, type Subject } from "./brush.ts";
import { DRESSES as dress, SHIRTS as shirt, SHOES as shoe } from "./clothes.ts";
import { HATS as hat, HEADPHONES as headphones, SUNGLASSES as sunglasses } from "./headwear.ts";
import { CHAIRS as chair, CUSHIONS as cushion, LAMPS as lamp, SOFAS as sofa } from "./furniture.ts";
import { CLOCKS as clock, WATCHES as watch } from "./timepieces.ts";
import { BOTTLES as bottle, MUGS as mug, VASES as vase } from "./vessels.ts";

type Families = { readonly [C in Category]: Readonly<Record<keyof (typeof SILHOUETTES)[C], Draw>> };

/** Every silhouette of the vocabulary has its drawing: the compiler checks it. */
const FAMILIES = { shoe, bag, lamp, chair, sofa, mug, watch, clock, shirt, dress, hat, sunglasses, vase, cushion, bottle, headphones };

const DRAWINGS: ReadonlyMap<string, Draw> = new Map(
  Object.entries(FAMILIES satisfies Families).flatMap(([category, family]) =>
    Object.entries<Draw>(family).map(([name, draw]): [string, Draw] => [`${category}/${name}`, draw]),
  ),
);

/** SVG text, square, readable at 64 px. Ids inside begin with the product's, so that one page can hold several pictures inline. */
export function drawPicture(subject: Subject): string {
  const draw = DRAWINGS.get(`${subject.category}/${subject.look.silhouette}`);
  if (draw === undefined)
    throw new Error(`Cannot draw ${subject.id}: no drawing of a "${subject.look.silhouette}" in category "${subject.category}"`);
  const brush = createBrush(subject);
  // The definitions are complete only when everything is drawn.
  const picture = backdrop(brush) + draw(brush);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400">` +
    `<defs>${brush.definitions()}</defs>${picture}</svg>`
  );
}
