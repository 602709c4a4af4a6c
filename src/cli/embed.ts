/**
 * `armmt embed`: a catalogue → image and text vectors → packed shards in a folder, ready for `armmt publish`.
 *
 * Vectors are cached by content hash: a killed run resumes, and a run over an unchanged catalogue only compares hashes.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { ImageEncoder } from "./embed/image-encoder.ts";
import { addFieldFlags } from "./catalog/fields.ts";
import { type Catalog, type CatalogOptions, readCatalog } from "./catalog/file.ts";
import { printTable, progressBar } from "./command.ts";
import { openVectorCache } from "./embed/cache.ts";
import type { EncodedPictures } from "./embed/encode.ts";
import { loadImageEncoder } from "./embed/encoder.ts";
import { embeddingsFolder, packSet, writeSet } from "./embed/pack.ts";
import { toRecords } from "./embed/vectors.ts";
import { UserError } from "../web.ts";

export interface EmbedOptions extends CatalogOptions {
  /** A catalogue that was read before. Default: read from `catalog`. */
  readonly items?: Catalog | undefined;
  /** `builtin` (default), a path to an .onnx file, `hf:<model id>`, or a loaded encoder. */
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

export type EmbedReport = Awaited<ReturnType<typeof embedCatalog>>;

/** Throws a UserError. */
export async function embedCatalog(options: EmbedOptions) {
  const started = performance.now();
  const catalog = options.items ?? readCatalog(options);
  const { imageEncoder = "builtin" } = options;
  // Loaded here: it needs sharp, which other commands do not.
  const { encodePictures, rawWidth } = await import("./embed/encode.ts");
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
    /** Pictures that were encoded in this run; the others were cached. */
    encoded: pictures.encoded,
    unreadable: pictures.unreadable,
    imageEncoder: identity.imageEncoder,
    textEncoder: identity.textEncoder,
    shards: packed.shards.length,
    bytes: packed.shards.reduce((sum, shard) => sum + shard.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
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
  return addFieldFlags(command).action(async (flags: EmbedOptions) => {
    const report = await embedCatalog(flags);
    if (flags.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else printReport(report);
  });
}

function printReport(report: EmbedReport): void {
  printTable(
    ["catalogue", "items", "with picture", "encoded now", "shards", "bytes", "seconds"],
    [[report.catalog, report.items, report.withPicture, report.encoded, report.shards, report.bytes, Number(report.seconds.toFixed(1))]],
  );
  for (const { itemId, image, reason } of report.unreadable) process.stdout.write(`Without picture: "${itemId}" (${image}): ${reason}\n`);
  process.stdout.write(`Version ${report.version} in ${report.out}\nImage vectors: ${report.imageEncoder}\n`);
}
