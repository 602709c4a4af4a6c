/**
 * The query table of a catalogue: what the edge knows instead of an encoder. Rows of word pieces whose mean comes as near as it can to what the
 * encoder says of spans of this catalogue's texts; the encoder's own vectors of queries that are known; how rare each word is.
 */
import {
  decodeQueryTable,
  encodeQueryTable,
  normaliseQuery,
  type QueryTable,
  type QueryTableContent,
  type QueryTokenizer,
} from "../../../embeddings/query-table.ts";
import { createWordpiece } from "../../../ranking/wordpiece.ts";
import { UserError } from "../../../web.ts";
import { stacked } from "../vectors.ts";
import { along, type Axes } from "./axes.ts";
import type { CachedEncoder } from "./cached.ts";
import { catalogueTokenizer, pieceText } from "./pieces.ts";
import { type PictureCheck, toPicture } from "./picture-map.ts";
import { fitMeans } from "./ridge.ts";
import { catalogueSpans } from "./spans.ts";

/** More spans come no nearer to the encoder by much. */
const MAX_SPANS = 14_000;

/** Spans that the fit does not see, to say how near the table comes. */
const HELD_OUT = 500;

/** Pull of each row towards the vector of its piece alone. */
const RIDGE = 0.02;

/** For rows, vocabulary and words; known queries come on top. */
const MAX_TABLE_BYTES = 1_450_000;

/** A row's id and two scales; a word's hash and count. */
const ROW_BYTES = 12;
const WORD_BYTES = 6;

/** Pieces of a vocabulary made from the catalogue. */
const MADE_PIECES = 6000;

/** Pieces that any shop's shoppers may type, beyond the catalogue's own. */
const COMMON_PIECES = 3000;

export interface TableInput {
  readonly encode: CachedEncoder;
  /** As in the set. */
  readonly textEncoder: string;
  readonly axes: Axes;
  /** Of the items' vectors; the same is subtracted from a query's. [encoder's dim] */
  readonly mean: Float32Array;
  /** One for each item. */
  readonly documents: readonly string[];
  /** Hashes of each item's words. */
  readonly words: readonly Uint16Array[];
  readonly knownQueries: readonly string[];
  readonly pictures: PictureCheck | undefined;
}

export interface FittedTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly table: QueryTable;
  readonly spans: number;
  readonly rows: number;
  readonly knownQueries: number;
  /** Mean cosine with the encoder on spans that the fit has not seen. */
  readonly cosine: number;
}

