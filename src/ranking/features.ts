/**
 * Candidates and their items → the tensors of one model run. The only code that computes a feature: the Worker calls it to serve and
 * `armmt lists` calls it to write training data, so the two cannot drift apart.
 *
 * Pure. It does not look anything up and knows nothing of ONNX.
 */
import type { Candidate, ItemFeature, ListItem, PackedVector } from "./candidate.ts";
import { ITEM_FEATURES } from "./candidate.ts";
import { MAX_QUERY_TOKENS, tokenize } from "./tokenizer.ts";

/**
 * The model's features per candidate, in order. `*_percentile` is the mid-rank share of the list in 0..1, `*_gap` the difference to the
 * list's mean. `has_*` is 1 where the value is known.
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
] as const;

export type Feature = (typeof FEATURES)[number];

/** The shopper's most recent items that the model reads. */
export const MAX_HISTORY = 20;

/** z = clip((x - mean) / std, ±`clip`), per feature; computed by `armmt lists` on training lists only. */
export interface FeatureScaling {
  readonly name: string;
  readonly mean: number;
  readonly std: number;
}

export const FEATURE_CLIP = 4;

/** Flags and values that are 0..1 by construction are left as they are. */
const UNSCALED: ReadonlySet<Feature> = new Set<Feature>([
  "rank_reciprocal",
  "score_relative",
  "has_score",
  "price_percentile",
  "has_price",
  "popularity_percentile",
  "has_popularity",
  "has_rating",
  "in_stock",
  "has_age",
]);

export function isScaled(name: Feature): boolean {
  return !UNSCALED.has(name);
}

/** The inputs of one run, B = 1, row-major float32. `k` candidates, `lq` query tokens, `h` history items (h and lq at least 1). */
export interface ListTensors {
  readonly k: number;
  readonly lq: number;
  readonly h: number;
  readonly imageDim: number;
  readonly textDim: number;
  readonly queryTokenIds: Int32Array; // [lq]
  readonly queryMask: Float32Array; // [lq]
  readonly image: Float32Array; // [k, imageDim]
  readonly text: Float32Array; // [k, textDim]
  readonly features: Float32Array; // [k, F]
  readonly presence: Float32Array; // [k, 2] has image, has text
  readonly historyImage: Float32Array; // [h, imageDim]
  readonly historyText: Float32Array; // [h, textDim]
  readonly historyMask: Float32Array; // [h]
  readonly mask: Float32Array; // [k]
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
}

export interface TensorShape {
  readonly imageDim: number;
  readonly textDim: number;
  /** One per FEATURES, same order. */
  readonly scaling: readonly FeatureScaling[];
}

const FEATURE_COLUMN: Readonly<Record<ItemFeature, number>> = {
  price_log: ITEM_FEATURES.indexOf("price_log"),
  popularity_log: ITEM_FEATURES.indexOf("popularity_log"),
  rating: ITEM_FEATURES.indexOf("rating"),
  rating_count_log: ITEM_FEATURES.indexOf("rating_count_log"),
  in_stock: ITEM_FEATURES.indexOf("in_stock"),
  created_day: ITEM_FEATURES.indexOf("created_day"),
};

type Column = readonly (number | undefined)[];

function column(items: readonly (ListItem | undefined)[], name: ItemFeature): Column {
  const at = FEATURE_COLUMN[name];
  return items.map((item) => item?.features[at]);
}

/** Mean of the known values; `undefined` when none is known. */
function meanOf(values: Column): number | undefined {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === undefined) continue;
    sum += value;
    count++;
  }
  return count === 0 ? undefined : sum / count;
}

function gap(values: Column): Column {
  const mean = meanOf(values);
  return values.map((value) => (value === undefined || mean === undefined ? undefined : value - mean));
}

/** Mid-rank percentile among the known values: (below + half of the equal) / count, so a list of equals is 0.5 everywhere. */
function percentile(values: Column): Column {
  const all = new Float64Array(values.length);
  let count = 0;
  for (const value of values) if (value !== undefined) all[count++] = value;
  const known = all.subarray(0, count).toSorted();
  return values.map((value) => (value === undefined ? undefined : (countBelow(known, value) + countUpTo(known, value)) / 2 / count));
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

/** (score - min) / (max - min) of the list; all equal scores are 1, because the engine holds them equally good. */
function relative(values: Column): Column {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value === undefined) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return values.map((value) => {
    if (value === undefined) return undefined;
    return max > min ? (value - min) / (max - min) : 1;
  });
}

