/** The models that this project's own Worker carries, as `armmt build` prepared them; wrangler.toml has them made before every bundle. */
import edge from "../../../.armmt/edge/edge.bin";
import runtime from "../../../.armmt/edge/runtime.wasm";
import type { Scorers } from "../../inference/scorer.ts";
import { openModels, type WorkerModels } from "./open-models.ts";

export const MODELS: WorkerModels = { edge, runtime };

export function loadModels(): Promise<Scorers> {
  return openModels(MODELS);
}
