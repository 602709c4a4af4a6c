/** The model and onnxruntime-web's wasm files from disk, in Node and Deno. Not a test of its own. */
import { readFileSync } from "node:fs";
import { type Golden, parseGolden } from "../../src/inference/golden.ts";
import type { ModelFiles } from "../../src/inference/scorer.ts";

const ROOT = new URL("../../", import.meta.url);

const read = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(new URL(path, ROOT)));
const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(read(path)));

export function modelFiles(): ModelFiles & { readonly golden: Golden } {
  return {
    model: read("model/student.onnx").buffer,
    manifest: json("model/manifest.json"),
    golden: parseGolden(json("model/golden.json")),
  };
}

/** See faults.ts. */
export function smallGraph(): ArrayBuffer {
  return read("test/inference/small.onnx").buffer;
}

export function wasmFile(name: string): () => Promise<Uint8Array> {
  return async () => read(`node_modules/onnxruntime-web/dist/${name}`);
}
