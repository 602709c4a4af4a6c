/**
 * The drawn catalogue as published item vectors. Texts are encoded as always; pictures are not: their vectors are random, because the
 * bench measures time and no vector is faster than another.
 */
import type { DrawnProduct } from "../../demo/catalogue.ts";
import { pointerKey, setKey, shardKey } from "../../embeddings/store.ts";
import { createTextEncoder, itemText } from "../../embeddings/text-encoder.ts";
import type { ModelManifest } from "../../inference/manifest.ts";
import type { ItemRecord } from "../../ranking/candidate.ts";
import { packSet } from "../../cli/embed/pack.ts";
import { productFeatures } from "../../cli/embed/vectors.ts";
import { unitRows, xorshift } from "../../cli/build/sample-list.ts";

/** The part of a KV namespace that publishing needs. */
export interface KvWriter {
  put(key: string, value: string | Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Returns the bytes of all shards. */
export async function publishCatalogue(
  kv: KvWriter,
  catalog: string,
  options: { readonly products: readonly DrawnProduct[]; readonly manifest: ModelManifest },
): Promise<number> {
  const { dims, encoders } = options.manifest;
  const identity = { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text };
  const { set, shards } = packSet(recordsOf(options.products, dims.image), identity);
  for (const [n, shard] of shards.entries()) await kv.put(shardKey(catalog, set.version, n), Uint8Array.from(shard));
  await kv.put(setKey(catalog, set.version), JSON.stringify(set));
  await kv.put(pointerKey(catalog), JSON.stringify({ version: set.version, previous: null, publishedAt: new Date(0).toISOString() }));
  return shards.reduce((sum, shard) => sum + shard.length, 0);
}

/** One record per product, made from a seed. */
export function recordsOf(products: readonly DrawnProduct[], imageDim: number): ItemRecord[] {
  const encodeText = createTextEncoder();
  const next = xorshift(1);
  const texts = new Map<string, ItemRecord["text"]>();
  return products.map((product) => {
    // Large catalogues repeat their texts.
    const words = itemText(product);
    const text = texts.get(words) ?? encodeText(words);
    texts.set(words, text);
    const image = unitRows(
      Float32Array.from({ length: imageDim }, () => next() * 2 - 1),
      imageDim,
    );
    return { itemId: product.id, image, text, features: productFeatures(product) };
  });
}
