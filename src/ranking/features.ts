/**
 * Candidates and their items → the tensors of one model run. The only code that computes a feature: the Worker serves with it and
 * `armmt lists` writes training data with it, so the two cannot drift apart.
 */
import type { Candidate, ListItem, PackedVector } from "./candidate.ts";
import type { MeaningScores } from "./meaning.ts";
import { MAX_QUERY_TOKENS, tokenize } from "./tokenizer.ts";

/**
 * The features per candidate from which a model's manifest chooses. `*_percentile` is the mid-rank share of the list in 0..1, `*_gap` the
 * difference to the list's mean. `has_*` is 1 where the value is known.
 */
export const FEATURES = [
  "rank_log",
  "rank_reciprocal",
  "score_relative",
  "has_score",
  "price_log",
  "price_percentile",
  "price_gap",
  "has_price",
  "popularity_log",
  "popularity_percentile",
  "has_popularity",
  "rating",
  "rating_gap",
  "rating_count_log",
  "has_rating",
  "in_stock",
  "age_log",
  "has_age",
  "text_cosine",
  "word_coverage",
  "picture_cosine",
  "has_meaning",
  "prior",
] as const;

export type Feature = (typeof FEATURES)[number];

/** Those for which the query must be read as its catalogue's query table reads it. */
const BY_MEANING: ReadonlySet<Feature> = new Set(["text_cosine", "word_coverage", "picture_cosine", "has_meaning", "prior"]);

export function readsMeaning(scaling: readonly FeatureScaling[]): boolean {
  return scaling.some(({ name }) => BY_MEANING.has(name));
}

/** An item that the query names has a prior far beyond; as a feature that is all it says. */
const MOST_PRIOR = 10;

/** The shopper's most recent items that the model reads. */
export const MAX_HISTORY = 20;

/** z = clip((x - mean) / std, ±`clip`), per feature; computed by `armmt lists` on training lists only. */
export interface FeatureScaling {
  readonly name: Feature;
  readonly mean: number;
  readonly std: number;
}

export const FEATURE_CLIP = 4;

/** Flags and values that are 0..1 by construction are left as they are. */
const UNSCALED: ReadonlySet<Feature> = new Set(
  FEATURES.filter(
    (name) => /^has_|_percentile$/.test(name) || ["rank_reciprocal", "score_relative", "in_stock", "word_coverage"].includes(name),
  ),
);

export function isScaled(name: Feature): boolean {
  return !UNSCALED.has(name);
}

/** `k` candidates of `f` features, `lq` query tokens, `h` history items (h and lq at least 1). */
export interface ListDims {
  readonly k: number;
  readonly f: number;
  readonly lq: number;
  readonly h: number;
  readonly imageDim: number;
  readonly textDim: number;
}

/** The inputs of one run, B = 1, row-major float32. */
export interface ListTensors extends ListDims {
  readonly queryTokenIds: Int32Array; // [lq]
  readonly queryMask: Float32Array; // [lq]
  readonly image: Float32Array; // [k, imageDim]
  readonly text: Float32Array; // [k, textDim]
  readonly features: Float32Array; // [k, f]
  readonly presence: Float32Array; // [k, 2] has image, has text
  readonly historyImage: Float32Array; // [h, imageDim]
  readonly historyText: Float32Array; // [h, textDim]
  readonly historyMask: Float32Array; // [h]
  readonly mask: Float32Array; // [k]
}

/** All zeros but the mask: candidates without vectors, no query and no history. */
export function emptyTensors({ k, f, lq, h, imageDim, textDim }: ListDims): ListTensors {
  return {
    // By name: a spread gives the object another shape, and whatever reads its columns allocates.
    k,
    f,
    lq,
    h,
    imageDim,
    textDim,
    queryTokenIds: new Int32Array(lq),
    queryMask: new Float32Array(lq),
    image: new Float32Array(k * imageDim),
    text: new Float32Array(k * textDim),
    features: new Float32Array(k * f),
    presence: new Float32Array(k * 2),
    historyImage: new Float32Array(h * imageDim),
    historyText: new Float32Array(h * textDim),
    historyMask: new Float32Array(h),
    mask: new Float32Array(k).fill(1),
  };
}

export interface ListInput {
  readonly queryText: string;
  /** In engine order. */
  readonly candidates: readonly Candidate[];
  /** Parallel to `candidates`; `undefined` for an unknown item. */
  readonly items: readonly (ListItem | undefined)[];
  /** Known items only, most recent first; entries past MAX_HISTORY are ignored. */
  readonly history: readonly ListItem[];
  /** Today, in days since 1970-01-01 (fractions allowed). */
  readonly nowDay: number;
  /** Of the same candidates; for models that read it. */
  readonly meaning?: MeaningScores | undefined;
}

/** One value per candidate, NaN where it is unknown: an array that holds `undefined` makes an object of every number. */
type Column = Float64Array;

export type FeatureColumns = Readonly<Record<Feature, Column>>;

/** Zeros; the columns are parts of one buffer. */
function createColumns(k: number): FeatureColumns {
  const all = new Float64Array(FEATURES.length * k); // [F, k]
  let end = 0;
  const next = (): Column => all.subarray(end, (end += k));
  return {
    rank_log: next(),
    rank_reciprocal: next(),
    score_relative: next(),
    has_score: next(),
    price_log: next(),
    price_percentile: next(),
    price_gap: next(),
    has_price: next(),
    popularity_log: next(),
    popularity_percentile: next(),
    has_popularity: next(),
    rating: next(),
    rating_gap: next(),
    rating_count_log: next(),
    has_rating: next(),
    in_stock: next(),
    age_log: next(),
    has_age: next(),
    text_cosine: next(),
    word_coverage: next(),
    picture_cosine: next(),
    has_meaning: next(),
    prior: next(),
  };
}

