/** An engine that somebody has tuned: words (BM25), sales, and the likeness of query and title, at the weights that sold most in training searches. */
import { createTextEncoder, itemText } from "../../../../embeddings/text-encoder.ts";
import type { Hits, Shop, ShopProduct } from "../shop.ts";

/** Hits that are scored again, as search engines do with a rescoring window. */
const RESCORED = 200;

export interface EngineWeights {
  /** Of log sales, 0..1 among the rescored, beside the score by words over the best. */
  readonly sales: number;
  /** Of the cosine of query and title. */
  readonly meaning: number;
}

/** All that are tried. */
export const WEIGHTS: readonly EngineWeights[] = [0, 0.1, 0.3].flatMap((sales) => [0, 0.3, 1].map((meaning) => ({ sales, meaning })));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The shop's own engine with its best hits scored again. */
export function tunedEngine(shop: Shop, products: readonly ShopProduct[]) {
  const engine = shop.openEngine(products);
  const encode = createTextEncoder();
  const known = new Map(
    products.map((product) => [product.id, { sales: Math.log1p(product.popularity), text: encode(itemText(product)) }]),
  );
  const asked = new Map<string, ReturnType<typeof engine.hits>>();
  const found = (query: string): ReturnType<typeof engine.hits> => {
    const hits = asked.get(query) ?? engine.hits(query, RESCORED);
    asked.set(query, hits);
    return hits;
  };
  const best = Math.max(...[...known.values()].map(({ sales }) => sales), 1e-9);
  return (weights: EngineWeights) => ({
    hits(query: string, size: number): Hits {
      const hits = found(query);
      const meant = encode(query);
      const top = hits[0]?.score ?? 1;
      return hits
        .map(({ id, score }) => {
          const { sales, text } = known.get(id)!;
          const likeness = meant === undefined || text === undefined ? 0 : dot(meant, text);
          return { id, score: score / top + weights.sales * (sales / best) + weights.meaning * likeness };
        })
        .toSorted((a, b) => b.score - a.score)
        .slice(0, size);
    },
  });
}
