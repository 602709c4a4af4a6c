/**
 * Publishes the drawn catalogue's item vectors to KV, as `armmt publish` would. Texts go through the real encoder; pictures cannot be
 * rasterised inside workerd, so their vectors are the text vectors of what they show.
 */
import { env } from "cloudflare:test";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { encodeShard, SHARD_VERSION, shardOf } from "../../src/embeddings/format.ts";
import { pointerKey, setKey, shardKey } from "../../src/embeddings/store.ts";
import { createTextEncoder } from "../../src/embeddings/text-encoder.ts";
import { ITEM_FEATURES, type ItemRecord } from "../../src/ranking/candidate.ts";
import { student } from "./edge.ts";

const SHARDS = 3;

let drawn: readonly ItemRecord[] | undefined;

/** Records of the demo shop's products. */
export function drawnItems(): readonly ItemRecord[] {
  const encode = createTextEncoder();
  drawn ??= drawCatalogue().map((product) => ({
    itemId: product.id,
    image: encode(Object.values(product.look).join(" ")),
    text: encode(product.title),
    features: [
      product.price === undefined ? undefined : Math.log(product.price),
      product.popularity === undefined ? undefined : Math.log1p(product.popularity),
      product.rating,
      product.ratingCount === undefined ? undefined : Math.log1p(product.ratingCount),
      product.inStock === undefined ? undefined : Number(product.inStock),
      product.createdAt === undefined ? undefined : Date.parse(product.createdAt) / 86_400_000,
    ],
  }));
  return drawn;
}

export interface PublishOptions {
  readonly items?: readonly ItemRecord[];
  /** Fields of the set that differ from what the model needs. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly version?: string;
}

/** Makes `catalog` live; returns the keys of its shards. */
export async function publish(catalog: string, options: PublishOptions = {}): Promise<string[]> {
  if (!student.ok) throw new Error(student.error.detail);
  const { manifest } = student.value;
  const { items = drawnItems(), version = "v1" } = options;
  const dims = { imageDim: manifest.dims.image, textDim: manifest.dims.text, featureCount: ITEM_FEATURES.length };
  const shards: { bytes: number; checksum: number }[] = [];
  const keys: string[] = [];
  for (let number = 0; number < SHARDS; number++) {
    const packed = encodeShard(
      items.filter((item) => shardOf(item.itemId, SHARDS) === number),
      dims,
    );
    if (!packed.ok) throw new Error(packed.error);
    shards.push({ bytes: packed.value.length, checksum: new DataView(packed.value.buffer).getUint32(28, true) });
    keys.push(shardKey(catalog, version, number));
    await env.EMBEDDINGS.put(shardKey(catalog, version, number), packed.value);
  }
  const set = {
    format: SHARD_VERSION,
    version,
    shardCount: SHARDS,
    itemCount: items.length,
    imageDim: manifest.dims.image,
    textDim: manifest.dims.text,
    imageEncoder: manifest.encoders.image,
    textEncoder: manifest.encoders.text,
    itemFeatures: ITEM_FEATURES,
    shards,
    ...options.set,
  };
  await env.EMBEDDINGS.put(setKey(catalog, version), JSON.stringify(set));
  await env.EMBEDDINGS.put(pointerKey(catalog), JSON.stringify({ version, previous: null, publishedAt: "2026-01-01T00:00:00Z" }));
  return keys;
}
