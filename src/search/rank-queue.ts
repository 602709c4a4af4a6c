/**
 * The model of one isolate as a counter with a queue: who runs next, what a run has cost of late, and whether one more search would be
 * ranked in time.
 *
 * All searches share one thread, and a run cannot be interrupted. So a search is admitted before the engine is asked for its window; runs
 * take turns in the order in which their replies came; and after SLICE_MS of them the event loop turns, so that the replies of others, which
 * need no model, go out first.
 */
import { nextTurn } from "../web.ts";

/** Runs follow one another for so long. Shorter: in workerd, whose timers take a millisecond, the model would idle. */
const SLICE_MS = 8;

/** Weight of the latest run in the cost of one. */
const WEIGHT = 0.2;

/** A cost of earlier is no longer believed: one search may find out whether the machine has become faster. */
const COST_TTL_MS = 1000;

/** A run that takes longer has lost its request: workerd ends all code of a request whose client is gone. */
const LOST_MS = 1000;

/** A search that was admitted. */
export interface Place {
  readonly hits: number;
  /** Then it has ended without saying so, as a request of workerd does whose client is gone. */
  readonly endsBy: number;
}

interface Waiter {
  readonly isWanted: () => boolean;
  /** `hasTurn`: false where nobody wants the list any more. */
  readonly wake: (hasTurn: boolean) => void;
}

export type RankQueue = ReturnType<typeof createRankQueue>;

/** `now`: milliseconds of any clock; where it stands still between events, as on Cloudflare, costs are learned from one event to the next. */
export function createRankQueue(now: () => number) {
  const places = new Set<Place>();
  let hitsAdmitted = 0;
  const waiters: Waiter[] = [];
  /** Whose turn it is. */
  let holder: { readonly since: number } | undefined;
  let [shed, overdue] = [0, 0];

  let cost: { readonly msPerHit: number; readonly at: number } | undefined;
  /** The last run, where others waited for its end: until the next one begins, the thread has done all that lies between two runs. */
  let previous: { readonly startedAt: number; readonly hits: number } | undefined;
  /** Of runs, less the time that others had since. */
  let debtMs = 0;
  let endedAt = 0;

  const msPerHit = (): number => (cost !== undefined && Math.abs(now() - cost.at) < COST_TTL_MS ? cost.msPerHit : 0);

  function learn(ms: number, hits: number): void {
    if (!(ms > 0) || hits === 0) return;
    const latest = ms / hits;
    const known = msPerHit();
    cost = { msPerHit: known === 0 ? latest : known + WEIGHT * (latest - known), at: now() };
  }

  function remove(place: Place): void {
    if (places.delete(place)) hitsAdmitted -= place.hits;
  }

  function removeLost(): void {
    for (const place of places) {
      if (place.endsBy > now()) return;
      remove(place);
    }
  }

  async function takeTurn(isWanted: () => boolean): Promise<object | undefined> {
    const isFree = holder === undefined || Math.abs(now() - holder.since) > LOST_MS;
    if (!isFree && !(await new Promise<boolean>((wake) => waiters.push({ isWanted, wake })))) return undefined;
    const mine = { since: now() };
    holder = mine;
    if (debtMs - (now() - endedAt) >= SLICE_MS) {
      await nextTurn();
      debtMs = 0;
    }
    if (isWanted()) return mine;
    passOn(mine);
    return undefined;
  }

  /** To the next one whose search still wants it. */
  function passOn(mine: object): void {
    if (holder !== mine) return;
    for (;;) {
      const next = waiters.shift();
      const isWanted = next?.isWanted() !== false;
      next?.wake(isWanted);
      if (next === undefined) holder = undefined;
      if (isWanted) return;
    }
  }

  return {
    /** A place for one more list of so many hits, to be given back by leave(); `undefined` where it would not be ranked within `withinMs`. */
    admit(hits: number, withinMs: number, endsBy: number): Place | undefined {
      removeLost();
      if ((hitsAdmitted + hits) * msPerHit() > withinMs) {
        shed++;
        return undefined;
      }
      const place = { hits, endsBy };
      places.add(place);
      hitsAdmitted += hits;
      return place;
    },
    leave: remove,
    /** Whether the next list may have to wait for its turn. */
    isBusy: (): boolean => holder !== undefined || debtMs >= SLICE_MS,
    /** Runs `work` when its turn comes; `undefined` where `isWanted` is false by then. Rejects as `work` does. */
    async run<T>(hits: number, isWanted: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
      const mine = await takeTurn(isWanted);
      if (mine === undefined) {
        overdue++;
        return undefined;
      }
      const startedAt = now();
      debtMs = Math.max(0, debtMs - Math.max(0, startedAt - endedAt));
      if (previous !== undefined) learn(startedAt - previous.startedAt, previous.hits);
      try {
        return await work();
      } finally {
        endedAt = now();
        const isContended = waiters.length > 0;
        previous = isContended ? { startedAt, hits } : undefined;
        if (!isContended) learn(endedAt - startedAt, hits);
        // A clock that stands still says nothing of this run.
        debtMs += Math.max(endedAt - startedAt, 0) || hits * msPerHit();
        passOn(mine);
      }
    },
    /** `shed`: searches that were not admitted. `overdue`: lists that nobody wanted any more when their turn came. */
    snapshot: () => ({ admitted: places.size, waiting: waiters.length, msPerHit: Math.round(msPerHit() * 1000) / 1000, shed, overdue }),
  };
}
