/**
 * The packed shard: many items in one binary value, because KV bills and delays per key. Written by `armmt embed`, read at the edge.
 *
 * Little-endian, as every supported platform. A reader trusts nothing before the checksum has passed. Pure: no I/O, no cache.
 *
 * | bytes             | what                                                                                     |
 * |-------------------|------------------------------------------------------------------------------------------|
 * | 32                | header, uint32 each: magic, version, imageDim, textDim, featureCount, count, idBytes, CRC |
 * | 4                 | uint32 number of all words                                                               |
 * | 4 · count         | uint32 FNV-1a of the id, ascending; equal hashes are ordered by id                       |
 * | 4 · count         | uint32 end of the id within the id bytes                                                 |
 * | 4 · count, twice  | float32 scale of the image vector, then of the text vector                               |
 * | 4 · F · count     | float32 features, NaN = absent                                                           |
 * | 4 · count         | uint32 end of the item's words within the words                                          |
 * | 2 · words         | uint16 hashes of the words (`wordHashes`), of each item ascending                        |
 * | count             | presence: bit 0 image, bit 1 text                                                        |
 * | Di · count        | int8 image vectors                                                                       |
 * | Dt · count        | int8 text vectors                                                                        |
 * | idBytes           | ids as UTF-8, one after the other                                                        |
 *
 * Version 1 has no words: neither their number nor the two sections.
 */
import type { ItemRecord, ListItem, PackedVector, PackedWords } from "../ranking/candidate.ts";
import { fnv1a } from "../ranking/tokenizer.ts";
import { err, ok, type Result } from "../result.ts";
import { crc32 } from "./checksum.ts";

/** "ARMS" read as a little-endian uint32. */
const SHARD_MAGIC = 0x534d5241;

/** Version 1 is written where no item has words. */
export const SHARD_VERSION = 2;

export const SHARD_VERSIONS: readonly number[] = [1, 2];

const HEADER_BYTES = 36;
const HEADER_BYTES_1 = 32;
const CHECKSUM_AT = 28;
const WORDS_AT = 32;
const HAS_IMAGE = 1;
const HAS_TEXT = 2;
const INT8_MAX = 127;

export interface ShardDims {
  readonly imageDim: number;
  readonly textDim: number;
  /** Features per item. */
  readonly featureCount: number;
}

/** An item inside its shard: its vectors are views of the shard's bytes. */
export interface PackedItem extends ListItem {
  readonly image: PackedVector | undefined;
  readonly text: PackedVector | undefined;
  /** `undefined` in a shard without words. */
  readonly words?: PackedWords | undefined;
}

export interface Shard {
  readonly count: number;
  /** Size of the packed form, for the budget of a cache. */
  readonly byteLength: number;
  /** CRC-32 as in the header. */
  readonly checksum: number;
  /** `undefined` when the id is not in this shard. */
  locate(itemId: string): PackedItem | undefined;
  /** The same item unpacked. */
  find(itemId: string): ItemRecord | undefined;
}

/** The shard in which an item lives, 0..shardCount-1. */
export function shardOf(itemId: string, shardCount: number): number {
  return fnv1a(itemId) % shardCount;
}

/**
 * Packs records in any order; the same records give the same bytes. A vector component is off by at most half its scale, that is
 * `max |component| / 254`. The error names the item and what is wrong with it.
 */
