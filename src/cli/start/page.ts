/**
 * Makes the demo page ready to be served: HTML and CSS as they are, the TypeScript of the client bundled into one module.
 *
 * The output is a cache like any other under the state folder; nothing built is committed.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const STATIC_FILES: readonly string[] = ["index.html", "page.css"];

/** Fills `outDir` (emptied first) with what Workers Static Assets shall serve at `/`. */
export async function buildPage(root: string, outDir: string): Promise<void> {
  const pageDir = join(root, "src/demo/page");
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    // The same page in both places; it looks at its address.
    mkdir(join(outDir, "private")).then(() => copyFile(join(pageDir, "index.html"), join(outDir, "private/index.html"))),
    ...STATIC_FILES.map((file) => copyFile(join(pageDir, file), join(outDir, file))),
    build({
      entryPoints: [join(pageDir, "client/main.ts")],
      outfile: join(outDir, "page.js"),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      sourcemap: true, // for whoever opens the developer tools
      logLevel: "silent", // a failure is thrown, with the messages in it
    }),
  ]);
}
