/**
 * `armmt embed`: a catalogue → image and text vectors → packed shards and a query table in a folder, ready for `armmt publish`.
 *
 * Vectors are cached by content hash: a killed run resumes, and a run over an unchanged catalogue only compares hashes.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { ImageEncoder } from "./embed/image-encoder.ts";
import { addFieldFlags } from "./catalog/fields.ts";
import { type Catalog, type CatalogOptions, readCatalog } from "./catalog/file.ts";
import { printTable, progressBar } from "./command.ts";
import { openVectorCache } from "./embed/cache.ts";
import type { EncodedPictures } from "./embed/encode.ts";
import { HISTOGRAM_DESCRIPTOR } from "./embed/colour-histogram.ts";
import { loadImageEncoder } from "./embed/encoder.ts";
import { BUILTIN_IMAGES, describeImageEncoders, IMAGE_ENCODER_HELP, PHOTOGRAPHS } from "./embed/named-images.ts";
import { fitProjection } from "./embed/projection.ts";
import { embeddingsFolder, packSet, writeSet } from "./embed/pack.ts";
import { builtinTexts } from "./embed/text/builtin-table.ts";
import { embedTexts, type EncodedTexts } from "./embed/text/embed-texts.ts";
import { SENTENCE_DIM } from "./embed/text/axes.ts";
import { loadTextEncoder, type SentenceEncoder } from "./embed/text/encoder.ts";
import { BUILTIN_TEXT, describeEncoders, TEXT_ENCODER_HELP } from "./embed/text/named.ts";
import { normaliseQuery } from "../embeddings/query-table.ts";
import { partOfOne } from "./numbers.ts";
import { readText } from "./text-files.ts";
import { hashOf, keptProjection, stacked, toRecords, withTexts } from "./embed/vectors.ts";
import { UserError } from "../web.ts";

export interface EmbedOptions extends CatalogOptions {
  /** A catalogue that was read before. Default: read from `catalog`. */
  readonly items?: Catalog | undefined;
  /** `builtin` (default of drawings), `mobilenet-v2` (default of any other pictures), as `--help` says, or a loaded encoder. */
  readonly imageEncoder?: string | ImageEncoder | undefined;
  /** `builtin` (default of the drawn catalogue), `minilm` (default of any other), as `--help` says, or a loaded encoder. */
  readonly textEncoder?: string | SentenceEncoder | undefined;
  /** 0 to 1: how far the catalogue follows a model. Default: of another catalogue than the drawn one, not at all. */
  readonly trust?: number | undefined;
  /** File with a query a line, which the text encoder encodes as they are. */
  readonly queries?: string | undefined;
  /** Folder of fetched encoders. Default: `ARMMT_MODELS`, or `.armmt/models`. */
  readonly models?: string | undefined;
  /** Folder; default `.armmt/embeddings/<catalogue's name>` in the project. */
  readonly out?: string | undefined;
  /** Embed items whose picture cannot be read without picture, instead of stopping. */
  readonly skipUnreadable?: boolean | undefined;
  /** Fetch pictures from URLs again although their vectors are known. */
  readonly refetch?: boolean | undefined;
  /** No progress bar. */
  readonly json?: boolean | undefined;
}

/**
 * Of the committed model on the catalogue of its simulated shoppers. Judged blind, its order alone is worse than engine and meaning, and this part of
 * it is not (docs/design/judged-by-eye.md).
 */
const DRAWN_TRUST = 0.3;

export type EmbedReport = Awaited<ReturnType<typeof embedCatalog>>;

