/** How alike two items are, by their stored vectors: 0 to 1. Pure. */
import type { ListItem, PackedVector } from "../ranking/candidate.ts";

interface Dims {
  readonly imageDim: number;
  readonly textDim: number;
}

/** Parallel to the hits. `undefined` where fewer than two items have such a vector. Hits without one are like nothing. */
export function likenessOf(
  items: readonly (ListItem | undefined)[],
  { imageDim, textDim }: Dims,
  by: "picture" | "text" | "both",
): ((a: number, b: number) => number) | undefined {
  const sides = [
    ...(by === "text" ? [] : [{ dim: imageDim, vectors: items.map((item) => item?.image) }]),
    ...(by === "picture" ? [] : [{ dim: textDim, vectors: items.map((item) => item?.text) }]),
  ].filter(({ vectors }) => vectors.filter((vector) => vector !== undefined).length > 1);
  if (sides.length === 0) return undefined;
  return (a, b) => {
    let sum = 0;
    for (const { dim, vectors } of sides) sum += cosine(vectors[a], vectors[b], dim);
    return sum / sides.length;
  };
}

type Vector = Float32Array | PackedVector;

/** Of vectors of about unit length; what points apart has nothing in common. */
function cosine(a: Vector | undefined, b: Vector | undefined, dim: number): number {
  if (a === undefined || b === undefined) return 0;
  const [x, fromX, scaleX] = partsOf(a);
  const [y, fromY, scaleY] = partsOf(b);
  let sum = 0;
  for (let d = 0; d < dim; d++) sum += x[fromX + d]! * y[fromY + d]!;
  return Math.max(0, Math.min(1, sum * scaleX * scaleY));
}

function partsOf(vector: Vector): readonly [Float32Array | Int8Array, number, number] {
  return vector instanceof Float32Array ? [vector, 0, 1] : [vector.components, vector.start, vector.scale];
}
