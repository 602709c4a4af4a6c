/** The models of one isolate, side by side: the live one and others by version, each with its own fate. */
import type { Bypass, Result } from "../result.ts";
import { bypass } from "../result.ts";
import type { Graph } from "./runtime.ts";
import type { Scorer } from "./scorer.ts";
import { watchScorer } from "./watched-scorer.ts";

export interface ModelFiles {
  readonly model: Graph;
  /** Parsed JSON of its manifest, not checked yet. */
  readonly manifest: unknown;
}

/** Of all graphs together: a session takes several times its graph, and an isolate has 128 MB. */
export const MAX_GRAPH_BYTES = 12_000_000;

/** The state of a model at the moment of asking; without a version, of the live one. Reasons: model_unavailable and what `create` gives. */
export type Scorers = (version?: string) => Result<Scorer, Bypass>;

/** One after the other, the first first: what does not fit any more is left out, and says so to whoever asks for it. */
export async function loadScorers(
  files: readonly ModelFiles[],
  create: (files: ModelFiles) => Promise<Result<Scorer, Bypass>>,
): Promise<Scorers> {
  const loaded: (() => Result<Scorer, Bypass>)[] = [];
  let bytes = 0;
  for (const one of files) {
    bytes += one.model instanceof ArrayBuffer ? one.model.byteLength : 0;
    loaded.push(
      watchScorer(
        bytes > MAX_GRAPH_BYTES
          ? bypass("model_unavailable", `The graphs together have more than ${MAX_GRAPH_BYTES} bytes: carry fewer models`)
          : await create(one),
      ),
    );
  }
  return scorersOf(loaded);
}

function versionOf(state: () => Result<Scorer, Bypass>): string | undefined {
  const scorer = state();
  return scorer.ok ? scorer.value.manifest.version : undefined;
}

/** `loaded`: the live one first. */
export function scorersOf(loaded: readonly (() => Result<Scorer, Bypass>)[]): Scorers {
  const versions = loaded.map(versionOf);
  return (version) => {
    const place = version === undefined ? 0 : versions.indexOf(version);
    const state = loaded[place];
    if (state !== undefined) return state();
    const known = versions.filter((one) => one !== undefined).join(", ");
    return bypass(
      "model_unavailable",
      version === undefined ? "There is no model" : `Model ${version} is not among ${known || "the loaded ones"}`,
    );
  };
}
