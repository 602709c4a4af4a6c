/**
 * The query table of a catalogue: a query's words → its vector among the items' text vectors, its vector among their pictures, and the
 * rarity of its words. Written by `armmt embed` beside the shards, read at the edge, where no encoder runs.
 *
 * A reader trusts nothing before the checksum has passed. Pure: no I/O, no cache.
 */
import { createWordpiece, type WordpieceRules } from "../ranking/wordpiece.ts";
import { codeHashes, fold, hashWord, MAX_QUERY_CHARACTERS, namedCodes, queryWords, stem, WORDS } from "../ranking/words.ts";
import { err, ok, type Result } from "../result.ts";
import {
  bitsAt,
  CHECKSUM_AT,
  checksumOf,
  type Description,
  HEADER_BYTES,
  hex,
  INT8_MAX,
  KNOWN_BITS,
  knownBytes,
  knownHashes,
  parseDescription,
  pieceProblem,
  quantise,
  sectionBytes,
  TABLE_MAGIC,
  TABLE_VERSION,
  viewProblem,
  type Views,
  viewsOf,
} from "./query-table-layout.ts";

/** Another kind (unigram, say) is another member of this union. */
export type QueryTokenizer = WordpieceRules & { readonly kind: "wordpiece" };

export interface QueryTableContent {
  /** As in the published set. */
  readonly textEncoder: string;
  readonly tokenizer: QueryTokenizer;
  /** The encoder's principal axes in order. */
  readonly textDim: number;
  /** 0 without a map from words to pictures. */
  readonly pictureDim: number;
  /** Of the picture's cosine beside the text's; 0 where the map failed its check. */
  readonly pictureWeight: number;
  /** Ids of the vocabulary that have a row, ascending. */
  readonly pieceIds: Uint32Array;
  /** [pieceIds.length, textDim + pictureDim]. */
  readonly rows: Float32Array;
  /** Added to the mean of the rows: [textDim + pictureDim]. */
  readonly offset: Float32Array;
  readonly itemCount: number;
  /** `hashWord(word)` → in how many items it occurs. */
  readonly wordCounts: ReadonlyMap<number, number>;
  /** Text → its vector by the encoder itself: [textDim + pictureDim]. */
  readonly knownQueries: ReadonlyMap<string, Float32Array>;
}

export interface QueryWord {
  readonly hash: number;
  /** ln(1 + (N − n + ½) / (n + ½)), as in BM25. */
  readonly rarity: number;
  /** Items that hold it, or another word of the same hash. */
  readonly itemCount: number;
}

export interface EncodedQuery {
  /** Unit vector [textDim]; `undefined` where no piece of the text has a row. */
  readonly text: Float32Array | undefined;
  /** Unit vector [pictureDim]. */
  readonly picture: Float32Array | undefined;
  /** Each word once. */
  readonly words: readonly QueryWord[];
  /** Codes (part numbers, models) that few items hold: of each, the hashes that an item with it has. */
  readonly codes: readonly (readonly number[])[];
}

export interface QueryTable {
  readonly textEncoder: string;
  readonly textDim: number;
  readonly pictureDim: number;
  readonly pictureWeight: number;
  readonly itemCount: number;
  /** Size of the packed form. */
  readonly byteLength: number;
  /** CRC-32 as in the header. */
  readonly checksum: number;
  encodeQuery(text: string): EncodedQuery;
  /** Items that hold a word, or another of the same hash. */
  itemsWith(hash: number): number;
}

/** The form in which known queries are compared: what folds alike is one query. */
export function normaliseQuery(text: string): string {
  return fold(text).trim().replace(/\s+/gu, " ");
}

/** As a table's header says; the set names it. */
export function tableChecksumIn(table: Uint8Array): number {
  return new DataView(table.buffer, table.byteOffset).getUint32(CHECKSUM_AT, true);
}

