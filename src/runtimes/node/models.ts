/** Loads a model from its files and opens it with the best provider that this machine has and the caller allows. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Gpu } from "../../inference/gpu.ts";
import { parseGolden, proofOf } from "../../inference/golden.ts";
import { openProviderScorer, type ProviderScorer, type ProviderScorerOptions } from "../../inference/providers.ts";
import type { OpenPublished } from "../../inference/published-model.ts";
import type { Runtime } from "../../inference/runtime.ts";
import { loadScorers, type Scorers } from "../../inference/scorer.ts";
import { createSessionScorer } from "../../inference/session-scorer.ts";
import { openWebWasm } from "../../inference/web.ts";
import { PACKAGE_ROOT } from "./package-root.ts";
import { bypass, ok } from "../../result.ts";
import { errorText } from "../../web.ts";
import { StartError } from "./settings.ts";

export interface ModelFiles {
  readonly model: ArrayBuffer;
  /** Parsed JSON, not checked yet. */
  readonly manifest: unknown;
  /** Parsed JSON of golden.json: lists with known scores. */
  readonly golden: unknown;
}

export interface NodeModel {
  readonly scorer: Scorers;
  /** Which provider runs now, on which adapter, and why not another one. */
  describe(): object;
  /** Frees sessions and device. */
  close(): Promise<void>;
}

interface ModelOptions extends Pick<ProviderScorerOptions, "preference" | "log"> {
  /** Called only where WebGPU may run the model. */
  readonly openGpu: () => Promise<Gpu | undefined>;
}

/** `folder`: with student.onnx, manifest.json and golden.json; default the model of the package. Throws a StartError where a file is missing. */
export async function readModelFiles(folder: string = join(PACKAGE_ROOT, "model")): Promise<ModelFiles> {
  try {
    const [model, manifest, golden] = await Promise.all([
      readFile(join(folder, "student.onnx")),
      readFile(join(folder, "manifest.json"), "utf8"),
      readFile(join(folder, "golden.json"), "utf8"),
    ]);
    return { model: Uint8Array.from(model).buffer, manifest: JSON.parse(manifest), golden: JSON.parse(golden) };
  } catch (cause) {
    throw new StartError([`Cannot read the model (${String(cause)}): put ${folder} back as it was released`], 1, { cause });
  }
}

/** Opens a published model beside those of the package, in WebAssembly. */
export const openPublished: OpenPublished = async ({ version, manifest }, read) => {
  const graph = await read("graph");
  if (!graph.ok) return graph;
  try {
    const created = await createSessionScorer({ model: graph.value, manifest, runtime: await openWasm() });
    if (!created.ok) return created;
    return ok({ scorer: created.value, bytes: graph.value.byteLength, close: () => created.value.dispose() });
  } catch (cause) {
    return bypass("model_unavailable", `Model ${version} cannot be opened: ${errorText(cause)}`);
  }
};

function openWasm(): Promise<Runtime> {
  return openWebWasm({ wasmBinary: () => readRuntime("ort-wasm-simd-threaded.wasm") });
}

/** A model that cannot be loaded does not stop the server: searches then pass through with that reason, as in a Worker. */
export async function openModel(files: ModelFiles, { preference, openGpu, log }: ModelOptions): Promise<NodeModel> {
  const proof = proofOf(parseGolden(files.golden));
  const gpu = preference === "wasm" ? undefined : await openGpu();
  let opened: ProviderScorer | undefined;
  const scorer = await loadScorers([files], async ({ model, manifest }) => {
    const result = await openProviderScorer({
      model,
      manifest,
      preference,
      gpu,
      proof,
      log,
      runtimes: {
        wasm: openWasm,
        webgpu: async ({ adapter, device }) => {
          // 27 MB that most machines never need.
          const { openWebWebgpu } = await import("../../inference/web-webgpu.ts");
          return openWebWebgpu({ adapter, device, wasmBinary: () => readRuntime("ort-wasm-simd-threaded.asyncify.wasm") });
        },
      },
    });
    if (result.ok) opened = result.value;
    else log({ level: "error", event: "model", ...result.error });
    return result;
  });
  return {
    scorer,
    describe: () => opened?.state() ?? { provider: "none" },
    close: async () => opened?.dispose(),
  };
}

function readRuntime(file: string): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve(`onnxruntime-web/${file}`)));
}
