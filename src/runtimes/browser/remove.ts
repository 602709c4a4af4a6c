/** "Delete from this device": files, history, worker. Called by the worker first, which then answers nothing more, and by the page after it. */
import { deleteHistory } from "./history.ts";

/** All caches of private re-ranking begin with it. */
export const CACHE_PREFIX = "armmt-private";

/** Safe to call twice. */
export async function removeStored(caches: CacheStorage): Promise<void> {
  const names = await caches.keys();
  await Promise.all([...names.filter((name) => name.startsWith(CACHE_PREFIX)).map((name) => caches.delete(name)), deleteHistory()]);
}
