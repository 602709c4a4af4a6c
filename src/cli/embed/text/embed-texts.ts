/**
 * The texts of a catalogue by a real sentence encoder: a vector and the words of each item, and the query table that goes with them.
 */
import { join } from "node:path";
import { wordHashes } from "../../../ranking/words.ts";
import type { CatalogItem } from "../../catalog/file.ts";
import { along, type Axes, fixedAxes, SENTENCE_DIM } from "./axes.ts";
import { cachedEncoder } from "./cached.ts";
import { type SentenceEncoder, unit } from "./encoder.ts";
import { documentText, nameTexts, wordTexts } from "./item-texts.ts";
import { fitPictureColumns, type PictureColumns } from "./picture-columns.ts";
import type { TitledPicture } from "./picture-map.ts";
import { type FittedTable, cosine, fitQueryTable } from "./table.ts";

export interface TextInput {
  readonly encoder: SentenceEncoder;
  /** Stored picture vectors, parallel to the items. */
  readonly pictures: readonly (Float32Array | undefined)[];
  /** The half of a joint encoder that reads words, and the way from its vectors to the stored ones of pictures. */
  readonly words?: { readonly encoder: SentenceEncoder; readonly toStored: (vector: Float32Array) => Float32Array } | undefined;
  /** Queries that shoppers are known to ask. Names of categories and brands are added. */
  readonly queries: readonly string[];
  /** Folder of the caches. */
  readonly kept: string;
  /** Axes fitted on this catalogue, in order, for an encoder that has no fixed ones. */
  readonly fitAxes: (vectors: readonly Float32Array[]) => { readonly axes: Axes; readonly hash: string };
  readonly json?: boolean | undefined;
}

export interface EncodedTexts {
  /** Parallel to the items; `undefined` for an item without a word. */
  readonly vectors: readonly (Float32Array | undefined)[];
  readonly words: readonly Uint16Array<ArrayBuffer>[];
  readonly textDim: number;
  readonly textEncoder: string;
  readonly table: FittedTable | undefined;
  readonly pictures: (Pick<PictureColumns, "rankShare" | "weight"> & { readonly by?: PictureColumns["by"] }) | undefined;
  readonly encoded: number;
  readonly textCheck: TextCheck | undefined;
}

interface TextCheck {
  /** Mean place of an item's own vector among all, given its title by the table: 0 is always first, .5 is chance. */
  readonly rankShare: number;
  /** Without it no table is published: an order by meanings that do not hold is worse than the engine's. */
  readonly passed: boolean;
}

/** As for pictures. */
const MAX_RANK_SHARE = 0.25;

const WORD = /[\p{L}\p{N}]/u;

export async function embedTexts(items: readonly CatalogItem[], input: TextInput): Promise<EncodedTexts> {
  const { encoder, json } = input;
  const cached = (of: SentenceEncoder) => cachedEncoder(of, join(input.kept, `${of.fingerprint.replaceAll("/", "-")}.texts`), { json });
  const encode = cached(encoder);
  const half = input.words && { ...input.words, encode: cached(input.words.encoder) };
  const documents = items.map(documentText);
  const spoken = [...documents.keys()].filter((i) => WORD.test(documents[i]!));
  const raw = await encode.texts(
    "product texts",
    spoken.map((i) => documents[i]!),
    "document",
  );
  const fixed = fixedAxes(encoder);
  const fitted = fixed === undefined && raw.length > 0 ? input.fitAxes(raw) : undefined;
  const axes: Axes = fixed ?? fitted?.axes ?? new Float32Array(SENTENCE_DIM * encoder.dim);
  const mean = meanOf(raw, encoder.dim);
  const vectors: (Float32Array | undefined)[] = items.map(() => undefined);
  for (const [n, i] of spoken.entries())
    vectors[i] = nonZero(
      unit(
        along(
          axes,
          raw[n]!.map((value, d) => value - mean[d]!),
        ),
      ),
    );

  const textEncoder = `${encoder.fingerprint}+${SENTENCE_DIM}${fitted === undefined ? "" : `-${fitted.hash}`}`;
  const words = items.map((item) => wordHashes(wordTexts(item)));
  const titled = await titledPictures(items, input.pictures, (texts) => encode.texts("titles", texts, "query"));
  const pictures = await fitPictureColumns(titled, half);
  const table = await fitQueryTable({
    encode,
    textEncoder,
    axes,
    mean,
    documents,
    words,
    knownQueries: [...nameTexts(items), ...input.queries],
    pictures,
  });
  encode.forgetUnused();
  half?.encode.forgetUnused();
  const rankShare = table && textRankShare(items, vectors, (title) => table.table.encodeQuery(title).text);
  const textCheck = rankShare === undefined ? undefined : { rankShare, passed: rankShare < MAX_RANK_SHARE };
  const published = textCheck?.passed === false ? undefined : table;
  return { vectors, words, textDim: SENTENCE_DIM, textEncoder, table: published, pictures, encoded: encode.encoded(), textCheck };
}

async function titledPictures(
  items: readonly CatalogItem[],
  pictures: readonly (Float32Array | undefined)[],
  encodeTitles: (titles: readonly string[]) => Promise<Float32Array[]>,
): Promise<TitledPicture[]> {
  const pictured = [...items.keys()].filter((i) => pictures[i] !== undefined && WORD.test(items[i]!.product.title));
  const titles = pictured.map((i) => items[i]!.product.title);
  const texts = await encodeTitles(titles);
  return pictured.map((i, n) => ({ title: titles[n]!, text: texts[n]!, picture: pictures[i]! }));
}

/** The items' mean, which says only what kind of shop this is. */
function meanOf(vectors: readonly Float32Array[], dim: number): Float32Array {
  const sum = new Float64Array(dim);
  for (const vector of vectors) vector.forEach((value, d) => (sum[d]! += value));
  return Float32Array.from(sum, (value) => value / Math.max(1, vectors.length));
}

function nonZero(vector: Float32Array): Float32Array | undefined {
  return vector.some((value) => value !== 0) ? vector : undefined;
}

const [ASKED, COMPARED] = [300, 2000];

/** 0: the table puts every item first, given its title; .5: it says nothing. */
function textRankShare(
  items: readonly CatalogItem[],
  vectors: readonly (Float32Array | undefined)[],
  ask: (title: string) => Float32Array | undefined,
): number | undefined {
  const known = [...vectors.keys()].filter((i) => vectors[i] !== undefined);
  const evenly = (most: number): number[] => known.filter((_, n) => n % Math.max(1, Math.ceil(known.length / most)) === 0);
  const compared = evenly(COMPARED);
  const shares = evenly(ASKED).flatMap((i) => {
    const query = ask(items[i]!.product.title);
    if (query === undefined) return [];
    const own = cosine(query, vectors[i]!);
    const values = compared.map((other) => cosine(query, vectors[other]!));
    return [(values.filter((value) => value > own).length + values.filter((value) => value === own).length / 2) / compared.length];
  });
  return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