/** The same content gives the same bytes. The error names what is wrong with it. */
export function encodeQueryTable(content: QueryTableContent): Result<Uint8Array<ArrayBuffer>, string> {
  const problem = problemOf(content);
  if (problem !== undefined) return err(`Cannot encode query table: ${problem}`);
  const { textEncoder, tokenizer, textDim, pictureDim, pictureWeight, pieceIds, rows, offset, itemCount } = content;
  const words = [...content.wordCounts].toSorted(([a], [b]) => a - b);
  const known = knownRows(content.knownQueries);
  const { kind, lowerCase, stripAccents, maxWordLength, unknown, vocabulary } = tokenizer;
  const description: Description = {
    textEncoder,
    tokenizer: { kind, lowerCase, stripAccents, maxWordLength, unknown, pieces: vocabulary.length },
    textDim,
    pictureDim,
    pictureWeight,
    itemCount,
    words: WORDS,
    rows: pieceIds.length,
    wordCount: words.length,
    known: known.length,
  };
  const json = JSON.stringify(description);
  const text = new TextEncoder().encode(json);
  const header = new Uint8Array(Math.ceil(text.length / 4) * 4).fill(0x20);
  header.set(text);
  const pieces = new TextEncoder().encode(vocabulary.join("\n"));
  const start = HEADER_BYTES + header.length;
  const bytes = new Uint8Array(start + sectionBytes(description) + pieces.length);
  const fields = new DataView(bytes.buffer);
  [TABLE_MAGIC, TABLE_VERSION, 0, header.length].forEach((value, i) => fields.setUint32(i * 4, value, true));
  bytes.set(header, HEADER_BYTES);
  const views = viewsOf(bytes, start, description);
  views.offset.set(offset);
  views.pieceIds.set(pieceIds);
  const dim = textDim + pictureDim;
  for (let row = 0; row < pieceIds.length; row++) {
    const at = row * dim;
    views.textScale[row] = quantise(rows.subarray(at, at + textDim), INT8_MAX, (d, value) => (views.rows[at + d] = value));
    views.pictureScale[row] = quantise(
      rows.subarray(at + textDim, at + dim),
      INT8_MAX,
      (d, value) => (views.rows[at + textDim + d] = value),
    );
  }
  words.forEach(([hash, count], i) => {
    views.wordHash[i] = hash;
    views.wordCount[i] = count;
  });
  const partBytes = knownBytes(description);
  known.forEach(({ first, second, vector }, i) => {
    views.knownFirst[i] = first;
    views.knownSecond[i] = second;
    const at = i * (partBytes.text + partBytes.picture);
    const [textBits, pictureBits] = [
      bitsAt(views.known, at, KNOWN_BITS.text),
      bitsAt(views.known, at + partBytes.text, KNOWN_BITS.picture),
    ];
    views.knownTextScale[i] = quantise(vector.subarray(0, textDim), textBits.max, textBits.write);
    views.knownPictureScale[i] = quantise(vector.subarray(textDim), pictureBits.max, pictureBits.write);
  });
  views.vocabulary.set(pieces);
  fields.setUint32(CHECKSUM_AT, checksumOf(bytes), true);
  return ok(bytes);
}

function fail(problem: string): Result<never, string> {
  return err(`Cannot decode query table: ${problem}`);
}

