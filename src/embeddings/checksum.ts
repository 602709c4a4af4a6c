/** CRC-32, the one of zlib. Pure; nothing of shards in it. */

let tables: readonly Int32Array[] | undefined;

/** Four tables, so that one step takes four bytes: half a megabyte in about a millisecond. */
function buildTables(): readonly Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  const all = [first];
  for (let n = 1; n < 4; n++) all.push(all[n - 1]!.map((value) => (value >>> 8) ^ first[value & 0xff]!));
  return all;
}

/** Over bytes `from` to `to`, on top of `seed` (-1 at the beginning); the complement of the last one is the checksum. */
export function crc32(bytes: Uint8Array, from: number, to: number, seed: number): number {
  tables ??= buildTables();
  const t0 = tables[0]!;
  const t1 = tables[1]!;
  const t2 = tables[2]!;
  const t3 = tables[3]!;
  let crc = seed;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t3[crc & 0xff]! ^ t2[(crc >>> 8) & 0xff]! ^ t1[(crc >>> 16) & 0xff]! ^ t0[crc >>> 24]!;
  }
  for (; i < to; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return crc;
}
