/**
 * Catalogues of any size for the bench: the drawn one, and then its products again under other ids. The stand-in engine and the published
 * set make the same ones.
 */
import type { DrawnProduct } from "../../demo/catalogue.ts";
import { drawCatalogue } from "../../demo/catalogue.ts";

let drawn: readonly DrawnProduct[] | undefined;

/** The product at a place of a catalogue, 0-based; places past the drawn catalogue differ from it in their id only. */
export function productAt(place: number): DrawnProduct {
  const products = (drawn ??= drawCatalogue());
  const product = products[place % products.length]!;
  return place < products.length ? product : { ...product, id: `${product.id}-${Math.floor(place / products.length)}` };
}

export function productsOf(count: number): DrawnProduct[] {
  return Array.from({ length: count }, (_, place) => productAt(place));
}

/** Search texts as shoppers type them, no two the same: the first words of a title, and a number. */
export function createQueries(): () => string {
  let count = 0;
  return () => {
    const { title } = productAt((count * 131) % 2400);
    return `${title.split(" ").slice(0, 3).join(" ")} ${++count}`;
  };
}

export function searchBody(text: string, size: number): string {
  return JSON.stringify({ query: { match: { title: text } }, size });
}