export function encodeShard(records: readonly ItemRecord[], dims: ShardDims): Result<Uint8Array<ArrayBuffer>, string> {
  const problem = records.map((record) => problemOf(record, dims)).find((found) => found !== undefined);
  if (problem !== undefined) return err(problem);
  const rows = records
    .map((record) => ({ record, hash: fnv1a(record.itemId) }))
    .toSorted((a, b) => a.hash - b.hash || (a.record.itemId < b.record.itemId ? -1 : 1));
  for (let i = 1; i < rows.length; i++) {
    const { itemId } = rows[i]!.record;
    if (itemId === rows[i - 1]!.record.itemId) return err(`Item "${itemId}" occurs twice: give every item its own id`);
  }

  const ids = rows.map(({ record }) => new TextEncoder().encode(record.itemId));
  const idBytes = ids.reduce((sum, id) => sum + id.length, 0);
  const count = rows.length;
  const wordCount = rows.reduce((sum, { record }) => sum + (record.words?.length ?? 0), 0);
  const words = wordCount === 0 ? undefined : wordCount;
  const layout = { ...dims, count, words };
  const bytes = new Uint8Array(bytesFor(layout, idBytes));
  const header = new DataView(bytes.buffer);
  if (words !== undefined) header.setUint32(WORDS_AT, words, true);
  [SHARD_MAGIC, words === undefined ? 1 : SHARD_VERSION, dims.imageDim, dims.textDim, dims.featureCount, count, idBytes].forEach(
    (value, i) => header.setUint32(i * 4, value, true),
  );
  const views = viewsOf(bytes, layout);
  let idEnd = 0;
  let wordEnd = 0;
  rows.forEach(({ record, hash }, row) => {
    const id = ids[row]!;
    views.ids.set(id, idEnd);
    idEnd += id.length;
    views.hash[row] = hash;
    views.idEnd[row] = idEnd;
    if (record.words !== undefined) views.words.set(record.words, wordEnd);
    wordEnd += record.words?.length ?? 0;
    if (words !== undefined) views.wordEnd[row] = wordEnd;
    views.presence[row] = (record.image === undefined ? 0 : HAS_IMAGE) | (record.text === undefined ? 0 : HAS_TEXT);
    if (record.image !== undefined) views.imageScale[row] = quantise(record.image, views.image, row * dims.imageDim);
    if (record.text !== undefined) views.textScale[row] = quantise(record.text, views.text, row * dims.textDim);
    record.features.forEach((value, f) => {
      views.features[row * dims.featureCount + f] = value ?? Number.NaN;
    });
  });
  header.setUint32(CHECKSUM_AT, checksumOf(bytes), true);
  return ok(bytes);
}

/** Checks magic, version, dims, length and checksum, in this order, before it reads anything else. Keeps `bytes`: do not change them. */
export function decodeShard(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer, expected: ShardDims): Result<Shard, string> {
  const packed = aligned(bytes);
  if (packed.length < HEADER_BYTES_1) {
    return err(`Cannot decode shard: ${packed.length} bytes are less than the header's ${HEADER_BYTES_1}`);
  }
  const header = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const field = (i: number) => header.getUint32(i * 4, true);
  if (field(0) !== SHARD_MAGIC) return err(`Cannot decode shard: magic ${hex(field(0))}, expected ${hex(SHARD_MAGIC)}`);
  if (!SHARD_VERSIONS.includes(field(1))) {
    return err(`Cannot decode shard: format version ${field(1)}, expected ${SHARD_VERSIONS.join(" or ")}`);
  }
  const dims: readonly (readonly [string, number, number])[] = [
    ["image dim", field(2), expected.imageDim],
    ["text dim", field(3), expected.textDim],
    ["feature count", field(4), expected.featureCount],
  ];
  for (const [name, found, wanted] of dims) {
    if (found !== wanted) return err(`Cannot decode shard: ${name} ${found}, expected ${wanted}`);
  }
  const count = field(5);
  const words = field(1) === 1 ? undefined : packed.length < HEADER_BYTES ? 0 : header.getUint32(WORDS_AT, true);
  const layout = { ...expected, count, words };
  const length = bytesFor(layout, field(6));
  if (packed.length !== length) return err(`Cannot decode shard: ${packed.length} bytes, expected ${length} for ${count} items`);
  const checksum = field(7);
  const actual = checksumOf(packed);
  if (actual !== checksum) return err(`Cannot decode shard: checksum ${hex(actual)}, the header says ${hex(checksum)}`);
  const views = viewsOf(packed, layout);
  return ok({
    count,
    byteLength: packed.length,
    checksum,
    locate: (itemId) => locateItem(views, expected, itemId),
    find: (itemId) => unpack(locateItem(views, expected, itemId), expected),
  });
}

