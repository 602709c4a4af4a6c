/**
 * What the edge randomised in one list: the chance that a candidate stands at a position, over the lists that the edge could have shown for this
 * search. Clicks are weighted by it.
 *
 * `explore` draws one of P pairs of neighbours, each equally often, and swaps it with a chance of 1/2. So each pair is swapped with m = 1/(2P); a
 * candidate stays with 1 - m · (pairs that hold its position: 0, 1 or 2), and moves up or down with m. The record holds one of these numbers per
 * candidate, and that is enough to find P, the pairs and the order before the swap.
 *
 * `interleave` flips a coin before every second pick. All sequences of coins give the chances, once both orders are known.
 *
 * An experiment draws an arm for each shopper. Where the orders of its arms are known for a search, whichever was shown, an item's place in the list is
 * random because the arm is: its chances are those of the arms, in proportion to their shares.
 */
import type { Team } from "../../ranking/interleave.ts";

/** Positions whose clicks are counted: those that are explored. */
export const DEPTH = 10;

export interface Cell {
  /** Index of a candidate. */
  readonly candidate: number;
  readonly chance: number;
}

/** Per position, from the first: who can stand there. */
export type Cells = readonly (readonly Cell[])[];

/** Propensities are stored as float32. */
const TOLERANCE = 1e-4;

/** Candidates by position, from the first one on, as far as no position is missing. */
export function shownOrder(positions: readonly number[]): number[] {
  const at = new Map(positions.map((position, candidate) => [position, candidate]));
  const shown: number[] = [];
  for (let position = 1; at.has(position); position++) shown.push(at.get(position)!);
  return shown;
}

/**
 * From the record of a list with a swapped pair. `undefined` where nothing could have moved, or the numbers are not those of a swap.
 * `propensities` is by candidate. Of a page that ends within the explored positions the last position is left out: its other half is not on record.
 */
export function swapCells(positions: readonly number[], propensities: readonly number[]): Cells | undefined {
  const shown = shownOrder(positions).slice(0, DEPTH);
  const chances = shown.map((candidate) => propensities[candidate] ?? 1);
  const moving = chances.filter((chance) => chance < 1 - TOLERANCE);
  if (moving.length === 0 || moving.some((chance) => !(chance > 0))) return undefined;
  const least = Math.min(...moving);
  // Without a swap everything stays with at least 1/2, and the first position of a row of pairs is in one pair only.
  const isSwapped = least < 0.5 - TOLERANCE;
  const pairs = Math.round(1 / (2 * (isSwapped ? least : 1 - Math.max(...moving))));
  const moved = 1 / (2 * pairs);
  const first = isSwapped ? chances.findIndex((chance) => Math.abs(chance - moved) < TOLERANCE) : -1;
  if (isSwapped && first < 0) return undefined;
  const last = Math.min(DEPTH, positions.length) - 1;
  const isWhole = shown.length > last;
  const counts = chances.map((chance, k) => (first >= 0 && (k === first || k === first + 1) ? undefined : (1 - chance) / moved));
  const isPair = pairsOf(counts, first, isWhole);
  const known = isPair?.filter(Boolean).length ?? Infinity;
  if (isPair === undefined || (isWhole ? known !== pairs : known > pairs)) return undefined;
  // A swap across the end of the page hides who stood there.
  const base: (number | undefined)[] = [...shown];
  if (first >= 0) [base[first], base[first + 1]] = [shown[first + 1], shown[first]];
  return shown.slice(0, isWhole ? undefined : -1).map((_, k) => {
    const [up, down] = [isPair[k - 1] === true, isPair[k] === true];
    const cells: readonly (readonly [number | undefined, number])[] = [
      [base[k], 1 - moved * (Number(up) + Number(down))],
      [base[k - 1], up ? moved : 0],
      [base[k + 1], down ? moved : 0],
    ];
    return cells.flatMap(([candidate, chance]) => (candidate === undefined || chance < TOLERANCE ? [] : [{ candidate, chance }]));
  });
}

/**
 * Which positions begin a pair, without the last one. `counts`: pairs that hold a position, `undefined` at those of the swapped pair, `first` (-1: none).
 */
function pairsOf(counts: readonly (number | undefined)[], first: number, isWhole: boolean): boolean[] | undefined {
  const end = counts.length - 1;
  const rest = (k: number, known: boolean | undefined): boolean | undefined => {
    const count = counts[k]! - Number(known === true);
    return Math.abs(count) < 0.05 ? false : Math.abs(count - 1) < 0.05 ? true : undefined;
  };
  const left: boolean[] = [];
  for (let k = 0; k < (first < 0 ? end + 1 : first); k++) {
    const begins = rest(k, left[k - 1]);
    if (begins === undefined) return undefined;
    left[k] = begins;
  }
  if (first < 0) return isWhole && left[end] === true ? undefined : left.slice(0, end);
  const fits = (isWhole ? [false] : [false, true]).flatMap((beyond) => {
    const pairs = [...left];
    pairs[first] = true;
    if (end > first) pairs[end] = beyond;
    for (let k = end; k > first + 1; k--) {
      const begins = rest(k, pairs[k]);
      if (begins === undefined) return [];
      pairs[k - 1] = begins;
    }
    return [pairs.slice(0, end)];
  });
  const [one, other] = fits;
  return other !== undefined && other.some((begins, k) => begins !== one![k]) ? undefined : one;
}

