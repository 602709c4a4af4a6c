import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rerank } from "../../src/ranking/rerank.ts";

const free = (count: number) => Array<boolean>(count).fill(false);

/** Few distinct values, so that ties are the rule. */
const candidates = fc.array(
  fc.record({ score: fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1)), pinned: fc.boolean() }),
);

function orderOf(scores: readonly number[], pinned: readonly boolean[] = free(scores.length)): readonly number[] {
  const order = rerank(Float32Array.from(scores), pinned);
  if (!order.ok) throw new Error(order.error.detail);
  return order.value;
}

describe("rerank()", () => {
  it("puts the best score first", () => {
    expect(orderOf([0.1, 0.9, -3, 0.5])).toEqual([1, 3, 0, 2]);
    expect(orderOf([])).toEqual([]);
  });

  it("keeps the engine's order on ties, 0 and -0 included", () => {
    expect(orderOf([1, 2, 1, 2, 0, -0])).toEqual([1, 3, 0, 2, 4, 5]);
  });

  it("keeps the candidates of a section before those of the next, around pinned ones", () => {
    const order = rerank([0, 1, 9, 3, 8, 7], [false, false, false, true, false, false], [0, 0, 0, 1, 1, 2]);
    expect(order).toEqual({ ok: true, value: [2, 1, 0, 3, 4, 5] });
  });

  it("keeps pinned candidates in their slots", () => {
    expect(orderOf([0, 1, 2, 3], [true, false, true, false])).toEqual([0, 3, 2, 1]);
  });

  it("gives a permutation in which free candidates descend, ties ascend and pinned ones stay", () => {
    fc.assert(
      fc.property(candidates, (list) => {
        const scores = list.map((one) => Math.fround(one.score));
        const pinned = list.map((one) => one.pinned);
        const order = orderOf(scores, pinned);
        expect(order.toSorted((a, b) => a - b)).toEqual([...list.keys()]);
        pinned.forEach((isPinned, slot) => isPinned && expect(order[slot]).toBe(slot));
        const shown = order.filter((place) => !pinned[place]);
        for (let i = 1; i < shown.length; i++) {
          const [above, below] = [shown[i - 1]!, shown[i]!];
          expect(scores[above]! > scores[below]! || (scores[above] === scores[below] && above < below)).toBe(true);
        }
      }),
    );
  });

  it.each([Number.NaN, Infinity, -Infinity])("refuses %d as a score", (value) => {
    expect(rerank([1, value, 2], free(3))).toEqual({
      ok: false,
      error: { reason: "scores_not_finite", detail: `The score at rank 2 is ${value}` },
    });
  });

  it.each([0, 2, 4])("refuses %d scores for 3 candidates", (count) => {
    const order = rerank(new Float32Array(count), free(3));
    expect(order.ok ? undefined : order.error.reason).toBe("scores_wrong_count");
  });
});
