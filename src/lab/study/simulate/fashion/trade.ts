/**
 * Invented trade figures of the fashion products: the data have no prices, ratings, sales, stock or age. Everything follows from the id, the
 * kind and the brand by chance alone, none of it from the picture, and all of it has to be called invented wherever it is shown.
 */
import { createRandom } from "../../../../demo/catalogue/random.ts";
import { DAY_MS } from "../../../../web.ts";

export interface Trade {
  readonly price: number;
  readonly rating: number;
  readonly ratingCount: number;
  readonly popularity: number;
  readonly inStock: boolean;
  readonly createdAt: string;
}

/** The day before the first simulated search. */
const LAST_DAY = Date.UTC(2026, 10, 15);

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export function inventTrade(id: string, kind: string, brand: string): Trade {
  const typical = Math.exp(3.3 + 0.6 * createRandom(`fashion:price:${kind}`).normal());
  const premium = Math.exp(0.3 * createRandom(`fashion:premium:${brand}`).normal());
  const trade = createRandom(`fashion:${id}:trade`);
  const quality = trade.normal();
  const ageDays = Math.floor(900 * trade.next() ** 1.6);
  // As in the drawn shop: popularity is long-tailed, grows with quality and fades with age.
  const popularity = Math.round(Math.exp(3.2 + 1.1 * trade.normal() + 0.35 * quality - ageDays / 900));
  const ratingCount = Math.round(popularity * (0.2 + ageDays / 200) * trade.between(0.3, 1.2));
  return {
    price: Math.max(3, Math.floor(typical * premium * Math.exp(0.3 * trade.normal()))) + trade.pick([0, 0.5, 0.9, 0.95]),
    rating: round(Math.min(5, Math.max(1.6, 4.05 + 0.4 * quality + 0.2 * trade.normal())), 1),
    ratingCount,
    popularity,
    inStock: trade.chance(0.93),
    createdAt: new Date(LAST_DAY - ageDays * DAY_MS).toISOString().slice(0, 10),
  };
}
