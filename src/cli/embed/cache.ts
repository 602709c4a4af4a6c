/**
 * Cache of vectors by content hash, which makes an unchanged second run instant and a killed run resumable.
 *
 * One append-only file per encoder and catalogue: 32 bytes of SHA-256, then the vector as float32. A record cut short by a kill is dropped.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const KEY_BYTES = 32;

export type VectorCache = ReturnType<typeof openVectorCache>;

/** Opens or begins a cache of vectors of `width` numbers. */
export function openVectorCache(path: string, width: number) {
  const recordBytes = KEY_BYTES + width * 4;
  const entries = new Map<string, Float32Array>();
  mkdirSync(dirname(path), { recursive: true });
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    const key = bytes.toString("hex", at, at + KEY_BYTES);
    // A copy, because a record need not start at a multiple of 4 in the buffer.
    entries.set(key, new Float32Array(Uint8Array.from(bytes.subarray(at + KEY_BYTES, at + recordBytes)).buffer));
  }

  const rewrite = (): void => {
    writeFileSync(`${path}.new`, Buffer.concat([...entries].map(([key, vector]) => recordOf(key, vector))));
    renameSync(`${path}.new`, path);
  };
  if (bytes.length % recordBytes !== 0) rewrite();

  return {
    /** `key`: SHA-256 as hex. */
    get: (key: string) => entries.get(key),
    /** On disk when it returns. */
    add(added: readonly (readonly [key: string, vector: Float32Array])[]): void {
      for (const [key, vector] of added) {
        if (vector.length !== width) throw new Error(`Vector of ${vector.length} numbers for a cache of ${width}`);
        entries.set(key, vector);
      }
      appendFileSync(path, Buffer.concat(added.map(([key, vector]) => recordOf(key, vector))));
    },
    /** Rewrites the file without unused entries, if it has any. */
    keepOnly(keys: ReadonlySet<string>): void {
      const stale = [...entries.keys()].filter((key) => !keys.has(key));
      if (stale.length === 0) return;
      for (const key of stale) entries.delete(key);
      rewrite();
    },
  };
}

function recordOf(key: string, vector: Float32Array): Buffer {
  return Buffer.concat([Buffer.from(key, "hex"), Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)]);
}
