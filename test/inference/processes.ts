/**
 * Runs a script of this folder in Node or Deno, on the processor or on Chromium's software GPU, and reads the JSON it prints. Not a test of
 * its own.
 */
import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";

const fallbackSchema = v.object({ reason: v.string(), detail: v.string() });
const stateSchema = v.object({
  provider: v.picklist(["wasm", "webgpu"]),
  adapter: v.optional(v.object({ vendor: v.string(), architecture: v.string(), description: v.string(), isSoftware: v.boolean() })),
  fallback: v.optional(fallbackSchema),
});
export const rowSchema = v.object({ ...stateSchema.entries, cases: v.number(), maxError: v.number(), msPerRun: v.number() });
export const reportSchema = v.object({
  before: v.optional(stateSchema),
  after: stateSchema,
  maxError: v.number(),
  events: v.array(v.string()),
  ms: v.number(),
});

export type Row = v.InferOutput<typeof rowSchema>;

const DENO = fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url));
const COMMANDS = { node: [process.execPath], deno: [DENO, "run", "--allow-read", "--allow-env", "--allow-sys"] } as const;

/** Why a runtime cannot be started here; `undefined` where it can. */
export async function missing(runtime: keyof typeof COMMANDS): Promise<string | undefined> {
  try {
    await promisify(execFile)(COMMANDS[runtime][0], ["--version"]);
    return undefined;
  } catch (cause) {
    return `${runtime} does not run here: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

/**
 * Environment in which Vulkan finds SwiftShader, the GPU in software that comes with Chromium, or why there is none. Chromium brings the
 * Vulkan loader too; elsewhere the system's is found.
 */
export function softwareGpu(): { readonly env: Readonly<Record<string, string>> } | { readonly missing: string } {
  const given = process.env["CHROMIUM_PATH"];
  const folders = ["/usr/lib/chromium", ...(given !== undefined && existsSync(given) ? [dirname(realpathSync(given))] : [])];
  const folder = folders.find((path) => existsSync(join(path, "vk_swiftshader_icd.json")));
  if (folder === undefined)
    return { missing: `no vk_swiftshader_icd.json in ${folders.join(" or ")}: install Chromium, or set CHROMIUM_PATH` };
  return { env: { VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"), LD_LIBRARY_PATH: folder } };
}

/** The last line that the script printed. Rejects with its stderr when it fails. */
export async function runScript(
  runtime: keyof typeof COMMANDS,
  args: readonly [script: string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const [command, ...flags] = COMMANDS[runtime];
  const [script, ...rest] = args;
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(command, [...flags, path, ...rest], { env: { ...process.env, ...env }, timeout: 390_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
