/** Runs inside the page of private-storage.test.ts: the stores themselves, for the test to call. */
import { type FileStore, openFileStore } from "../../src/runtimes/browser/files.ts";
import { addViewed, clearViewed, deleteHistory, removeViewed, type ViewedItem, viewedItems } from "../../src/runtimes/browser/history.ts";
import { createFileKv } from "../../src/runtimes/browser/kv.ts";
import { FileError } from "../../src/runtimes/browser/problem.ts";

const open = (): FileStore =>
  openFileStore({
    url: new URL("/private/files.json", location.href),
    cacheName: "armmt-private:/private/",
    fetch: (url, init) => fetch(url, init),
    caches,
  });

/** What it resolves to, or the reason and words of a FileError. */
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
        const listing = await store.fetchListing();
        const steps: number[] = [];
        await store.fetchMissing(
          listing.files.filter(({ when }) => when === "install"),
          ({ doneBytes, totalBytes }) => steps.push(doneBytes / totalBytes),
        );
        await store.hold(listing);
        return { steps, held: await store.held(listing) };
      })(),
    ),
  /** Of what is held, without asking the host for the list; several at once. */
  read: (name: string, times = 1) =>
    outcome(
      (async () => {
        const store = open();
        const file = (await store.heldListing())?.files.find((one) => one.name === name);
        if (file === undefined) return undefined;
        const all = await Promise.all(Array.from({ length: times }, () => store.read(file)));
        return all.map((content) => new TextDecoder().decode(content));
      })(),
    ),
  kv: async (key: string) => {
    const store = open();
    const listing = await store.heldListing();
    if (listing === undefined) return undefined;
    const kv = createFileKv(store, listing);
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
    return { names: await caches.keys(), expected: await store.isExpected(), held: await store.heldListing(), after: await caches.keys() };
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
