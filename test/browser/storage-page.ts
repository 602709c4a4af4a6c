/** Runs inside the page of private-storage.test.ts: the stores themselves, for the test to call. */
import { createFileKv, FileStore } from "../../src/runtimes/browser/files.ts";
import { addViewed, clearViewed, deleteHistory, removeViewed, type ViewedItem, viewedItems } from "../../src/runtimes/browser/history.ts";
import { FileError } from "../../src/runtimes/browser/problem.ts";

const open = (): FileStore =>
  new FileStore({
    url: new URL("/private/files.json", location.href),
    cacheName: "armmt-private:/private/",
    fetch: (url, init) => fetch(url, init),
    caches,
  });

/** The result, or reason and message of a FileError. */
async function outcome<T>(work: Promise<T>): Promise<T | { readonly reason: string; readonly message: string }> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FileError) return { reason: error.reason, message: error.message };
    throw error;
  }
}

export const calls = {
  install: () =>
    outcome(
      (async () => {
        const store = open();
        const manifest = await store.fetchManifest();
        const steps: number[] = [];
        await store.fetchMissing(
          manifest.files.filter(({ when }) => when === "install"),
          ({ doneBytes, totalBytes }) => steps.push(doneBytes / totalBytes),
        );
        await store.cacheManifest(manifest);
        return { steps, held: await store.cachedFiles(manifest) };
      })(),
    ),
  /** From the cached manifest, without a request for files.json; `times` reads at once. */
  read: (name: string, times = 1) =>
    outcome(
      (async () => {
        const store = open();
        const file = (await store.cachedManifest())?.files.find((listed) => listed.name === name);
        if (file === undefined) return undefined;
        const all = await Promise.all(Array.from({ length: times }, () => store.read(file)));
        return all.map((content) => new TextDecoder().decode(content));
      })(),
    ),
  kv: async (key: string) => {
    const store = open();
    const manifest = await store.cachedManifest();
    if (manifest === undefined) return undefined;
    const kv = createFileKv(store, manifest);
    return { text: await kv.get(key, "text"), length: (await kv.get(key, "arrayBuffer"))?.byteLength };
  },
  /** As a disk would. */
  damage: async (path: string) => {
    const cache = await caches.open("armmt-private:/private/");
    await cache.put(path, new Response("damaged"));
  },
  clear: async () => {
    const store = open();
    await store.clear();
    return {
      names: await caches.keys(),
      expected: await store.isExpected(),
      held: await store.cachedManifest(),
      after: await caches.keys(),
    };
  },
  view: (...items: ViewedItem[]) => Promise.all(items.map(addViewed)),
  viewed: viewedItems,
  removeViewed,
  clearViewed,
  deleteHistory: async () => {
    await deleteHistory();
    return indexedDB.databases();
  },
};

export type Calls = typeof calls;

Object.assign(globalThis, { calls });
