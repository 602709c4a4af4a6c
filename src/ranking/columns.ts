/**
 * How a value stands in its list: the arithmetic of features.ts, which says what is compared with what. Writes into columns that the caller
 * made.
 */

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
  // What is unknown is sorted to the end.
  const sorted = values.toSorted();
  let count = sorted.length;
  while (count > 0 && Number.isNaN(sorted[count - 1])) count--;
  const known = sorted.subarray(0, count);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    into[i] = Number.isNaN(value) ? Number.NaN : (countBelow(known, value) + countUpTo(known, value)) / 2 / count;
  }
}

/** Of ascending values, how many are below `value`. */
function countBelow(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of ascending values, how many are not above `value`. */
function countUpTo(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes of scores (score - min) / (max - min) of the list; all equal scores are 1, because the engine holds them equally good. */
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
