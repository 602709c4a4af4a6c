/**
 * Which variant a unit sees: GrowthBook's hash and bucket ranges, so that every isolate, every language and GrowthBook itself agree.
 *
 * Pure. Nothing is remembered: the same unit in the same experiment gets the same variant for as long as key, weights and coverage stay.
 */

export interface Experiment<V extends string = string> {
  /** Another key splits the same units anew. */
  readonly key: string;
  /** Of the hash; default the key. To go on with an experiment under another name. */
  readonly seed?: string | undefined;
  /** Default 2, as in new GrowthBook experiments. */
  readonly hashVersion?: 1 | 2 | undefined;
  /** In bucket order; appending keeps earlier ranges only if the weights do. */
  readonly variations: readonly V[];
  /** One per variation, adding up to 1; anything else is read as equal weights, as GrowthBook does. */
  readonly weights?: readonly number[] | undefined;
  /** Share of units that take part, 0..1; default 1. Raising it moves nobody who took part before. */
  readonly coverage?: number | undefined;
}

export interface Assignment<V extends string = string> {
  readonly variant: V;
  /** Where the unit fell, 0 <= bucket < 1. */
  readonly bucket: number;
}

/** [start, end) within 0..1. */
export type BucketRange = readonly [start: number, end: number];

/** How far weights may miss a sum of 1. */
const WEIGHT_TOLERANCE = 0.01;

/** `undefined` outside the coverage, for an empty unit, and where there are not two variations to choose from. */
export function assignVariant<V extends string>(experiment: Experiment<V>, unit: string): Assignment<V> | undefined {
  const { key, seed = key, hashVersion = 2, variations, coverage, weights } = experiment;
  if (unit === "" || variations.length < 2) return undefined;
  const bucket = hash(seed, unit, hashVersion);
  if (bucket === undefined) return undefined;
  const chosen = chooseVariation(bucket, bucketRanges(variations.length, { coverage, weights }));
  const variant = variations[chosen];
  return variant === undefined ? undefined : { variant, bucket };
}

/** 0 <= hash < 1 in 1,000 steps (version 1) or 10,000 (version 2); `undefined` for a hash version that does not exist. */
export function hash(seed: string, value: string, version: number): number | undefined {
  if (version === 2) return (fnv1a32(String(fnv1a32(seed + value))) % 10_000) / 10_000;
  if (version === 1) return (fnv1a32(value + seed) % 1000) / 1000;
  return undefined;
}

/** One range per variation. Each begins where it would at full coverage, so that more coverage only lengthens it. */
export function bucketRanges(
  variationCount: number,
  options: { readonly coverage?: number | undefined; readonly weights?: readonly number[] | undefined } = {},
): readonly BucketRange[] {
  const coverage = Math.min(1, Math.max(0, options.coverage ?? 1));
  const weights = usableWeights(variationCount, options.weights);
  let start = 0;
  return weights.map((weight) => {
    const range: BucketRange = [start, start + coverage * weight];
    start += weight;
    return range;
  });
}

function usableWeights(variationCount: number, weights: readonly number[] | undefined): readonly number[] {
  if (weights === undefined || weights.length !== variationCount) return equalWeights(variationCount);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Math.abs(sum - 1) > WEIGHT_TOLERANCE ? equalWeights(variationCount) : weights;
}

/** Empty for a count below 1. */
export function equalWeights(variationCount: number): readonly number[] {
  return variationCount < 1 ? [] : Array.from({ length: variationCount }, () => 1 / variationCount);
}

/** Index of the range that holds `bucket`, -1 when none does. */
export function chooseVariation(bucket: number, ranges: readonly BucketRange[]): number {
  return ranges.findIndex(([start, end]) => bucket >= start && bucket < end);
}

/** FNV-1a, 32 bit, over whole UTF-16 units, as GrowthBook's reference has it (the tokenizer's hashes bytes and differs). */
function fnv1a32(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}
