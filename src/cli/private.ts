/** `armmt private`: the static files with which a shop's pages re-rank on the shopper's device. The work is in private/, loaded on demand. */
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { printTable } from "./command.ts";
import type { BrowserFilesReport } from "./private/build.ts";

interface PrivateFlags extends Record<"out" | "catalog" | "index" | "scope", string> {
  readonly from?: string;
  readonly window?: number;
  readonly config?: string;
  readonly json?: true;
}

function parseWindow(text: string): number {
  const hits = Number(text);
  if (!/^\d+$/.test(text) || hits < 2 || hits > 1000) throw new InvalidArgumentError(`"${text}" is no window; give 2 to 1000 hits.`);
  return hits;
}

function parseScope(text: string): string {
  if (!/^\/([A-Za-z0-9._~-]+\/)*$/.test(text)) {
    throw new InvalidArgumentError(`"${text}" is no scope; give a path that begins and ends with a slash, such as /private/.`);
  }
  return text;
}

export function createPrivateCommand(): Command {
  return new Command("private")
    .description("Write the static files with which pages re-rank on the shopper's device")
    .requiredOption("--out <folder>", "where the files go; what is there already is not made again")
    .option("--from <folder>", "what armmt embed has written (default: .armmt/embeddings/<catalogue>)")
    .option("--catalog <name>", "name of the catalogue", "products")
    .option("--index <name>", "index that the pages search, as the edge's wrangler.toml has it", "products")
    .option("--window <hits>", "how many hits are re-ranked (default: as the edge does)", parseWindow)
    .option("--config <file>", "wrangler.toml of the edge Worker (default: the project's)")
    .option("--scope <path>", "path under which the files will be hosted", parseScope, "/private/")
    .option("--json", "print the summary as JSON and no progress")
    .addHelpText(
      "after",
      `
Host the folder's content at the scope, over https. A page below that path then needs:
  import { registerWorker, addViewed } from "/private/armmt-private.js";
  await registerWorker({ url: "/private/sw.js", scope: "/private/" });

Examples:
  $ armmt private --out site/private                      for the index "products"
  $ armmt private --out site --scope / --window 50        for the whole site, in the first 50 hits`,
    )
    .action(async (flags: PrivateFlags) => {
      const [{ buildBrowserFiles }, { browserConfig }, { embeddingsFolder }, { findConfig }] = await Promise.all([
        import("./private/build.ts"),
        import("./private/sources.ts"),
        import("./embed/pack.ts"),
        import("./wrangler.ts"),
      ]);
      const { catalog, index, window, scope } = flags;
      const file = flags.config === undefined ? findConfig() : resolve(flags.config);
      const config = await browserConfig({ file, index, catalog, window });
      const from = flags.from === undefined ? embeddingsFolder(catalog) : resolve(flags.from);
      const report = await buildBrowserFiles({ out: resolve(flags.out), from, catalog, config, json: flags.json });
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ scope, ...report }, undefined, 2)}\n`);
      else printReport(report, scope);
    });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function printReport({ out, version, files, packed, installBytes, workerBytes, seconds }: BrowserFilesReport, scope: string): void {
  printTable(
    ["file", "bytes", "packed", "fetched"],
    files.map(({ name, bytes, packedBytes, when }) => [name, bytes, packedBytes, when === "install" ? "at first" : "when used"]),
  );
  process.stdout.write(
    `Vectors ${version}; ${packed} of ${files.length} files packed in ${seconds.toFixed(1)} s\n` +
      `A first visit fetches ${megabytes(installBytes)} (worker ${megabytes(workerBytes)})\n` +
      `Host ${out} at ${scope}\n`,
  );
}
