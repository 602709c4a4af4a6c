/** The files and the configuration of a browser's edge: model, known scores, runtimes, item vectors, one index. */
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { pointerKey, queryTableKey, setKey, shardKey, type Pointer } from "../../embeddings/store.ts";
import { type FileManifest, FILES, kvName, type ManifestFile } from "../../runtimes/browser/file-manifest.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { readSet } from "../embed/pack.ts";
import { UserError } from "../../web.ts";
import { loadWrangler } from "../wrangler.ts";

export type Source = Pick<ManifestFile, "name" | "when"> & { readonly content: Uint8Array };

/** Largest total of shards that are fetched at installation; a larger catalogue's are fetched when a search needs them. */
const MAX_SHARDS_AT_INSTALL = 8 * 1024 * 1024;

/** The golden case that a WebGPU session must reproduce before it is used: a usual window, with history. */
const PROOF_CASE = "fifty candidates";

const goldenSchema = v.looseObject({ cases: v.array(v.looseObject({ name: v.string() })) });

const readModelFile = (file: string): Buffer => readFileSync(join(PACKAGE_ROOT, "model", file));

/** The model in the repository. */
export function modelSources(): readonly Source[] {
  const golden = v.parse(goldenSchema, JSON.parse(readModelFile("golden.json").toString("utf8")));
  const proof = golden.cases.find(({ name }) => name === PROOF_CASE);
  if (proof === undefined) throw new UserError(`model/golden.json has no case "${PROOF_CASE}": run npm run model again`);
  return [
    { name: FILES.model, when: "install", content: readModelFile("student.onnx") },
    { name: FILES.manifest, when: "install", content: readModelFile("manifest.json") },
    { name: FILES.proof, when: "install", content: Buffer.from(JSON.stringify({ ...golden, cases: [proof] })) },
  ];
}

/** `version`: of onnxruntime-web, whose code is bundled into the worker. */
export function runtimeSources(): { readonly version: string; readonly sources: readonly Source[] } {
  const { resolve } = createRequire(import.meta.url);
  const wasm = resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
  const json: unknown = JSON.parse(readFileSync(join(dirname(wasm), "../package.json"), "utf8"));
  const { version } = v.parse(v.object({ version: v.string() }), json);
  const sources: readonly Source[] = [
    { name: FILES.wasm(version), when: "install", content: readFileSync(wasm) },
    // Fetched only where there is a GPU.
    { name: FILES.webgpu(version), when: "use", content: readFileSync(resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm")) },
  ];
  return { version, sources };
}

function jsonSource(key: string, value: unknown): Source {
  return { name: kvName(key), when: "install", content: Buffer.from(JSON.stringify(value)) };
}

/** `from`: output folder of armmt embed. `version`: of the published set. Throws a UserError as readSet() does. */
export function vectorSources(from: string, catalog: string): ReturnType<typeof runtimeSources> {
  const { set, shards, queryTable } = readSet(from);
  // The time of embedding, so that the same vectors give the same file.
  const publishedAt = statSync(join(from, "set.json")).mtime.toISOString();
  const pointer: Pointer = { version: set.version, previous: null, publishedAt };
  const total = shards.reduce((sum, shard) => sum + shard.length, 0);
  const when = total <= MAX_SHARDS_AT_INSTALL ? "install" : "use";
  const sources: readonly Source[] = [
    jsonSource(pointerKey(catalog), pointer),
    jsonSource(setKey(catalog, set.version), set),
    ...shards.map((content, n) => ({ name: kvName(shardKey(catalog, set.version, n)), when, content }) as const),
    ...(queryTable === undefined ? [] : [{ name: kvName(queryTableKey(catalog, set.version)), when, content: queryTable } as const]),
  ];
  return { version: set.version, sources };
}

type ConfigSource = Record<"file" | "index" | "catalog", string> & { readonly window?: number | undefined };

const indexesSchema = v.record(v.string(), v.looseObject({ window: v.number() }));

/** The variables of a browser's edge. `file`: the edge's wrangler.toml; `window`: default the edge's. Throws a UserError where the file has no such index. */
export async function browserConfig({ file, index, catalog, window }: ConfigSource): Promise<FileManifest["config"]> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const indexes = v.safeParse(indexesSchema, readConfig({ config: file }).vars["INDEXES"]);
  const table = indexes.success ? indexes.output[index] : undefined;
  if (table === undefined) {
    const known = indexes.success ? Object.keys(indexes.output).join(", ") : "none";
    throw new UserError(`${file} has no [vars.INDEXES.${index}] (it has: ${known}): name one with --index`);
  }
  return { INDEXES: { [index]: { ...publicFields(table), catalog, ...(window !== undefined && { window }) } } };
}

/** Members of an index about the way to its engine. */
const OF_THE_WAY = ["url", "headers", "forwardCredentials", "forwardClientAddress", "allowInsecureHttp"];

/** An index without the engine's address and credentials: files.json is public, and the page's own searches go to its origin. */
export function publicFields(index: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(index).filter(([name]) => !OF_THE_WAY.includes(name)));
}
