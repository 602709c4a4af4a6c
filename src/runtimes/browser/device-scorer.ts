/**
 * The model on this device: which of the listed files it needs, and the provider that this browser has for it.
 *
 * Both runtimes are imported statically, because a service worker may import nothing later; their wasm files come from the file store.
 */
import { parseGolden } from "../../inference/golden.ts";
import type { ProviderPreference, ProviderState } from "../../inference/providers.ts";
import { openProviderScorer } from "../../inference/providers.ts";
import type { Scorers } from "../../inference/scorer.ts";
import { scorersOf } from "../../inference/scorer.ts";
import { watchScorer } from "../../inference/scorer.ts";
import { openWebWasm } from "../../inference/web.ts";
import { openWebWebgpu } from "../../inference/web-webgpu.ts";
import type { FileStore } from "./files.ts";
import type { ListedFile, Listing } from "./listing.ts";
import { FILES } from "./listing.ts";
import { FileError } from "./problem.ts";

/** Of onnxruntime-web: written into the script when it is bundled. */
declare const ARMMT_RUNTIME_VERSION: string;

/** Who asks for WebGPU by name gets it from a slow adapter too; most of the start is the compiling of shaders. */
const START_WHERE_ASKED_FOR_MS = 60_000;

export interface DeviceScorer {
  readonly scorers: Scorers;
  state(): ProviderState;
  dispose(): Promise<void>;
}

export interface DeviceScorerOptions {
  readonly listing: Listing;
  readonly store: Pick<FileStore, "read">;
  readonly preference: ProviderPreference;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

interface ScorerFiles {
  readonly model: ListedFile;
  readonly manifest: ListedFile;
  readonly proof: ListedFile;
  readonly wasm: ListedFile;
  readonly webgpu: ListedFile;
}

/** Throws a FileError where the listing lacks one, or is for a worker with another onnxruntime. */
export function scorerFiles({ files }: Listing): ScorerFiles {
  const byName = new Map(files.map((file) => [file.name, file]));
  const find = (name: string): ListedFile => {
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

/** Listings with the same key have the same model and runtimes. Throws as scorerFiles() does. */
export function scorerKey(listing: Listing): string {
  return Object.values(scorerFiles(listing))
    .map(({ sha256 }) => sha256)
    .join();
}

/** Rejects with a FileError. */
export async function openDeviceScorer({ listing, store, preference, log }: DeviceScorerOptions): Promise<DeviceScorer> {
  const files = scorerFiles(listing);
  const [model, manifest, proof] = await Promise.all([
    store.read(files.model),
    readJson(store, files.manifest),
    readJson(store, files.proof),
  ]);
  const [known] = parseGolden(proof).cases;
  if (known === undefined) throw new FileError("file_corrupt", `${files.proof.name} has no case: run armmt private again`);
  const opened = await openProviderScorer({
    model: model.slice().buffer,
    manifest,
    preference,
    gpu: navigator.gpu,
    runtimes: {
      wasm: async () => openWebWasm({ wasmBinary: () => store.read(files.wasm) }),
      // Read before the session's time begins to count: it may have to be fetched.
      webgpu: async (gpu) => {
        const bytes = await store.read(files.webgpu);
        return openWebWebgpu({ ...gpu, wasmBinary: async () => bytes });
      },
    },
    proof: known,
    log,
    ...(preference === "webgpu" && { startTimeoutMs: START_WHERE_ASKED_FOR_MS }),
  });
  if (!opened.ok) throw new FileError("model_unavailable", `${opened.error.reason}: ${opened.error.detail}`);
  const scorer = opened.value;
  return { scorers: scorersOf([watchScorer(opened)]), state: () => scorer.state(), dispose: () => scorer.dispose() };
}

async function readJson(store: Pick<FileStore, "read">, file: ListedFile): Promise<unknown> {
  const json: unknown = JSON.parse(new TextDecoder().decode(await store.read(file)));
  return json;
}
