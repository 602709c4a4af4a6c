/** How near the hits of a page are to what its shopper looked at before, by the stored vectors of pictures and texts. Pure. */
import type { ListItem, PackedVector } from "../ranking/candidate.ts";

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

/**
 * Cosine to the nearest of the items looked at, less the mean of the list. Both sides less the list's mean vector: what all hits of a category share says
 * nothing of one. 0 where nothing is known.
 */
export function likenessTo(looked: Items, items: Items, { imageDim, textDim }: Dims): Likeness {
  return { picture: nearest(looked, items, "image", imageDim), text: nearest(looked, items, "text", textDim) };
}

function nearest(looked: Items, items: Items, side: "image" | "text", dim: number): Float64Array {
  const near = new Float64Array(items.length);
  const before = looked.flatMap((item) => item?.[side] ?? []);
  const known = items.flatMap((item) => item?.[side] ?? []);
  if (before.length === 0 || known.length === 0) return near;
  const mean = new Float32Array(dim);
  for (const vector of known) {
    const unpacked = unpack(vector, dim);
    for (let d = 0; d < dim; d++) mean[d]! += unpacked[d]! / known.length;
  }
  const directions = before.map((vector) => directionFrom(mean, vector));
  let sum = 0;
  for (let i = 0; i < items.length; i++) {
    const vector = items[i]?.[side];
    if (vector === undefined) continue;
    const own = directionFrom(mean, vector);
    let most = -1;
    for (const other of directions) {
      let cosine = 0;
      for (let d = 0; d < dim; d++) cosine += own[d]! * other[d]!;
      if (cosine > most) most = cosine;
    }
    near[i] = most;
    sum += most;
  }
  for (let i = 0; i < items.length; i++) if (items[i]?.[side] !== undefined) near[i]! -= sum / known.length;
  return near;
}

type Vector = Float32Array | PackedVector;

function unpack(vector: Vector, dim: number): Float32Array {
  if (vector instanceof Float32Array) return vector;
  const { components, start, scale } = vector;
  return Float32Array.from({ length: dim }, (_, d) => components[start + d]! * scale);
}

/** Nearer than this it is the mean, and has no direction. */
const NO_DISTANCE = 1e-3;

function directionFrom(mean: Float32Array, vector: Vector): Float32Array {
  const direction = unpack(vector, mean.length).map((value, d) => value - mean[d]!);
  let squares = 0;
  for (const value of direction) squares += value * value;
  const length = Math.sqrt(squares);
  return direction.map((value) => (length < NO_DISTANCE ? 0 : value / length));
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
