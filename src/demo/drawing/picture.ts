/** One product → its SVG: the backdrop, then the family that draws its category. */
import type { CATEGORIES, Category } from "../vocabulary.ts";
import { backdrop } from "./backdrop.ts";
import { BAGS } from "./bags.ts";
import { BOTTLES } from "./bottles.ts";
import { createBrush, type Subject } from "./brush.ts";
import { CHAIRS } from "./chairs.ts";
import { CLOCKS } from "./clocks.ts";
import { CUSHIONS } from "./cushions.ts";
import { DRESSES } from "./dresses.ts";
import type { Draw, Family, NamesOf } from "./family.ts";
import { HATS } from "./hats.ts";
import { HEADPHONES } from "./headphones.ts";
import { LAMPS } from "./lamps.ts";
import { MUGS } from "./mugs.ts";
import { SHIRTS } from "./shirts.ts";
import { SHOES } from "./shoes.ts";
import { SOFAS } from "./sofas.ts";
import { SUNGLASSES } from "./sunglasses.ts";
import { VASES } from "./vases.ts";
import { WATCHES } from "./watches.ts";

/** Every silhouette of the vocabulary has its drawing: the compiler counts them. */
const FAMILIES: { readonly [C in Category]: Family<NamesOf<(typeof CATEGORIES)[C]>> } = {
  shoe: SHOES,
  bag: BAGS,
  lamp: LAMPS,
  chair: CHAIRS,
  sofa: SOFAS,
  mug: MUGS,
  watch: WATCHES,
  clock: CLOCKS,
  shirt: SHIRTS,
  dress: DRESSES,
  hat: HATS,
  sunglasses: SUNGLASSES,
  vase: VASES,
  cushion: CUSHIONS,
  bottle: BOTTLES,
  headphones: HEADPHONES,
};

const DRAWINGS: ReadonlyMap<string, Draw> = new Map(
  Object.entries(FAMILIES).flatMap(([category, family]) =>
    Object.entries<Draw>(family).map(([name, draw]): [string, Draw] => [`${category}/${name}`, draw]),
  ),
);

/** SVG text, 200 x 200 units. Ids inside begin with the product's, so pictures can stand inline on one page. */
export function drawProduct(subject: Subject): string {
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
