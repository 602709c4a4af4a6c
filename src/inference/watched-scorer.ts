/**
 * A scorer that notices its own death: after a wasm trap it is reported as gone, so that searches stop asking the engine for a window
 * that nothing will re-rank.
 */
import type { Bypass, Result } from "../result.ts";
import { ok } from "../result.ts";
import type { Scorer } from "./scorer.ts";

/** The state of the model in this isolate, at the moment of asking. */
export function watchScorer(created: Result<Scorer, Bypass>): () => Result<Scorer, Bypass> {
  if (!created.ok) return () => created;
  const { manifest } = created.value;
  let current: Result<Scorer, Bypass> = ok({
    manifest,
    async score(list) {
      const scores = await created.value.score(list);
      if (!scores.ok && scores.error.reason === "model_trapped") current = scores;
      return scores;
    },
  });
  return () => current;
}
