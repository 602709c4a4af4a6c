/** How sure a comparison would be if both arms were alike: for arms with too few events to be compared, so that the report can tell days all the same. */
import { type ClusterSums, estimateRatio, mergeSums } from "../statistics/ratio.ts";

/** Of the logarithm of the ratio, as `compareArms`; `undefined` without an event in both arms together. */
export function expectedError(control: ClusterSums, variant: ClusterSums) {
  const together = estimateRatio(mergeSums(control, variant));
  if (together === undefined || !(together.value > 0) || control.clusters === 0 || variant.clusters === 0) return undefined;
  const ofOne = together.variance * together.clusters;
  return {
    standardError: Math.sqrt(ofOne * (1 / control.clusters + 1 / variant.clusters)) / together.value,
    clusters: control.clusters + variant.clusters,
  };
}
