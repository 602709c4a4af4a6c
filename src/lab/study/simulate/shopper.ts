/**
 * Simulated shoppers: the looks that each likes, the makers that each trusts, and the weight of the picture against the words. Taste is over
 * the words of a look; the model sees pixels and titles only.
 */
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import { brandOf, pickSome, type Shop, type ShopProduct } from "./shop.ts";
import { type Split, splitOf } from "./split.ts";

export interface Shopper {
  readonly id: string;
  readonly split: Split;
  readonly interests: readonly string[];
  /** Liking per word of a look, -1..1; absent is 0. */
  readonly taste: ReadonlyMap<string, number>;
  /** 0 = reads, 1 = looks. */
  readonly modality: number;
  /** Weight of cheaper neighbours; about 1. */
  readonly thrift: number;
  /** Liking of a product's maker, -1..1. */
  readonly brandLiking: (product: ShopProduct) => number;
}

function drawTaste({ tastes }: Shop, random: Random): Map<string, number> {
  const taste = new Map<string, number>();
  for (const { words, liked, disliked } of tastes) {
    pickSome(words, liked + disliked, random).forEach((word, i) => taste.set(word, i < liked ? 1 : -0.7));
  }
  return taste;
}

/** Everything of a shopper follows from id, seed and shop. */
export function drawShopper(id: string, seed: number, shop: Shop): Shopper {
  const random = createRandom(`${seed}:${id}`);
  return {
    id,
    split: splitOf("shopper", id),
    interests: shop.drawInterests(random),
    taste: drawTaste(shop, random),
    modality: random.next() ** 0.8,
    thrift: Math.max(0, 1 + 0.5 * random.normal()),
    brandLiking: (product) => {
      const draw = createRandom(`${seed}:${id}:brand:${brandOf(product)}`).next();
      return draw < 0.15 ? 1 : draw > 0.85 ? -0.7 : 0;
    },
  };
}

/** Liking of a picture by colour, pattern and style. About -1..1. */
export function pictureLiking(shopper: Shopper, product: ShopProduct): number {
  const { colour = "", pattern = "", style = "" } = product.look;
  return [colour, pattern, style].reduce((sum, word) => sum + (shopper.taste.get(word) ?? 0), 0) / 2;
}

/** Products looked at while browsing, most recent last: some shoppers come with none. */
export function browse(shopper: Shopper, products: readonly ShopProduct[], random: Random): ShopProduct[] {
  const count = random.chance(0.15) ? 0 : 2 + Math.floor(random.next() * 11);
  return Array.from({ length: count }, () => {
    const noticed = Array.from({ length: 40 }, () => random.pick(products));
    return random.pickWeighted(noticed, (product) =>
      Math.exp(3 * (shopper.modality * pictureLiking(shopper, product) + (1 - shopper.modality) * shopper.brandLiking(product))),
    );
  });
}
