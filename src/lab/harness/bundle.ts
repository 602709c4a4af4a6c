/** A Worker as it would be deployed: wrangler builds it (a dry run, nothing is uploaded), and its modules are read back. */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../../web.ts";

export type BundledModule = Readonly<{ name: string; type: "ESModule" | "CompiledWasm" | "Data"; bytes: Buffer<ArrayBuffer> }>;

/** Its entry is the first module. */
export type Bundle = Readonly<{ modules: readonly BundledModule[]; compatibilityDate: string; compatibilityFlags?: readonly string[] }>;

const TYPES: Readonly<Record<string, BundledModule["type"]>> = {
  ".js": "ESModule",
  ".wasm": "CompiledWasm",
  ".onnx": "Data",
  ".bin": "Data",
};

/** `config`: path of a wrangler.toml. Fills the folder `outDir`. Throws a UserError with wrangler's own message. */
export async function bundleWorker(config: string, outDir: string): Promise<Bundle> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
  try {
    await promisify(execFile)(process.execPath, [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", outDir], {
      // The command of its [build] runs here.
      cwd: dirname(config),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
  } catch (error) {
    const { stderr, stdout, message } = Object(error);
    const output = [stderr, stdout, message].find((text) => typeof text === "string" && text.trim() !== "") ?? String(error);
    throw new UserError(`wrangler cannot build ${config}: ${output}`);
  }
  const modules = readdirSync(outDir).flatMap((name) => {
    const type = TYPES[extname(name)];
    return type === undefined ? [] : [{ name, type, bytes: Buffer.from(readFileSync(join(outDir, name))) }];
  });
  const text = readFileSync(config, "utf8");
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(text)?.[1];
  if (date === undefined) throw new UserError(`${config} has no compatibility_date: add one`);
  const compatibilityFlags = [...(/^compatibility_flags = \[(.*)\]$/m.exec(text)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(
    ([, flag = ""]) => flag,
  );
  const sorted = modules.toSorted((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule"));
  return { modules: sorted, compatibilityDate: date, compatibilityFlags };
}
