/** Which of the searches that could be re-ranked are: those that engine and model have room for, decided before the engine is asked. */
import { bypass, type Bypass } from "../result.ts";
import { type Ranker, rankersOf } from "../experiment/treatment.ts";
import { servedOrder } from "../inference/trust.ts";
import { listSize, treatmentOf } from "./arrange.ts";
import { withTimeout } from "../web.ts";
import type { Batch, Search } from "./contract.ts";
import type { RankQueue } from "./rank-queue.ts";
import type { WindowDecision } from "./results.ts";
import { forRules } from "./rules.ts";
import { scorerOf, trustedSet } from "./trusted.ts";

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
  const until = clock() + rankBudgetMs;
  const isWanted = (): boolean => batch.request.signal?.aborted !== true && clock() <= until;
  const paused = bypass("window_paused", "The engine had no time or no room for its last windows: it is tried again from time to time");
  const decided = decisions.map((decision): WindowDecision => (isPaused && decision.ok && decision.value.isWidened ? paused : decision));
  const hitsOf = (i: number): number => {
    const search = batch.searches[i]!;
    const decision = decided[i];
    if (decision?.ok === true && decision.value.unranked !== undefined) return 0;
    return listSize(search) * rankersOf(treatmentOf(search.assignment)).filter((ranker) => mayRun(ranker, search)).length;
  };
  const visit = queue.enter();
  const leave = (): void => queue.leave(visit);
  // As many of its lists as fit, the first ones first.
  for (let hits = decided.reduce((sum, { ok }, i) => sum + (ok ? hitsOf(i) : 0), 0); ;) {
    if (hits === 0) return { decisions: decided, begins: undefined, leave };
    const place = queue.admit(visit, hits, withinMs, windows.quickestMs(), isWanted, rankBudgetMs);
    if (place.ok) {
      const begins = place.begins && beginning(place.begins, queue, clock, until);
      // workerd ends all code of a request whose client leaves, unless it is work for after the reply: its place would be lost for a while.
      if (begins !== undefined) batch.request.afterReply(begins);
      return { decisions: decided, begins, leave };
    }
    const last = decided.findLastIndex(({ ok }, i) => ok && hitsOf(i) > 0);
    hits -= hitsOf(last);
    const window = decided[last]!;
    decided[last] = forRules(batch.searches[last]!, OVER_BUDGET, () => window);
  }
}

/** Whether a model will run: not for meaning, nor where the catalogue is known to trust it by 0. */
function mayRun(ranker: Ranker, search: Search): boolean {
  if (ranker.kind !== "model" || search.browsed !== undefined) return false;
  const set = search.index.store.liveSet?.();
  const scorer = scorerOf(ranker, search);
  return set === undefined || !scorer.ok || servedOrder(scorer.value.manifest, trustedSet(ranker, scorer.value, search, set)).trust > 0;
}

/** So often a search that waits looks itself: those before it may have ended without a word, or wait for an engine that has become slow. */
const LOOK_MS = 50;

async function beginning(begins: Promise<boolean>, queue: RankQueue, clock: () => number, until: number): Promise<boolean> {
  for (let lookedAt = clock(); lookedAt <= until;) {
    const begun = await withTimeout(begins, LOOK_MS, () => undefined); // oxlint-disable-line no-await-in-loop
    if (begun !== undefined) return begun;
    const lateMs = clock() - lookedAt - LOOK_MS;
    lookedAt = clock();
    queue.look(lateMs);
  }
  return false;
}

const OVER_BUDGET: Bypass = { reason: "over_budget", detail: "Too many lists wait for the model to rank this one in time" };
