/**
 * `files.json`: what a browser needs to re-rank on the device, as `armmt private` wrote it. Every file is named, and addressed by its
 * content: the same URL never changes what it holds.
 */
import * as v from "valibot";
import type { Result } from "../../result.ts";
import { err, ok } from "../../result.ts";

export const LISTING_FORMAT = 1;

const countSchema = v.pipe(v.number(), v.integer(), v.minValue(0));

const fileSchema = v.object({
  /** What the code asks for: see FILES, and `kv/<key>` for what the edge would read from KV. */
  name: v.pipe(v.string(), v.nonEmpty()),
  /** Of the content, not of its compressed form: lower-case hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")),
  /** Of the content. */
  bytes: countSchema,
  /** Of the gzip file that travels. */
  packedBytes: countSchema,
  /** Relative to files.json; it must not lead to another host, whose files nobody vouched for. */
  url: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "expected a path below files.json")),
  /** "install": before the worker takes its place. "use": when it is first asked for. */
  when: v.picklist(["install", "use"]),
});

const listingSchema = v.object({
  format: v.literal(LISTING_FORMAT),
  /** Variables of the edge, without URLs: the engine is where the page's own searches go. */
  config: v.looseObject({ INDEXES: v.record(v.string(), v.looseObject({})) }),
  files: v.pipe(
    v.array(fileSchema),
    v.check((files) => new Set(files.map(({ name }) => name)).size === files.length, "a name stands twice"),
  ),
});

export type ListedFile = v.InferOutput<typeof fileSchema>;
export type Listing = v.InferOutput<typeof listingSchema>;

/** Names of what is not in KV. The runtimes carry the version of onnxruntime-web, whose code is in the worker's own script. */
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
export function parseListing(text: string): Result<Listing, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err(`not JSON: ${JSON.stringify(text.slice(0, 40))}`);
  }
  const parsed = v.safeParse(listingSchema, json);
  if (parsed.success) return ok(parsed.output);
  return err(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "files.json"}: ${issue.message}`).join("; "));
}
