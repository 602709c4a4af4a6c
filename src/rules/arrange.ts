/** The arithmetic of the rules that move hits among others: by places, by a cap, by how alike they are. Pure: lists in, lists out. */
import type { Value } from "./document.ts";
import { foldedValue } from "./hits.ts";

/**
 * Each hit `places` further up (below 0: down) than it would stand, among its block; at one place what goes up comes before what was there, and
 * what goes down after it. Moves in rank mean the same on every engine, also where all scores are equal.
 */
export function boosted(queue: readonly number[], places: Int32Array, blockOf: (hit: number) => number): readonly number[] {
  if (queue.every((hit) => places[hit] === 0)) return queue;
  const ranks = new Int32Array(places.length);
  const counts = new Map<number, number>();
  for (const hit of queue) {
    const block = blockOf(hit);
    const rank = counts.get(block) ?? 0;
    counts.set(block, rank + 1);
    ranks[hit] = rank - places[hit]!;
  }
  return queue.toSorted((a, b) => blockOf(a) - blockOf(b) || ranks[a]! - ranks[b]! || places[b]! - places[a]!);
}

interface Diversity {
  /** How many of the first hits are chosen. */
  readonly count: number;
  /** Hits that stand there anyhow. */
  readonly seen: readonly number[];
  readonly blockOf: (hit: number) => number;
  readonly likeness: (a: number, b: number) => number;
  /** 1: as before; 0: as different as can be. */
  readonly relevance: number;
}

/**
 * Maximal marginal relevance (Carbonell & Goldstein 1998, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
 * Summaries"): next is what has the most of λ · relevance − (1 − λ) · likeness to the most alike of those before it. Relevance falls by rank from 1
 * to 0, as scores of engines do not compare. Equals keep their order; no hit leaves its block.
 */
export function diversified(queue: readonly number[], { count, seen, blockOf, likeness, relevance }: Diversity): readonly number[] {
  const left = [...queue];
  const size = 1 + queue.reduce((most, hit) => Math.max(most, hit), 0);
  const rankOf = new Uint16Array(size);
  for (const [rank, hit] of queue.entries()) rankOf[hit] = rank;
  const nearest = new Float64Array(size);
  const meet = (other: number): void => {
    for (const hit of left) nearest[hit] = Math.max(nearest[hit]!, likeness(hit, other));
  };
  for (const hit of seen) meet(hit);
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0) {
    const block = blockOf(left[0]!);
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < left.length && blockOf(left[i]!) === block; i++) {
      const hit = left[i]!;
      const worth = relevance * (1 - rankOf[hit]! / queue.length) - (1 - relevance) * nearest[hit]!;
      if (worth <= most) continue;
      most = worth;
      best = i;
    }
    const [hit] = left.splice(best, 1);
    chosen.push(hit!);
    if (chosen.length < count) meet(hit!);
  }
  return [...chosen, ...left];
}

interface Limit {
  readonly field: string;
  /** Hits of one value … */
  readonly most: number;
  /** … in the first so many positions. */
  readonly first: number;
}

interface Capped {
  readonly order: readonly number[];
  /** By limit: hits that it kept out. */
  readonly demoted: readonly (readonly number[])[];
  /** By limit: whether more of a value are there than it allows. */
  readonly isBroken: readonly boolean[];
}

interface CapOptions {
  /** Slot → its hit, or -1. */
  readonly fixed: Int32Array;
  /** Hits for the other slots, block by block. */
  readonly queue: readonly number[];
  readonly blockOf: (hit: number) => number;
  /** The winner first. */
  readonly limits: readonly Limit[];
  readonly valuesOf: (hit: number, field: string) => readonly Value[];
}

/**
 * Fills the free slots from the top, each with the first hit of the block that breaks no limit; where all do, with the first that breaks none of the
 * stronger limits. For one limit that is the best there is (a partition matroid); several that overlap are met in their order. A hit without a value
 * is alone of its kind.
 */
export function capped({ fixed, queue, blockOf, limits, valuesOf }: CapOptions): Capped {
  // Kinds as numbers: each is counted for every hit of every free slot.
  const numbers = limits.map(() => new Map<string, number>());
  const counts: number[][] = limits.map(() => []);
  const kinds: (readonly number[])[][] = limits.map(() => []);
  const demoted = limits.map(() => new Set<number>());
  const kindsOf = (l: number, hit: number): readonly number[] => {
    const known = kinds[l]![hit];
    if (known !== undefined) return known;
    const own = numbers[l]!;
    const found = [...new Set(valuesOf(hit, limits[l]!.field).map(foldedValue))].map((kind) => {
      const number = own.get(kind) ?? own.size;
      own.set(kind, number);
      return number;
    });
    kinds[l]![hit] = found;
    return found;
  };
  const count = (hit: number, slot: number): void => {
    for (const [l, { first }] of limits.entries()) {
      if (slot >= first) continue;
      for (const kind of kindsOf(l, hit)) counts[l]![kind] = (counts[l]![kind] ?? 0) + 1;
    }
  };
  for (const [slot, hit] of fixed.entries()) if (hit >= 0) count(hit, slot);
  const breaks = (l: number, hit: number, slot: number): boolean => {
    const { first, most } = limits[l]!;
    if (slot >= first) return false;
    for (const kind of kindsOf(l, hit)) if ((counts[l]![kind] ?? 0) >= most) return true;
    return false;
  };
  /** The strongest limit that a hit breaks. */
  const firstBroken = (hit: number, slot: number): number => {
    let l = 0;
    while (l < limits.length && !breaks(l, hit, slot)) l++;
    return l;
  };
  const left = [...queue];
  // Of the first block that is left.
  let size = 0;
  const end = Math.max(...limits.map(({ first }) => first));
  let next = 0;
  const order = Array.from(fixed, (hit, slot) => {
    if (hit >= 0) return hit;
    if (slot >= end) return left[next++]!;
    if (size === 0) {
      const block = blockOf(left[0]!);
      while (size < left.length && blockOf(left[size]!) === block) size++;
    }
    let at = 0;
    let least = -1;
    for (let i = 0; i < size && least < limits.length; i++) {
      const broken = firstBroken(left[i]!, slot);
      if (broken > least) [at, least] = [i, broken];
    }
    for (let i = 0; i < at; i++) for (const l of limits.keys()) if (breaks(l, left[i]!, slot)) demoted[l]!.add(left[i]!);
    const [chosen] = left.splice(at, 1);
    size--;
    count(chosen!, slot);
    return chosen!;
  });
  const isBroken = limits.map(({ most }, l) => counts[l]!.some((number) => number > most));
  return { order, demoted: demoted.map((hits) => [...hits]), isBroken };
}
