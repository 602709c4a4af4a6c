/**
 * The files of `files.json` on this device: fetched once, checked by SHA-256, stored as gzip in the Cache API, unpacked for each use.
 *
 * A damaged file is never stored. URLs contain the hash of the content, so an update fetches only changed files.
 */
import { kvOf, type KvReader } from "../../embeddings/store.ts";
import { errorText, sha256Hex } from "../../web.ts";
import { type FileManifest, kvName, type ManifestFile, parseFileManifest } from "./file-manifest.ts";
import type { FetchProgress } from "./messages.ts";
import { FileError } from "./problem.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface FileStoreOptions {
  /** URL of files.json. */
  readonly url: URL;
  readonly cacheName: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly caches: CacheStorage;
}

export class FileStore {
  readonly #options: FileStoreOptions;
  /** Concurrent requests for a file share one download. */
  readonly #downloads = new Map<string, Promise<Bytes>>();
  #isCleared = false;

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  /** From the network, past all caches, checked, not stored. Throws a FileError. */
  async fetchManifest(): Promise<FileManifest> {
    const { href } = this.#options.url;
    const response = await this.#get(href, "files.json", "listing_unreachable");
    const manifest = parseFileManifest(await response.text());
    if (manifest.ok) return manifest.value;
    throw new FileError("listing_invalid", `Cannot use ${href}: ${manifest.error}. Run armmt private again`);
  }

  /** The manifest in use; undefined before the first `cacheManifest`, and where it is damaged. */
  async cachedManifest(): Promise<FileManifest | undefined> {
    const { url, caches, cacheName } = this.#options;
    // Unlike open(), match() creates no cache.
    const response = await caches.match(url.href, { cacheName });
    if (response === undefined) return undefined;
    const manifest = parseFileManifest(await response.text());
    return manifest.ok ? manifest.value : undefined;
  }

