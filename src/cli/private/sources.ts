/**
 * What a device needs, as named contents: model, proof, runtimes, item vectors, and whatever the caller adds.
 */
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { pointerKey, setKey, shardKey, type Pointer } from "../../embeddings/store.ts";
import { FILES, kvName, type ListedFile } from "../../runtimes/browser/listing.ts";
import { ROOT } from "../embed/encoder.ts";
import { readSet } from "../embed/pack.ts";
import { UserError } from "../../web.ts";

export interface Source {
  readonly name: string;
  readonly when: ListedFile["when"];
  readonly content: Uint8Array;
}

/** Shards travel with the installation while they are so small together; those of a larger catalogue come when a search needs them. */
const MAX_SHARDS_AT_INSTALL = 8 * 1024 * 1024;

/** The golden case that a WebGPU session must reproduce before it serves: of the size of a usual window, with history. */
const PROOF_CASE = "fifty candidates";

const goldenSchema = v.looseObject({ cases: v.array(v.looseObject({ name: v.string() })) });

const readModelFile = (file: string): Buffer => readFileSync(join(ROOT, "model", file));

/** Of the model in the repository. */
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

export interface RuntimeSources {
  /** Of onnxruntime-web, whose code is bundled into the worker. */
  readonly version: string;
  readonly sources: readonly Source[];
}

export function runtimeSources(): RuntimeSources {
  const { resolve } = createRequire(import.meta.url);
  const wasm = resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
  const json: unknown = JSON.parse(readFileSync(join(dirname(wasm), "../package.json"), "utf8"));
  const { version } = v.parse(v.object({ version: v.string() }), json);
  const sources: readonly Source[] = [
    { name: FILES.wasm(version), when: "install", content: readFileSync(wasm) },
    // Only where there is a GPU.
    { name: FILES.webgpu(version), when: "use", content: readFileSync(resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm")) },
  ];
  return { version, sources };
}

function jsonSource(key: string, value: unknown): Source {
  return { name: kvName(key), when: "install", content: Buffer.from(JSON.stringify(value)) };
}

export interface VectorSources {
  /** Of the published set. */
  readonly version: string;
  readonly sources: readonly Source[];
}

/** `from`: what armmt embed has written. Throws a UserError as readSet() does. */
export function vectorSources(from: string, catalog: string): VectorSources {
  const { set, shards } = readSet(from);
  // When it was embedded, so that the same vectors make the same file.
  const publishedAt = statSync(join(from, "set.json")).mtime.toISOString();
  const pointer: Pointer = { version: set.version, previous: null, publishedAt };
  const total = shards.reduce((sum, shard) => sum + shard.length, 0);
  const when = total <= MAX_SHARDS_AT_INSTALL ? "install" : "use";
  const sources: readonly Source[] = [
    jsonSource(pointerKey(catalog), pointer),
    jsonSource(setKey(catalog, set.version), set),
    ...shards.map((content, n) => ({ name: kvName(shardKey(catalog, set.version, n)), when, content }) as const),
  ];
  return { version: set.version, sources };
}
