/** The drawn catalogue as published item vectors. Texts are encoded as in production; image vectors are random: all rank equally fast. */
import { readFileSync } from "node:fs";
import { unitRows, xorshift } from "../../cli/build/sample-list.ts";
import { packSet } from "../../cli/embed/pack.ts";
import { productFeatures } from "../../cli/embed/vectors.ts";
import type { DrawnProduct } from "../../demo/catalogue/catalogue.ts";
import { type KvReader, pointerKey, setKey, shardKey } from "../../embeddings/store.ts";
import { createTextEncoder, itemText } from "../../embeddings/text-encoder.ts";
import { type ModelManifest, parseManifest } from "../../inference/manifest.ts";
import type { ItemRecord } from "../../ranking/candidate.ts";
import { UserError } from "../../web.ts";

/** The part of a KV namespace that publishing needs. */
export interface KvWriter {
  put(key: string, value: string | Uint8Array<ArrayBuffer>): Promise<void>;
}

/** KV in a Map. `reads`: keys read since the start. */
export function createMemoryKv(): KvReader & KvWriter & { readonly reads: () => number } {
  const values = new Map<string, Buffer<ArrayBuffer>>();
  let reads = 0;
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text" | "arrayBuffer"): Promise<string | ArrayBuffer | null> {
    reads++;
    const value = values.get(key);
    if (value === undefined) return null;
    return type === "text" ? value.toString("utf8") : Uint8Array.from(value).buffer;
  }
  return { get, put: async (key, value) => void values.set(key, Buffer.from(value)), reads: () => reads };
}

/** Of the committed model. */
export function readManifest(): ModelManifest {
  const json: unknown = JSON.parse(readFileSync(new URL("../../../model/manifest.json", import.meta.url), "utf8"));
  const manifest = parseManifest(json);
  if (!manifest.ok) throw new UserError(manifest.error.detail);
  return manifest.value;
}

/** Returns the bytes of all shards. */
export async function publishCatalogue(kv: KvWriter, catalog: string, products: readonly DrawnProduct[]): Promise<number> {
  const { dims, encoders } = readManifest();
  const identity = { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text };
  const { set, shards } = packSet(recordsOf(products, dims.image), identity);
  for (const [n, shard] of shards.entries()) await kv.put(shardKey(catalog, set.version, n), Uint8Array.from(shard));
  await kv.put(setKey(catalog, set.version), JSON.stringify(set));
  await kv.put(pointerKey(catalog), JSON.stringify({ version: set.version, previous: null, publishedAt: new Date(0).toISOString() }));
  return shards.reduce((sum, shard) => sum + shard.length, 0);
}

/** One record per product, the same ones in every call. */
export function recordsOf(products: readonly DrawnProduct[], imageDim: number): ItemRecord[] {
  const encodeText = createTextEncoder();
  const random = xorshift(1);
  return products.map((product) => {
    const values = Float32Array.from({ length: imageDim }, () => random() * 2 - 1);
    return {
      itemId: product.id,
      image: unitRows(values, imageDim),
      text: encodeText(itemText(product)),
      features: productFeatures(product),
    };
  });
}