  /** Puts a manifest in use; files that it does not list are deleted. */
  async cacheManifest(manifest: FileManifest): Promise<void> {
    const { href } = this.#options.url;
    const cache = await this.#openCache();
    try {
      await cache.put(href, Response.json(manifest));
    } catch (cause) {
      throw new FileError("storage_full", `The browser cannot store files.json: ${String(cause)}`);
    }
    const kept = new Set([href, ...manifest.files.map((file) => this.#urlOf(file))]);
    const keys = await cache.keys();
    await Promise.all(keys.filter(({ url }) => !kept.has(url)).map((key) => cache.delete(key)));
  }

  /** Whether this store is in use: after `cacheManifest` or `expect`, until `clear`. */
  isExpected(): Promise<boolean> {
    return this.#options.caches.has(this.#options.cacheName);
  }

  /** Marks the store as in use although nothing is stored yet. */
  async expect(): Promise<void> {
    await this.#openCache();
  }

  /** Fetches missing files, one at a time. Throws a FileError that names the file. */
  async fetchMissing(files: readonly ManifestFile[], onProgress?: (progress: FetchProgress) => void): Promise<void> {
    const cached = await this.#cachedUrls();
    const missing = files.filter((file) => !cached.has(this.#urlOf(file)));
    const totalBytes = missing.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    let before = 0;
    for (const file of missing) {
      let arrived = 0;
      onProgress?.({ name: file.name, doneBytes: before, totalBytes });
      // One at a time: memory for one file, and progress that a person can follow.
      // oxlint-disable-next-line no-await-in-loop
      await this.#fetchOnce(file, (count) => {
        arrived += count;
        onProgress?.({ name: file.name, doneBytes: before + Math.min(arrived, file.packedBytes), totalBytes });
      });
      before += file.packedBytes;
    }
  }

  /** The content, from the cache or else from the network. Throws a FileError. */
  async read(file: ManifestFile): Promise<Bytes> {
    const { caches, cacheName } = this.#options;
    const response = await caches.match(this.#urlOf(file), { cacheName });
    if (response === undefined) return this.#fetchOnce(file);
    try {
      return await unpack(file, new Uint8Array(await response.arrayBuffer()));
    } catch {
      // It was checked when it was stored, so the browser's storage is damaged. The new download replaces it.
      return this.#fetchOnce(file);
    }
  }

  /** The manifest's files that are stored, with their length as stored. */
  async cachedFiles(manifest: FileManifest): Promise<readonly Pick<ManifestFile, "name" | "bytes">[]> {
    if (!(await this.isExpected())) return [];
    const cached = await this.#cachedUrls();
    return manifest.files.filter((file) => cached.has(this.#urlOf(file))).map(({ name, packedBytes: bytes }) => ({ name, bytes }));
  }

  /** Deletes everything; this store stores nothing afterwards. */
  async clear(): Promise<void> {
    this.#isCleared = true;
    await this.#options.caches.delete(this.#options.cacheName);
  }

  /** Creates the cache where it does not exist, but not after `clear`, by work that still runs then. */
  async #openCache(): Promise<Cache> {
    if (this.#isCleared) throw new FileError("removed", "What was stored here was deleted: load the page again");
    return this.#options.caches.open(this.#options.cacheName);
  }

  async #cachedUrls(): Promise<ReadonlySet<string>> {
    const cache = await this.#openCache();
    return new Set((await cache.keys()).map(({ url }) => url));
  }

  #urlOf(file: ManifestFile): string {
    return new URL(file.url, this.#options.url).href;
  }

  async #get(url: string, name: string, reason: "listing_unreachable" | "file_unreachable"): Promise<Response> {
    let response: Response;
    try {
      // Not through the browser's own cache: files would be stored twice, and a file that the host has repaired would not arrive.
      response = await this.#options.fetch(url, { cache: "no-store", redirect: "error" });
    } catch (cause) {
      throw new FileError(reason, `Cannot fetch ${name} from ${url}: ${errorText(cause)}`);
    }
    if (response.ok) return response;
    throw new FileError(reason, `Cannot fetch ${name}: ${url} answers with status ${response.status}, upload what armmt private wrote`);
  }

  #fetchOnce(file: ManifestFile, onBytes: (count: number) => void = () => undefined): Promise<Bytes> {
    const running = this.#downloads.get(file.sha256);
    if (running !== undefined) return running;
    const started = this.#download(file, onBytes).finally(() => this.#downloads.delete(file.sha256));
    this.#downloads.set(file.sha256, started);
    return started;
  }

  async #download(file: ManifestFile, onBytes: (count: number) => void): Promise<Bytes> {
    const url = this.#urlOf(file);
    const packed = await readBody(file, await this.#get(url, file.name, "file_unreachable"), onBytes);
    const content = await unpack(file, packed);
    await verify(file, content);
    const cache = await this.#openCache();
    try {
      await cache.put(url, new Response(packed, { headers: { "content-length": String(packed.length) } }));
    } catch (cause) {
      throw new FileError("storage_full", `The browser cannot store ${file.name} (${packed.length} bytes): ${String(cause)}`);
    }
    return content;
  }
}

async function readBody({ name, url, bytes }: ManifestFile, response: Response, onBytes: (count: number) => void): Promise<Bytes> {
  let length = 0;
  let body: Bytes | undefined;
  try {
    // gzip makes a file larger by a few bytes at most.
    body = await readAll(response.body, bytes + 1024, (count) => {
      length += count;
      onBytes(count);
    });
  } catch (cause) {
    throw new FileError("file_unreachable", `${name} (${url}) broke off after ${length} bytes: ${String(cause)}`);
  }
  if (body !== undefined) return body;
  throw new FileError("file_corrupt", `${name} (${url}) is longer than the ${bytes} bytes of files.json: run armmt private again`);
}

/** All bytes, or `undefined` and the end of the stream where there are more than `maxBytes`. Rejects as the stream does. */
async function readAll(
  stream: ReadableStream<Bytes> | null,
  maxBytes: number,
  onBytes?: (count: number) => void,
): Promise<Bytes | undefined> {
  const reader = stream?.getReader();
  const chunks: Bytes[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    length += value.length;
    if (length > maxBytes) break;
    chunks.push(value);
    onBytes?.(value.length);
  }
  void reader?.cancel().catch(() => undefined);
  return undefined;
}

/** The content of a gzip file. Throws a FileError when it is damaged or not as long as listed; never unpacks more than that. */
export async function unpack(file: ManifestFile, packed: Bytes): Promise<Bytes> {
  // Some hosts send `.gz` with `content-encoding: gzip`, and the browser has unpacked it already. No listed content is a gzip file itself.
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
  const content = isGzip ? await gunzip(file, packed) : packed;
  if (content.length === file.bytes) return content;
  throw corrupt(file, `${content.length} bytes, files.json says ${file.bytes}`);
}

/** Throws a FileError with both hashes when the content is not the listed one. */
export async function verify(file: ManifestFile, content: Bytes): Promise<void> {
  const sha256 = await sha256Hex(content);
  if (sha256 !== file.sha256) throw corrupt(file, `SHA-256 ${sha256}, files.json says ${file.sha256}`);
}

async function gunzip(file: ManifestFile, packed: Bytes): Promise<Bytes> {
  let content: Bytes | undefined;
  try {
    content = await readAll(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")), file.bytes);
  } catch (cause) {
    throw corrupt(file, `no whole gzip file (${errorText(cause)})`);
  }
  if (content !== undefined) return content;
  throw corrupt(file, `more than the ${file.bytes} bytes of files.json`);
}

function corrupt({ name, url }: ManifestFile, found: string): FileError {
  return new FileError("file_corrupt", `${name} (${url}) has ${found}: run armmt private again and upload what it wrote`);
}

/** The `kv/` files of a manifest, as the item store reads KV. Rejects with a FileError; a key that is not listed is null. */
export function createFileKv(store: Pick<FileStore, "read">, manifest: FileManifest): KvReader {
  const files = new Map(manifest.files.map((file) => [file.name, file]));

  return kvOf(async (key) => {
    const file = files.get(kvName(key));
    return file === undefined ? undefined : store.read(file);
  });
}
