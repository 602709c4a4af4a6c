/** The judged products of each query in BM25's order: what is compared where no engine is asked. */
import type { Catalog, CatalogItem } from "../catalog/file.ts";
import { createBm25 } from "./bm25.ts";
import type { Judgments } from "./judgments.ts";
import type { NamedLists } from "./lists.ts";

/** Name of lists that no engine made. */
const JUDGED = "";

/** A list per query: its judged products, best first; equal scores keep the catalogue's order. */
export function judgedByBm25({ items }: Catalog, { queries }: Judgments): NamedLists {
  const engine = createBm25(items.map(textOf));
  const indexOf = new Map(items.map(({ product }, i) => [product.id, i]));
  const lists = Array.from(queries, ([query, ratings]) => {
    const scores = engine.score(query);
    const judged = Array.from(ratings.keys(), (id) => ({ id, index: indexOf.get(id)!, score: scores[indexOf.get(id)!]! }));
    const inOrder = judged.toSorted((a, b) => b.score - a.score || a.index - b.index);
    return [query, inOrder.map(({ id, score }) => ({ id, score }))] as const;
  });
  return { name: JUDGED, lists: new Map(lists) };
}

/** One bag of all that says what a product is. */
function textOf({ product, text, about }: CatalogItem): string {
  return about === undefined ? text : [product.title, product.category, about.brand, about.description, about.further].join(" ");
}
