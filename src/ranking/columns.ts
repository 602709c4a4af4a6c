/** A value relative to its list: the arithmetic of features.ts. Writes into columns that the caller allocated. */

/** One value per candidate, NaN where it is unknown: an array that holds `undefined` makes an object of every number. */
export type Column = Float64Array;

/** Writes the difference to the mean of the known values. */
export function writeGap(into: Column, values: Column): void {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  const mean = sum / count;
  for (let i = 0; i < values.length; i++) into[i] = values[i]! - mean;
}

/** Writes the mid-rank percentile among the known values: (below + half of the equal) / count, so a list of equals is 0.5 everywhere. */
export function writePercentile(into: Column, values: Column): void {
  // NaN sorts to the end.
  const sorted = values.toSorted();
  let count = sorted.length;
  while (count > 0 && Number.isNaN(sorted[count - 1])) count--;
  const known = sorted.subarray(0, count);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    into[i] = Number.isNaN(value) ? Number.NaN : (countBelow(known, value, false) + countBelow(known, value, true)) / 2 / count;
  }
}

/** Of ascending values, how many are below `value`, or with `orEqual` not above it. */
function countBelow(ascending: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = ascending[middle]!;
    if (other < value || (orEqual && other === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Replaces scores with (score - min) / (max - min) of the list; equal scores are all 1, because to the engine they are equally good. */
export function makeRelative(scores: Column): void {
  let min = Infinity;
  let max = -Infinity;
  for (const score of scores) {
    if (score < min) min = score;
    if (score > max) max = score;
  }
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (!Number.isNaN(score)) scores[i] = max > min ? (score - min) / (max - min) : 1;
  }
}