function problemOf(record: ItemRecord, dims: ShardDims): string | undefined {
  const { itemId, image, text, features, words } = record;
  const name = JSON.stringify(itemId);
  if (itemId === "" || !itemId.isWellFormed()) return `Item id ${name} is empty or not valid Unicode: give the item another id`;
  for (const [side, vector, dim] of [
    ["image", image, dims.imageDim],
    ["text", text, dims.textDim],
  ] as const) {
    if (vector === undefined) continue;
    if (vector.length !== dim) return `Item ${name}: ${side} vector has ${vector.length} numbers, expected ${dim}`;
    const at = vector.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return `Item ${name}: ${side} vector has ${vector[at]} at ${at}, expected finite numbers`;
  }
  if (words?.some((word, i) => i > 0 && word <= words[i - 1]!) === true) return `Item ${name}: hashes of words do not ascend`;
  if (features.length !== dims.featureCount) return `Item ${name}: ${features.length} features, expected ${dims.featureCount}`;
  const at = features.findIndex((value) => value !== undefined && !Number.isFinite(Math.fround(value)));
  if (at >= 0) return `Item ${name}: feature ${at} is ${features[at]}, expected a finite number or none`;
  return undefined;
}

interface Layout extends ShardDims {
  /** Items. */
  readonly count: number;
  /** Of all items; `undefined` in version 1. */
  readonly words: number | undefined;
}

function headerBytes({ words }: Layout): number {
  return words === undefined ? HEADER_BYTES_1 : HEADER_BYTES;
}

/** Length of a shard. */
function bytesFor(layout: Layout, idBytes: number): number {
  const { imageDim, textDim, featureCount, count, words } = layout;
  const wordBytes = words === undefined ? 0 : 4 * count + 2 * words;
  return headerBytes(layout) + count * (4 * (4 + featureCount) + 1 + imageDim + textDim) + wordBytes + idBytes;
}

type Views = Readonly<ReturnType<typeof viewsOf>>;

