/**
 * The models that this Worker carries: those of models.json, as `armmt build` prepared them. The first is live (`armmt`); others serve by
 * their version (`armmt@<version>`) beside it, so that an experiment can compare them.
 *
 * `runtime.wasm` is onnxruntime-web's own file, or the part of it that these models need; then `edge.bin` holds their sessions, else their
 * graphs. wrangler.toml has both made before every bundle.
 */
import { decodeEdgeFile } from "../../inference/edge-file.ts";
import type { Runtime } from "../../inference/runtime.ts";
import type { ModelFiles, Scorers } from "../../inference/scorer.ts";
import { loadScorers, scorersOf } from "../../inference/scorer.ts";
import { createSessionScorer } from "../../inference/session-scorer.ts";
import { watchScorer } from "../../inference/scorer.ts";
import { createWorkerdRuntime } from "../../inference/workerd.ts";
import { bypass } from "../../result.ts";
import file from "../../../.armmt/edge/edge.bin";
import module from "../../../.armmt/edge/runtime.wasm";
import { errorStack } from "../../web.ts";

/** An isolate has one onnxruntime. */
let loaded: Promise<Scorers> | undefined;

/**
 * At module scope, so that no request waits for a model. Never rejects: a model that cannot be loaded does not stop the Worker, its searches
 * pass through with that reason.
 */
export function loadModels(): Promise<Scorers> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Scorers> {
  let files: readonly ModelFiles[];
  let runtime: Runtime;
  try {
    const { models, snapshot } = decodeEdgeFile(file);
    files = models;
    runtime = createWorkerdRuntime({ module, snapshot });
  } catch (cause) {
    return scorersOf([watchScorer(unavailable(cause))]);
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
