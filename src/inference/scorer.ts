/**
 * What the rest of the system asks of a model: tensors of one list in, one score and one pair of fusion weights per candidate out.
 *
 * The interface only; `wasm.ts` fills it.
 */
import type { ListTensors } from "../ranking/features.ts";
import type { Bypass, Result } from "../result.ts";
import type { ModelManifest } from "./manifest.ts";

export interface ListScores {
  /** [k], unbounded, higher is better. */
  readonly score: Float32Array;
  /** [k, 2]: weight of text, weight of image; each pair sums to 1. */
  readonly gate: Float32Array;
}

export interface Scorer {
  readonly manifest: ModelManifest;
  /** Never rejects. Scores are finite and exactly k, else the reason says what was wrong. */
  score(list: ListTensors): Promise<Result<ListScores, Bypass>>;
}
