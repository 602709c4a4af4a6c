/**
 * Figures over logged labels: what was clicked and bought on the page as it was shown. Position bias is in them, so they compare models and
 * say little of what a shopper would do with another order.
 */

/** Of what was counted together: scores or probabilities, parallel to labels of 0 and 1. */
interface Labelled {
  readonly values: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

function divide({ values, labels }: Labelled): { positive: Float64Array; negative: Float64Array } {
  const positive: number[] = [];
  const negative: number[] = [];
  for (let i = 0; i < values.length; i++) (labels[i] === 1 ? positive : negative).push(values[i]!);
  return { positive: Float64Array.from(positive).toSorted(), negative: Float64Array.from(negative).toSorted() };
}

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Mann & Whitney 1947; Hanley & McNeil
 * 1982). NaN unless both labels occur.
 */
export function auc(labelled: Labelled): number {
  const { positive, negative } = divide(labelled);
  let below = 0; // negatives smaller than the positive at hand
  let upTo = 0; // negatives not greater than it
  let won = 0;
  for (const value of positive) {
    while (below < negative.length && negative[below]! < value) below++;
    upTo = Math.max(upTo, below);
    while (upTo < negative.length && negative[upTo]! <= value) upTo++;
    won += (below + upTo) / 2;
  }
  return won / (positive.length * negative.length);
}

/**
 * Expected calibration error: Σ n_b / N · |mean label - mean probability| over bins of equal mass (Naeini et al. 2015; equal mass as in
 * Nguyen & O'Connor 2015). Equal probabilities share a bin, so a constant makes one bin and not ten that differ by chance.
 */
export function calibrationError(labelled: Labelled, bins = 10): number {
  const { positive, negative } = divide(labelled);
  const all = positive.length + negative.length;
  let error = 0;
  let seen = 0;
  let closed = 0;
  let bin = { expected: 0, happened: 0 };
  for (let p = 0, n = 0; p < positive.length || n < negative.length;) {
    const value = Math.min(positive[p] ?? Infinity, negative[n] ?? Infinity);
    const [atP, atN] = [p, n];
    while (positive[p] === value) p++;
    while (negative[n] === value) n++;
    bin.expected += value * (p - atP + n - atN);
    bin.happened += p - atP;
    seen = p + n;
    if (seen < ((closed + 1) * all) / bins) continue;
    error += Math.abs(bin.happened - bin.expected);
    bin = { expected: 0, happened: 0 };
    closed = Math.floor((seen * bins) / all);
  }
  return error / all;
}
