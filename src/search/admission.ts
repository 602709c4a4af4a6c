/** Which of the searches that could be re-ranked are: those that engine and model have room for, decided before the engine is asked. */
import { bypass } from "../result.ts";
import { rankersOf } from "../experiment/treatment.ts";
import { listSize, treatmentOf } from "./arrange.ts";
import type { Batch } from "./contract.ts";
import type { Place } from "./rank-queue.ts";
import type { WindowDecision } from "./results.ts";

export interface Admission {
  readonly decisions: readonly WindowDecision[];
  /** Gives the places of the admitted searches back. */
  leave(): void;
}

export function admit(batch: Batch, decisions: readonly WindowDecision[]): Admission {
  const { queue, windows, rankBudgetMs } = batch.deps;
  const places: Place[] = [];
  const isPaused = decisions.some((decision) => decision.ok && decision.value.isWidened) && !windows.admits();
  const decided = decisions.map((decision, i): WindowDecision => {
    if (!decision.ok) return decision;
    if (isPaused && decision.value.isWidened) {
      return bypass("window_paused", "The last windows of this engine were refused, late or short: it is tried again from time to time");
    }
    const search = batch.searches[i]!;
    const models = rankersOf(treatmentOf(search.assignment)).filter(({ kind }) => kind === "model").length;
    // While the engine answers, the queue gets shorter.
    const withinMs = rankBudgetMs + windows.baseMs();
    const place = queue.admit(listSize(search) * models, withinMs);
    if (place === undefined) return bypass("over_budget", "Too many lists wait for the model to rank this one in time");
    places.push(place);
    return decision;
  });
  return {
    decisions: decided,
    leave: () => {
      for (const place of places) queue.leave(place);
    },
  };
}
