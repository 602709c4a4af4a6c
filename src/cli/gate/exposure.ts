/**
 * What the edge randomised in one list: the chance that a candidate stands at a position, over the lists that the edge could have shown for this
 * search. Clicks are weighted by it.
 *
 * `explore` draws one of P pairs of neighbours, each equally often, and swaps it with a chance of 1/2. So each pair is swapped with m = 1/(2P); a
 * candidate stays with 1 - m · (pairs that hold its position: 0, 1 or 2), and moves up or down with m. The record holds one of these numbers per
 * candidate, and that is enough to find P, the pairs and the order before the swap.
 *
 * `interleave` flips a coin before every second pick. All sequences of coins give the chances, once both orders are known.
 */
import type { Team } from "../../ranking/interleave.ts";

/** Positions whose clicks are counted: those that are explored. */
export const DEPTH = 10;

export interface Cell {
  /** Index of a candidate. */
  readonly candidate: number;
  readonly chance: number;
}

/** Per position (from the first) of the first DEPTH: who can stand there. */
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

/** What was shown at a position, and by which team. */
export interface Drafted {
  readonly candidate: number;
  readonly team: Team;
}

/**
 * Chances under team draft (ranking/interleave.ts) of two orders. `shown`: the record, from the first position on. `undefined` where no
 * sequence of coins gives it: the orders are not those that were interleaved.
 */
export function draftCells(a: readonly number[], b: readonly number[], shown: readonly Drafted[]): Cells | undefined {
  const depth = Math.min(DEPTH, shown.length, a.length);
  const chances = Array.from({ length: depth }, () => new Map<number, number>());
  const pinned = new Set(shown.flatMap(({ candidate, team }) => (team === undefined ? [candidate] : [])));
  const [ofA, ofB] = [a.filter((candidate) => !pinned.has(candidate)), b.filter((candidate) => !pinned.has(candidate))];
  let isSeen = false;
  const draft = (slot: number, taken: ReadonlySet<number>, picks: Record<"a" | "b", number>, chance: number, agrees: boolean): void => {
    if (slot === depth) {
      isSeen ||= agrees;
      return;
    }
    const record = shown[slot]!;
    const add = (candidate: number, part: number): void => {
      chances[slot]!.set(candidate, (chances[slot]!.get(candidate) ?? 0) + part);
    };
    if (record.team === undefined) {
      add(record.candidate, chance);
      draft(slot + 1, taken, picks, chance, agrees);
      return;
    }
    const teams = picks.a === picks.b ? (["a", "b"] as const) : picks.a < picks.b ? (["a"] as const) : (["b"] as const);
    for (const team of teams) {
      const candidate = (team === "a" ? ofA : ofB).find((each) => !taken.has(each));
      if (candidate === undefined) continue;
      const part = chance / teams.length;
      add(candidate, part);
      const isRecord = candidate === record.candidate && team === record.team;
      draft(slot + 1, new Set([...taken, candidate]), { ...picks, [team]: picks[team] + 1 }, part, agrees && isRecord);
    }
  };
  draft(0, new Set(), { a: 0, b: 0 }, 1, true);
  return isSeen ? chances.map((cells) => Array.from(cells, ([candidate, chance]) => ({ candidate, chance }))) : undefined;
}

/** 0 where the candidate cannot stand there. */
export function chanceAt(cells: Cells, candidate: number, position: number): number {
  return cells[position - 1]?.find((cell) => cell.candidate === candidate)?.chance ?? 0;
}
