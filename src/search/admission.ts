/** Which of the searches that could be re-ranked are: those that engine and model have room for, decided before the engine is asked. */
import { bypass } from "../result.ts";
import { rankersOf } from "../experiment/treatment.ts";
import { listSize, treatmentOf } from "./arrange.ts";
import { withTimeout } from "../web.ts";
import type { Batch } from "./contract.ts";
import type { WindowDecision } from "./results.ts";

export interface Admission {
  readonly decisions: readonly WindowDecision[];
  /** Where the searches have to wait for others first. */
  readonly begins: Promise<boolean> | undefined;
  /** When the request has been served, whatever became of it. */
  leave(): void;
}

export function admit(batch: Batch, decisions: readonly WindowDecision[]): Admission {
  const { queue, windows, rankBudgetMs, clock } = batch.deps;
  const isPaused = decisions.some((decision) => decision.ok && decision.value.isWidened) && !windows.admits();
  // While the engine answers, the queue gets shorter.
  const withinMs = rankBudgetMs + windows.usualMs();
  const until = clock() + withinMs;
  const isWanted = (): boolean => batch.request.signal?.aborted !== true && clock() <= until;
  const paused = bypass(
    "window_paused",
    "The engine had no time or no room for its last windows: it is tried again from time to time",
  );
  const decided = decisions.map((decision): WindowDecision => (isPaused && decision.ok && decision.value.isWidened ? paused : decision));
  const hitsOf = (i: number): number => {
    const search = batch.searches[i]!;
    return listSize(search) * rankersOf(treatmentOf(search.assignment)).filter(({ kind }) => kind === "model").length;
  };
  const visit = queue.enter();
  const leave = (): void => queue.leave(visit);
  // As many of its lists as fit, the first ones first.
  for (let hits = decided.reduce((sum, { ok }, i) => sum + (ok ? hitsOf(i) : 0), 0); ;) {
    if (hits === 0) return { decisions: decided, begins: undefined, leave };
    const place = queue.admit(visit, hits, withinMs, isWanted);
    if (place.ok) {
      // Those before it may have ended without a word.
      const begins = place.begins && withTimeout(place.begins, withinMs, () => false);
      // workerd ends all code of a request whose client leaves, unless it is work for after the reply: its place would be lost for a while.
      if (begins !== undefined) batch.request.afterReply(begins);
      return { decisions: decided, begins, leave };
    }
    const last = decided.findLastIndex(({ ok }) => ok);
    hits -= hitsOf(last);
    decided[last] = OVER_BUDGET;
  }
}

const OVER_BUDGET = bypass("over_budget", "Too many lists wait for the model to rank this one in time");
