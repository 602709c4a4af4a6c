/**
 * What the demo needs before it can run, made once: vectors of the drawn catalogue, published into the folder, and the page with its part
 * that re-ranks on the device.
 *
 * Needs the development dependencies (an image library, onnxruntime's native build, esbuild), so it is loaded only when something is
 * missing.
 */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedCatalog } from "../../embed.ts";
import { buildPrivate } from "../../private/build.ts";
import { publishTo } from "../../publish.ts";
import { openFolderNamespace } from "../../publish/folder-namespace.ts";
import { buildPage } from "../page.ts";
import type { IndexConfig } from "../../../config/config.ts";
import { DEMO_CATALOG, DEMO_INDEX } from "./demo-vars.ts";
import { ROOT } from "../../../runtimes/node/flags.ts";

export interface PrepareOptions {
  /** Folder of the server. */
  readonly data: string;
  /** Folder in the place of KV. */
  readonly kv: string;
  /** Where the page is built. */
  readonly page: string;
  /** The file that says when. */
  readonly stamp: string;
  /** What the page searches. */
  readonly index: IndexConfig;
  /** No progress. */
  readonly json: boolean;
}

/** What was made before is only compared. Throws a UserError for what the user can mend. */
export async function prepareDemo({ data, kv, page, stamp, index, json }: PrepareOptions): Promise<void> {
  const from = join(data, "embeddings", DEMO_CATALOG);
  // First what may fail for want of tools, then what takes long.
  await buildPage(ROOT, page);
  await embedCatalog({ catalog: "drawn", out: from, json });
  await publishTo(openFolderNamespace(kv), { from, catalog: DEMO_CATALOG, json });

  const onDevice = join(data, "private");
  // The page's own searches say where the engine is; the file is for everybody to read.
  const { url: _, headers: __, forwardCredentials: ___, ...shown } = index;
  const config = { INDEXES: { [DEMO_INDEX]: { ...shown, catalog: DEMO_CATALOG } } };
  await buildPrivate({ out: onDevice, from, catalog: DEMO_CATALOG, config, entry: "src/demo/service-worker.ts", json });
  await cp(onDevice, join(page, "private"), { recursive: true });
  await writeFile(stamp, `${new Date().toISOString()}\n`);
}
