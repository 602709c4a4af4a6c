/**
 * The bytes of a query table, little-endian. Pure.
 *
 * | bytes               | what                                                                                            |
 * |---------------------|-------------------------------------------------------------------------------------------------|
 * | 16                  | uint32 each: magic, version, CRC of all that follows, length of the description                  |
 * | description         | JSON (`descriptionSchema`), padded with spaces to a multiple of 4                                |
 * | 4 · (Dt + Dp)       | float32 offset                                                                                  |
 * | 4 · rows, 3 times   | uint32 id of the piece, ascending; float32 scale of its text part; of its picture part           |
 * | 4 · words           | uint32 number of items that hold the word                                                       |
 * | 4 · known, 4 times  | uint32 hash of the known query, ascending; a second hash; float32 scale of its text part; picture |
 * | 2 · words           | uint16 hash of the word, ascending                                                              |
 * | rows · (Dt + Dp)    | int8 rows                                                                                       |
 * | known · …           | its vector, 6 bits for each number of text, then 4 for each of the picture                       |
 * | the rest            | the vocabulary in UTF-8, separated by line ends                                                 |
 */
import * as v from "valibot";
import { fnv1a } from "../ranking/tokenizer.ts";
import { WORDS } from "../ranking/words.ts";
import { err, ok, type Result } from "../result.ts";
import { crc32 } from "./checksum.ts";

/** "ARMQ" read as a little-endian uint32. */
export const TABLE_MAGIC = 0x514d5241;
export const TABLE_VERSION = 1;
export const HEADER_BYTES = 16;
export const CHECKSUM_AT = 8;
export const INT8_MAX = 127;

/** Of a known query, whose vector is read once and not summed up: ten thousand of them take 1.4 MB. */
export const KNOWN_BITS = { text: 6, picture: 4 } as const;

const countSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));

const descriptionSchema = v.object({
  textEncoder: v.string(),
  tokenizer: v.object({
    kind: v.literal("wordpiece"),
    lowerCase: v.boolean(),
    stripAccents: v.boolean(),
    maxWordLength: countSchema,
    unknown: countSchema,
    pieces: countSchema,
  }),
  textDim: v.pipe(countSchema, v.minValue(1)),
  pictureDim: countSchema,
  pictureWeight: v.pipe(v.number(), v.finite(), v.minValue(0)),
  itemCount: countSchema,
  words: v.literal(WORDS, `hashed by other rules than ${WORDS}: embed again`),
  rows: countSchema,
  wordCount: countSchema,
  known: countSchema,
});

export type Description = v.InferOutput<typeof descriptionSchema>;

export function pieceProblem(pieceIds: Uint32Array, pieces: number): string | undefined {
  const at = pieceIds.findIndex((id, i) => id >= pieces || (i > 0 && id <= pieceIds[i - 1]!));
  return at < 0 ? undefined : `piece ${pieceIds[at]} at ${at}, expected ascending ids below ${pieces}`;
}

/** What a checksum does not promise: the writer may have been wrong. The vocabulary is read when it is needed. */
export function viewProblem(views: Views, { tokenizer }: Description): string | undefined {
  const { offset, textScale, pictureScale, knownTextScale, knownPictureScale, wordHash, knownFirst, pieceIds } = views;
  if (![offset, textScale, pictureScale, knownTextScale, knownPictureScale].every((values) => values.every(Number.isFinite)))
    return "an offset or scale is not finite";
  if (wordHash.some((hash, i) => i > 0 && hash <= wordHash[i - 1]!)) return "word hashes do not ascend";
  if (knownFirst.some((hash, i) => i > 0 && hash < knownFirst[i - 1]!)) return "hashes of known queries do not ascend";
  let lines = 1;
  for (const byte of views.vocabulary) if (byte === 0x0a) lines++;
  if (lines !== tokenizer.pieces) return `a vocabulary of ${lines} pieces, expected ${tokenizer.pieces}`;
  return pieceProblem(pieceIds, tokenizer.pieces);
}

