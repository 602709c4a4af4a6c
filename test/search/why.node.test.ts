/** Why a hit stands where it stands, with an order whose reasons are known. */
import { expect, it } from "vitest";
import { ITEM_FEATURES, type ListItem } from "../../src/ranking/candidate.ts";
import type { ListInput } from "../../src/ranking/features.ts";
import { rerank } from "../../src/ranking/rerank.ts";
import { PARTS, reasonsFor, without } from "../../src/search/why.ts";

const K = 5;
const PRICE = ITEM_FEATURES.indexOf("price_log");

const item = (i: number, more: Partial<ListItem> = {}): ListItem => ({
  itemId: `item-${i}`,
  image: Float32Array.of(0),
  text: Float32Array.of(0),
  words: Uint16Array.of(7),
  features: ITEM_FEATURES.map(() => 0),
  ...more,
});

/** Hit 3 has the picture, hit 4 the price. */
const LIST: ListInput = {
  queryText: "red mug",
  candidates: Array.from({ length: K }, (_, i) => ({ itemId: `item-${i}`, rank: i + 1, score: undefined })),
  items: [
    item(0),
    undefined,
    item(2),
    item(3, { image: Float32Array.of(10) }),
    item(4, { features: ITEM_FEATURES.map((_, i) => (i === PRICE ? 5 : 0)) }),
  ],
  history: [item(9)],
  nowDay: 1,
};

/** The engine's order, the first number of a picture, and the price. */
const scoresOf = ({ items }: ListInput): number[] =>
  items.map((of, i) => -i + (of?.image instanceof Float32Array ? of.image[0]! : 0) + (of?.features[PRICE] ?? 0));
const free = Array.from({ length: K }, () => false);
const orderOf = (isPinned: readonly boolean[], list = LIST): readonly number[] => {
  const order = rerank(scoresOf(list), isPinned);
  if (!order.ok) throw new Error(order.error.detail);
  return order.value;
};

it("names the part that lifts a hit, and how many places", async () => {
  const order = orderOf(free);
  expect(order).toEqual([3, 4, 0, 1, 2]);
  const reasons = await reasonsFor(order, PARTS, async (part) => orderOf(free, without(LIST, part)));
  expect(reasons[3]).toEqual([{ part: "picture", places: 4 }]);
  expect(reasons[4]).toEqual([
    { part: "price", places: 3 },
    // Without its picture the other one falls behind.
    { part: "picture", places: -1 },
  ]);
});

it("has none for a hit that keeps its slot", async () => {
  const isPinned = [true, false, false, false, false];
  const reasons = await reasonsFor(orderOf(isPinned), PARTS, async (part) => orderOf(isPinned, without(LIST, part)));
  expect(reasons[0]).toEqual([]);
});

const known = ({ image, text, words, features }: ListItem) => [
  image !== undefined,
  text !== undefined && words !== undefined,
  ...features.map((value) => value !== undefined),
];

it("leaves one part out of each hit, and no other", () => {
  const kept = Object.fromEntries(PARTS.map((part) => [part, known(without(LIST, part).items[0]!)]));
  expect(kept).toEqual({
    words: [true, false, true, true, true, true, true, true],
    picture: [false, true, true, true, true, true, true, true],
    price: [true, true, false, true, true, true, true, true],
    ratings: [true, true, true, false, false, false, true, true],
    taste: [true, true, true, true, true, true, true, true],
  });
  expect(without(LIST, "taste").history).toEqual([]);
  expect(without(LIST, "words").history).toHaveLength(1);
});

it("has none where the list cannot be scored", async () => {
  expect(await reasonsFor(orderOf(free), PARTS, async () => undefined)).toEqual([[], [], [], [], []]);
});
