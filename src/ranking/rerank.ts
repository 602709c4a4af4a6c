/**
 * Scores → order. Only this code decides the shown order, so the promise "a permutation, nothing lost, nothing doubled" is kept
 * here by construction: anything but exactly one finite score per candidate is refused as a whole.
 */
import { type Bypass, bypass, ok, type Result } from "../result.ts";

/**
 * Indices of the engine's list in the order to show, best score first. Equal scores keep the engine's order; a candidate whose
 * `isPinned` is true keeps its slot and the others fill the rest. `sections`: numbers that never fall; candidates of one stay before those of
 * the next.
 */
export function rerank(
  scores: ArrayLike<number>,
  isPinned: readonly boolean[],
  sections?: readonly number[],
): Result<readonly number[], Bypass> {
  const count = isPinned.length;
  if (scores.length !== count) return bypass("scores_wrong_count", `The model gave ${scores.length} scores for ${count} candidates`);
  const free: number[] = [];
  for (let i = 0; i < count; i++) {
    const score = scores[i]!;
    if (!Number.isFinite(score)) return bypass("scores_not_finite", `The score at rank ${i + 1} is ${score}`);
    if (isPinned[i] !== true) free.push(i);
  }
  // Array sorts are stable, which is what keeps ties in the engine's order.
  if (sections === undefined) free.sort((a, b) => scores[b]! - scores[a]!);
  else free.sort((a, b) => sections[a]! - sections[b]! || scores[b]! - scores[a]!);
  let next = 0;
  return ok(isPinned.map((pinned, slot) => (pinned ? slot : free[next++]!)));
}
