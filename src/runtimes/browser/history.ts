/**
 * The shopper's recently viewed items, in the browser's IndexedDB: the page writes them, and only the worker reads them.
 *
 * The database is opened for each use: an open connection would block its deletion.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import * as v from "valibot";
import { MAX_HISTORY } from "../../ranking/features.ts";

export const HISTORY_DATABASE = "armmt-private";
const STORE = "viewed";

const viewedSchema = v.object({
  /** The id under which its vectors are published. */
  id: v.pipe(v.string(), v.nonEmpty()),
  /** For the page, to show the item. */
  title: v.optional(v.string()),
  image: v.optional(v.string()),
});

export type ViewedItem = v.InferOutput<typeof viewedSchema>;

interface HistoryDatabase extends DBSchema {
  [STORE]: { key: string; value: ViewedItem & { viewedAt: number }; indexes: { viewedAt: number } };
}

async function withDatabase<T>(use: (database: IDBPDatabase<HistoryDatabase>) => Promise<T>): Promise<T> {
  const database = await openDB<HistoryDatabase>(HISTORY_DATABASE, 1, {
    upgrade: (fresh) => fresh.createObjectStore(STORE, { keyPath: "id" }).createIndex("viewedAt", "viewedAt"),
  });
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

/** Most recent first, at most MAX_HISTORY. Rejects where the browser allows no storage. */
export function viewedItems(): Promise<ViewedItem[]> {
  return withDatabase(async (database) => {
    const stored = await database.getAllFromIndex(STORE, "viewedAt");
    return stored
      .toReversed()
      .flatMap((value) => {
        const parsed = v.safeParse(viewedSchema, value);
        return parsed.success ? [parsed.output] : [];
      })
      .slice(0, MAX_HISTORY);
  });
}

/** Moves the item to the front, without duplicates; items beyond MAX_HISTORY are deleted. */
export function addViewed(item: ViewedItem): Promise<void> {
  return withDatabase(async (database) => {
    const change = database.transaction(STORE, "readwrite");
    const newest = await change.store.index("viewedAt").openCursor(undefined, "prev");
    // Two views in one millisecond, or a clock that was set back, must not change the order.
    const viewedAt = Math.max(Date.now(), (newest?.value.viewedAt ?? 0) + 1);
    await change.store.put({ ...v.parse(viewedSchema, item), viewedAt });
    const ids = await change.store.index("viewedAt").getAllKeys();
    await Promise.all(ids.slice(0, -MAX_HISTORY).map((id) => change.store.delete(id)));
    await change.done;
  });
}

export function removeViewed(id: string): Promise<void> {
  return withDatabase((database) => database.delete(STORE, id));
}

export function clearViewed(): Promise<void> {
  return withDatabase((database) => database.clear(STORE));
}

/** Deletes the database. */
export async function deleteHistory(): Promise<void> {
  await deleteDB(HISTORY_DATABASE);
}

/** Prefix of all caches of re-ranking on the device. */
export const CACHE_PREFIX = "armmt-private";

/** "Delete from this device": caches and history. Called by the worker, which then answers nothing more, and again by the page. */
export async function removeStored(caches: CacheStorage): Promise<void> {
  const names = await caches.keys();
  await Promise.all([...names.filter((name) => name.startsWith(CACHE_PREFIX)).map((name) => caches.delete(name)), deleteHistory()]);
}
