import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftTeams, EXPLORED_POSITIONS, swapNeighbours } from "../../src/ranking/interleave.ts";

const identity = (count: number): number[] => [...Array(count).keys()];

/** Two permutations of the same places that leave pinned places where they are. */
const lists = fc.integer({ min: 1, max: 30 }).chain((count) => {
  const shuffled = fc.shuffledSubarray(identity(count), { minLength: count });
  return fc
    .tuple(shuffled, shuffled, fc.array(fc.boolean(), { minLength: count, maxLength: count }), fc.string())
    .map(([a, b, isPinned, seed]) => {
      const keep = (order: readonly number[]): number[] => {
        const free = order.filter((place) => !isPinned[place]);
        return order.map((_, slot) => (isPinned[slot] === true ? slot : free.shift()!));
      };
      return { a: keep(a), b: keep(b), isPinned, seed };
    });
});

describe("draftTeams()", () => {
  it("is a permutation with pins in place, the same for a seed, and fair after every pair of picks", () => {
    fc.assert(
      fc.property(lists, ({ a, b, isPinned, seed }) => {
        const drafted = draftTeams(a, b, isPinned, seed);
        expect(drafted.order.toSorted((x, y) => x - y)).toEqual(identity(a.length));
        expect(draftTeams(a, b, isPinned, seed)).toEqual(drafted);
        drafted.order.forEach((place, slot) => {
          expect(drafted.teams[slot] === undefined).toBe(isPinned[slot]);
          if (isPinned[slot] === true) expect(place).toBe(slot);
        });
        const teams = drafted.teams.filter((team) => team !== undefined);
        for (let i = 0; i + 1 < teams.length; i += 2) expect(teams[i]).not.toBe(teams[i + 1]);
      }),
    );
  });

  it("lets each team place the best that is left of its own order", () => {
    fc.assert(
      fc.property(lists, ({ a, b, isPinned, seed }) => {
        const { order, teams } = draftTeams(a, b, isPinned, seed);
        order.forEach((place, slot) => {
          const team = teams[slot];
          if (team === undefined) return;
          const left = new Set(order.slice(slot).filter((one) => isPinned[one] !== true));
          expect((team === "a" ? a : b).find((one) => left.has(one))).toBe(place);
        });
      }),
    );
  });

  it("gives both teams the first place equally often", () => {
    const first = Array.from({ length: 4000 }, (_, i) => draftTeams([0, 1, 2], [2, 1, 0], [false, false, false], `seed ${i}`).teams[0]);
    expect(Math.abs(first.filter((team) => team === "a").length - 2000)).toBeLessThan(4 * Math.sqrt(1000));
  });
});

describe("swapNeighbours()", () => {
  it("swaps one pair of free neighbours of the first page, or none", () => {
    fc.assert(
      fc.property(lists, ({ a, isPinned, seed }) => {
        const { order, propensities } = swapNeighbours(a, isPinned, seed);
        const moved = identity(a.length).filter((position) => order[position] !== a[position]);
        expect([0, 2]).toContain(moved.length);
        if (moved.length === 2) {
          expect(moved[1]! - moved[0]!).toBe(1);
          expect(moved[1]).toBeLessThan(EXPLORED_POSITIONS);
          expect(moved.some((position) => isPinned[a[position]!])).toBe(false);
        }
        expect(order.toSorted((x, y) => x - y)).toEqual(identity(a.length));
        expect(propensities.every((chance) => chance > 0 && chance <= 1)).toBe(true);
      }),
    );
  });

  it("records the chances with which candidates come to stand where they do", () => {
    const count = 12;
    const runs = 40_000;
    const isPinned = identity(count).map((place) => place === 4);
    const seen = new Map<string, number>();
    const told = new Map<string, number>();
    for (let i = 0; i < runs; i++) {
      const { order, propensities } = swapNeighbours(identity(count), isPinned, `seed ${i}`);
      order.forEach((place, position) => {
        const key = `${place} at ${position}`;
        seen.set(key, (seen.get(key) ?? 0) + 1 / runs);
        told.set(key, propensities[position]!);
      });
    }
    for (const [key, chance] of told) {
      expect(Math.abs(seen.get(key)! - chance)).toBeLessThan(4.5 * Math.sqrt((chance * (1 - chance)) / runs) + 1e-9);
    }
    expect(told.get("4 at 4")).toBe(1);
    expect(told.get("11 at 11")).toBe(1);
  });
});
