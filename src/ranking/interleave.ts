/**
 * Two orders of one list → one, for comparing them with few searches; and one order → nearly the same, for estimating position bias. Seeded, so
 * that all pages of a search agree. Pinned candidates keep their slots and belong to neither team.
 */
import { fnv1a } from "./tokenizer.ts";

/** Who placed a candidate; undefined for a pinned one. */
export type Team = "a" | "b" | undefined;

/**
 * Team draft (Radlinski, Kurup & Joachims 2008, "How does clickthrough data reflect retrieval quality?", algorithm 2): the team with fewer
 * picks goes next, a coin decides between equals, and each takes the best of its own order that is still there.
 * `a` and `b` are permutations of the same indices; `isPinned` is by index, and both keep pinned indices where they are. `order`: indices of
 * the engine's list in the order to show; `teams` is parallel to it.
 */
export function draftTeams(a: readonly number[], b: readonly number[], isPinned: readonly boolean[], seed: string) {
  const next = randomFrom(seed);
  const isFree = (index: number): boolean => isPinned[index] !== true;
  const queues = { a: a.filter(isFree), b: b.filter(isFree) };
  const at = { a: 0, b: 0 };
  const picks = { a: 0, b: 0 };
  const taken = new Set<number>();
  const draw = (): { index: number; team: "a" | "b" } => {
    const team = picks.a === picks.b ? (next() < 0.5 ? "a" : "b") : picks.a < picks.b ? "a" : "b";
    while (taken.has(queues[team][at[team]]!)) at[team]++;
    const index = queues[team][at[team]]!;
    taken.add(index);
    picks[team]++;
    return { index, team };
  };
  const drafted = a.map((_, slot): { index: number; team: Team } => (isPinned[slot] === true ? { index: slot, team: undefined } : draw()));
  return { order: drafted.map(({ index }) => index), teams: drafted.map(({ team }) => team) };
}

/** Swaps stay within the first page, where people look. */
export const EXPLORED_POSITIONS = 10;

/**
 * Swaps one pair of neighbours with a chance of 1/2, each pair of the first EXPLORED_POSITIONS equally often (swap intervention of
 * Joachims, Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with Biased Feedback", section 5.3, with neighbours instead of
 * a fixed first position). A pair with a pinned candidate, or of two `sections`, is left out. `propensities`, parallel to `order`: the probability of this candidate
 * at this position, given this query; 1 where nothing could have moved it.
 */
export function swapNeighbours(order: readonly number[], isPinned: readonly boolean[], seed: string, sections?: readonly number[]) {
  const last = Math.min(EXPLORED_POSITIONS, order.length) - 1;
  const isFree = (position: number): boolean => isPinned[order[position]!] !== true;
  const isOne = (position: number): boolean => sections?.[order[position]!] === sections?.[order[position + 1]!];
  const positions = Array.from({ length: Math.max(0, last) }, (_, position) => position);
  const pairs = positions.filter((p) => isFree(p) && isFree(p + 1) && isOne(p));
  if (pairs.length === 0) return { order, propensities: order.map(() => 1) };
  const next = randomFrom(seed);
  const first = pairs[Math.floor(next() * pairs.length)]!;
  const isSwapped = next() < 0.5;
  const shown = order.map((index, position) => {
    if (!isSwapped || position < first || position > first + 1) return index;
    return order[position === first ? first + 1 : first]!;
  });
  const moved = 1 / (2 * pairs.length);
  const propensities = shown.map((index, position) => {
    if (index !== order[position]) return moved;
    return 1 - moved * pairs.filter((pair) => pair === position || pair + 1 === position).length;
  });
  return { order: shown, propensities };
}

/** Uniform in [0, 1), from a text. */
export function randomFrom(seed: string): () => number {
  const next = randomBits(fnv1a(seed));
  return () => next() / 2 ** 32;
}

/** mulberry32: 32 random bits per call, the same on every machine. */
export function randomBits(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
