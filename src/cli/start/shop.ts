/**
 * The demo's static files: the page (HTML and CSS as they are, the client's TypeScript bundled into one module), and under `/private/` the
 * files of `armmt private` with the demo's own service worker. And the shop's stock: the catalogue in its KV, the pictures beside the page;
 * the drawn catalogue needs neither. All of it is a cache; nothing built is committed.
 */
import { existsSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { CATALOG_KEY, type ShopCatalog } from "../../demo/shop.ts";
import type { Catalog, CatalogItem } from "../catalog/file.ts";
import { buildBrowserFiles } from "../private/build.ts";
import { browserConfig } from "../private/sources.ts";
import { loadWrangler } from "../wrangler.ts";
import { sha256Hex } from "../../web.ts";

/** The index that the edge's wrangler.toml configures and the page searches. */
export const INDEX = "products";

/** Fills `outDir` (emptied first) with the files that Workers Static Assets serves at `/`. */
export async function buildPage(root: string, outDir: string): Promise<void> {
  const pageDir = join(root, "src/demo/page");
  await rm(outDir, { recursive: true, force: true });
  await Promise.all(["private", "instantsearch"].map((folder) => mkdir(join(outDir, folder), { recursive: true })));
  await Promise.all([
    // The same page at both addresses; its script reads the address.
    ...["index.html", "private/index.html"].map((path) => copyFile(join(pageDir, "index.html"), join(outDir, path))),
    copyFile(join(pageDir, "instantsearch.html"), join(outDir, "instantsearch/index.html")),
    ...["page.css", "stock.css"].map((name) => copyFile(join(pageDir, name), join(outDir, name))),
    build({
      entryPoints: { page: join(pageDir, "client/main.ts"), stock: join(pageDir, "client/stock.ts") },
      outdir: outDir,
      define: { "process.env.NODE_ENV": '"production"' },
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      sourcemap: true, // for developer tools
      logLevel: "silent", // a failure is thrown, with the messages in it
    }),
  ]);
}

interface StockOptions {
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
  const { catalog, pageDir } = options;
  await Promise.all([catalog.source === "drawn" ? undefined : linkPictures(catalog.items, join(pageDir, "images")), writeCatalog(options)]);
}

/** The catalogue as the shop reads it, as JSON; undefined for the drawn one, which the shop makes itself. */
function describeShop(catalog: Catalog, pictureAspect: number | undefined): string | undefined {
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
    // Some file systems (and Windows without the privilege) have no symbolic links.
    if (image?.kind === "file" && existsSync(image.path)) await symlink(resolve(image.path), path).catch(() => copyFile(image.path, path));
    if (image?.kind === "svg") await writeFile(path, image.svg());
  }
}

/**
 * `out`: folder for packed files kept between starts, because packing onnxruntime takes seconds. `from`: output folder of armmt embed.
 * `config`: the edge's wrangler.toml.
 */
export async function buildDemoPrivate(out: string, from: string, options: Omit<StockOptions, "stateDir">): Promise<void> {
  const { pageDir, catalog, pictureAspect, config } = options;
  const shop = describeShop(catalog, pictureAspect);
  await buildBrowserFiles({
    out,
    from,
    catalog: catalog.name,
    config: await browserConfig({ file: config, index: INDEX, catalog: catalog.name }),
    entry: "demo/service-worker.ts",
    // The shop on the device sells the same catalogue as the shop behind the network; by default the drawn one.
    extras: shop === undefined ? [] : [{ name: "shop/catalog.json", when: "install", content: Buffer.from(shop) }],
    json: true,
  });
  await cp(out, join(pageDir, "private"), { recursive: true });
}
