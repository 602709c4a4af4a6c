/** How near the hits of a page are to what its shopper looked at before, by the stored vectors of pictures and texts. Pure. */
import type { ListItem } from "../ranking/candidate.ts";
import { cosines } from "../ranking/meaning.ts";

export interface Encoders {
  readonly image: string;
  readonly text: string;
}

/** What the shop's log says of taste: how much more is bought of an item, as a logarithm, for a cosine to the items looked at that is 1 above the list's. */
export interface Taste {
  /** Of the vectors that it was learned from: others have other cosines. */
  readonly encoders: Encoders;
  readonly picture: number;
  readonly text: number;
}

/** Parallel to the hits. */
export interface Likeness {
  readonly picture: Float64Array;
  readonly text: Float64Array;
}

interface Dims {
  readonly imageDim: number;
  readonly textDim: number;
}

type Items = readonly (ListItem | undefined)[];

/** Mean cosine to the items looked at, less the mean of the list: what all hits of a category share says nothing of one. 0 where nothing is known. */
export function likenessTo(looked: Items, items: Items, { imageDim, textDim }: Dims): Likeness {
  return { picture: aboveMean(looked, items, "image", imageDim), text: aboveMean(looked, items, "text", textDim) };
}

function aboveMean(looked: Items, items: Items, side: "image" | "text", dim: number): Float64Array {
  const mean = meanVector(looked, side, dim);
  const near = cosines(mean, items, (item) => item[side]);
  let [sum, known] = [0, 0];
  for (const value of near) {
    if (Number.isNaN(value)) continue;
    sum += value;
    known++;
  }
  return near.map((value) => (Number.isNaN(value) ? 0 : value - sum / known));
}

function meanVector(looked: Items, side: "image" | "text", dim: number): Float32Array | undefined {
  const vectors = looked.flatMap((item) => item?.[side] ?? []);
  if (vectors.length === 0) return undefined;
  const sum = new Float32Array(dim);
  for (const vector of vectors) {
    const [values, start, scale] = vector instanceof Float32Array ? [vector, 0, 1] : [vector.components, vector.start, vector.scale];
    for (let d = 0; d < dim; d++) sum[d]! += (values[start + d]! * scale) / vectors.length;
  }
  return sum;
}

/** As many times more or less than without taste, as a logarithm: no single look turns a page over. */
const MOST_LIKING = 1.5;

/** Parallel to the hits: the logarithm of how many times more is bought. */
export function likingOf({ picture, text }: Pick<Taste, "picture" | "text">, near: Likeness): Float64Array {
  return near.picture.map((value, i) => {
    const liking = picture * value + text * near.text[i]!;
    return Math.max(-MOST_LIKING, Math.min(MOST_LIKING, liking));
  });
}
