/**
 * `--image-encoder` → an encoder: `builtin`, a path to an .onnx file, or `hf:<model id>`. Reads the files that the encoder itself may not.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createGraphEncoder, createHubEncoder, type ImageEncoder } from "./image-encoder.ts";
import type { Result } from "../../result.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";

export const BUILTIN = join(PACKAGE_ROOT, "model/image-encoder.onnx");

/** Throws a UserError that names the encoder, the reason and the fix. */
export async function loadImageEncoder(name: string): Promise<ImageEncoder> {
  if (name === "builtin") return loadBuiltinEncoder(BUILTIN);
  if (name.startsWith("hf:")) {
    const modelId = name.slice("hf:".length);
    if (!/^[\w.-]+\/[\w.-]+$/.test(modelId)) throw new UserError(`"${name}" names no hub model: expected hf:<owner>/<model>`);
    return loaded(await createHubEncoder({ modelId, cacheDir: resolve(".armmt/models") }));
  }
  if (!name.endsWith(".onnx")) {
    throw new UserError(`Unknown image encoder "${name}": expected builtin, a path to an .onnx file, or hf:<owner>/<model>`);
  }
  return loaded(await createGraphEncoder({ graph: graphAt(name), name, isBuiltin: false, preprocessor: preprocessorBeside(name) }));
}

/** A graph that this project trained; `armmt model` embeds with one that is not committed yet. */
export async function loadBuiltinEncoder(path: string): Promise<ImageEncoder> {
  return loaded(await createGraphEncoder({ graph: graphAt(path), name: "builtin", isBuiltin: true }));
}

function graphAt(path: string): Uint8Array {
  if (!existsSync(path)) throw new UserError(`No image encoder at ${path}: give the path of an .onnx file, or builtin`);
  return readFileSync(path);
}

function preprocessorBeside(graph: string): unknown {
  const path = join(dirname(graph), "preprocessor_config.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new UserError(`${path} is no JSON: correct it or take it away`);
  }
}

function loaded(result: Result<ImageEncoder, string>): ImageEncoder {
  if (!result.ok) throw new UserError(result.error);
  return result.value;
}