/** Throws a UserError. */
export async function embedCatalog(options: EmbedOptions) {
  const started = performance.now();
  const catalog = options.items ?? readCatalog(options);
  const { imageEncoder = defaultImageEncoder(catalog), textEncoder = catalog.source === "drawn" ? BUILTIN_TEXT : "minilm" } = options;
  if (textEncoder === BUILTIN_TEXT && options.queries !== undefined) {
    throw new UserError(
      `--queries ${options.queries} needs a text encoder: ${BUILTIN_TEXT} has no vectors of its own for queries; give --text-encoder minilm`,
    );
  }
  const queries = readQueries(options.queries);
  // Loaded here: it needs sharp, which other commands do not.
  const { encodePictures, rawWidth } = await import("./embed/encode.ts");
  // Before the pictures, which take longer: a failure comes at once.
  const sentences = typeof textEncoder === "string" ? await sentenceEncoder(textEncoder, options) : textEncoder;
  const encoder = typeof imageEncoder === "string" ? await loadImageEncoder(imageEncoder, options) : imageEncoder;
  const advice = encoder.isBuiltin && isPhotographed(catalog) ? PHOTOGRAPH_ADVICE : undefined;
  if (advice !== undefined && options.json !== true) process.stderr.write(`${advice}\n`);
  const out = options.out === undefined ? embeddingsFolder(catalog.name) : resolve(options.out);
  const kept = join(out, "cache");
  mkdirSync(kept, { recursive: true });
  const cache = openVectorCache(
    join(kept, `${encoder.fingerprint}${encoder.isBuiltin ? "" : `.${HISTOGRAM_DESCRIPTOR}`}.vectors`),
    rawWidth(encoder),
  );

  const bar = progressBar(`Embedding ${catalog.items.length} pictures`, catalog.items.length, { json: options.json });
  let pictures: EncodedPictures;
  try {
    pictures = await encodePictures(catalog.items, {
      encoder,
      cache,
      refetch: options.refetch ?? false,
      onItem: () => bar.increment(),
      onUnreadable: ({ itemId, image, reason }) => {
        if (options.skipUnreadable === true) return;
        throw new UserError(
          `Cannot read the picture of product "${itemId}" (${image}): ${reason}. ` +
            "Replace it, or run with --skip-unreadable to embed such products without picture",
        );
      },
    });
  } finally {
    bar.stop();
  }
  cache.keepOnly(new Set(pictures.keys.filter((key) => key !== undefined)));

  const raws = pictures.keys.map((key) => (key === undefined ? undefined : cache.get(key)));
  const projectionPath = join(kept, `${encoder.fingerprint}.projection.json`);
  const colourPath = join(kept, `${encoder.fingerprint}.colours.json`);
  const plain = toRecords(catalog.items, raws, { encoder, projectionPath, colourPath });
  const drawn = sentences === undefined && catalog.source === "drawn" ? builtinTexts(catalog.items, plain.records) : undefined;
  const texts =
    drawn ??
    (sentences &&
      (await embedTexts(catalog.items, {
        encoder: sentences,
        pictures: plain.records.map(({ image }) => image),
        words: encoder.words && { encoder: encoder.words, toStored: plain.toStored },
        queries,
        kept,
        json: options.json,
        fitAxes(vectors) {
          const dims = { inDim: sentences.dim, outDim: SENTENCE_DIM };
          const path = join(kept, `${sentences.fingerprint.replaceAll("/", "-")}.axes.json`);
          // Axes of a handful of texts are none to keep: more texts have more.
          const fit =
            vectors.length < SENTENCE_DIM * 4 ? fitProjection(stacked(vectors, sentences.dim), dims) : keptProjection(path, vectors, dims);
          return { axes: fit.components, hash: hashOf(fit) };
        },
      })));
  const { records, identity } = texts === undefined ? plain : withTexts(plain.records, plain.identity, texts);
  // On any other catalogue than the drawn one, nothing said is no trust where there is a query table, and must be said where there is none.
  const { trust = drawn !== undefined ? DRAWN_TRUST : texts?.table !== undefined ? undefined : 0 } = options;
  const packed = packSet(records, identity, { queryTable: texts?.table?.bytes, trust });
  writeSet(out, packed);
  return {
    catalog: catalog.name,
    source: catalog.source,
    out,
    version: packed.set.version,
    items: records.length,
    withPicture: raws.filter((raw) => raw !== undefined).length,
    /** Pictures that were encoded in this run; the others were cached. */
    encoded: pictures.encoded,
    unreadable: pictures.unreadable,
    imageEncoder: identity.imageEncoder,
    textEncoder: identity.textEncoder,
    /** Of a model; absent where the set says nothing of it. */
    ...(trust !== undefined && { trust }),
    /** What would make the vectors better. */
    advice: advice === undefined ? [] : [advice],
    shards: packed.shards.length,
    bytes: packed.shards.reduce((sum, shard) => sum + shard.length, 0),
    /** Figures of the query table; absent with the builtin text encoder. */
    ...(texts !== undefined && { meaning: figuresOf(texts) }),
    seconds: (performance.now() - started) / 1000,
  };
}

const PHOTOGRAPH_ADVICE = `Most pictures are no SVG drawings, and the builtin image encoder was trained on those: leave --image-encoder away, or give ${PHOTOGRAPHS}`;

/**
 * By kind of file: pixels do not tell (docs/guide/embed-your-catalogue.md). The encoder of photographs reads rendered drawings too; the builtin
 * one has seen nothing else.
 */
