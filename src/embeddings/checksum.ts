/** CRC-32, as in zlib. Pure. Node's zlib.crc32() is not available in workerd without nodejs_compat, nor in browsers. */

/** Bytes per step, each with its own table (slicing-by-8). */
const STEP = 8;
const WORD_BYTES = 4;

/** The concatenated tables, [STEP, 256]. */
let tables: Int32Array | undefined;

function buildTables(): Int32Array {
  const all = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    all[byte] = value;
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256]!;
    all[at] = (before >>> 8) ^ all[before & 0xff]!;
  }
  return all;
}

/**
 * Continues from `seed` (-1 at the beginning) over bytes `from` to `to`; the complement of the last result is the checksum. Half a megabyte
 * takes less than half a millisecond: the first search that reads a shard waits for it.
 */
export function crc32(bytes: Uint8Array, from: number, to: number, seed: number): number {
  tables ??= buildTables();
  const t = tables;
  const aligned = Math.min(to, from + ((WORD_BYTES - ((bytes.byteOffset + from) % WORD_BYTES)) % WORD_BYTES));
  const steps = Math.floor((to - aligned) / STEP);
  // Little-endian, as the packed data. Without a full step the offset may be unaligned.
  const words = steps === 0 ? new Int32Array() : new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (steps * STEP) / WORD_BYTES);
  let crc = byByte(t, bytes.subarray(from, aligned), seed);
  for (let w = 0; w < words.length; w += 2) {
    const low = crc ^ words[w]!;
    const high = words[w + 1]!;
    crc =
      t[0x700 | (low & 0xff)]! ^
      t[0x600 | ((low >>> 8) & 0xff)]! ^
      t[0x500 | ((low >>> 16) & 0xff)]! ^
      t[0x400 | (low >>> 24)]! ^
      t[0x300 | (high & 0xff)]! ^
      t[0x200 | ((high >>> 8) & 0xff)]! ^
      t[0x100 | ((high >>> 16) & 0xff)]! ^
      t[high >>> 24]!;
  }
  return byByte(t, bytes.subarray(aligned + words.byteLength, to), crc);
}

function byByte(t: Int32Array, bytes: Uint8Array, seed: number): number {
  let crc = seed;
  for (const byte of bytes) crc = t[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return crc;
}
