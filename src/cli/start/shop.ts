/** Stocks the demo shop: the catalogue into its KV, the pictures beside the page. The drawn catalogue needs neither, the shop draws it. */
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CATALOG_KEY, type ShopCatalog } from "../../demo/shop.ts";
import type { Catalog, CatalogItem } from "../catalog/file.ts";
import { loadWrangler } from "../wrangler.ts";
import { sha256Hex } from "../../web.ts";

export interface StockOptions {
  readonly catalog: Catalog;
  /** Width over height at which pictures are shown; default: 3/4 for the fashion set, else 1. */
  readonly pictureAspect?: number | undefined;
  /** The shop's wrangler.toml. */
  readonly config: string;
  /** Folder of the local KV. */
  readonly stateDir: string;
  /** Folder that is served at `/`. */
  readonly pageDir: string;
}

export async function stockShop(options: StockOptions): Promise<void> {
  const isDrawn = options.catalog.source === "drawn";
  await Promise.all([isDrawn ? undefined : linkPictures(options.catalog.items, join(options.pageDir, "images")), writeCatalog(options)]);
}

/** The catalogue as the shop reads it, as JSON; undefined for the drawn one, which the shop makes itself. */
export function describeShop(catalog: Catalog, pictureAspect: number | undefined): string | undefined {
  if (catalog.source === "drawn") return undefined;
  const shop: ShopCatalog = {
    name: catalog.name,
    note: `From ${basename(dirname(catalog.source))}/${basename(catalog.source)}`,
    pictureAspect: pictureAspect ?? knownAspect(catalog.source),
    products: catalog.items.map((item) => item.product),
  };
  return JSON.stringify(shop);
}

/**
 * The fashion product image set that circulates with these columns has portraits of 3:4, and many copies squeeze them to squares. Shown as
 * squares, shirts are wide.
 */
function knownAspect(source: string): number {
  const [header = ""] = readFileSync(source, "utf8").split("\n", 1);
  return header.includes("masterCategory") && header.includes("articleType") ? 3 / 4 : 1;
}

/** Opening the local KV takes most of a second, so a note beside it names the stored catalogue. */
async function writeCatalog({ catalog, pictureAspect, config, stateDir }: StockOptions): Promise<void> {
  const json = describeShop(catalog, pictureAspect);
  const hash = json === undefined ? "drawn" : await sha256Hex(json);
  const note = join(stateDir, "shop-catalog");
  const stored = existsSync(note) ? await readFile(note, "utf8") : "drawn";
  if (stored === hash) return;
  await rm(note, { force: true });
  const { getPlatformProxy } = await loadWrangler();
  const proxy = await getPlatformProxy<{ SHOP: { put(key: string, value: string): Promise<void>; delete(key: string): Promise<void> } }>({
    configPath: config,
    persist: { path: join(stateDir, "v3") }, // wrangler's dev server adds v3 itself
    remoteBindings: false,
  });
  try {
    await (json === undefined ? proxy.env.SHOP.delete(CATALOG_KEY) : proxy.env.SHOP.put(CATALOG_KEY, json));
  } finally {
    await proxy.dispose();
  }
  await mkdir(stateDir, { recursive: true });
  await writeFile(note, hash);
}

/** Pictures are linked under the name by which the shop shows them, not copied: a catalogue may be large. */
async function linkPictures(items: readonly CatalogItem[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { product, image } of items) {
    const path = join(folder, decodeURIComponent(basename(product.image)));
    if (image?.kind === "file" && existsSync(image.path)) await linkOrCopy(resolve(image.path), path);
    if (image?.kind === "svg") await writeFile(path, image.svg());
  }
}

/** Some file systems (and Windows without the privilege) have no symbolic links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await symlink(from, to);
  } catch {
    await copyFile(from, to);
  }
}
