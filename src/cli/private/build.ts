/**
 * Writes the static files of re-ranking in the browser into a folder: the service worker, the module for pages, `files.json`, and each file as
 * gzip under the hash of its content. Existing gzip files are not made again.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { build } from "esbuild";
import { type FileManifest, MANIFEST_FORMAT, type ManifestFile, parseFileManifest } from "../../runtimes/browser/file-manifest.ts";
import { progressBar } from "../command.ts";
import { modulePath } from "../../runtimes/node/package-root.ts";
import { modelSources, runtimeSources, type Source, vectorSources } from "./sources.ts";

const FILES_FOLDER = "files";

interface BrowserFilesOptions {
  /** Folder; created where it does not exist. */
  readonly out: string;
  /** Output folder of armmt embed. */
  readonly from: string;
  readonly catalog: string;
  /** Variables of the edge, without URLs. */
  readonly config: FileManifest["config"];
  /** Source of the service worker. Default: the product's own. */
  readonly entry?: string;
  /** Further files, for that service worker. */
  readonly extras?: readonly Source[];
  /** No progress bar. */
  readonly json?: boolean | undefined;
}

export type BrowserFilesReport = Awaited<ReturnType<typeof buildBrowserFiles>>;

/** Throws a UserError. `files.json` is written last. */
export async function buildBrowserFiles(options: BrowserFilesOptions) {
  const started = performance.now();
  const { out, from, catalog, config, entry = "runtimes/browser/sw.ts", extras = [], json } = options;
  const runtime = runtimeSources();
  const vectors = vectorSources(from, catalog);
  const sources = [...modelSources(), ...runtime.sources, ...vectors.sources, ...extras];
  const folder = join(out, FILES_FOLDER);
  await mkdir(folder, { recursive: true });
  const present = new Set(await readdir(folder));
  const bar = progressBar(`Packing ${sources.length} files`, sources.length, { json });
  const [files, workerBytes] = await Promise.all([
    Promise.all(
      sources.map(async (source) => {
        const file = await pack(source, folder);
        bar.increment();
        return file;
      }),
    ),
    bundle(out, entry, runtime.version),
  ]);
  bar.stop();

  const earlier = await filesOf(join(out, "files.json"));
  const manifest: FileManifest = { format: MANIFEST_FORMAT, config, files };
  await writeWhole(join(out, "files.json"), `${JSON.stringify(manifest, undefined, 1)}\n`);
  // Visitors may still have the previous files.json.
  const kept = new Set([...earlier, ...files].map(({ sha256 }) => `${sha256}.gz`));
  await Promise.all([...present].filter((name) => !kept.has(name)).map((name) => rm(join(folder, name))));

  const installed = files.filter(({ when }) => when === "install").reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  return {
    out,
    /** Of the item vectors. */
    version: vectors.version,
    files: files.map(({ name, bytes, packedBytes, when }) => ({ name, bytes, packedBytes, when })),
    /** Number of files that were packed in this run. */
    packed: files.filter(({ url }) => !present.has(basename(url))).length,
    /** Bytes of a first visit without WebGPU: files for the installation, and the worker's script. */
    installBytes: installed + workerBytes,
    workerBytes,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Packs model and runtimes, the large files, before there are vectors. */
export async function packAhead(out: string): Promise<void> {
  const folder = join(out, FILES_FOLDER);
  await mkdir(folder, { recursive: true });
  await Promise.all([...modelSources(), ...runtimeSources().sources].map((source) => pack(source, folder)));
}

/** zlib uses threads, so several files are packed at once. */
async function pack({ name, when, content }: Source, folder: string): Promise<ManifestFile> {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const file = `${sha256}.gz`;
  const path = join(folder, file);
  if (!existsSync(path)) await writeWhole(path, await promisify(gzip)(content, { level: 9 }));
  const { size: packedBytes } = await stat(path);
  return { name, sha256, bytes: content.length, packedBytes, url: `${FILES_FOLDER}/${file}`, when };
}

/** The service worker as a classic script, because not every browser supports modules there, and the module for pages. */
async function bundle(out: string, entry: string, runtimeVersion: string): Promise<number> {
  const shared = { bundle: true, minify: true, target: "es2022", logLevel: "silent" } as const;
  const worker = join(out, "sw.js");
  await Promise.all([
    build({
      ...shared,
      entryPoints: [modulePath(entry)],
      outfile: worker,
      format: "iife",
      define: { ARMMT_RUNTIME_VERSION: JSON.stringify(runtimeVersion) },
    }),
    build({ ...shared, entryPoints: [modulePath("runtimes/browser/index.ts")], outfile: join(out, "armmt-private.js"), format: "esm" }),
  ]);
  return (await stat(worker)).size;
}

async function filesOf(path: string): Promise<readonly ManifestFile[]> {
  try {
    const manifest = parseFileManifest(await readFile(path, "utf8"));
    return manifest.ok ? manifest.value.files : [];
  } catch {
    return []; // the first run
  }
}

/** A killed run leaves no partial file under the final name. */
async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${process.pid}.new`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
