/** The mean and spread by which features are scaled, from training lists only. */
import { FEATURES, type FeatureColumns, type FeatureScaling, isScaled } from "../../../ranking/features.ts";

/** Narrower than this, a feature is a constant and is left at its own size. */
const SMALLEST_STD = 1e-6;

export interface ScalingFit {
  /** Takes the raw features of one list. */
  add(columns: FeatureColumns): void;
  /**
   * One entry per FEATURES, in order: mean and standard deviation over the known values of all lists so far; 0 and 1 for a feature that is
   * not scaled, is never known, or never changes.
   */
  scaling(): FeatureScaling[];
}

export function createScalingFit(): ScalingFit {
  const count = new Float64Array(FEATURES.length);
  const sum = new Float64Array(FEATURES.length);
  const squares = new Float64Array(FEATURES.length);
  return {
    add(columns) {
      FEATURES.forEach((name, f) => {
        for (const value of columns[name]) {
          if (Number.isNaN(value)) continue;
          count[f]! += 1;
          sum[f]! += value;
          squares[f]! += value * value;
        }
      });
    },
    scaling: () =>
      FEATURES.map((name, f) => {
        const n = count[f]!;
        if (!isScaled(name) || n === 0) return { name, mean: 0, std: 1 };
        const mean = sum[f]! / n;
        const std = Math.sqrt(Math.max(0, squares[f]! / n - mean * mean));
        return { name, mean, std: std < SMALLEST_STD ? 1 : std };
      }),
  };
}

/** The scaling of lists that are all at hand. */
export function fitScaling(lists: Iterable<FeatureColumns>): FeatureScaling[] {
  const fit = createScalingFit();
  for (const columns of lists) fit.add(columns);
  return fit.scaling();
}
