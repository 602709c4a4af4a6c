/**
 * A shop's values of an item, in its own units → the features that are stored and served. `armmt embed` and a search's hits share this code,
 * so that they cannot drift apart.
 */
import { ITEM_FEATURES } from "./candidate.ts";

export const ITEM_VALUES = ["price", "popularity", "rating", "ratingCount", "inStock"] as const;

export type ItemValue = (typeof ITEM_VALUES)[number];

/**
 * `price` > 0 in the catalogue's currency, `popularity` >= 0 (sales or views), `rating` 0..5, `ratingCount` >= 0, `inStock` > 0 for an item
 * that can be bought. Other values count as unknown.
 */
export type ItemValues = Readonly<Partial<Record<ItemValue, number | undefined>>>;

function from(least: number, value: number | undefined): number | undefined {
  return value !== undefined && value >= least && Number.isFinite(value) ? value : undefined;
}

/** One entry per ITEM_FEATURES, in their units; `createdDay` is days since 1970-01-01. */
export function itemFeatures(values: ItemValues, createdDay: number | undefined): (number | undefined)[] {
  const price = from(Number.MIN_VALUE, values.price);
  const popularity = from(0, values.popularity);
  const count = from(0, values.ratingCount);
  return [
    price === undefined ? undefined : Math.log(price),
    popularity === undefined ? undefined : Math.log1p(popularity),
    from(0, values.rating),
    count === undefined ? undefined : Math.log1p(count),
    values.inStock === undefined ? undefined : Number(values.inStock > 0),
    createdDay,
  ];
}

/** Stored features, replaced where fresh values are known. */
export function refreshFeatures(stored: readonly (number | undefined)[] | undefined, fresh: ItemValues): readonly (number | undefined)[] {
  const values = itemFeatures(fresh, undefined);
  return ITEM_FEATURES.map((_, i) => values[i] ?? stored?.[i]);
}
