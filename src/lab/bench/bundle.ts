/**
 * A Worker as it would be deployed: wrangler builds it (dry run, nothing leaves this machine), and its modules are read back.
 */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { UserError } from "../../web.ts";

export interface BundledModule {
  readonly name: string;
  readonly type: "ESModule" | "CompiledWasm" | "Data";
  readonly bytes: Buffer<ArrayBuffer>;
}

export interface Bundle {
  /** The entry first. */
  readonly modules: readonly BundledModule[];
  readonly compatibilityDate: string;
}

/** As in wrangler.toml. */
const SOURCE_DATE = "2026-06-15";

const TYPES: Readonly<Record<string, BundledModule["type"]>> = {
  ".js": "ESModule",
  ".wasm": "CompiledWasm",
  ".onnx": "Data",
  ".bin": "Data",
};

/** For Workers of the bench that import sources only: much quicker than wrangler, and what is deployed does not matter to them. */
export async function bundleSource(path: string): Promise<Bundle> {
  const { outputFiles } = await build({ entryPoints: [path], bundle: true, format: "esm", target: "es2024", write: false });
  const bytes = Buffer.from(outputFiles[0]!.contents);
  return { modules: [{ name: "worker.js", type: "ESModule", bytes }], compatibilityDate: SOURCE_DATE };
}

/** `config`: path of a wrangler.toml. `outDir` is filled. Throws a UserError with wrangler's own words. */
export async function bundleWorker(config: string, outDir: string): Promise<Bundle> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
  try {
    await promisify(execFile)(process.execPath, [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", outDir], {
      // Where the command of its [build] runs.
      cwd: dirname(config),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
  } catch (error) {
    throw new UserError(`wrangler cannot build ${config}: ${wordsOf(error)}`);
  }
  const modules = readdirSync(outDir).flatMap((name) => {
    const type = TYPES[extname(name)];
    return type === undefined ? [] : [{ name, type, bytes: Buffer.from(readFileSync(join(outDir, name))) }];
  });
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(readFileSync(config, "utf8"))?.[1];
  if (date === undefined) throw new UserError(`${config} has no compatibility_date: add one`);
  return { modules: modules.toSorted((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule")), compatibilityDate: date };
}

function wordsOf(error: unknown): string {
  const { stderr, stdout, message } = Object(error);
  return [stderr, stdout, message].find((text) => typeof text === "string" && text.trim() !== "") ?? String(error);
}

/** Bytes as uploaded, and compressed together as wrangler reports them. */
export function sizesOf(bundle: Bundle): { readonly raw: number; readonly gzip: number } {
  const all = Buffer.concat(bundle.modules.map((module) => module.bytes));
  return { raw: all.length, gzip: gzipSync(all).length };
}
