import { describe, expect, it } from "vitest";
import { chanceAt, DEPTH, draftCells, exploredCells, isDraftOf, mixCells, servedCells, swapCells } from "../../../src/cli/gate/exposure.ts";
import { draftTeams, swapNeighbours } from "../../../src/ranking/interleave.ts";

const SIZE = 14;
const SEEDS = 4000;

/** Positions and numbers by candidate, as `armmt lists` writes them; `page`: how many were shown. */
function recordOf({ order, propensities }: ReturnType<typeof swapNeighbours>, page: number) {
  const positions = Array.from({ length: order.length }, () => 0);
  const chances = Array.from({ length: order.length }, () => 1);
  order.slice(0, page).forEach((candidate, i) => {
    positions[candidate] = i + 1;
    chances[candidate] = Math.fround(propensities[i]!);
  });
  return { positions, chances };
}

const order = Array.from({ length: SIZE }, (_, i) => (i * 5) % SIZE);

describe("chances of explored lists", () => {
  it.each([
    ["no pin", [], SIZE],
    ["a pin at the top", [0], SIZE],
    ["pins in the middle", [3, 6], SIZE],
    ["a page of five", [], 5],
    ["a page of five with a pin", [2], 5],
    ["every second pinned", [2, 5, 8], SIZE],
    ["two free at the top", [2, 3, 4, 5, 6, 7, 8, 9], SIZE],
    ["three free in the middle", [0, 1, 2, 6, 7, 8, 9], SIZE],
    ["two pairs apart", [2, 3, 6, 7, 8, 9], SIZE],
  ])("are those with which the edge shows them: %s", (_, pins, page) => {
    const isPinned = order.map((__, candidate) => pins.some((slot) => order[slot] === candidate));
    const seen = new Map<string, number>();
    for (let i = 0; i < SEEDS; i++) {
      const { order: shown } = swapNeighbours(order, isPinned, `seed ${i}`);
      shown.slice(0, DEPTH).forEach((candidate, k) => seen.set(`${candidate} ${k}`, (seen.get(`${candidate} ${k}`) ?? 0) + 1 / SEEDS));
    }
    for (let i = 0; i < 60; i++) {
      const { positions, chances } = recordOf(swapNeighbours(order, isPinned, `list ${i}`), page);
      const cells = swapCells(positions, chances);
      expect(cells).toBeDefined();
      expect(cells).toHaveLength(page < DEPTH ? page - 1 : DEPTH);
      cells!.forEach((at, k) => {
        const sum = at.reduce((all, { chance }) => all + chance, 0);
        // Who stood at the end of the page is not on record where it was swapped with the first of the next.
        if (page === SIZE || k < page - 2) expect(sum).toBeCloseTo(1, 5);
        else expect(sum).toBeLessThan(1.00001);
        // 4,000 draws: four standard errors.
        for (const { candidate, chance } of at) expect(Math.abs((seen.get(`${candidate} ${k}`) ?? 0) - chance)).toBeLessThan(0.033);
      });
    }
  });

  it("are not invented where nothing could move, or the numbers are not a swap's", () => {
    expect(swapCells([1, 2, 3], [1, 1, 1])).toBeUndefined();
    expect(swapCells([1, 2, 3], [0.3, 0.9, 1])).toBeUndefined();
    expect(swapCells([1, 2, 3], [0, 0.5, 0.5])).toBeUndefined();
    expect(swapCells([0, 0, 0], [1, 1, 1])).toBeUndefined();
  });
});

describe("chances of the arms of an experiment", () => {
  it("are those of each arm, in proportion to its shoppers", () => {
    const cells = mixCells([
      { share: 3, cells: servedCells([0, 1, 2], 3) },
      { share: 1, cells: servedCells([1, 0, 2], 3) },
    ]);
    expect(chanceAt(cells, 0, 1)).toBeCloseTo(0.75, 12);
    expect(chanceAt(cells, 1, 1)).toBeCloseTo(0.25, 12);
    expect(chanceAt(cells, 2, 3)).toBeCloseTo(1, 12);
    expect(chanceAt(cells, 2, 1)).toBe(0);
  });

  it("of an explored order are those that its record tells", () => {
    const { positions, chances } = recordOf(swapNeighbours(order, [], "a list"), SIZE);
    const told = swapCells(positions, chances)!;
    const known = exploredCells(order, SIZE);
    for (const [k, at] of told.entries()) {
      for (const { candidate, chance } of at) expect(chanceAt(known, candidate, k + 1)).toBeCloseTo(chance, 5);
    }
  });
});

describe("chances of interleaved lists", () => {
  const a = Array.from({ length: SIZE }, (_, i) => i);
  const b = [3, 0, 1, 7, 2, 9, 4, 5, 13, 6, 8, 10, 11, 12];

  it.each([{ pins: [] }, { pins: [0] }, { pins: [1, 4] }])(
    "are those with which the edge drafts them (pinned slots $pins)",
    ({ pins }: { readonly pins: readonly number[] }) => {
      const isPinned = a.map((slot) => pins.includes(slot));
      const [ofA, ofB] = [a, b].map((each) => withPins(each, isPinned));
      const seen = new Map<string, number>();
      for (let i = 0; i < SEEDS; i++) {
        const { order: shown } = draftTeams(ofA!, ofB!, isPinned, `seed ${i}`);
        shown.forEach((candidate, k) => seen.set(`${candidate} ${k}`, (seen.get(`${candidate} ${k}`) ?? 0) + 1 / SEEDS));
      }
      const pinned = new Map(pins.map((slot) => [slot, slot]));
      const cells = draftCells(ofA!, ofB!, SIZE, pinned);
      expect(cells).toHaveLength(SIZE);
      for (const at of cells) expect(at.reduce((sum, { chance }) => sum + chance, 0)).toBeCloseTo(1, 9);
      for (const [key, share] of seen) {
        const [candidate, k] = key.split(" ").map(Number);
        expect(Math.abs(chanceAt(cells, candidate!, k! + 1) - share)).toBeLessThan(0.033);
      }
    },
  );

  it("are refused where other orders were interleaved", () => {
    const { order: shown, teams } = draftTeams(a, b, [], "a list");
    const record = shown.map((candidate, i) => ({ candidate, team: teams[i] }));
    expect(isDraftOf(a, b, record)).toBe(true);
    expect(isDraftOf(a, b.toReversed(), record)).toBe(false);
  });
});

/** Pinned candidates keep their slots in every order. */
function withPins(each: readonly number[], isPinned: readonly boolean[]): number[] {
  const free = each.filter((candidate) => isPinned[candidate] !== true);
  return isPinned.map((pinned, slot) => (pinned ? slot : free.shift()!));
}
