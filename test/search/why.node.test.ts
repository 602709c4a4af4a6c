/** Why a hit stands where it stands, with a model whose reasons are known. */
import { expect, it } from "vitest";
import type { ListTensors } from "../../src/ranking/features.ts";
import { emptyTensors, FEATURES } from "../../src/ranking/features.ts";
import { rerank } from "../../src/ranking/rerank.ts";
import { bypass, ok } from "../../src/result.ts";
import { reasonsFor, without } from "../../src/search/why.ts";

const K = 5;
const PRICE = FEATURES.indexOf("price_log");

/** Hit 3 has the picture, hit 4 the price. */
function list(): ListTensors {
  const tensors = emptyTensors({ k: K, lq: 1, h: 1, imageDim: 2, textDim: 2 });
  tensors.presence.fill(1);
  tensors.image[3 * 2] = 10;
  tensors.features[4 * FEATURES.length + PRICE] = 5;
  tensors.historyMask.fill(1);
  return tensors;
}

/** The engine's order, the first number of a picture, and the price. */
const scoreOf = ({ image, features }: ListTensors): Float32Array =>
  Float32Array.from({ length: K }, (_, i) => -i + image[i * 2]! + features[i * FEATURES.length + PRICE]!);
const scorer = { score: async (tensors: ListTensors) => ok({ score: scoreOf(tensors), gate: new Float32Array(K * 2) }) };

const free = Array.from({ length: K }, () => false);
const orderOf = (isPinned: readonly boolean[]): readonly number[] => {
  const order = rerank(scoreOf(list()), isPinned);
  if (!order.ok) throw new Error(order.error.detail);
  return order.value;
};

it("names the part that lifts a hit, and how many places", async () => {
  const order = orderOf(free);
  expect(order).toEqual([3, 4, 0, 1, 2]);
  const reasons = await reasonsFor(list(), scorer, order, free, undefined);
  expect(reasons[3]).toEqual([{ part: "picture", places: 4 }]);
  expect(reasons[4]).toEqual([
    { part: "price", places: 3 },
    // Without its picture the other one falls behind.
    { part: "picture", places: -1 },
  ]);
  expect(reasons[0]).toEqual([
    { part: "picture", places: -1 },
    { part: "price", places: -1 },
  ]);
});

it("has none for a hit that keeps its slot", async () => {
  const isPinned = [true, false, false, false, false];
  expect((await reasonsFor(list(), scorer, orderOf(isPinned), isPinned, undefined))[0]).toEqual([]);
});

it("leaves a part out of the copy alone", () => {
  const tensors = list();
  without(tensors, "picture");
  expect(tensors).toEqual(list());
});

it("has none where the model fails", async () => {
  const broken = { score: async () => bypass("model_failed", "no") };
  expect(await reasonsFor(list(), broken, orderOf(free), free, undefined)).toEqual([[], [], [], [], []]);
});