const NO_FEATURES: ListItem["features"] = [];

/**
 * Features before scaling, one column of `candidates.length` per FEATURES entry; NaN where the value is unknown (it becomes 0 after
 * scaling, the training mean). One pass over the candidates: a pass per column takes half as long again.
 */
export function rawFeatures({ candidates, items, nowDay, meaning }: Omit<ListInput, "queryText" | "history">): FeatureColumns {
  const columns = createColumns(candidates.length);
  for (let i = 0; i < candidates.length; i++) {
    const { rank, score } = candidates[i]!;
    columns.rank_log[i] = Math.log2(1 + rank);
    columns.rank_reciprocal[i] = 1 / rank;
    columns.score_relative[i] = score ?? Number.NaN;
    columns.has_score[i] = score === undefined ? 0 : 1;
    // In the order of ITEM_FEATURES.
    const { 0: price, 1: popularity, 2: rating, 3: ratingCount, 4: inStock, 5: created } = items[i]?.features ?? NO_FEATURES;
    columns.price_log[i] = price ?? Number.NaN;
    columns.has_price[i] = price === undefined ? 0 : 1;
    columns.popularity_log[i] = popularity ?? Number.NaN;
    columns.has_popularity[i] = popularity === undefined ? 0 : 1;
    columns.rating[i] = rating ?? Number.NaN;
    columns.has_rating[i] = rating === undefined ? 0 : 1;
    columns.rating_count_log[i] = ratingCount ?? Number.NaN;
    // An engine that does not know the stock shows the item, so it counts as in stock.
    columns.in_stock[i] = inStock ?? 1;
    columns.age_log[i] = created === undefined ? Number.NaN : Math.log1p(Math.max(0, nowDay - created));
    columns.has_age[i] = created === undefined ? 0 : 1;
  }
  makeRelative(columns.score_relative);
  writePercentile(columns.price_percentile, columns.price_log);
  writeGap(columns.price_gap, columns.price_log);
  writePercentile(columns.popularity_percentile, columns.popularity_log);
  writeGap(columns.rating_gap, columns.rating);
  writeMeaning(columns, meaning);
  return columns;
}

function writeMeaning(columns: FeatureColumns, meaning: MeaningScores | undefined): void {
  if (meaning === undefined) {
    for (const name of ["text_cosine", "word_coverage", "picture_cosine", "prior"] as const) columns[name].fill(Number.NaN);
    return;
  }
  columns.text_cosine.set(meaning.textCosine);
  columns.word_coverage.set(meaning.coverage);
  columns.picture_cosine.set(meaning.pictureCosine);
  for (let i = 0; i < columns.prior.length; i++) {
    columns.has_meaning[i] = Number.isNaN(meaning.textCosine[i]!) ? 0 : 1;
    columns.prior[i] = Math.min(MOST_PRIOR, meaning.scores[i]!);
  }
}

/**
 * The tensors of one list: the features that the scaling names, in its order. An item without a vector is zeros with presence 0; of a longer
 * vector the first numbers are taken.
 */
export function buildTensors(
  input: ListInput,
  { imageDim, textDim, scaling }: Pick<ListDims, "imageDim" | "textDim"> & { readonly scaling: readonly FeatureScaling[] },
): ListTensors {
  const { candidates, items } = input;
  const k = candidates.length;
  const raw = rawFeatures(input);
  const history = input.history.slice(0, MAX_HISTORY);
  const tokens = tokenize(input.queryText, MAX_QUERY_TOKENS);
  const width = scaling.length;
  const dims = { k, f: width, lq: Math.max(1, tokens.length), h: Math.max(1, history.length), imageDim, textDim };
  const tensors = emptyTensors(dims);

  for (let f = 0; f < width; f++) {
    const { name, mean, std } = scaling[f]!;
    const values = raw[name];
    const scaled = isScaled(name);
    for (let i = 0; i < k; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      tensors.features[i * width + f] = scaled ? Math.min(FEATURE_CLIP, Math.max(-FEATURE_CLIP, (value - mean) / std)) : value;
    }
  }
  for (let i = 0; i < k; i++) {
    const item = items[i];
    if (item === undefined) continue;
    if (writeVector(tensors.image, i, imageDim, item.image)) tensors.presence[i * 2] = 1;
    if (writeVector(tensors.text, i, textDim, item.text)) tensors.presence[i * 2 + 1] = 1;
  }
  history.forEach((item, i) => {
    writeVector(tensors.historyImage, i, imageDim, item.image);
    writeVector(tensors.historyText, i, textDim, item.text);
    tensors.historyMask[i] = 1;
  });
  tensors.queryTokenIds.set(tokens);
  tensors.queryMask.fill(1, 0, tokens.length);
  return tensors;
}

/** Fills row `row` of a matrix that is `dim` wide; false without a vector. Packed components become the float32 that an unpacked record holds. */
function writeVector(into: Float32Array, row: number, dim: number, vector: Float32Array | PackedVector | undefined): boolean {
  if (vector === undefined) return false;
  const at = row * dim;
  if (vector instanceof Float32Array) {
    into.set(vector.length > dim ? vector.subarray(0, dim) : vector, at);
    return true;
  }
  const { components, start, scale } = vector;
  for (let d = 0; d < dim; d++) into[at + d] = components[start + d]! * scale;
  return true;
}

/** Writes the difference to the mean of the known values. */
function writeGap(into: Column, values: Column): void {
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
function writePercentile(into: Column, values: Column): void {
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
function makeRelative(scores: Column): void {
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
