/**
 * The model on this device: its files, and the provider that this browser has for it.
 *
 * Both runtimes are imported statically, because a service worker cannot import later; their wasm files come from the file store.
 */
import { logToConsole as log } from "../../edge.ts";
import { parseGolden, proofOf } from "../../inference/golden.ts";
import { openProviderScorer, type ProviderPreference } from "../../inference/providers.ts";
import { scorersOf } from "../../inference/scorer.ts";
import { openWebWasm } from "../../inference/web.ts";
import { openWebWebgpu } from "../../inference/web-webgpu.ts";
import type { FileStore } from "./files.ts";
import { type FileManifest, FILES, type ManifestFile } from "./file-manifest.ts";
import { FileError } from "./problem.ts";

/** Version of onnxruntime-web; the bundler writes it into the script. */
declare const ARMMT_RUNTIME_VERSION: string;

/** WebGPU that is requested by name may start slowly; most of the start is the compilation of shaders. */
const REQUESTED_START_TIMEOUT_MS = 60_000;

export type DeviceScorer = Awaited<ReturnType<typeof openDeviceScorer>>;

/** Throws a FileError where one is not listed, or files.json belongs to a worker with another onnxruntime. */
export function scorerFiles({ files }: FileManifest) {
  const byName = new Map(files.map((file) => [file.name, file]));
  const find = (name: string): ManifestFile => {
    const file = byName.get(name);
    if (file !== undefined) return file;
    if (name.startsWith("onnxruntime-web/")) {
      throw new FileError("worker_outdated", `files.json has no ${name}: it was written for another service worker, upload sw.js with it`);
    }
    throw new FileError("file_unlisted", `files.json has no ${name}: run armmt private again`);
  };
  return {
    model: find(FILES.model),
    manifest: find(FILES.manifest),
    proof: find(FILES.proof),
    wasm: find(FILES.wasm(ARMMT_RUNTIME_VERSION)),
    webgpu: find(FILES.webgpu(ARMMT_RUNTIME_VERSION)),
  };
}

/** Manifests with the same key list the same model and runtimes. Throws as scorerFiles() does. */
export function scorerKey(manifest: FileManifest): string {
  return Object.values(scorerFiles(manifest))
    .map(({ sha256 }) => sha256)
    .join();
}

/** Rejects with a FileError. */
export async function openDeviceScorer(fileManifest: FileManifest, store: FileStore, preference: ProviderPreference) {
  const files = scorerFiles(fileManifest);
  const [model, manifest, proof] = await Promise.all([
    store.read(files.model),
    readJson(store, files.manifest),
    readJson(store, files.proof),
  ]);
  const opened = await openProviderScorer({
    model: model.slice().buffer,
    manifest,
    preference,
    gpu: navigator.gpu,
    runtimes: {
      wasm: async () => openWebWasm({ wasmBinary: () => store.read(files.wasm) }),
      // Read before the session's timeout starts, because it may have to be fetched.
      webgpu: async (gpu) => {
        const bytes = await store.read(files.webgpu);
        return openWebWebgpu({ ...gpu, wasmBinary: async () => bytes });
      },
    },
    proof: proofOf(parseGolden(proof)),
    log,
    ...(preference === "webgpu" && { startTimeoutMs: REQUESTED_START_TIMEOUT_MS }),
  });
  if (!opened.ok) throw new FileError("model_unavailable", `${opened.error.reason}: ${opened.error.detail}`);
  const { value: scorer } = opened;
  return { scorers: scorersOf([opened]), state: () => scorer.state(), dispose: () => scorer.dispose() };
}

async function readJson(store: FileStore, file: ManifestFile): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await store.read(file)));
}
