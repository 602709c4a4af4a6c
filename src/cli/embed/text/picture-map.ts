/**
 * From words to pictures: a linear map from the vector of a title to the picture vector of the same item, fitted on the catalogue, and the
 * check without labels that says whether it found anything. Pure.
 */
import { fnv1a } from "../../../ranking/tokenizer.ts";
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
  /** What the query table carries: 1, or 0 where the check fails. */
  readonly weight: 0 | 1;
  readonly items: number;
}

const FOLDS = 5;

/** Above this the map is no better than a guess, and a useless map does harm. Shuffled pictures give .5, photographs of clothes .1. */
const MAX_RANK_SHARE = 0.25;

/** Fewer items than this teach nothing, and the check of so few could pass by chance. */
const LEAST_ITEMS = 50;

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
  return { map, rankShare, weight: rankShare < MAX_RANK_SHARE ? 1 : 0, items: items.length };
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
}

function emptyMoments({ n, m }: Dims): Moments {
  return {
    count: 0,
    text: new Float64Array(n),
    picture: new Float64Array(m),
    textText: new Float64Array(n * n),
    textPicture: new Float64Array(n * m),
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
    for (let d = 0; d < m; d++) sums.picture[d]! += picture[d]!;
  }
  return { ...sums, count: items.length };
}

/** B = (T'T + ridge · count/n · I)⁻¹ T'P of centred T and P. */
function mapOf(parts: readonly Moments[], dims: Dims): PictureMap {
  const { n, m } = dims;
  const all = emptyMoments(dims);
  let count = 0;
  for (const part of parts) {
    count += part.count;
    for (const key of ["text", "picture", "textText", "textPicture"] as const) part[key].forEach((value, i) => (all[key][i]! += value));
  }
  const mean = all.text.map((value) => value / Math.max(1, count));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) all.textText[i * n + j]! -= all.text[i]! * mean[j]!;
    for (let d = 0; d < m; d++) all.textPicture[i * m + d]! -= mean[i]! * all.picture[d]!;
  }
  const ridge = ((count < FEW_ITEMS ? RIDGE_FEW : RIDGE) * Math.max(1, count)) / n;
  return { mean, weights: solveRidge(all.textText, all.textPicture, { n, m, ridge }) };
}

function rankShareOf(folds: readonly (readonly TitledPicture[])[], mapWithout: (fold: number) => PictureMap): number {
  const pictures = evenly(folds.flat(), COMPARED).map(({ picture }) => picture);
  let [sum, count] = [0, 0];
  folds.forEach((fold, number) => {
    if (fold.length === 0) return;
    const map = mapWithout(number);
    for (const { text, picture } of evenly(fold, Math.ceil(COMPARED / FOLDS))) {
      const wanted = toPicture(map, text);
      const own = cosine(wanted, picture);
      const [above, level] = pictures.reduce(
        ([more, same], other) => {
          const value = cosine(wanted, other);
          return value > own ? [more + 1, same] : value === own ? [more, same + 1] : [more, same];
        },
        [0, 0],
      );
      // Equal pictures (one placeholder for all) share the places that they take.
      sum += (above + level / 2) / pictures.length;
      count++;
    }
  });
  return sum / Math.max(1, count);
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
