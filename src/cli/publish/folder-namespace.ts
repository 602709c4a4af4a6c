/** The folder that a server (src/runtimes/node/) reads in the place of KV, as `armmt publish` and `armmt rollback` write it. */
import { resolve } from "node:path";
import { listKeys, folderKv, writeKey } from "../../runtimes/node/folder-kv.ts";
import type { Namespace } from "./namespace.ts";
import { UserError, errorText } from "../../web.ts";

/** Made by the first write. Throws a UserError for keys that cannot be files. */
export function openFolderNamespace(folder: string): Namespace {
  const kv = folderKv(folder);
  const place = resolve(folder);
  return {
    place,
    get: (key) => orExplain(place, async () => (await kv.get(key, "text")) ?? undefined),
    keys: (prefix) => orExplain(place, () => listKeys(folder, prefix)),
    put: (entries) =>
      orExplain(place, async () => {
        await Promise.all(entries.map(({ key, value }) => writeKey(folder, key, value)));
      }),
    close: () => Promise.resolve(),
  };
}

async function orExplain<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = errorText(error);
    throw new UserError(`Cannot use the folder ${place}: ${said}. Name another with --folder <folder>`, { cause: error });
  }
}