/** `undefined` for a catalogue without any word. */
export async function fitQueryTable(input: TableInput): Promise<FittedTable | undefined> {
  const { encode, documents, axes, mean, pictures } = input;
  const spans = catalogueSpans(documents, MAX_SPANS + HELD_OUT);
  if (spans.length === 0) return undefined;
  // Evenly spread over the alphabet, and at most a tenth of a small catalogue's.
  const every = Math.max(10, Math.ceil(spans.length / HELD_OUT));
  const [fitted, heldOut] = [spans.filter((_, i) => i % every !== 0), spans.filter((_, i) => i % every === 0)];
  const known = [...new Map(input.knownQueries.map((text) => [normaliseQuery(text), text.trim()]))].flatMap(([key, text]) =>
    key === "" ? [] : text,
  );

  const own = encode.encoder.tokenizer;
  const tokenizer = own ?? catalogueTokenizer(documents, MADE_PIECES);
  const split = createWordpiece(tokenizer);
  const wordCounts = countWords(input.words);
  const width = axes.length / mean.length + (pictures === undefined ? 0 : pictures.map.weights.length / mean.length);
  const used =
    MAX_TABLE_BYTES - tokenizer.vocabulary.reduce((sum, piece) => sum + Buffer.byteLength(piece) + 1, 0) - wordCounts.size * WORD_BYTES;
  const pieceIds = chosenPieces(tokenizer, [...documents, ...known].map(split), Math.max(1, Math.floor(used / (width + ROW_BYTES))));
  const rowOf = new Map(pieceIds.map((id, row) => [id, row]));
  const rowsOf = (text: string): number[] => split(text).flatMap((id) => rowOf.get(id) ?? []);

  /** The columns of a table for one vector of the encoder, before anything is subtracted. */
  const columns = (vector: Float32Array): Float32Array => {
    const row = new Float32Array(width);
    const text = along(axes, vector);
    row.set(text);
    if (pictures !== undefined) row.set(toPicture({ ...pictures.map, mean: new Float64Array(mean.length) }, vector), text.length);
    return row;
  };
  const start =
    own === undefined
      ? await encode.texts(
          "word pieces",
          pieceIds.map((id) => pieceText(tokenizer.vocabulary[id]!)),
          "query",
        )
      : await encode.pieces(pieceIds);
  const targets = await encode.texts("spans of the catalogue", fitted, "query");
  const spanRows = fitted.map(rowsOf);
  const kept = [...spanRows.keys()].filter((i) => spanRows[i]!.length > 0);
  const rows = fitMeans({
    texts: kept.map((i) => spanRows[i]!),
    targets: stacked(
      kept.map((i) => columns(targets[i]!)),
      width,
    ),
    start: stacked(start.map(columns), width),
    width,
    ridge: RIDGE,
  });
  const offset = columns(mean).map((value) => -value);
  if (pictures !== undefined) offset.set(toPicture(pictures.map, new Float32Array(mean.length)), axes.length / mean.length);

  const vectors = await encode.texts("known queries", known, "query");
  const content: QueryTableContent = {
    textEncoder: input.textEncoder,
    tokenizer,
    textDim: axes.length / mean.length,
    pictureDim: width - axes.length / mean.length,
    pictureWeight: pictures?.weight ?? 0,
    pieceIds: Uint32Array.from(pieceIds),
    rows,
    offset,
    itemCount: documents.length,
    wordCounts,
    knownQueries: new Map(known.map((text, i) => [text, columns(vectors[i]!).map((value, d) => value + offset[d]!)])),
  };
  const bytes = encodeQueryTable(content);
  if (!bytes.ok) throw new UserError(bytes.error);
  const table = decodeQueryTable(bytes.value);
  if (!table.ok) throw new UserError(table.error);
  const truth = await encode.texts("spans of the catalogue", heldOut, "query");
  const textOffset = offset.subarray(0, content.textDim);
  const cosines = heldOut.flatMap((span, i) => {
    const found = table.value.encodeQuery(span).text;
    return found === undefined
      ? []
      : [
          cosine(
            found,
            along(axes, truth[i]!).map((value, d) => value + textOffset[d]!),
          ),
        ];
  });
  return {
    bytes: bytes.value,
    table: table.value,
    spans: kept.length,
    rows: pieceIds.length,
    knownQueries: known.length,
    cosine: cosines.reduce((sum, value) => sum + value, 0) / Math.max(1, cosines.length),
  };
}

/** The catalogue's pieces by how many of its texts hold them, then common ones of the vocabulary; ascending. */
function chosenPieces({ vocabulary, unknown }: QueryTokenizer, texts: readonly (readonly number[])[], most: number): number[] {
  const counts = new Map<number, number>();
  for (const ids of texts) for (const id of new Set(ids)) if (id !== unknown) counts.set(id, (counts.get(id) ?? 0) + 1);
  const own = [...counts].toSorted(([a, countA], [b, countB]) => countB - countA || a - b).map(([id]) => id);
  // A vocabulary lists its pieces about as often as they occur.
  const common = [...vocabulary.keys()].filter((id) => !counts.has(id) && /^\p{L}{3,}$/u.test(vocabulary[id]!)).slice(0, COMMON_PIECES);
  return [...own, ...common].slice(0, most).toSorted((a, b) => a - b);
}

export function countWords(words: readonly Uint16Array[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const hashes of words) for (const hash of hashes) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return counts;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    dot += a[d]! * b[d]!;
    aa += a[d]! ** 2;
    bb += b[d]! ** 2;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
