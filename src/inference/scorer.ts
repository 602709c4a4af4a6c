/**
 * A model as the rest of the system uses it: tensors of one list in, one score and one pair of fusion weights per candidate out. And the
 * models of one isolate: the live one, and others by version.
 */
import type { ListTensors } from "../ranking/features.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import type { ModelManifest } from "./manifest.ts";
import type { Graph } from "./runtime.ts";

export interface ListScores {
  /** [k], unbounded, higher is better. */
  readonly score: Float32Array;
  /** [k, 2]: weight of text, weight of image; each pair sums to 1. */
  readonly gate: Float32Array;
}

export interface Scorer {
  readonly manifest: ModelManifest;
  /**
   * Never rejects. Scores are finite and exactly k; otherwise the reason says what was wrong. `isWanted`: asked when the list's turn comes; if
   * false, the model does not run (`over_budget`).
   */
  score(list: ListTensors, isWanted?: () => boolean): Promise<Result<ListScores, Bypass>>;
}

export interface ModelFiles {
  /** student.onnx. */
  readonly model: Graph;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
}

/** Limit for all graphs together: a session takes several times its graph, and an isolate has 128 MB. */
export const MAX_GRAPH_BYTES = 12_000_000;

/** The current state of a model by version; without a version, of the live one. Reasons: model_unavailable, and those of the scorer's creation. */
export type Scorers = (version?: string) => Result<Scorer, Bypass>;

/** Loads models in order, the live one first, up to MAX_GRAPH_BYTES; the rest answer `model_unavailable`. */
export async function loadScorers(
  files: readonly ModelFiles[],
  create: (files: ModelFiles) => Promise<Result<Scorer, Bypass>>,
): Promise<Scorers> {
  const loaded: Result<Scorer, Bypass>[] = [];
  let bytes = 0;
  for (const file of files) {
    bytes += file.model instanceof ArrayBuffer ? file.model.byteLength : 0;
    loaded.push(
      bytes > MAX_GRAPH_BYTES
        ? bypass("model_unavailable", `The graphs together have more than ${MAX_GRAPH_BYTES} bytes: carry fewer models`)
        : await create(file),
    );
  }
  return scorersOf(loaded);
}

/**
 * `loaded`: the live one first. After a wasm trap a scorer is reported as gone, so that searches stop requesting a window that cannot be
 * re-ranked.
 */
export function scorersOf(loaded: readonly Result<Scorer, Bypass>[]): Scorers {
  const versions = loaded.map((created) => (created.ok ? created.value.manifest.version : undefined));
  const current = loaded.map((created, i): Result<Scorer, Bypass> => {
    if (!created.ok) return created;
    const { value: scorer } = created;
    return ok({
      manifest: scorer.manifest,
      async score(list, isWanted) {
        const scores = await scorer.score(list, isWanted);
        if (!scores.ok && scores.error.reason === "model_trapped") current[i] = scores;
        return scores;
      },
    });
  });
  return (version) => {
    const scorer = current[version === undefined ? 0 : versions.indexOf(version)];
    if (scorer !== undefined) return scorer;
    if (version === undefined) return bypass("model_unavailable", "There is no model");
    const known = versions.filter((loadedVersion) => loadedVersion !== undefined).join(", ");
    return bypass("model_unavailable", `Model ${version} is not among ${known || "the loaded ones"}`);
  };
}
