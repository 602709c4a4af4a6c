/**
 * Pure arithmetic of the comparison: how far an item moved, and what the edge's time is made of.
 */

export interface Movement {
  readonly kind: "up" | "down" | "same";
  /** ▲3, ▼1 or = */
  readonly mark: string;
  /** For a screen reader. */
  readonly words: string;
}

/** From the engine's rank to the shown position, both 1-based. */
export function movement(rank: number, position: number): Movement {
  const places = rank - position;
  const count = `${Math.abs(places)} ${Math.abs(places) === 1 ? "place" : "places"}`;
  if (places > 0) return { kind: "up", mark: `▲${places}`, words: `up ${count}` };
  if (places < 0) return { kind: "down", mark: `▼${-places}`, words: `down ${count}` };
  return { kind: "same", mark: "=", words: "not moved" };
}

/** Middle value, mean of the two middle ones; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export interface Timing {
  readonly pairs: number;
  /** Medians in milliseconds, seen from the browser. */
  readonly engineMs: number;
  readonly rerankedMs: number;
  /** Median of the differences within the pairs: steadier than the difference of the medians. */
  readonly addedMs: number;
}

/** `samples`: [with `x-armmt: off`, without], in ms, measured one right after the other. */
export function summarise(samples: readonly (readonly [off: number, on: number])[]): Timing {
  return {
    pairs: samples.length,
    engineMs: median(samples.map(([off]) => off)),
    rerankedMs: median(samples.map(([, on]) => on)),
    addedMs: median(samples.map(([off, on]) => on - off)),
  };
}
