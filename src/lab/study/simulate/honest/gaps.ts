/** What real catalogues lack: pictures that are missing or show another product, titles that say little. What is wrong follows from the id alone. */
import { createRandom } from "../../../../demo/catalogue/random.ts";
import { words } from "../../../../ranking/tokenizer.ts";
import { shareOf } from "../../../../cli/lists/split.ts";
import { brandOf, type ShopProduct } from "../shop.ts";

const MISSING_SHARE = 0.1;
/** The maker's picture of another product of the category. */
const STOCK_SHARE = 0.12;
/** Maker and category, nothing else. */
const THIN_SHARE = 0.25;

/** A product as a shop has it. */
export interface ShownProduct extends ShopProduct {
  /** Whose picture it has; none where it is missing. */
  readonly pictured: ShopProduct | undefined;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Parallel to `products`. The look stays what the product is; `pictured.look` is what shoppers and encoders see. */
export function withGaps(products: readonly ShopProduct[]): ShownProduct[] {
  const byCategory = Map.groupBy(products, ({ category }) => category);
  return products.map((product) => {
    const share = shareOf(`picture:${product.id}`);
    const others = (byCategory.get(product.category) ?? []).filter(({ id }) => id !== product.id);
    const isStock = share >= MISSING_SHARE && share < MISSING_SHARE + STOCK_SHARE && others.length > 0;
    const pictured = share < MISSING_SHARE ? undefined : isStock ? createRandom(`stock:${product.id}`).pick(others) : product;
    if (shareOf(`title:${product.id}`) >= THIN_SHARE) return { ...product, pictured };
    const title = `${capital(brandOf(product))} ${capital(product.category)}`;
    // What a thin title does not say, its words no longer hold.
    const thin = {
      title,
      titleWords: new Set(words(title)),
      brand: brandOf(product),
      ...(product.namesKind === true && { namesKind: false }),
    };
    return { ...product, ...thin, pictured };
  });
}