const has = (values: Column): Column => values.map((value) => (value === undefined ? 0 : 1));

/**
 * Features before scaling, one column of `candidates.length` per FEATURES entry; `undefined` where the value is unknown (it becomes 0
 * after scaling, the training mean).
 */
export function rawFeatures(input: Omit<ListInput, "queryText" | "history">): Record<Feature, Column> {
  const { candidates, items, nowDay } = input;
  const score = candidates.map((candidate) => candidate.score);
  const price = column(items, "price_log");
  const popularity = column(items, "popularity_log");
  const rating = column(items, "rating");
  const created = column(items, "created_day");
  return {
    rank_log: candidates.map((candidate) => Math.log2(1 + candidate.rank)),
    rank_reciprocal: candidates.map((candidate) => 1 / candidate.rank),
    score_relative: relative(score),
    has_score: has(score),
    price_log: price,
    price_percentile: percentile(price),
    price_gap: gap(price),
    has_price: has(price),
    popularity_log: popularity,
    popularity_percentile: percentile(popularity),
    has_popularity: has(popularity),
    rating,
    rating_gap: gap(rating),
    rating_count_log: column(items, "rating_count_log"),
    has_rating: has(rating),
    // An engine that does not know the stock shows the item, so it counts as in stock.
    in_stock: column(items, "in_stock").map((value) => value ?? 1),
    age_log: created.map((day) => (day === undefined ? undefined : Math.log1p(Math.max(0, nowDay - day)))),
    has_age: has(created),
  };
}

/**
 * The tensors of one list. An item without a vector is zeros with presence 0. Scaling must name FEATURES in order (checked where the
 * manifest is read).
 */
export function buildTensors(input: ListInput, shape: TensorShape): ListTensors {
  const { candidates, items } = input;
  const { imageDim, textDim, scaling } = shape;
  const k = candidates.length;
  const raw = rawFeatures(input);
  const width = FEATURES.length;
  const features = new Float32Array(k * width);
  for (let f = 0; f < width; f++) {
    const name = FEATURES[f]!;
    const values = raw[name];
    const { mean, std } = scaling[f]!;
    const scaled = isScaled(name);
    for (let i = 0; i < k; i++) {
      const value = values[i];
      if (value === undefined) continue;
      features[i * width + f] = scaled ? Math.min(FEATURE_CLIP, Math.max(-FEATURE_CLIP, (value - mean) / std)) : value;
    }
  }

  const image = new Float32Array(k * imageDim);
  const text = new Float32Array(k * textDim);
  const presence = new Float32Array(k * 2);
  for (let i = 0; i < k; i++) {
    const item = items[i];
    if (item?.image !== undefined) {
      writeVector(image, i, imageDim, item.image);
      presence[i * 2] = 1;
    }
    if (item?.text !== undefined) {
      writeVector(text, i, textDim, item.text);
      presence[i * 2 + 1] = 1;
    }
  }

  const history = input.history.slice(0, MAX_HISTORY);
  const h = Math.max(1, history.length);
  const historyImage = new Float32Array(h * imageDim);
  const historyText = new Float32Array(h * textDim);
  const historyMask = new Float32Array(h);
  history.forEach((item, i) => {
    if (item.image !== undefined) writeVector(historyImage, i, imageDim, item.image);
    if (item.text !== undefined) writeVector(historyText, i, textDim, item.text);
    historyMask[i] = 1;
  });

  const tokens = tokenize(input.queryText, MAX_QUERY_TOKENS);
  const lq = Math.max(1, tokens.length);
  const queryTokenIds = new Int32Array(lq);
  queryTokenIds.set(tokens);
  const queryMask = new Float32Array(lq).fill(1, 0, tokens.length);

  return {
    k,
    lq,
    h,
    imageDim,
    textDim,
    queryTokenIds,
    queryMask,
    image,
    text,
    features,
    presence,
    historyImage,
    historyText,
    historyMask,
    mask: new Float32Array(k).fill(1),
  };
}

/** Row `row` of a matrix that is `dim` wide. Packed components become the same float32 that an unpacked record holds. */
function writeVector(into: Float32Array, row: number, dim: number, vector: Float32Array | PackedVector): void {
  const at = row * dim;
  if (vector instanceof Float32Array) {
    into.set(vector, at);
    return;
  }
  const { components, start, scale } = vector;
  for (let d = 0; d < dim; d++) into[at + d] = components[start + d]! * scale;
}
