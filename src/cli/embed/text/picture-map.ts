/**
 * From words to pictures: a linear map from the vector of a title to the picture vector of the same item, fitted on the catalogue, and the
 * check without labels that says how much it found. Pure.
 */
import { fnv1a } from "../../../ranking/tokenizer.ts";
import { eigenSymmetric } from "../projection.ts";
import { solveRidge } from "./ridge.ts";

export interface TitledPicture {
  readonly title: string;
  /** The title's vector by the encoder. */
  readonly text: Float32Array;
  /** The picture vector as stored. */
  readonly picture: Float32Array;
}

export interface PictureMap {
  /** [textDim, pictureDim], row-major. */
  readonly weights: Float64Array;
  /** Mean of the titles' vectors, which is subtracted first. [textDim] */
  readonly mean: Float64Array;
}

export interface PictureCheck {
  readonly map: PictureMap;
  /** Mean place of an item's own picture among all, given its title, out of fold: 0 is always first, .5 is chance. */
  readonly rankShare: number;
  /** What the query table carries: 0 where the check fails. */
  readonly weight: number;
}

const FOLDS = 5;

/** From here on the map is no better than a guess, and a useless map does harm. Shuffled pictures give .5, photographs of clothes .05. */
const MAX_RANK_SHARE = 0.25;

/** Of a map that always finds the item's own picture first. Chosen by cross-validation over attribute queries of a catalogue of photographs,
 * with a part of its pictures shuffled too: the less a map finds, the less it may weigh. */
const MOST_WEIGHT = 2;

/** Two decimals, so that a few changed products leave the weight as it is. */
export function pictureWeight(rankShare: number): number {
  return Math.max(0, Math.round(100 * MOST_WEIGHT * (1 - rankShare / MAX_RANK_SHARE)) / 100);
}

/** Fewer items than this teach nothing, and the check of so few could pass by chance. */
export const LEAST_ITEMS = 50;

/** With few items a stronger pull towards zero. */
const FEW_ITEMS = 500;
const [RIDGE_FEW, RIDGE] = [1, 0.1];

/** Pictures among which an item's own is looked for. */
const COMPARED = 2000;

/** `undefined` with too few titled pictures. */
export function fitPictureMap(items: readonly TitledPicture[]): PictureCheck | undefined {
  const first = items[0];
  if (first === undefined || items.length < LEAST_ITEMS) return undefined;
  const dims = { n: first.text.length, m: first.picture.length };
  // Equal titles go together: their pictures are often the same one.
  const folds: TitledPicture[][] = Array.from({ length: FOLDS }, () => []);
  for (const item of items) folds[fnv1a(item.title) % FOLDS]!.push(item);
  const sums = folds.map((fold) => momentsOf(fold, dims));
  const map = mapOf(sums, dims);
  const rankShare = rankShareOf(folds, (fold) => mapOf(sums.toSpliced(fold, 1), dims));
  return { map, rankShare, weight: pictureWeight(rankShare) };
}

/** The predicted picture vector of a text vector; its length says nothing. */
export function toPicture({ weights, mean }: PictureMap, text: Float32Array): Float32Array {
  const m = weights.length / mean.length;
  const picture = new Float32Array(m);
  for (let i = 0; i < text.length; i++) {
    const value = text[i]! - mean[i]!;
    for (let d = 0; d < m; d++) picture[d]! += value * weights[i * m + d]!;
  }
  return picture;
}

interface Dims {
  readonly n: number;
  readonly m: number;
}

/** Sums from which a fit of any union of folds follows. */
interface Moments {
  readonly count: number;
  readonly text: Float64Array; // [n]
  readonly picture: Float64Array; // [m]
  readonly textText: Float64Array; // [n, n]
  readonly textPicture: Float64Array; // [n, m]
  readonly picturePicture: Float64Array; // [m, m]
}

const SUMS = ["text", "picture", "textText", "textPicture", "picturePicture"] as const;

function emptyMoments({ n, m }: Dims): Moments {
  return {
    count: 0,
    text: new Float64Array(n),
    picture: new Float64Array(m),
    textText: new Float64Array(n * n),
    textPicture: new Float64Array(n * m),
    picturePicture: new Float64Array(m * m),
  };
}

