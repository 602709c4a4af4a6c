/**
 * The place `/private/` of the demo: the files of `armmt private`, with the demo's own service worker, beside the page.
 *
 * Packed files are kept between starts; packing onnxruntime takes seconds, and only the first start has to.
 */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Catalog } from "../catalog/file.ts";
import { buildBrowserFiles, packAhead } from "../private/build.ts";
import { browserConfig } from "../private/sources.ts";
import { describeShop } from "./shop.ts";

/** As the edge's wrangler.toml and the page call it. */
const INDEX = "products";

export interface DemoPrivateOptions {
  /** Folder for what is kept between starts. */
  readonly home: string;
  /** Folder that is served at `/`. */
  readonly pageDir: string;
  readonly catalog: Catalog;
  readonly pictureAspect: number | undefined;
  /** What armmt embed has written. */
  readonly from: string;
  /** The edge's wrangler.toml. */
  readonly edgeConfig: string;
}

const keptIn = (home: string): string => join(home, "private");

/** What does not depend on the catalogue, while that is embedded. */
export function packRuntimes(home: string): Promise<void> {
  return packAhead(keptIn(home));
}

export async function buildDemoPrivate({ home, pageDir, catalog, pictureAspect, from, edgeConfig }: DemoPrivateOptions): Promise<void> {
  const out = keptIn(home);
  const shop = describeShop({ catalog, pictureAspect });
  await buildBrowserFiles({
    out,
    from,
    catalog: catalog.name,
    config: await browserConfig({ file: edgeConfig, index: INDEX, catalog: catalog.name }),
    entry: "src/demo/service-worker.ts",
    // The shop on the device sells what the shop behind the network does; without this, what it draws.
    extras: shop === undefined ? [] : [{ name: "shop/catalog.json", when: "install", content: Buffer.from(shop) }],
    json: true,
  });
  await cp(out, join(pageDir, "private"), { recursive: true });
}