/** Checks magic, version, checksum, description and length, in this order, before it reads anything else. Keeps `bytes`. */
export function decodeQueryTable(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Result<QueryTable, string> {
  const packed = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (packed.length < HEADER_BYTES) return fail(`${packed.length} bytes are less than the header's ${HEADER_BYTES}`);
  const header = new DataView(packed.buffer, packed.byteOffset, HEADER_BYTES);
  const field = (i: number) => header.getUint32(i * 4, true);
  const [magic, version, checksum, length] = [field(0), field(1), field(2), field(3)] as const;
  if (magic !== TABLE_MAGIC) return fail(`magic ${hex(magic)}, expected ${hex(TABLE_MAGIC)}`);
  if (version !== TABLE_VERSION) return fail(`format version ${version}, expected ${TABLE_VERSION}`);
  const actual = checksumOf(packed);
  if (actual !== checksum) return fail(`checksum ${hex(actual)}, the header says ${hex(checksum)}`);
  const start = HEADER_BYTES + length;
  if (length % 4 !== 0 || start > packed.length) return fail(`a description of ${length} bytes, of ${packed.length} in all`);
  const described = parseDescription(packed.subarray(HEADER_BYTES, start));
  if (!described.ok) return fail(described.error);
  const description = described.value;
  const needed = start + sectionBytes(description);
  if (needed > packed.length) return fail(`${packed.length} bytes, expected at least ${needed}`);
  const views = viewsOf(packed, start, description);
  const problem = viewProblem(views, description);
  if (problem !== undefined) return fail(problem);
  return ok(tableOf(views, description, { byteLength: packed.length, checksum }));
}

function tableOf(views: Views, description: Description, sizes: Pick<QueryTable, "byteLength" | "checksum">): QueryTable {
  const { textEncoder, textDim, pictureDim, pictureWeight, itemCount, tokenizer } = description;
  const dim = textDim + pictureDim;
  const partBytes = knownBytes(description);
  let pieces: ReturnType<typeof createWordpiece> | undefined;
  const tokenize = (text: string): readonly number[] =>
    (pieces ??= createWordpiece({ ...tokenizer, vocabulary: vocabularyIn(views) }))(text);
  const itemsWith = (hash: number): number => {
    const at = indexOf(views.wordHash, hash);
    return views.wordHash[at] === hash ? views.wordCount[at]! : 0;
  };
  const wordsOf = (text: string): readonly QueryWord[] =>
    Array.from(new Set(queryWords(text).map(hashWord)), (hash) => {
      const holders = itemsWith(hash);
      return { hash, rarity: Math.log(1 + (itemCount - holders + 0.5) / (holders + 0.5)), itemCount: holders };
    });
  // Of a hash that is shared by many, most are other words.
  const mostHolders = Math.max(5, itemCount / 1000);
  const codesOf = (text: string): EncodedQuery["codes"] =>
    namedCodes(text).flatMap(({ code, words }) => {
      const hashes = codeHashes(code);
      const holders = hashes.map(itemsWith);
      if (holders[0]! > mostHolders || Math.min(...holders) === 0) return [];
      // "27 inch" and "laptop 8" are words beside numbers: other items say "inch" too. One letter is a unit.
      const isOwn = words.every((word) => word.length > 1 && [word, stem(word)].every((form) => itemsWith(hashWord(form)) <= holders[0]!));
      return isOwn ? [hashes] : [];
    });
  const knownVector = (text: string): Float32Array | undefined => {
    const [first, second] = knownHashes(normaliseQuery(text));
    for (let i = indexOf(views.knownFirst, first); views.knownFirst[i] === first; i++) {
      if (views.knownSecond[i] !== second) continue;
      const at = i * (partBytes.text + partBytes.picture);
      const [textBits, pictureBits] = [
        bitsAt(views.known, at, KNOWN_BITS.text),
        bitsAt(views.known, at + partBytes.text, KNOWN_BITS.picture),
      ];
      return Float32Array.from({ length: dim }, (_, d) =>
        d < textDim ? textBits.read(d) * views.knownTextScale[i]! : pictureBits.read(d - textDim) * views.knownPictureScale[i]!,
      );
    }
    return undefined;
  };
  const meanOfRows = (text: string): Float32Array | undefined => {
    const sum = new Float32Array(dim);
    let count = 0;
    for (const id of tokenize(text)) {
      const row = indexOf(views.pieceIds, id);
      if (views.pieceIds[row] !== id) continue;
      count++;
      for (let d = 0, at = row * dim; d < dim; d++) {
        sum[d] = sum[d]! + views.rows[at + d]! * (d < textDim ? views.textScale[row]! : views.pictureScale[row]!);
      }
    }
    return count === 0 ? undefined : sum.map((value, d) => value / count + views.offset[d]!);
  };
  return {
    textEncoder,
    textDim,
    pictureDim,
    pictureWeight,
    itemCount,
    ...sizes,
    itemsWith,
    encodeQuery(whole) {
      const text = whole.slice(0, MAX_QUERY_CHARACTERS);
      const vector = knownVector(text) ?? meanOfRows(text);
      return {
        text: vector && unit(vector.subarray(0, textDim)),
        picture: vector && unit(vector.subarray(textDim)),
        words: wordsOf(text),
        codes: codesOf(text),
      };
    },
  };
}

/** `undefined` for a vector without a direction. */
function unit(vector: Float32Array): Float32Array | undefined {
  const norm = Math.hypot(...vector);
  return norm > 0 && Number.isFinite(norm) ? vector.map((value) => value / norm) : undefined;
}

function vocabularyIn({ vocabulary }: Views): readonly string[] {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(vocabulary).split("\n");
}

function problemOf(content: QueryTableContent): string | undefined {
  const { tokenizer, textDim, pictureDim, pictureWeight, pieceIds, rows, offset, itemCount, wordCounts, knownQueries } = content;
  const dim = textDim + pictureDim;
  const { vocabulary, unknown } = tokenizer;
  if (!Number.isInteger(textDim) || textDim < 1) return `textDim is ${textDim}, expected 1 or more`;
  if (!Number.isInteger(pictureDim) || pictureDim < 0) return `pictureDim is ${pictureDim}, expected 0 or more`;
  if (!(pictureWeight >= 0 && pictureWeight < Infinity)) return `pictureWeight is ${pictureWeight}, expected 0 or more`;
  if (vocabulary.length === 0 || unknown >= vocabulary.length) return `unknown is ${unknown} of ${vocabulary.length} pieces`;
  const broken = vocabulary.find((piece) => piece.includes("\n") || !piece.isWellFormed());
  if (broken !== undefined) return `piece ${JSON.stringify(broken)} holds a line end or is not valid Unicode`;
  if (offset.length !== dim) return `offset has ${offset.length} numbers, expected ${dim}`;
  if (rows.length !== pieceIds.length * dim) return `rows has ${rows.length} numbers, expected ${pieceIds.length} × ${dim}`;
  for (const [name, values] of Object.entries({ rows, offset })) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return `${name} has ${values[at]} at ${at}, expected finite numbers`;
  }
  for (const [hash, count] of wordCounts) {
    if (!(hash >= 0 && hash <= 0xffff) || !(count >= 1 && count <= itemCount)) return `word ${hash} is in ${count} of ${itemCount} items`;
  }
  for (const [text, vector] of knownQueries) {
    if (vector.length !== dim || vector.some((value) => !Number.isFinite(value))) {
      return `known query ${JSON.stringify(text)} has ${vector.length} numbers, expected ${dim} finite ones`;
    }
  }
  return pieceProblem(pieceIds, vocabulary.length);
}

/** Ascending by hash; of two texts that fold alike, the first stays. */
function knownRows(queries: ReadonlyMap<string, Float32Array>) {
  const byText = new Map<string, Float32Array>();
  for (const [text, vector] of queries) {
    const normalised = normaliseQuery(text);
    if (normalised !== "" && !byText.has(normalised)) byText.set(normalised, vector);
  }
  return Array.from(byText, ([text, vector]) => {
    const [first, second] = knownHashes(text);
    return { first, second, vector };
  }).toSorted((a, b) => a.first - b.first || a.second - b.second);
}

/** The first entry of ascending `values` that is at least `wanted`. */
function indexOf(values: Uint32Array | Uint16Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
