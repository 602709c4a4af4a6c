/**
 * `armmt embed`: a catalogue → image and text vectors → packed shards in a folder, ready for `armmt publish`.
 *
 * Pictures that went through the encoder before are not encoded again, so a run that was killed goes on where it stopped, and a run over
 * an unchanged catalogue only compares hashes.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { ImageEncoder } from "./embed/image-encoder.ts";
import type { FieldOptions } from "./catalog/fields.ts";
import type { Catalog, CatalogOptions } from "./catalog/file.ts";
import { readCatalog } from "./catalog/file.ts";
import { printTable, progressBar } from "./command.ts";
import { openVectorCache } from "./embed/cache.ts";
import type { EncodedPictures, Unreadable } from "./embed/encode.ts";
import { encodePictures, rawWidth } from "./embed/encode.ts";
import { ROOT, loadImageEncoder } from "./embed/encoder.ts";
import { packSet, writeSet } from "./embed/pack.ts";
import { toRecords } from "./embed/vectors.ts";
import { UserError } from "../web.ts";

export interface EmbedOptions extends CatalogOptions {
  /** A catalogue that has been read already; otherwise it is read from `catalog`. */
  readonly items?: Catalog | undefined;
  /** `builtin` (default), a path to an .onnx file, `hf:<model id>`, or an encoder that is loaded already. */
  readonly imageEncoder?: string | ImageEncoder | undefined;
  /** Folder; default `.armmt/embeddings/<catalogue's name>` in the project. */
  readonly out?: string | undefined;
  /** Embed items whose picture cannot be read without picture, instead of stopping. */
  readonly skipUnreadable?: boolean | undefined;
  /** Fetch pictures from URLs again although their vectors are known. */
  readonly refetch?: boolean | undefined;
  /** No progress bar. */
  readonly json?: boolean | undefined;
}

export interface EmbedReport {
  readonly catalog: string;
  readonly source: string;
  readonly out: string;
  readonly version: string;
  readonly items: number;
  readonly withPicture: number;
  /** Pictures that went through the encoder in this run; the rest was known. */
  readonly encoded: number;
  readonly unreadable: readonly Unreadable[];
  readonly imageEncoder: string;
  readonly textEncoder: string;
  readonly shards: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Where a catalogue's embeddings are by default. */
export function embeddingsFolder(name: string): string {
  return join(ROOT, ".armmt/embeddings", name);
}

/** Does it all. Throws a UserError for what the user can mend. */
export async function embedCatalog(options: EmbedOptions): Promise<EmbedReport> {
  const started = performance.now();
  const catalog = options.items ?? readCatalog(options);
  const { imageEncoder = "builtin" } = options;
  const encoder = typeof imageEncoder === "string" ? await loadImageEncoder(imageEncoder) : imageEncoder;
  const out = options.out === undefined ? embeddingsFolder(catalog.name) : resolve(options.out);
  const kept = join(out, "cache");
  mkdirSync(kept, { recursive: true });
  const cache = openVectorCache(join(kept, `${encoder.fingerprint}.vectors`), rawWidth(encoder));

  const bar = progressBar(`Embedding ${catalog.items.length} pictures`, catalog.items.length, { json: options.json });
  let pictures: EncodedPictures;
  try {
    pictures = await encodePictures(catalog.items, {
      encoder,
      cache,
      refetch: options.refetch ?? false,
      onItem: () => bar.increment(),
      onUnreadable: (unreadable) => {
        if (options.skipUnreadable !== true) throw new UserError(unreadableMessage(unreadable));
      },
    });
  } finally {
    bar.stop();
  }
  cache.keepOnly(new Set(pictures.keys.filter((key) => key !== undefined)));

  const raws = pictures.keys.map((key) => (key === undefined ? undefined : cache.get(key)));
  const projectionPath = join(kept, `${encoder.fingerprint}.projection.json`);
  const { records, identity } = toRecords(catalog.items, raws, { encoder, projectionPath });
  const packed = packSet(records, identity);
  writeSet(out, packed);
  return {
    catalog: catalog.name,
    source: catalog.source,
    out,
    version: packed.set.version,
    items: records.length,
    withPicture: raws.filter((raw) => raw !== undefined).length,
    encoded: pictures.encoded,
    unreadable: pictures.unreadable,
    imageEncoder: identity.imageEncoder,
    textEncoder: identity.textEncoder,
    shards: packed.shards.length,
    bytes: packed.shards.reduce((sum, shard) => sum + shard.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

function unreadableMessage({ itemId, image, reason }: Unreadable): string {
  return (
    `Cannot read the picture of product "${itemId}" (${image}): ${reason}. ` +
    "Replace it, or run with --skip-unreadable to embed such products without picture"
  );
}

interface EmbedFlags extends FieldOptions {
  readonly catalog: string;
  readonly imageEncoder: string;
  readonly out?: string;
  readonly skipUnreadable?: true;
  readonly refetch?: true;
  readonly json?: true;
}

export function createEmbedCommand(): Command {
  const command = new Command("embed")
    .description("Catalogue → image and text vectors → packed shards")
    .option("--catalog <source>", 'a folder with products.jsonl or products.csv, such a file, or "drawn"', "drawn")
    .option("--image-encoder <encoder>", "builtin, a path to an .onnx file, or hf:<owner>/<model>", "builtin")
    .option("--out <folder>", "where the shards go (default: .armmt/embeddings/<catalogue's name>)")
    .option("--skip-unreadable", "embed products whose picture cannot be read without picture")
    .option("--refetch", "fetch pictures from URLs again although their vectors are known")
    .option("--json", "print the summary as JSON and no progress");
  return addFieldFlags(command).action(async (flags: EmbedFlags) => {
    const report = await embedCatalog(flags);
    if (flags.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else printReport(report);
  });
}

/** The flags that say which field is which; `armmt start` has them too. */
export function addFieldFlags(command: Command): Command {
  return command
    .option("--id-field <name>", "field with the product's id (default: id, sku, …)")
    .option("--title-field <name>", "field with the title (default: title, name, …)")
    .option("--category-field <name>", "field with the category (default: category, articleType, …)")
    .option("--image-field <name>", "field with a path, URL or SVG (default: image, …; without one images/<id>.<extension>)")
    .option("--price-field <name>", "field with the price (default: price)")
    .option("--rating-field <name>", "field with the mean rating, 0 to 5 (default: rating, …)")
    .option("--rating-count-field <name>", "field with the number of ratings (default: ratingCount, …)")
    .option("--popularity-field <name>", "field with sales or views (default: popularity, …)")
    .option("--stock-field <name>", "field that says whether it is in stock (default: inStock, …)")
    .option("--created-field <name>", "field with the day it was added (default: createdAt, …)")
    .option("--text-fields <names>", "further fields for the text vector, separated by commas", (names) => names.split(","));
}

function printReport(report: EmbedReport): void {
  printTable(
    ["catalogue", "items", "with picture", "encoded now", "shards", "bytes", "seconds"],
    [[report.catalog, report.items, report.withPicture, report.encoded, report.shards, report.bytes, Number(report.seconds.toFixed(1))]],
  );
  for (const { itemId, image, reason } of report.unreadable) process.stdout.write(`Without picture: "${itemId}" (${image}): ${reason}\n`);
  process.stdout.write(`Version ${report.version} in ${report.out}\nImage vectors: ${report.imageEncoder}\n`);
}
