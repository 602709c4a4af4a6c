/** The two files that `armmt build` makes → the scorers of a Worker. */
import { decodeEdgeFile } from "../../inference/edge-file.ts";
import type { Runtime } from "../../inference/runtime.ts";
import { loadScorers, type ModelFiles, type Scorers, scorersOf } from "../../inference/scorer.ts";
import { createSessionScorer } from "../../inference/session-scorer.ts";
import { createWorkerdRuntime } from "../../inference/workerd.ts";
import { bypass } from "../../result.ts";
import { errorStack } from "../../web.ts";

/** What a Worker imports from `.armmt/edge`. */
export interface WorkerModels {
  /** `edge.bin`: sessions of the models, or their graphs. */
  readonly edge: ArrayBuffer;
  /** `runtime.wasm`: onnxruntime-web's own file, or the part of it that these models use. */
  readonly runtime: WebAssembly.Module;
}

/** An isolate has one onnxruntime. */
let opened: Promise<Scorers> | undefined;

/**
 * The models that a Worker carries: the first is live (`armmt`), others serve by their version (`armmt@<version>`). May be called at module
 * scope, so that no request waits for a model. Never rejects: where a model cannot be loaded, its searches pass through with that reason.
 *
 * @example
 * import edge from "./.armmt/edge/edge.bin";
 * import runtime from "./.armmt/edge/runtime.wasm";
 * const scorer = await openModels({ edge, runtime });
 */
export function openModels(models: WorkerModels): Promise<Scorers> {
  opened ??= open(models);
  return opened;
}

async function open({ edge, runtime: module }: WorkerModels): Promise<Scorers> {
  let files: readonly ModelFiles[];
  let runtime: Runtime;
  try {
    const { models, snapshot } = decodeEdgeFile(edge);
    files = models;
    runtime = createWorkerdRuntime({ module, snapshot });
  } catch (cause) {
    return scorersOf([unavailable(cause)]);
  }
  return loadScorers(files, async (model) => {
    try {
      return await createSessionScorer({ ...model, runtime });
    } catch (cause) {
      return unavailable(cause);
    }
  });
}

function unavailable(cause: unknown) {
  return bypass("model_unavailable", errorStack(cause));
}
