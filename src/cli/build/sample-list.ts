/**
 * A list to run the model on, the same in every runtime: made from a seed, so that no file has to travel into the Worker.
 *
 * Pure: the Worker of the bench imports it too.
 */
import type { ModelManifest } from "../../inference/manifest.ts";
import type { ListTensors } from "../../ranking/features.ts";
import { TOKEN_TABLE_ROWS } from "../../ranking/tokenizer.ts";

/** As a usual search has them: three words with their trigrams, five items looked at before. */
const USUAL = { queryTokens: 16, historyItems: 5 };

export function createList(
  k: number,
  { dims, features }: Pick<ModelManifest, "dims" | "features">,
  { queryTokens, historyItems } = USUAL,
): ListTensors {
  const next = xorshift(k + 1);
  const floats = (length: number) => Float32Array.from({ length }, () => next() * 2 - 1);
  return {
    k,
    f: features.length,
    lq: queryTokens,
    h: historyItems,
    imageDim: dims.image,
    textDim: dims.text,
    queryTokenIds: Int32Array.from({ length: queryTokens }, () => 1 + Math.floor(next() * (TOKEN_TABLE_ROWS - 1))),
    queryMask: new Float32Array(queryTokens).fill(1),
    image: unitRows(floats(k * dims.image), dims.image),
    text: unitRows(floats(k * dims.text), dims.text),
    features: floats(k * features.length),
    presence: new Float32Array(k * 2).fill(1),
    historyImage: unitRows(floats(historyItems * dims.image), dims.image),
    historyText: unitRows(floats(historyItems * dims.text), dims.text),
    historyMask: new Float32Array(historyItems).fill(1),
    mask: new Float32Array(k).fill(1),
  };
}

/** Numbers in [0, 1). */
export function xorshift(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Every row of `width` scaled to length 1, in place. */
export function unitRows(values: Float32Array<ArrayBuffer>, width: number): Float32Array<ArrayBuffer> {
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const length = Math.hypot(...row);
    for (let i = 0; i < width; i++) row[i] = row[i]! / length;
  }
  return values;
}
