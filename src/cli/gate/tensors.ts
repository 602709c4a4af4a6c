/** A row of lists.parquet → the tensors of a model: by the manifest's own features, dims and scaling. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { ModelManifest, ShardSetIdentity } from "../../inference/manifest.ts";
import { emptyTensors, FEATURE_CLIP, FEATURES, type FeatureScaling, isScaled, type ListTensors } from "../../ranking/features.ts";
import { errorText, UserError } from "../../web.ts";
import type { ListRow } from "../lists/columns.ts";
import { type Matrix, readMatrix } from "../lists/npy.ts";

const featuresSchema = v.object({
  features: v.array(v.object({ name: v.picklist(FEATURES), mean: v.number(), std: v.number() })),
  identity: v.object({ imageDim: v.number(), textDim: v.number(), imageEncoder: v.string(), textEncoder: v.string() }),
});

/** What lies beside lists.parquet. */
export interface ListItems {
  readonly features: readonly FeatureScaling[];
  readonly identity: ShardSetIdentity;
  readonly image: Matrix;
  readonly text: Matrix;
  readonly presence: Matrix;
}

/** Throws a UserError that names the file. */
export function readItems(folder: string): ListItems {
  try {
    const described = v.parse(featuresSchema, JSON.parse(readFileSync(join(folder, "features.json"), "utf8")));
    const [image, text, presence] = ["image", "text", "presence"].map((name) => readMatrix(join(folder, `${name}.npy`)));
    return { ...described, image: image!, text: text!, presence: presence! };
  } catch (error) {
    throw new UserError(`Cannot use the lists in ${folder} (${errorText(error)}): make them with armmt lists --out ${folder}`, {
      cause: error,
    });
  }
}

/**
 * The tensors as the edge built them for this model: `armmt lists` writes every feature, scaled by these lists; a model reads some of them, scaled by
 * those that it learned from. Throws a UserError for a feature that the lists lack.
 */
export function tensorMaker({ features, image, text, presence }: ListItems, manifest: ModelManifest) {
  const width = features.length;
  const columns = manifest.features.map((wanted) => {
    const at = features.findIndex(({ name }) => name === wanted.name);
    if (at < 0)
      throw new UserError(`Model ${manifest.version} reads ${wanted.name}, and the lists lack it: make them again with armmt lists`);
    return { at, from: features[at]!, to: wanted, scaled: isScaled(wanted.name) };
  });
  const { dims } = manifest;
  return (row: ListRow): ListTensors => {
    const k = row.item_rows.length;
    const tensors = emptyTensors({
      k,
      f: columns.length,
      lq: Math.max(1, row.token_ids.length),
      h: Math.max(1, row.history_rows.length),
      imageDim: dims.image,
      textDim: dims.text,
    });
    for (const [f, { at, from, to, scaled }] of columns.entries()) {
      for (let i = 0; i < k; i++) {
        const value = row.features[i * width + at]!;
        // 0 is what an unknown value is after scaling, whatever the mean.
        tensors.features[i * columns.length + f] =
          !scaled || value === 0 || (from.mean === to.mean && from.std === to.std)
            ? value
            : Math.min(FEATURE_CLIP, Math.max(-FEATURE_CLIP, (value * from.std + from.mean - to.mean) / to.std));
      }
    }
    copyRows(tensors.image, image, row.item_rows, dims.image);
    copyRows(tensors.text, text, row.item_rows, dims.text);
    copyRows(tensors.presence, presence, row.item_rows, 2);
    copyRows(tensors.historyImage, image, row.history_rows, dims.image);
    copyRows(tensors.historyText, text, row.history_rows, dims.text);
    tensors.historyMask.fill(1, 0, row.history_rows.length);
    tensors.queryTokenIds.set(row.token_ids);
    tensors.queryMask.fill(1, 0, row.token_ids.length);
    return tensors;
  };
}

/** Of a wider vector the first numbers are taken. An item without a record stays zeros. */
function copyRows(into: Float32Array, { values, columns }: Matrix, rows: readonly number[], width: number): void {
  for (const [i, row] of rows.entries()) {
    if (row >= 0) into.set(values.subarray(row * columns, row * columns + Math.min(width, columns)), i * width);
  }
}
