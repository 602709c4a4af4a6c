/** Pseudo-random numbers seeded by a text, so that a product is the same on every machine and in every catalogue size. Not for secrets. */

function entry<T>(from: readonly T[], index: number): T {
  const found = from[Math.min(index, from.length - 1)];
  if (found === undefined) throw new Error("Cannot pick from an empty list");
  return found;
}

/** FNV-1a, 32 bit, over the low and high bytes of UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** mulberry32, seeded with the FNV-1a hash of `seed`: uniform in [0, 1). */
function mulberry32(seed: string): () => number {
  let state = fnv1a(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function createRandom(seed: string) {
  return randomFrom(mulberry32(seed));
}

/**
 * For many long simulations: all seeds of a single generator lie on one cycle of 2³² numbers, so that thousands of simulations of a million numbers
 * each would share stretches of it. The sum of two has as many cycles as seeds (Wichmann & Hill 1982).
 */
export function createLongRandom(seed: string) {
  const [one, other] = [mulberry32(seed), mulberry32(`${seed}'`)];
  return randomFrom(() => (one() + other()) % 1);
}

function randomFrom(next: () => number) {
  return {
    /** Uniform in [0, 1). */
    next,
    /** Uniform in [low, high). */
    between: (low: number, high: number): number => low + (high - low) * next(),
    /** True with the given probability. */
    chance: (probability: number): boolean => next() < probability,
    /** An entry of a non-empty list. */
    pick: <T>(from: readonly T[]): T => entry(from, Math.floor(next() * from.length)),
    /** An entry of a non-empty list, in proportion to its weight. */
    pickWeighted: <T>(from: readonly T[], weight: (entry: T) => number): T => {
      let left = next() * from.reduce((sum, item) => sum + weight(item), 0);
      const index = from.findIndex((item) => (left -= weight(item)) < 0);
      return entry(from, index < 0 ? from.length : index);
    },
    /** Standard normal, by Box–Muller; 1 - next() is never 0. */
    normal: (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

export type Random = ReturnType<typeof createRandom>;
