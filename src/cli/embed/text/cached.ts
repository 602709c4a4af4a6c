/** Texts → vectors through the cache: what an earlier run has encoded is not encoded again, and a killed run goes on where it stopped. */
import { createHash } from "node:crypto";
import { type Progress, progressBar } from "../../command.ts";
import { openVectorCache, type VectorCache } from "../cache.ts";
import type { SentenceEncoder, TextKind } from "./encoder.ts";

/** Encoded texts per write. */
const AT_ONCE = 64;

export type CachedEncoder = ReturnType<typeof cachedEncoder>;

/** `path`: the cache's file, for this encoder alone. */
export function cachedEncoder(encoder: SentenceEncoder, path: string, { json }: { readonly json?: boolean | undefined }) {
  const cache = openVectorCache(path, encoder.dim);
  const used = new Set<string>();
  let encoded = 0;

  /** Encodes what is missing. `key` → vector. */
  async function fill(label: string, work: ReadonlyMap<string, () => Promise<Float32Array>>): Promise<void> {
    for (const key of work.keys()) used.add(key);
    const missing = [...work].filter(([key]) => cache.get(key) === undefined);
    if (missing.length === 0) return;
    const bar = progressBar(`Encoding ${missing.length} ${label}`, missing.length, { json });
    try {
      await fillIn(cache, missing, bar);
      encoded += missing.length;
    } finally {
      bar.stop();
    }
  }

  return {
    encoder,
    /** Parallel to `texts`. */
    async texts(label: string, texts: readonly string[], kind: TextKind): Promise<Float32Array[]> {
      const keys = texts.map((text) => keyOf(encoder.isSymmetric ? "text" : kind, text));
      await fill(label, new Map(texts.map((text, i) => [keys[i]!, () => encoder.encode(text, kind)])));
      return keys.map((key) => cache.get(key)!);
    },
    /** Pieces of the encoder's own vocabulary, each alone. */
    async pieces(ids: readonly number[]): Promise<Float32Array[]> {
      const keys = ids.map((id) => keyOf("piece", String(id)));
      await fill("word pieces", new Map(ids.map((id, i) => [keys[i]!, () => encoder.encodePiece(id)])));
      return keys.map((key) => cache.get(key)!);
    },
    /** How many texts this run has encoded. */
    encoded: () => encoded,
    /** Forgets what this run has not asked for. */
    forgetUnused: () => cache.keepOnly(used),
  };
}

/** One after the other: a run blocks this thread anyway, and uses all cores. */
async function fillIn(
  cache: VectorCache,
  missing: readonly (readonly [string, () => Promise<Float32Array>])[],
  bar: Progress,
): Promise<void> {
  for (let start = 0; start < missing.length; start += AT_ONCE) {
    const batch: [string, Float32Array][] = [];
    for (const [key, encode] of missing.slice(start, start + AT_ONCE)) {
      batch.push([key, await encode()]); // oxlint-disable-line no-await-in-loop
    }
    cache.add(batch);
    bar.increment(batch.length);
  }
}

function keyOf(kind: string, text: string): string {
  return createHash("sha256").update(kind).update("\0").update(text).digest("hex");
}
