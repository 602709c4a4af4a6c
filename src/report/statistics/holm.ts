/**
 * Many comparisons at once: p-values that may be read together.
 *
 * Holm 1979, "A simple sequentially rejective multiple test procedure": the chance that any of the named ones is false stays below α,
 * whatever hangs together with whatever. Chosen over Benjamini and Hochberg's, which lets a share of the named be false, because whoever reads a
 * table of segments acts on one of them.
 */

/** Parallel to `p`. Never below the given one, at most 1. */
export function holm(p: readonly number[]): readonly number[] {
  const order = p.map((_, i) => i).toSorted((a, b) => (p[a] ?? 1) - (p[b] ?? 1));
  const adjusted = p.map(() => 1);
  let highest = 0;
  order.forEach((place, rank) => {
    highest = Math.max(highest, Math.min(1, (p.length - rank) * (p[place] ?? 1)));
    adjusted[place] = highest;
  });
  return adjusted;
}
