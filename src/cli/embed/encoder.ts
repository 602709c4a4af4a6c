/**
 * `--image-encoder` → an encoder: by its name, a path to an .onnx file, or `hf:<model id>`. Reads the files that the encoder itself may not.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createGraphEncoder, type ImageEncoder } from "./image-encoder.ts";
import { BUILTIN_IMAGES, HUB_PICTURES, IMAGE_ENCODER_CHOICES, NAMED_IMAGE_ENCODERS, type NamedImageEncoder } from "./named-images.ts";
import { loadWordHalf } from "./text/encoder.ts";
import { fetchFromHub, type FetchOptions, mismatch, say, sha256Of } from "./text/fetch.ts";
import type { Result } from "../../result.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";

export const BUILTIN = join(PACKAGE_ROOT, "model/image-encoder.onnx");

/** Throws a UserError that names the encoder, the reason and the fix. */
export async function loadImageEncoder(name: string, options: FetchOptions = {}): Promise<ImageEncoder> {
  if (name === BUILTIN_IMAGES) return loadBuiltinEncoder(BUILTIN);
  const named = Object.hasOwn(NAMED_IMAGE_ENCODERS, name) ? NAMED_IMAGE_ENCODERS[name] : undefined;
  if (named !== undefined) return loadNamed(name, named, options);
  if (name.startsWith("hf:")) return loadFromHub(name.slice("hf:".length), options);
  if (!name.endsWith(".onnx")) throw new UserError(`Unknown image encoder "${name}": expected ${IMAGE_ENCODER_CHOICES}`);
  return loadFiles(name, name);
}

async function loadNamed(name: string, { about, licence, bundled, hub }: NamedImageEncoder, options: FetchOptions): Promise<ImageEncoder> {
  if (bundled === undefined) return loadFromHub(hub ?? name, options);
  const graph = join(PACKAGE_ROOT, bundled.folder, "model.onnx");
  const found = await sha256Of(graph);
  if (found === undefined) throw new UserError(`No image encoder at ${graph}: install the package again`);
  if (found !== bundled.sha256) throw new UserError(mismatch(graph, found, bundled.sha256));
  say(`Image encoder ${name} (${about}), licence ${licence}`, options);
  return loadFiles(name, graph);
}

async function loadFromHub(model: string, options: FetchOptions): Promise<ImageEncoder> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(model)) throw new UserError(`"hf:${model}" names no hub model: expected hf:<owner>/<model>`);
  return loadFiles(`hf:${model}`, join(await fetchFromHub(model, options, HUB_PICTURES), "model.onnx"));
}

/** The word half of a joint encoder lies beside its picture half, as exporters name it. */
const WORD_HALF = "text_model.onnx";

async function loadFiles(name: string, path: string): Promise<ImageEncoder> {
  const encoder = loaded(
    await createGraphEncoder({ graph: graphAt(path), name, isBuiltin: false, preprocessor: preprocessorBeside(path) }),
  );
  const graph = join(dirname(path), WORD_HALF);
  if (!existsSync(graph)) return encoder;
  const words = await loadWordHalf(name, graph);
  if (words.dim === encoder.dim) return { ...encoder, words };
  throw new UserError(
    `Image encoder ${name} gives ${encoder.dim} numbers for a picture, and ${graph} ${words.dim} for words: give both halves of one encoder, or take ${WORD_HALF} away`,
  );
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
