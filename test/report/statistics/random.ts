/** Chance for simulations: the same numbers in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Searches of one shopper: 1, 2, … with a long tail, and a taste for clicking that all of them share. */
export interface Shopper {
  readonly searches: number;
  readonly clicks: number;
}

/** Beta-like taste around `rate`, so that searches of one shopper hang together. */
export function drawShopper(random: () => number, rate: number): Shopper {
  let searches = 1;
  while (random() < 0.55) searches++;
  const taste = rate * (random() < 0.5 ? 0.4 : 1.6);
  let clicks = 0;
  for (let s = 0; s < searches; s++) if (random() < taste) clicks++;
  return { searches, clicks };
}
