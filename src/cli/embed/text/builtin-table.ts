/**
 * The query table of the drawn catalogue, whose texts no model encodes: a word's row is the builtin encoder's vector of it, and what titles with
 * that word look like. Nothing is fetched, so the demo and the training of its model work offline. Pure.
 */
import { decodeQueryTable, encodeQueryTable } from "../../../embeddings/query-table.ts";
import { createTextEncoder, itemText, TEXT_DIM, TEXT_ENCODER } from "../../../embeddings/text-encoder.ts";
import { createWordpiece } from "../../../ranking/wordpiece.ts";
import { wordHashes } from "../../../ranking/words.ts";
import { UserError } from "../../../web.ts";
import type { CatalogItem } from "../../catalog/file.ts";
import type { ItemRecord } from "../../../ranking/candidate.ts";
import type { EncodedTexts } from "./embed-texts.ts";
import { wordTexts } from "./item-texts.ts";
import { fitPictureMap, toPicture } from "./picture-map.ts";
import { catalogueTokenizer, pieceText } from "./pieces.ts";
import { countWords, type FittedTable } from "./table.ts";

/** The drawn vocabulary has a few hundred words. */
const MOST_PIECES = 2000;

/** `records`: with texts by the builtin encoder and pictures as stored, parallel to the items. */
export function builtinTexts(items: readonly CatalogItem[], records: readonly ItemRecord[]): EncodedTexts {
  const documents = items.map(({ product }) => itemText(product));
  const tokenizer = catalogueTokenizer(documents, MOST_PIECES);
  const split = createWordpiece(tokenizer);
  const pieceIds = [...tokenizer.vocabulary.keys()].filter((id) => id !== tokenizer.unknown);
  // Pieces that stand in titles as they are: the picture of any other is not known.
  const shown = [...new Set(documents.flatMap(split))].filter((id) => id !== tokenizer.unknown).toSorted((a, b) => a - b);
  const columnOf = new Map(shown.map((id, column) => [id, column]));
  const bagOf = (text: string): Float32Array => {
    const bag = new Float32Array(shown.length);
    const ids = split(text);
    for (const id of ids) {
      const column = columnOf.get(id);
      if (column !== undefined) bag[column]! += 1 / ids.length;
    }
    return bag;
  };
  const titled = items.flatMap(({ product }, i) => {
    const picture = records[i]?.image;
    return picture === undefined ? [] : [{ title: product.title, text: bagOf(documents[i]!), picture }];
  });
  const map = fitPictureMap(titled);
  const pictureDim = map === undefined ? 0 : map.map.weights.length / shown.length;
  const width = TEXT_DIM + pictureDim;
  const encode = createTextEncoder();
  const rows = new Float32Array(pieceIds.length * width);
  for (const [row, id] of pieceIds.entries()) {
    rows.set(encode(pieceText(tokenizer.vocabulary[id]!)) ?? [], row * width);
    const column = columnOf.get(id);
    if (map !== undefined && column !== undefined)
      rows.set(map.map.weights.subarray(column * pictureDim, (column + 1) * pictureDim), row * width + TEXT_DIM);
  }
  const offset = new Float32Array(width);
  if (map !== undefined) offset.set(toPicture(map.map, new Float32Array(shown.length)), TEXT_DIM);
  const words = items.map((item) => wordHashes(wordTexts(item)));
  const bytes = encodeQueryTable({
    textEncoder: TEXT_ENCODER,
    tokenizer,
    textDim: TEXT_DIM,
    pictureDim,
    pictureWeight: map?.weight ?? 0,
    pieceIds: Uint32Array.from(pieceIds),
    rows,
    offset,
    itemCount: items.length,
    wordCounts: countWords(words),
    knownQueries: new Map(),
  });
  if (!bytes.ok) throw new UserError(bytes.error);
  const table = decodeQueryTable(bytes.value);
  if (!table.ok) throw new UserError(table.error);
  const fitted: FittedTable = { bytes: bytes.value, table: table.value, spans: 0, rows: pieceIds.length, knownQueries: 0, cosine: 1 };
  const vectors = records.map(({ text }) => text);
  const none = { encoded: 0, textCheck: undefined };
  return { vectors, words, textDim: TEXT_DIM, textEncoder: TEXT_ENCODER, table: fitted, pictures: map, ...none };
}
