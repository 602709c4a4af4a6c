/**
 * The pictures of a catalogue → raw vectors (encoder output followed by the colour descriptor), through the cache.
 *
 * sharp decodes ahead on its own threads while the encoder runs on the main one, so both cores work. Memory is bounded by LOOK_AHEAD
 * pictures however large the catalogue is.
 */
import { createHash } from "node:crypto";
import { COLOUR_DIM, colourDescriptor } from "./colour.ts";
import { colourHistogram, HISTOGRAM_BINS } from "./colour-histogram.ts";
import type { ImageEncoder } from "./image-encoder.ts";
import type { CatalogItem } from "../catalog/file.ts";
import type { VectorCache } from "./cache.ts";
import { PictureError, nameOf, readPicture, setUpSharp, toPixels } from "./pictures.ts";

const LOOK_AHEAD = 96;
const BATCH = 32;

/** A picture that cannot be used, and the reason. */
export interface Unreadable {
  readonly itemId: string;
  readonly image: string;
  readonly reason: string;
}

export type EncodedPictures = Awaited<ReturnType<typeof encodePictures>>;

interface EncodeOptions {
  readonly encoder: ImageEncoder;
  /** Of vectors with `rawWidth(encoder)` numbers. */
  readonly cache: VectorCache;
  /** Fetch pictures from URLs again although their vectors are known. */
  readonly refetch: boolean;
  /** Called for the first picture that cannot be read; may throw to stop. Otherwise the item is left without picture. */
  readonly onUnreadable: (unreadable: Unreadable) => void;
  /** Called after each item. */
  readonly onItem: () => void;
}

export function rawWidth(encoder: ImageEncoder): number {
  return encoder.dim + (encoder.isBuiltin ? COLOUR_DIM : HISTOGRAM_BINS);
}

/** Without pixels: the vector of `key` is in the cache, or there is no picture. */
type Prepared = { readonly key?: string; readonly pixels?: Uint8Array } | { readonly problem: Unreadable };

/**
 * `keys`: SHA-256 of each item's picture, parallel to the items; `undefined` without a usable picture. The vectors are in the cache.
 * `encoded`: pictures that were encoded in this run.
 */
export async function encodePictures(items: readonly CatalogItem[], options: EncodeOptions) {
  const { encoder, cache, onItem, onUnreadable } = options;
  setUpSharp();
  const keys: (string | undefined)[] = [];
  const unreadable: Unreadable[] = [];
  const batch = new Map<string, Uint8Array>();
  let encoded = 0;
  const flush = async (): Promise<void> => {
    if (batch.size === 0) return;
    cache.add(await encodeBatch(batch, encoder));
    encoded += batch.size;
    batch.clear();
  };
  for await (const prepared of inOrder(items, (item) => prepare(item, options))) {
    onItem();
    if ("problem" in prepared) {
      onUnreadable(prepared.problem);
      unreadable.push(prepared.problem);
      keys.push(undefined);
      continue;
    }
    const { key, pixels } = prepared;
    keys.push(key);
    // Equal pictures are encoded once: the map deduplicates this batch, the cache earlier ones.
    if (key !== undefined && pixels !== undefined && cache.get(key) === undefined) batch.set(key, pixels);
    if (batch.size >= BATCH) await flush();
  }
  await flush();
  return { keys, encoded, unreadable };
}

/** Results in the order of `inputs`; up to LOOK_AHEAD run at the same time. */
async function* inOrder<T, R>(inputs: readonly T[], work: (input: T) => Promise<R>): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  let next = 0;
  while (next < inputs.length || running.length > 0) {
    while (next < inputs.length && running.length < LOOK_AHEAD) running.push(work(inputs[next++]!));
    yield await running.shift()!;
  }
}

async function prepare(item: CatalogItem, options: EncodeOptions): Promise<Prepared> {
  const { image } = item;
  if (image === undefined) return {};
  try {
    // The key of a URL is the URL itself: a second run need not fetch all pictures to compare them.
    const urlKey = image.kind === "url" ? hashOf(new TextEncoder().encode(image.url)) : undefined;
    if (urlKey !== undefined && !options.refetch && options.cache.get(urlKey) !== undefined) return { key: urlKey };
    const picture = await readPicture(image);
    const key = urlKey ?? hashOf(picture);
    if (urlKey === undefined && options.cache.get(key) !== undefined) return { key };
    return { key, pixels: await toPixels(picture, options.encoder.preprocessing) };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return { problem: { itemId: item.product.id, image: nameOf(image), reason: error.message } };
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function encodeBatch(batch: ReadonlyMap<string, Uint8Array>, encoder: ImageEncoder): Promise<[string, Float32Array][]> {
  const { size } = encoder.preprocessing;
  const vectors = await encoder.encode([...batch.values()]);
  return [...batch].map(([key, rgb], i) => {
    const raw = new Float32Array(rawWidth(encoder));
    raw.set(vectors[i]!);
    const raster = { width: size, height: size, rgb };
    raw.set(encoder.isBuiltin ? colourDescriptor(raster) : colourHistogram(raster), encoder.dim);
    return [key, raw];
  });
}
