/**
 * The orders of one window → the order to show, as the search's treatment wants it: one of them, two interleaved, one with a swapped pair, or
 * the engine's with another in the record.
 */
import type { Hit } from "../backends/dialect.ts";
import type { Ranker, Treatment } from "../experiment/treatment.ts";
import type { Team } from "../ranking/interleave.ts";
import { draftTeams, swapNeighbours } from "../ranking/interleave.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Arm, Ranking, Search } from "./contract.ts";
import { rankInTime } from "./rank.ts";

export interface Arrangement {
  /** Places of the window in the order to show. */
  readonly order: readonly number[];
  /** Of the model whose order it is or has part in. */
  readonly ranking: Ranking;
  /** Parallel to `order`. */
  readonly teams?: readonly Team[];
  /** Parallel to `order`. */
  readonly propensities?: readonly number[];
  /** The order that is not shown, where the engine's is. */
  readonly shadow?: readonly number[];
}

/** What this search's shopper gets: interleaving and exploring need a unit, or pages of one search would disagree. */
export function treatmentOf({ treatment, unit }: Arm): Treatment {
  if (unit !== undefined) return treatment;
  if (treatment.kind === "interleave") return { kind: "serve", ranker: treatment.a };
  return treatment.kind === "explore" ? { kind: "serve", ranker: treatment.ranker } : treatment;
}

/** Reasons: those of the models and of item vectors; none where the treatment is the engine's order alone. */
export async function arrange(one: Search, window: readonly Hit[]): Promise<Result<Arrangement, Bypass>> {
  const treatment = treatmentOf(one.arm);
  const isPinned = window.map((hit) => hit.isPinned);
  const seed = JSON.stringify([one.arm.experiment ?? one.arm.variant, one.arm.unit ?? "", one.index.name, one.plan.identity]);
  if (treatment.kind === "interleave") {
    const [a, b] = await Promise.all([rankBy(one, treatment.a, window), rankBy(one, treatment.b, window)]);
    if (!a.ok) return a;
    if (!b.ok) return b;
    const ranking = treatment.a.kind === "model" ? a.value : b.value;
    return ok({ ...draftTeams(a.value.order, b.value.order, isPinned, seed), ranking });
  }
  const ranked = await rankBy(one, treatment.ranker, window);
  if (!ranked.ok) return ranked;
  const { order } = ranked.value;
  if (treatment.kind === "shadow") return ok({ order: [...window.keys()], ranking: ranked.value, shadow: order });
  if (treatment.kind === "explore") return ok({ ...swapNeighbours(order, isPinned, seed), ranking: ranked.value });
  return ok({ order, ranking: ranked.value });
}

async function rankBy(one: Search, ranker: Ranker, window: readonly Hit[]): Promise<Result<Ranking, Bypass>> {
  if (ranker.kind === "model") return rankInTime(one, window, ranker.version);
  if (window.length < 2) return bypass("too_few_hits", `The window holds ${window.length} hits`);
  return ok({ order: [...window.keys()], listId: "", modelVersion: "", knownHistory: 0, scores: undefined });
}
