/**
 * `files.json`, written by `armmt private`: the files that a browser needs to re-rank on the device. Each file's URL contains the hash of its
 * content, so the content of a URL never changes.
 */
import * as v from "valibot";
import { parseJson } from "../../embeddings/store.ts";
import type { Result } from "../../result.ts";

export const MANIFEST_FORMAT = 1;

const countSchema = v.pipe(v.number(), v.integer(), v.minValue(0));

const fileSchema = v.object({
  /** See FILES; `kv/<key>` for the KV values of an edge. */
  name: v.pipe(v.string(), v.nonEmpty()),
  /** SHA-256 of the uncompressed content: lower-case hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")),
  /** Length of the content. */
  bytes: countSchema,
  /** Length of the gzip file that is fetched. */
  packedBytes: countSchema,
  /** Relative to files.json; never on another host. */
  url: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "expected a path below files.json")),
  /** "install": fetched before the worker takes over. "use": fetched at first use. */
  when: v.picklist(["install", "use"]),
});

const manifestSchema = v.object({
  format: v.literal(MANIFEST_FORMAT),
  /** Variables of the edge, without URLs: searches go to the page's own origin. */
  config: v.looseObject({ INDEXES: v.record(v.string(), v.looseObject({})) }),
  files: v.pipe(
    v.array(fileSchema),
    v.check((files) => new Set(files.map(({ name }) => name)).size === files.length, "a name stands twice"),
  ),
});

export type ManifestFile = v.InferOutput<typeof fileSchema>;
export type FileManifest = v.InferOutput<typeof manifestSchema>;

/** Names of files that are not KV values. Runtimes carry the version of onnxruntime-web, whose code is in the worker's script. */
export const FILES = {
  model: "model/student.onnx",
  manifest: "model/manifest.json",
  proof: "model/proof.json",
  wasm: (version: string) => `onnxruntime-web/${version}/ort-wasm-simd-threaded.wasm`,
  webgpu: (version: string) => `onnxruntime-web/${version}/ort-wasm-simd-threaded.asyncify.wasm`,
} as const;

export function kvName(key: string): string {
  return `kv/${key}`;
}

/** The error names the field and what was expected. */
export function parseFileManifest(text: string): Result<FileManifest, string> {
  return parseJson(manifestSchema, text, "files.json");
}