/** Chances of one order, as far as the page goes. */
export function servedCells(order: readonly number[], page: number): Cells {
  return order.slice(0, page).map((candidate) => [{ candidate, chance: 1 }]);
}

/** Chances of an explored order without a pinned candidate. */
export function exploredCells(order: readonly number[], page: number): Cells {
  const last = Math.min(DEPTH, order.length) - 1;
  const moved = 1 / (2 * last);
  return order.slice(0, page).map((candidate, k) => {
    if (k > last || last < 1) return [{ candidate, chance: 1 }];
    const [up, down] = [k > 0, k < last];
    return [
      { candidate, chance: 1 - moved * (Number(up) + Number(down)) },
      ...(up ? [{ candidate: order[k - 1]!, chance: moved }] : []),
      ...(down ? [{ candidate: order[k + 1]!, chance: moved }] : []),
    ];
  });
}

/** What was shown at a position, and by which team. */
export interface Drafted {
  readonly candidate: number;
  readonly team: Team;
}

/** Whether two orders, drafted by teams (ranking/interleave.ts), can give the record. `shown`: from the first position on. */
export function isDraftOf(a: readonly number[], b: readonly number[], shown: readonly Drafted[]): boolean {
  const taken = new Set(shown.flatMap(({ candidate, team }) => (team === undefined ? [candidate] : [])));
  const picks = { a: 0, b: 0 };
  return shown.every(({ candidate, team }) => {
    if (team === undefined) return true;
    const isTurn = picks.a === picks.b || picks[team] < picks[team === "a" ? "b" : "a"];
    const best = (team === "a" ? a : b).find((each) => !taken.has(each));
    taken.add(candidate);
    picks[team]++;
    return isTurn && best === candidate;
  });
}

/** `mask`: the bits of those that are taken. */
interface DraftState {
  readonly taken: ReadonlySet<number>;
  readonly mask: bigint;
  readonly a: number;
  readonly b: number;
  readonly chance: number;
}

/** Chances under team draft of two orders over all coins. `pinned`: by slot, who stands there whatever the coins say. */
export function draftCells(
  a: readonly number[],
  b: readonly number[],
  page: number,
  pinned: ReadonlyMap<number, number> = new Map(),
): Cells {
  const fixed = new Set(pinned.values());
  const queues = { a: a.filter((each) => !fixed.has(each)), b: b.filter((each) => !fixed.has(each)) };
  const chances = Array.from({ length: Math.min(page, a.length) }, () => new Map<number, number>());
  // Coins that lead to the same picks so far are one state.
  let states: readonly DraftState[] = [{ taken: new Set(), mask: 0n, a: 0, b: 0, chance: 1 }];
  for (const [slot, cells] of chances.entries()) {
    const candidate = pinned.get(slot);
    if (candidate !== undefined) {
      cells.set(candidate, 1);
      continue;
    }
    const next = new Map<bigint, DraftState>();
    for (const state of states) {
      const teams = state.a === state.b ? (["a", "b"] as const) : state.a < state.b ? (["a"] as const) : (["b"] as const);
      for (const team of teams) {
        const pick = queues[team].find((each) => !state.taken.has(each));
        if (pick === undefined) continue;
        const chance = state.chance / teams.length;
        cells.set(pick, (cells.get(pick) ?? 0) + chance);
        const reached = { a: state.a, b: state.b, [team]: state[team] + 1 };
        const taken = new Set([...state.taken, pick]);
        const mask = state.mask | (1n << BigInt(pick));
        const key = mask * 4n + BigInt(reached.a - reached.b + 1);
        next.set(key, { ...reached, mask, taken, chance: chance + (next.get(key)?.chance ?? 0) });
      }
    }
    states = [...next.values()];
  }
  return chances.map((cells) => Array.from(cells, ([candidate, chance]) => ({ candidate, chance })));
}

/** Chances where an arm is drawn first: `share` of the shoppers get each. */
export function mixCells(arms: readonly { readonly share: number; readonly cells: Cells }[]): Cells {
  const total = arms.reduce((sum, { share }) => sum + share, 0);
  return Array.from({ length: Math.max(...arms.map(({ cells }) => cells.length)) }, (_, k) => {
    const chances = new Map<number, number>();
    for (const { share, cells } of arms) {
      for (const { candidate, chance } of cells[k] ?? []) chances.set(candidate, (chances.get(candidate) ?? 0) + (share / total) * chance);
    }
    return Array.from(chances, ([candidate, chance]) => ({ candidate, chance }));
  });
}

/** Where a candidate can stand (from position 1), and how likely. */
export type Places = readonly (readonly [position: number, chance: number])[];

const known = new WeakMap<Cells, ReadonlyMap<number, Places>>();

/** Of those who can stand somewhere. */
export function placesOf(cells: Cells): ReadonlyMap<number, Places> {
  const found = known.get(cells);
  if (found !== undefined) return found;
  const places = new Map<number, [number, number][]>();
  for (const [k, at] of cells.entries()) {
    for (const { candidate, chance } of at) {
      const of = places.get(candidate);
      if (of === undefined) places.set(candidate, [[k + 1, chance]]);
      else of.push([k + 1, chance]);
    }
  }
  known.set(cells, places);
  return places;
}

/** 0 where the candidate cannot stand there. */
export function chanceAt(cells: Cells, candidate: number, position: number): number {
  return cells[position - 1]?.find((cell) => cell.candidate === candidate)?.chance ?? 0;
}
