/**
 * Makes the demo's data, once: vectors of the drawn catalogue, published into the folder, and the page with its service worker.
 *
 * Loaded on demand: it needs the development dependencies (an image library, onnxruntime's native build, esbuild).
 */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedCatalog } from "../../embed.ts";
import { buildBrowserFiles } from "../../private/build.ts";
import { publicFields } from "../../private/sources.ts";
import { publishTo } from "../../publish.ts";
import { openFolderNamespace } from "../../publish/namespace.ts";
import { publishDemoRates } from "../demo-rates.ts";
import { buildPage } from "../shop.ts";
import type { IndexConfig } from "../../../config/config.ts";
import { DEMO_CATALOG, DEMO_INDEX } from "./demo-vars.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";

/** `data`: the server's folder, `kv` and `page`: those inside. `stamp`: file whose time is that of the build. `json`: no progress bar. */
interface PrepareOptions extends Readonly<Record<"data" | "kv" | "page" | "stamp", string>> {
  readonly index: IndexConfig;
  readonly json: boolean;
}

/** Vectors that are up to date are kept. Throws a UserError. */
export async function prepareDemo({ data, kv, page, stamp, index, json }: PrepareOptions): Promise<void> {
  const from = join(data, "embeddings", DEMO_CATALOG);
  // Steps that fail without development dependencies first, slow ones last.
  await buildPage(PACKAGE_ROOT, page);
  await embedCatalog({ catalog: "drawn", out: from, json });
  await publishTo(openFolderNamespace(kv), { from, catalog: DEMO_CATALOG, json });
  await publishDemoRates(openFolderNamespace(kv), DEMO_CATALOG);

  const onDevice = join(data, "private");
  const config = { INDEXES: { [DEMO_INDEX]: { ...publicFields(index), catalog: DEMO_CATALOG } } };
  await buildBrowserFiles({ out: onDevice, from, catalog: DEMO_CATALOG, config, entry: "demo/service-worker.ts", json });
  await cp(onDevice, join(page, "private"), { recursive: true });
  await writeFile(stamp, `${new Date().toISOString()}\n`);
}