/** Two hashes together are as good as the text: nobody meets two queries that share both. */
export function knownHashes(normalised: string): readonly [number, number] {
  return [fnv1a(normalised), fnv1a(`\u0001${normalised}`)];
}

/** Writes round(component / scale) and returns the scale; 0 for a zero vector. */
export function quantise(vector: Float32Array, max: number, write: (d: number, value: number) => void): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / max);
  vector.forEach((value, d) => write(d, scale === 0 ? 0 : Math.max(-max, Math.min(max, Math.round(value / scale)))));
  return scale;
}

/** Signed numbers of a few bits each, one after the other from byte `start`, lowest bit first. */
export function bitsAt(bytes: Uint8Array, start: number, bits: number) {
  const max = 2 ** (bits - 1) - 1;
  return {
    max,
    read: (i: number): number => {
      const bit = i * bits;
      const at = start + (bit >>> 3);
      return (((bytes[at]! | ((bytes[at + 1] ?? 0) << 8)) >>> (bit & 7)) & (2 ** bits - 1)) - max;
    },
    write: (i: number, value: number): void => {
      const bit = i * bits;
      const at = start + (bit >>> 3);
      const shifted = (value + max) << (bit & 7);
      bytes[at] = bytes[at]! | (shifted & 0xff);
      if (shifted > 0xff) bytes[at + 1] = bytes[at + 1]! | (shifted >>> 8);
    },
  };
}

export function knownBytes({ textDim, pictureDim }: Description) {
  return { text: Math.ceil((textDim * KNOWN_BITS.text) / 8), picture: Math.ceil((pictureDim * KNOWN_BITS.picture) / 8) };
}

/** Of everything between the description and the vocabulary. */
export function sectionBytes(description: Description): number {
  const { textDim, pictureDim, rows, wordCount, known } = description;
  const dim = textDim + pictureDim;
  const each = knownBytes(description);
  return 4 * dim + 12 * rows + 4 * wordCount + 16 * known + 2 * wordCount + rows * dim + known * (each.text + each.picture);
}

export type Views = Readonly<ReturnType<typeof viewsOf>>;

/** In the order of the table above. Sections with 4 bytes per entry come first, so that all of them are aligned. */
export function viewsOf({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>, start: number, description: Description) {
  const { textDim, pictureDim, rows, wordCount, known } = description;
  const dim = textDim + pictureDim;
  const each = knownBytes(description);
  let end = byteOffset + start;
  const next = (bytes: number): number => (end += bytes) - bytes;
  return {
    offset: new Float32Array(buffer, next(4 * dim), dim),
    pieceIds: new Uint32Array(buffer, next(4 * rows), rows),
    textScale: new Float32Array(buffer, next(4 * rows), rows),
    pictureScale: new Float32Array(buffer, next(4 * rows), rows),
    wordCount: new Uint32Array(buffer, next(4 * wordCount), wordCount),
    knownFirst: new Uint32Array(buffer, next(4 * known), known),
    knownSecond: new Uint32Array(buffer, next(4 * known), known),
    knownTextScale: new Float32Array(buffer, next(4 * known), known),
    knownPictureScale: new Float32Array(buffer, next(4 * known), known),
    wordHash: new Uint16Array(buffer, next(2 * wordCount), wordCount),
    rows: new Int8Array(buffer, next(rows * dim), rows * dim), // [rows, Dt + Dp]
    known: new Uint8Array(buffer, next(known * (each.text + each.picture)), known * (each.text + each.picture)),
    vocabulary: new Uint8Array(buffer, end, byteOffset + length - end),
  };
}

export function parseDescription(bytes: Uint8Array): Result<Description, string> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err("its description is not JSON");
  }
  const parsed = v.safeParse(descriptionSchema, json);
  if (parsed.success) return ok(parsed.output);
  return err(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "description"}: ${issue.message}`).join("; "));
}

export function checksumOf(bytes: Uint8Array): number {
  const before = crc32(bytes, 0, CHECKSUM_AT, -1);
  return ~crc32(bytes, CHECKSUM_AT + 4, bytes.length, before) >>> 0;
}

export function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
