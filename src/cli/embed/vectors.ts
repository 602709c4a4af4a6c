/**
 * Raw vectors and products → item records: encoder output reduced to its stored dims, colours joined, text encoded, numbers in the units of
 * ITEM_FEATURES.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import type { Product } from "../../demo/catalogue/catalogue.ts";
import { COLOUR_DESCRIPTOR, COLOUR_DIM, joinColour } from "./colour.ts";
import { HISTOGRAM_BINS, HISTOGRAM_DESCRIPTOR } from "./colour-histogram.ts";
import { fitProjection, project, type Projection } from "./projection.ts";
import { TEXT_DIM, TEXT_ENCODER, createTextEncoder } from "../../embeddings/text-encoder.ts";
import type { ImageEncoder } from "./image-encoder.ts";
import type { ItemRecord } from "../../ranking/candidate.ts";
import { itemFeatures } from "../../ranking/item-values.ts";
import type { CatalogItem } from "../catalog/file.ts";
import type { ShardSetIdentity } from "../../inference/manifest.ts";
import { DAY_MS } from "../../web.ts";

/** Numbers of an image vector that come from the encoder. */
const ENCODER_DIM = 48;

interface RecordOptions {
  readonly encoder: ImageEncoder;
  /** Files for the projections of an encoder with other dims, and of its colours, so that later runs give comparable vectors. */
  readonly projectionPath: string;
  readonly colourPath: string;
}

/** The texts of a catalogue by a sentence encoder, parallel to its items. */
export interface TextParts {
  readonly vectors: readonly (Float32Array | undefined)[];
  readonly words: readonly Uint16Array<ArrayBuffer>[];
  readonly textDim: number;
  readonly textEncoder: string;
}

/** Records whose texts are encoded by `texts` instead of the builtin encoder. */
export function withTexts(records: readonly ItemRecord[], identity: ShardSetIdentity, texts: TextParts) {
  const { vectors, words, textDim, textEncoder } = texts;
  return {
    records: records.map((record, i): ItemRecord => ({ ...record, text: vectors[i], words: words[i]! })),
    identity: { ...identity, textDim, textEncoder },
  };
}

/** `raws` is parallel to `items`: encoder output followed by the colour descriptor, `undefined` without picture. */
export function toRecords(items: readonly CatalogItem[], raws: readonly (Float32Array | undefined)[], options: RecordOptions) {
  const { encoder } = options;
  const pictured = raws.filter((raw) => raw !== undefined);
  const dims = { inDim: encoder.dim, outDim: ENCODER_DIM };
  const projection = encoder.dim === ENCODER_DIM ? undefined : keptProjection(options.projectionPath, pictured, dims);
  const histograms = (): Float32Array[] => pictured.map((raw) => raw.subarray(encoder.dim));
  const colours = encoder.isBuiltin
    ? undefined
    : keptProjection(options.colourPath, histograms(), { inDim: HISTOGRAM_BINS, outDim: COLOUR_DIM });
  const encodeText = createTextEncoder();
  const records = items.map(({ product, text }, i): ItemRecord => {
    const raw = raws[i];
    const image = raw === undefined ? undefined : imageVector(raw, encoder.dim, { projection, colours });
    return { itemId: product.id, image, text: encodeText(text), features: productFeatures(product) };
  });
  const encoderName = projection === undefined ? encoder.fingerprint : `${encoder.fingerprint}+pca${ENCODER_DIM}-${hashOf(projection)}`;
  /** A vector's direction among the stored ones; of its colours nothing is said. */
  const toStored = (vector: Float32Array): Float32Array => {
    const stored = new Float32Array(ENCODER_DIM + COLOUR_DIM);
    stored.set(projection === undefined ? vector : project({ ...projection, mean: new Float32Array(projection.inDim) }, vector));
    return stored;
  };
  const identity: ShardSetIdentity = {
    imageDim: ENCODER_DIM + COLOUR_DIM,
    textDim: TEXT_DIM,
    imageEncoder: `${encoderName}+${colours === undefined ? COLOUR_DESCRIPTOR : `${HISTOGRAM_DESCRIPTOR}-pca${COLOUR_DIM}-${hashOf(colours)}`}`,
    textEncoder: TEXT_ENCODER,
  };
  return { records, identity, toStored };
}

interface ImageProjections {
  readonly projection: Projection | undefined;
  readonly colours: Projection | undefined;
}

function imageVector(raw: Float32Array, dim: number, { projection, colours }: ImageProjections): Float32Array {
  const [encoded, colour] = [raw.subarray(0, dim), raw.subarray(dim)];
  return joinColour(
    projection === undefined ? encoded : unit(project(projection, encoded)),
    colours === undefined ? colour : unit(project(colours, colour)),
  );
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

/** ITEM_FEATURES of a product, in order and in their units. */
export function productFeatures({ createdAt, inStock, ...values }: Product): (number | undefined)[] {
  const createdDay = createdAt === undefined ? undefined : Date.parse(createdAt) / DAY_MS;
  return itemFeatures({ ...values, inStock: inStock === undefined ? undefined : Number(inStock) }, createdDay);
}

/** Rows for each number that is kept; a projection of fewer gives way as soon as there are enough. */
const ROWS_PER_DIM = 4;

/** The projection in the file, or one fitted on the first `inDim` numbers of `raws`, which the file then holds. */
export function keptProjection(
  projectionPath: string,
  raws: readonly Float32Array[],
  dims: Readonly<Record<"inDim" | "outDim", number>>,
): Projection {
  const saved = readProjection(projectionPath);
  const enough = ROWS_PER_DIM * dims.outDim;
  const isFit = saved?.inDim === dims.inDim && saved.outDim === dims.outDim && (saved.count >= enough || raws.length < enough);
  if (saved !== undefined && isFit) return saved;
  const fitted = fitProjection(stacked(raws, dims.inDim), dims);
  writeFileSync(`${projectionPath}.new`, JSON.stringify({ ...fitted, ...asText(fitted), count: raws.length }));
  renameSync(`${projectionPath}.new`, projectionPath);
  return fitted;
}

/** The first `width` numbers of each, one after the other; of none, zeros. */
export function stacked(vectors: readonly Float32Array[], width: number): Float32Array {
  const rows = new Float32Array(Math.max(1, vectors.length) * width);
  vectors.forEach((vector, i) => rows.set(vector.subarray(0, width), i * width));
  return rows;
}

/** float32 as base64: exact, and a quarter of the digits. */
function asText({ mean, components, variances }: Projection) {
  return { mean: base64(mean), components: base64(components), variances: base64(variances) };
}

function base64(array: Float32Array): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
}

const float32Schema = v.pipe(
  v.string(),
  v.transform((text) => new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer)),
);
const projectionSchema = v.object({
  inDim: v.number(),
  outDim: v.number(),
  mean: float32Schema,
  components: float32Schema,
  variances: float32Schema,
  /** Rows that it was fitted on; earlier versions did not say. */
  count: v.optional(v.number(), Infinity),
});

/** `undefined` when there is none or it is damaged: then it is fitted again. */
function readProjection(path: string): (Projection & { readonly count: number }) | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const parsed = v.safeParse(projectionSchema, JSON.parse(readFileSync(path, "utf8")));
    return parsed.success && parsed.output.components.length === parsed.output.inDim * parsed.output.outDim ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export function hashOf(projection: Projection): string {
  const { mean, components, variances } = asText(projection);
  return createHash("sha256").update(mean).update(components).update(variances).digest("hex").slice(0, 12);
}
