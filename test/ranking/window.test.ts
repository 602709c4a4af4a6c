import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pageIndices, windowRequest } from "../../src/ranking/window.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("windowRequest()", () => {
  it.each([
    // offset, limit, window, size, isWidened
    [0, 10, 100, 100, true],
    [90, 10, 100, 100, true],
    [95, 10, 100, 105, true],
    [99, 1, 100, 100, true],
    [0, 100, 100, 100, false],
    [0, 150, 100, 150, false],
  ])("hits [%d, +%d) of a window of %d: asks for %d", (offset, limit, window, size, isWidened) => {
    expect(windowRequest({ offset, limit }, window)).toEqual({ size, isWidened });
  });

  it.each([100, 101, 5000])("nothing from offset %d of a window of 100", (offset) => {
    expect(windowRequest({ offset, limit: 10 }, 100)).toBe(undefined);
  });
});

describe("pageIndices()", () => {
  it("continues in engine order behind the window", () => {
    expect(pageIndices([2, 0, 1], 6, { offset: 1, limit: 4 })).toEqual([0, 1, 3, 4]);
  });

  it("gives short and empty pages at the end of the hits", () => {
    expect(pageIndices([1, 0], 2, { offset: 1, limit: 4 })).toEqual([0]);
    expect(pageIndices([1, 0], 2, { offset: 5, limit: 4 })).toEqual([]);
  });

  it("shows every hit once over all pages of any size, in one order", () => {
    const search = fc.record({
      total: fc.nat(60),
      window: fc.integer({ min: 2, max: 40 }),
      limit: fc.integer({ min: 1, max: 25 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(search, ({ total, window, limit, seed }) => {
        // The engine's list re-ranked by a fixed rule of the id, as all pages of one search see it.
        const rankedWindow = upTo(Math.min(window, total)).toSorted((a, b) => ((a * 31 + seed) % 17) - ((b * 31 + seed) % 17));
        const shown: number[] = [];
        for (let offset = 0; offset < total; offset += limit) {
          const request = windowRequest({ offset, limit }, window);
          if (request === undefined) shown.push(...upTo(total).slice(offset, offset + limit));
          else {
            const hitCount = Math.min(total, request.size);
            expect(request.size).toBeGreaterThanOrEqual(Math.min(window, total));
            shown.push(...pageIndices(rankedWindow, hitCount, { offset, limit }));
          }
        }
        expect(shown).toEqual([...rankedWindow, ...upTo(total).slice(rankedWindow.length)]);
      }),
    );
  });
});
