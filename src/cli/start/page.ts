/**
 * The demo's static files: the page (HTML and CSS as they are, the client's TypeScript bundled into one module), and under `/private/` the
 * files of `armmt private` with the demo's own service worker. All of it is a cache; nothing built is committed.
 */
import { copyFile, cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { buildBrowserFiles } from "../private/build.ts";
import { browserConfig } from "../private/sources.ts";
import { describeShop, type StockOptions } from "./shop.ts";

/** As the edge's wrangler.toml and the page call it. */
const INDEX = "products";

/** Fills `outDir` (emptied first) with the files that Workers Static Assets serves at `/`. */
export async function buildPage(root: string, outDir: string): Promise<void> {
  const pageDir = join(root, "src/demo/page");
  await rm(outDir, { recursive: true, force: true });
  await mkdir(join(outDir, "private"), { recursive: true });
  await Promise.all([
    // The same page at both addresses; its script reads the address.
    ...["index.html", "private/index.html"].map((path) => copyFile(join(pageDir, "index.html"), join(outDir, path))),
    copyFile(join(pageDir, "page.css"), join(outDir, "page.css")),
    build({
      entryPoints: [join(pageDir, "client/main.ts")],
      outfile: join(outDir, "page.js"),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      sourcemap: true, // for developer tools
      logLevel: "silent", // a failure is thrown, with the messages in it
    }),
  ]);
}

/** Packed files are kept between starts; packing onnxruntime takes seconds, and only the first start has to. */
export const packedFolder = (home: string): string => join(home, "private");

interface DemoPrivateOptions extends Pick<StockOptions, "catalog" | "pictureAspect" | "pageDir"> {
  /** Folder for files kept between starts. */
  readonly home: string;
  /** Output folder of armmt embed. */
  readonly from: string;
  /** The edge's wrangler.toml. */
  readonly edgeConfig: string;
}

export async function buildDemoPrivate({ home, pageDir, catalog, pictureAspect, from, edgeConfig }: DemoPrivateOptions): Promise<void> {
  const out = packedFolder(home);
  const shop = describeShop(catalog, pictureAspect);
  await buildBrowserFiles({
    out,
    from,
    catalog: catalog.name,
    config: await browserConfig({ file: edgeConfig, index: INDEX, catalog: catalog.name }),
    entry: "demo/service-worker.ts",
    // The shop on the device sells the same catalogue as the shop behind the network; by default the drawn one.
    extras: shop === undefined ? [] : [{ name: "shop/catalog.json", when: "install", content: Buffer.from(shop) }],
    json: true,
  });
  await cp(out, join(pageDir, "private"), { recursive: true });
}
