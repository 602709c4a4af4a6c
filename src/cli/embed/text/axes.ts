/**
 * From an encoder's numbers to the stored ones: its principal axes in order, so that a reader may take the first few. Axes of a named
 * encoder are fixed and come with this project (`model/axes`, made by `axes.py`), so that a model that learned on one catalogue reads another;
 * of any other encoder they are fitted on the catalogue, and kept.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { UserError } from "../../../web.ts";
import type { SentenceEncoder } from "./encoder.ts";

/** Numbers of a text vector that a real encoder gives. */
export const SENTENCE_DIM = 128;

/** Rows are unit vectors: [SENTENCE_DIM, encoder's dim]. */
export type Axes = Float32Array;

/** int8 with one float32 scale a row, scales first. */
export function packAxes(axes: Axes, dim: number): Uint8Array {
  const count = axes.length / dim;
  const packed = new Uint8Array(count * 4 + axes.length);
  const scales = new Float32Array(packed.buffer, 0, count);
  const rows = new Int8Array(packed.buffer, count * 4);
  for (let row = 0; row < count; row++) {
    const values = axes.subarray(row * dim, (row + 1) * dim);
    const scale = Math.max(...values.map(Math.abs)) / 127;
    scales[row] = scale;
    rows.set(
      values.map((value) => Math.round(value / scale)),
      row * dim,
    );
  }
  return packed;
}

export function unpackAxes(packed: Uint8Array, dim: number): Axes | undefined {
  const count = packed.length / (dim + 4);
  if (count !== SENTENCE_DIM) return undefined;
  // A copy, because a Buffer's bytes lie anywhere in a larger one.
  const bytes = Uint8Array.from(packed);
  const scales = new Float32Array(bytes.buffer, 0, count);
  return Float32Array.from(new Int8Array(bytes.buffer, count * 4), (value, i) => value * scales[Math.floor(i / dim)]!);
}

/** The fixed axes of an encoder; `undefined` where it has none. */
export function fixedAxes({ fingerprint, dim }: Pick<SentenceEncoder, "fingerprint" | "dim">): Axes | undefined {
  const path = axesFile(fingerprint);
  if (!existsSync(path)) return undefined;
  const axes = unpackAxes(readFileSync(path), dim);
  if (axes === undefined) throw new UserError(`${path} does not hold ${SENTENCE_DIM} axes of ${dim} numbers: install the package again`);
  return axes;
}

export function axesFile(fingerprint: string): string {
  return join(PACKAGE_ROOT, "model/axes", `${fingerprint.replaceAll("/", "-")}.bin`);
}

/** The coordinates of a vector along the axes, nothing subtracted. */
export function along(axes: Axes, vector: Float32Array): Float32Array {
  const dim = vector.length;
  return Float32Array.from({ length: axes.length / dim }, (_, row) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += axes[row * dim + d]! * vector[d]!;
    return sum;
  });
}