function momentsOf(items: readonly TitledPicture[], dims: Dims): Moments {
  const { n, m } = dims;
  const sums = emptyMoments(dims);
  for (const { text, picture } of items) {
    for (let i = 0; i < n; i++) {
      const value = text[i]!;
      sums.text[i]! += value;
      for (let j = 0; j <= i; j++) sums.textText[i * n + j]! += value * text[j]!;
      for (let d = 0; d < m; d++) sums.textPicture[i * m + d]! += value * picture[d]!;
    }
    for (let d = 0; d < m; d++) {
      const value = picture[d]!;
      sums.picture[d]! += value;
      for (let e = 0; e < m; e++) sums.picturePicture[d * m + e]! += value * picture[e]!;
    }
  }
  return { ...sums, count: items.length };
}

/** B = (T'T + ridge · count/n · I)⁻¹ T'P · (P'P)^-½ of centred T and P: what all pictures share would otherwise drown what sets them apart. */
function mapOf(parts: readonly Moments[], dims: Dims): PictureMap {
  const { n, m } = dims;
  const all = emptyMoments(dims);
  let count = 0;
  for (const part of parts) {
    count += part.count;
    for (const key of SUMS) part[key].forEach((value, i) => (all[key][i]! += value));
  }
  const mean = all.text.map((value) => value / Math.max(1, count));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) all.textText[i * n + j]! -= all.text[i]! * mean[j]!;
    for (let d = 0; d < m; d++) all.textPicture[i * m + d]! -= mean[i]! * all.picture[d]!;
  }
  for (let d = 0; d < m; d++)
    for (let e = 0; e < m; e++) all.picturePicture[d * m + e]! -= (all.picture[d]! * all.picture[e]!) / Math.max(1, count);
  const ridge = ((count < FEW_ITEMS ? RIDGE_FEW : RIDGE) * Math.max(1, count)) / n;
  const weights = solveRidge(all.textText, all.textPicture, { n, m, ridge });
  return { mean, weights: times(weights, inverseRoot(all.picturePicture, m), m) };
}

/** Of the largest eigenvalue, added to all: smaller ones are noise. */
const LEAST_EIGENVALUE = 1e-3;

/** S^-½ of a symmetric S [m, m] up to a factor; the unit matrix where all of S is 0. */
function inverseRoot(matrix: Float64Array, m: number): Float64Array {
  const { values, vectors } = eigenSymmetric(matrix, m);
  const largest = Math.max(...values);
  const factors = values.map((value) => (largest > 0 ? 1 / Math.sqrt(Math.max(0, value) / largest + LEAST_EIGENVALUE) : 1));
  const scaled = vectors.map((value, i) => value * factors[i % m]!);
  const root = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) for (let k = 0; k < m; k++) root[i * m + j]! += scaled[i * m + k]! * vectors[j * m + k]!;
  return root;
}

/** `a` [·, m] times `b` [m, m]. */
function times(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const product = new Float64Array(a.length);
  for (let row = 0; row < a.length; row += m)
    for (let k = 0; k < m; k++) for (let d = 0; d < m; d++) product[row + d]! += a[row + k]! * b[k * m + d]!;
  return product;
}

function rankShareOf(folds: readonly (readonly TitledPicture[])[], mapWithout: (fold: number) => PictureMap): number {
  const asked = folds.flatMap((fold, number) => {
    if (fold.length === 0) return [];
    const map = mapWithout(number);
    return evenly(fold, Math.ceil(COMPARED / FOLDS)).map(({ text, picture }) => ({ wanted: toPicture(map, text), own: picture }));
  });
  return meanPlace(
    asked,
    folds.flat().map(({ picture }) => picture),
  );
}

/** Mean place of each own picture by its cosine with what was wanted, among at most COMPARED of `all`. */
export function meanPlace(asked: readonly Readonly<Record<"wanted" | "own", Float32Array>>[], all: readonly Float32Array[]): number {
  const pictures = evenly(all, COMPARED);
  const places = evenly(asked, COMPARED).map(({ wanted, own }) => {
    const best = cosine(wanted, own);
    const [above, level] = pictures.reduce(
      ([more, same], other) => {
        const value = cosine(wanted, other);
        return value > best ? [more + 1, same] : value === best ? [more, same + 1] : [more, same];
      },
      [0, 0],
    );
    // Equal pictures (one placeholder for all) share the places that they take.
    return (above + level / 2) / pictures.length;
  });
  return places.reduce((sum, place) => sum + place, 0) / Math.max(1, places.length);
}

/** Every n-th, so that at most `most` are left. */
function evenly<T>(list: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(list.length / most));
  return list.filter((_, i) => i % step === 0);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, squares] = [0, 0];
  for (let d = 0; d < a.length; d++) {
    dot += a[d]! * b[d]!;
    squares += b[d]! ** 2;
  }
  return squares === 0 ? 0 : dot / Math.sqrt(squares);
}