function isPhotographed({ items }: Catalog): boolean {
  const pictures = items.flatMap(({ image }) =>
    image === undefined ? [] : image.kind === "svg" ? ".svg" : image.kind === "url" ? image.url : image.path,
  );
  return pictures.filter((name) => !/\.svgz?([?#]|$)/i.test(name)).length * 2 > pictures.length;
}

function defaultImageEncoder(catalog: Catalog): string {
  return isPhotographed(catalog) ? PHOTOGRAPHS : BUILTIN_IMAGES;
}

async function sentenceEncoder(name: string, options: EmbedOptions): Promise<SentenceEncoder | undefined> {
  return name === BUILTIN_TEXT ? undefined : loadTextEncoder(name, options);
}

/** What the encoded texts and the query table came to; `undefined` where there was nothing to measure on. */
function figuresOf({ encoded, table, pictures, textCheck }: EncodedTexts) {
  return {
    /** Texts that were encoded in this run; the others were cached. */
    encoded,
    tableBytes: table?.bytes.length ?? 0,
    rows: table?.rows ?? 0,
    spans: table?.spans ?? 0,
    knownQueries: table?.knownQueries ?? 0,
    cosine: table?.cosine,
    textRankShare: textCheck?.rankShare,
    pictureRankShare: pictures?.rankShare,
    /** Who says what words look like: the map that was fitted on the catalogue, or the joint encoder. */
    picturesBy: pictures?.by,
    pictureWeight: pictures?.weight ?? 0,
  };
}

/** Of 150 bytes at most in the query table, which every isolate holds. */
const MAX_QUERIES = 20_000;

/** A query a line; of more than MAX_QUERIES those that occur most often. */
function readQueries(path: string | undefined): string[] {
  if (path === undefined) return [];
  if (!existsSync(path)) throw new UserError(`No file ${path} (--queries): give a text file with a query a line`);
  const counts = new Map<string, { readonly text: string; count: number }>();
  for (const line of readText(path).split(/\r?\n/)) {
    const key = normaliseQuery(line);
    if (key === "") continue;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { text: line.trim(), count: 1 });
    else known.count++;
  }
  const mostFirst = [...counts.values()].toSorted((a, b) => b.count - a.count);
  return mostFirst.slice(0, MAX_QUERIES).map(({ text }) => text);
}

export function createEmbedCommand(): Command {
  const command = new Command("embed")
    .description("Catalogue → image and text vectors → packed shards, and the table by which the edge understands queries")
    .option("--catalog <source>", 'a folder with products.jsonl or products.csv, such a file, or "drawn"', "drawn")
    .option("--image-encoder <encoder>", IMAGE_ENCODER_HELP)
    .option("--text-encoder <encoder>", TEXT_ENCODER_HELP)
    .option(
      "--queries <file>",
      `known queries (a log, suggestions), one a line, at most ${MAX_QUERIES.toLocaleString("en")} (the most frequent): the encoder encodes them as they are`,
    )
    .option("--models <folder>", "where fetched encoders are kept (default: ARMMT_MODELS, or .armmt/models)")
    .option("--out <folder>", "where the shards go (default: .armmt/embeddings/<catalogue's name>)")
    .option(
      "--trust <part>",
      `0 to 1: how far the catalogue follows a model that its own shoppers have taught (default: not at all, of the drawn one ${DRAWN_TRUST})`,
      partOfOne,
    )
    .option("--skip-unreadable", "embed products whose picture cannot be read without picture")
    .option("--refetch", "fetch pictures from URLs again although their vectors are known")
    .option("--json", "print the summary as JSON and no progress");
  return addFieldFlags(command)
    .addHelpText(
      "after",
      `\nText encoders, fetched once and checked by SHA-256:\n${describeEncoders()}\nImage encoders:\n${describeImageEncoders()}`,
    )
    .action(async (flags: EmbedOptions) => {
      const report = await embedCatalog(flags);
      if (flags.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
      else printReport(report);
    });
}

function share(value: number | undefined): string {
  return value === undefined ? "none" : value.toFixed(3);
}

function printReport(report: EmbedReport): void {
  printTable(
    ["catalogue", "items", "with picture", "encoded now", "shards", "bytes", "seconds"],
    [[report.catalog, report.items, report.withPicture, report.encoded, report.shards, report.bytes, Number(report.seconds.toFixed(1))]],
  );
  for (const { itemId, image, reason } of report.unreadable) process.stdout.write(`Without picture: "${itemId}" (${image}): ${reason}\n`);
  process.stdout.write(
    `Version ${report.version} in ${report.out}\nImage vectors: ${report.imageEncoder}\nText vectors: ${report.textEncoder}\n`,
  );
  const { meaning, trust } = report;
  if (meaning === undefined && trust === 0)
    process.stdout.write(
      "No query table, and no model that this catalogue trusts: searches keep the engine's order. Embed with --text-encoder minilm, or give --trust to a model of your own\n",
    );
  if (meaning === undefined) return;
  const { tableBytes, rows, spans, knownQueries, cosine, textRankShare, pictureRankShare, picturesBy, pictureWeight } = meaning;
  process.stdout.write(
    `Query table: ${tableBytes} bytes, ${rows} word pieces fitted on ${spans} spans, ${knownQueries} known queries; cosine with the encoder ${share(cosine)} on spans it has not seen\n` +
      `Place of an item given its own title (0 first, .5 chance): by its text ${share(textRankShare)}, by its picture ${share(pictureRankShare)}${picturesBy === "joint encoder" ? " (joint encoder)" : ""}` +
      `${pictureRankShare === undefined ? "" : pictureWeight === 0 ? ": pictures do not answer words here, weight 0" : `, weight ${pictureWeight}`}\n`,
  );
}
