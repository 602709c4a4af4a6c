/**
 * Scores → order. The only place where the shown order is decided, so the promise "a permutation, nothing lost, nothing doubled" is kept
 * here by construction: what is not exactly one finite score per candidate is refused as a whole.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";

/**
 * Places of the engine's list (0-based) in the order to show, best score first. Equal scores keep the engine's order; a candidate whose
 * `isPinned` is true keeps its slot and the others fill the rest.
 */
export function rerank(scores: ArrayLike<number>, isPinned: readonly boolean[]): Result<readonly number[], Bypass> {
  const count = isPinned.length;
  if (scores.length !== count) return bypass("scores_wrong_count", `The model gave ${scores.length} scores for ${count} candidates`);
  const score = Array.from(scores);
  const broken = score.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) return bypass("scores_not_finite", `The score at rank ${broken + 1} is ${score[broken]}`);

  const free = [...score.keys()].filter((place) => !isPinned[place]);
  // Array sorts are stable, which is what keeps ties in the engine's order.
  const byScore = free.toSorted((a, b) => score[b]! - score[a]!);
  let next = 0;
  return ok(isPinned.map((pinned, slot) => (pinned ? slot : byScore[next++]!)));
}
