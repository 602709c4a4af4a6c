/**
 * Chance that follows from a text, so that a product is the same on every machine and in every catalogue size. Not for secrets.
 */
import { fnv1a } from "../ranking/tokenizer.ts";

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of a non-empty list. */
  pick<T>(from: readonly T[]): T;
  /** One of a non-empty list, in proportion to its weight. */
  pickWeighted<T>(from: readonly T[], weight: (entry: T) => number): T;
  /** Standard normal. */
  normal(): number;
}

function entry<T>(from: readonly T[], at: number): T {
  const found = from[Math.min(at, from.length - 1)];
  if (found === undefined) throw new Error("Cannot pick from an empty list");
  return found;
}

/** mulberry32, seeded with the FNV-1a hash of `seed`. */
export function createRandom(seed: string): Random {
  let state = fnv1a(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    pick: (from) => entry(from, Math.floor(next() * from.length)),
    pickWeighted: (from, weight) => {
      let left = next() * from.reduce((sum, one) => sum + weight(one), 0);
      const at = from.findIndex((one) => (left -= weight(one)) < 0);
      return entry(from, at < 0 ? from.length : at);
    },
    // Box–Muller; 1 - next() is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
