import { describe, expect, it } from "vitest";
import { itemFeatures, refreshFeatures } from "../../src/ranking/item-values.ts";

describe("itemFeatures()", () => {
  it("brings values to the units of ITEM_FEATURES", () => {
    const features = itemFeatures({ price: Math.E, popularity: Math.E - 1, rating: 4.5, ratingCount: 0, inStock: 12 }, 20_000);
    [1, 1, 4.5, 0, 1, 20_000].forEach((value, i) => expect(features[i]).toBeCloseTo(value, 12));
    expect(itemFeatures({}, undefined)).toEqual(Array.from({ length: 6 }));
  });

  it.each([
    { price: 0 },
    { price: -1 },
    { price: Number.POSITIVE_INFINITY },
    { popularity: -1 },
    { rating: Number.NaN },
    { ratingCount: -2 },
  ])("takes %j for unknown", (values) => {
    expect(itemFeatures(values, undefined)).toEqual(Array.from({ length: 6 }));
  });
});

describe("refreshFeatures()", () => {
  it("lets fresh values win, and keeps what is not said anew", () => {
    expect(refreshFeatures([1, 2, 3, 4, 1, 6], { price: 1, inStock: 0 })).toEqual([0, 2, 3, 4, 0, 6]);
    expect(refreshFeatures([1, 2, 3, 4, 1, 6], { price: 0 })).toEqual([1, 2, 3, 4, 1, 6]);
    expect(refreshFeatures(undefined, { rating: 4 })).toEqual([undefined, undefined, 4, undefined, undefined, undefined]);
  });
});
