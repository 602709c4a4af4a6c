/**
 * The files of `files.json` on this device: fetched once, checked by SHA-256, kept packed in the Cache API, unpacked when they are used.
 *
 * A damaged file is never kept. Addresses are those of the content, so an update fetches only what changed.
 */
import type { ListedFile, Listing } from "./listing.ts";
import { parseListing } from "./listing.ts";
import { unpack, verify } from "./packed.ts";
import { FileError } from "./problem.ts";
import { errorText } from "../../web.ts";

export interface FetchProgress {
  /** Of the file that travels now. */
  readonly name: string;
  /** Bytes on the network, of all files that had to be fetched. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface HeldFile {
  readonly name: string;
  /** As stored. */
  readonly bytes: number;
}

export interface FileStore {
  /** From the network, past all caches, checked; not yet held. Throws a FileError. */
  fetchListing(): Promise<Listing>;
  /** The one in use; undefined before the first `hold`. Damaged, it counts as absent. */
  heldListing(): Promise<Listing | undefined>;
  /** Whether anything was ever meant to be here: after a `hold` or `expect`, until `clear`. */
  isExpected(): Promise<boolean>;
  /** Nothing could be held yet, and is to be tried again later. */
  expect(): Promise<void>;
  /** From now on this one is in use; what it does not list is dropped. */
  hold(listing: Listing): Promise<void>;
  /** Fetches what is not here yet, one after the other. Throws a FileError that names the file. */
  fetchMissing(files: readonly ListedFile[], onProgress?: (progress: FetchProgress) => void): Promise<void>;
  /** The content, from here or else from the network. Throws a FileError. */
  read(file: ListedFile): Promise<Uint8Array<ArrayBuffer>>;
  /** Of the listing, what is here. */
  held(listing: Listing): Promise<readonly HeldFile[]>;
  /** Drops everything, for good: this store takes nothing more. */
  clear(): Promise<void>;
}

export interface FileStoreOptions {
  /** Of files.json. */
  readonly url: URL;
  readonly cacheName: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly caches: CacheStorage;
}

export function openFileStore({ url: listingUrl, cacheName, fetch, caches }: FileStoreOptions): FileStore {
  /** A file that two ask for travels once. */
  const travelling = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  let isCleared = false;

  /** Makes it where it is not there; never after it was cleared, by work that was under way then. */
  async function openCache(): Promise<Cache> {
    if (isCleared) throw new FileError("removed", "What was stored here was deleted: load the page again");
    return caches.open(cacheName);
  }

  const urlOf = (file: ListedFile): string => new URL(file.url, listingUrl).href;

  async function get(url: string, what: string, unreachable: "listing_unreachable" | "file_unreachable"): Promise<Response> {
    let response: Response;
    try {
      // What is kept here need not lie in the browser's own cache as well, and must not come from it when the host has mended a file.
      response = await fetch(url, { cache: "no-store", redirect: "error" });
    } catch (cause) {
      throw new FileError(unreachable, `Cannot fetch ${what} from ${url}: ${errorText(cause)}`);
    }
    if (response.ok) return response;
    throw new FileError(
      unreachable,
      `Cannot fetch ${what}: ${url} answers with status ${response.status}, upload what armmt private wrote`,
    );
  }

  async function download(file: ListedFile, onBytes: (count: number) => void): Promise<Uint8Array<ArrayBuffer>> {
    const response = await get(urlOf(file), file.name, "file_unreachable");
    const packed = await readBody(file, response, onBytes);
    const content = await unpack(file, packed);
    await verify(file, content);
    const cache = await openCache();
    try {
      await cache.put(urlOf(file), new Response(packed, { headers: { "content-length": String(packed.length) } }));
    } catch (cause) {
      throw new FileError("storage_full", `The browser cannot store ${file.name} (${packed.length} bytes): ${String(cause)}`);
    }
    return content;
  }

  function fetchOnce(file: ListedFile, onBytes: (count: number) => void = () => undefined): Promise<Uint8Array<ArrayBuffer>> {
    const running = travelling.get(file.sha256);
    if (running !== undefined) return running;
    const started = download(file, onBytes).finally(() => travelling.delete(file.sha256));
    travelling.set(file.sha256, started);
    return started;
  }

  async function fetchMissing(files: readonly ListedFile[], onProgress?: (progress: FetchProgress) => void): Promise<void> {
    const cache = await openCache();
    const present = new Set((await cache.keys()).map(({ url }) => url));
    const missing = files.filter((file) => !present.has(urlOf(file)));
    const totalBytes = missing.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    let before = 0;
    for (const file of missing) {
      let arrived = 0;
      onProgress?.({ name: file.name, doneBytes: before, totalBytes });
      // One after the other: memory of one file at a time, and progress that a person can follow.
      // oxlint-disable-next-line no-await-in-loop
      await fetchOnce(file, (count) => {
        arrived += count;
        onProgress?.({ name: file.name, doneBytes: before + Math.min(arrived, file.packedBytes), totalBytes });
      });
      before += file.packedBytes;
    }
  }

  return {
    fetchMissing,

    async fetchListing() {
      const response = await get(listingUrl.href, "files.json", "listing_unreachable");
      const listing = parseListing(await response.text());
      if (listing.ok) return listing.value;
      throw new FileError("listing_invalid", `Cannot use ${listingUrl.href}: ${listing.error}. Run armmt private again`);
    },

    isExpected: () => caches.has(cacheName),

    async expect() {
      await openCache();
    },

    async heldListing() {
      // Unlike open(), this makes no cache where there is none.
      const response = await caches.match(listingUrl.href, { cacheName });
      if (response === undefined) return undefined;
      const listing = parseListing(await response.text());
      return listing.ok ? listing.value : undefined;
    },

    async hold(listing) {
      const cache = await openCache();
      try {
        await cache.put(listingUrl.href, Response.json(listing));
      } catch (cause) {
        throw new FileError("storage_full", `The browser cannot store files.json: ${String(cause)}`);
      }
      const kept = new Set([listingUrl.href, ...listing.files.map(urlOf)]);
      const keys = await cache.keys();
      await Promise.all(keys.filter(({ url }) => !kept.has(url)).map((key) => cache.delete(key)));
    },

    async read(file) {
      const response = await caches.match(urlOf(file), { cacheName });
      if (response === undefined) return fetchOnce(file);
      try {
        return await unpack(file, new Uint8Array(await response.arrayBuffer()));
      } catch {
        // Checked when it came, so the browser's storage is damaged. What comes now takes its place.
        return fetchOnce(file);
      }
    },

    async held(listing) {
      if (!(await caches.has(cacheName))) return [];
      const cache = await openCache();
      const present = new Set((await cache.keys()).map(({ url }) => url));
      return listing.files.filter((file) => present.has(urlOf(file))).map(({ name, packedBytes: bytes }) => ({ name, bytes }));
    },

    async clear() {
      isCleared = true;
      await caches.delete(cacheName);
    },
  };
}

async function readBody(
  { name, url, bytes }: ListedFile,
  response: Response,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  // Packed, a file is hardly ever larger than its content.
  const most = bytes + 1024;
  let length = 0;
  try {
    const reader = response.body?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) break;
      chunks.push(value);
      length += value.length;
      onBytes(value.length);
      if (length <= most) continue;
      await reader?.cancel();
      throw new FileError("file_corrupt", `${name} (${url}) is longer than the ${bytes} bytes of files.json: run armmt private again`);
    }
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError("file_unreachable", `${name} (${url}) broke off after ${length} bytes: ${String(cause)}`);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