/** In the order of the table above. Sections with 4 bytes per entry come first, so that all of them are aligned. */
function viewsOf({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>, layout: Layout) {
  const { imageDim, textDim, featureCount, count, words } = layout;
  let end = byteOffset + headerBytes(layout);
  const next = (bytes: number): number => (end += bytes) - bytes;
  return {
    hash: new Uint32Array(buffer, next(4 * count), count), // [count]
    idEnd: new Uint32Array(buffer, next(4 * count), count), // [count]
    imageScale: new Float32Array(buffer, next(4 * count), count), // [count]
    textScale: new Float32Array(buffer, next(4 * count), count), // [count]
    features: new Float32Array(buffer, next(4 * count * featureCount), count * featureCount), // [count, F]
    wordEnd: new Uint32Array(buffer, next(words === undefined ? 0 : 4 * count), words === undefined ? 0 : count), // [count]
    words: new Uint16Array(buffer, next(2 * (words ?? 0)), words ?? 0),
    presence: new Uint8Array(buffer, next(count), count), // [count]
    image: new Int8Array(buffer, next(count * imageDim), count * imageDim), // [count, Di]
    text: new Int8Array(buffer, next(count * textDim), count * textDim), // [count, Dt]
    ids: new Uint8Array(buffer, end, byteOffset + length - end),
  };
}

/** Typed arrays need 4-byte alignment, which a part of a larger buffer may lack. */
function aligned(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Uint8Array<ArrayBuffer> {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** Symmetric int8 with one scale: component ≈ scale · int8. Returns the scale, 0 for a zero vector. */
function quantise(vector: Float32Array, into: Int8Array, at: number): number {
  let max = 0;
  for (const value of vector) max = Math.max(max, Math.abs(value));
  const scale = Math.fround(max / INT8_MAX);
  if (scale === 0) return 0;
  vector.forEach((value, d) => {
    into[at + d] = Math.max(-INT8_MAX, Math.min(INT8_MAX, Math.round(value / scale)));
  });
  return scale;
}

function unpack(item: PackedItem | undefined, dims: ShardDims): ItemRecord | undefined {
  if (item === undefined) return undefined;
  const { itemId, features, words } = item;
  return {
    itemId,
    image: restore(item.image, dims.imageDim),
    text: restore(item.text, dims.textDim),
    features,
    ...(words !== undefined && { words: words.hashes.slice(words.start, words.end) }),
  };
}

function restore(packed: PackedVector | undefined, dim: number): Float32Array | undefined {
  if (packed === undefined) return undefined;
  const { components, start, scale } = packed;
  return Float32Array.from({ length: dim }, (_, d) => components[start + d]! * scale);
}

function locateItem(views: Views, dims: ShardDims, itemId: string): PackedItem | undefined {
  const row = rowOf(views, itemId);
  if (row === undefined) return undefined;
  const { imageDim, textDim, featureCount } = dims;
  const has = views.presence[row]!;
  const features: (number | undefined)[] = [];
  for (let at = row * featureCount; at < (row + 1) * featureCount; at++) {
    const value = views.features[at]!;
    features.push(Number.isNaN(value) ? undefined : value);
  }
  return {
    itemId,
    image: has & HAS_IMAGE ? { components: views.image, start: row * imageDim, scale: views.imageScale[row]! } : undefined,
    text: has & HAS_TEXT ? { components: views.text, start: row * textDim, scale: views.textScale[row]! } : undefined,
    features,
    words:
      views.words.length === 0
        ? undefined
        : { hashes: views.words, start: row === 0 ? 0 : views.wordEnd[row - 1]!, end: views.wordEnd[row]! },
  };
}

function rowOf(views: Views, itemId: string): number | undefined {
  const hash = fnv1a(itemId);
  let low = 0;
  let high = views.hash.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (views.hash[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  for (let row = low; row < views.hash.length && views.hash[row] === hash; row++) {
    if (isIdAt(views, row, itemId)) return row;
  }
  return undefined;
}

/** Ids are ASCII nearly always: those are compared without making bytes of them, for a search looks up a hundred. */
function isIdAt({ ids, idEnd }: Views, row: number, itemId: string): boolean {
  const start = row === 0 ? 0 : idEnd[row - 1]!;
  const length = idEnd[row]! - start;
  for (let i = 0; i < itemId.length; i++) {
    const unit = itemId.charCodeAt(i);
    if (unit >= 0x80) return isEncodedIdAt(ids.subarray(start, start + length), itemId);
    if (ids[start + i] !== unit) return false;
  }
  return itemId.length === length;
}

function isEncodedIdAt(id: Uint8Array, itemId: string): boolean {
  // An encoder turns a lone surrogate into U+FFFD, which would then equal an id that really holds U+FFFD.
  if (!itemId.isWellFormed()) return false;
  const wanted = new TextEncoder().encode(itemId);
  return id.length === wanted.length && id.every((byte, i) => byte === wanted[i]);
}

/** As a shard's header says. */
export function checksumIn(shard: Uint8Array): number {
  return new DataView(shard.buffer, shard.byteOffset).getUint32(CHECKSUM_AT, true);
}

/** CRC-32 over everything except the checksum itself. */
function checksumOf(bytes: Uint8Array): number {
  const before = crc32(bytes, 0, CHECKSUM_AT, -1);
  return ~crc32(bytes, WORDS_AT, bytes.length, before) >>> 0;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
