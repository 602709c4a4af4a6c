/**
 * Simulated shoppers: the looks that each likes, the makers that each trusts, and the weight of the picture against the words. Taste is over
 * the words of a look; the model sees pixels and titles only.
 */
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import { brandOf, pickSome, type Shop, type ShopProduct } from "./shop.ts";
import { splitOf } from "../../../cli/lists/split.ts";

export type Shopper = Readonly<ReturnType<typeof drawShopper>>;

function drawTaste({ tastes }: Shop, random: Random): Map<string, number> {
  const taste = new Map<string, number>();
  for (const { words, liked, disliked } of tastes) {
    pickSome(words, liked + disliked, random).forEach((word, i) => taste.set(word, i < liked ? 1 : -0.7));
  }
  return taste;
}

/** Everything of a shopper follows from id, seed and shop. */
export function drawShopper(id: string, seed: number, shop: Shop) {
  const random = createRandom(`${seed}:${id}`);
  return {
    id,
    split: splitOf("shopper", id),
    interests: shop.drawInterests(random),
    /** Liking per word of a look, -1..1; absent is 0. */
    taste: drawTaste(shop, random),
    /** 0 = reads, 1 = looks. */
    modality: random.next() ** 0.8,
    /** Weight of cheaper neighbours; about 1. */
    thrift: Math.max(0, 1 + 0.5 * random.normal()),
    /** Liking of a product's maker, -1..1. */
    brandLiking: (product: ShopProduct) => {
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
