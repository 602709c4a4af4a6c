/**
 * The model of one isolate as a counter with a queue: who runs next, what a run has cost of late, and whether one more search would be
 * ranked in time.
 *
 * All searches share one thread, and a run cannot be interrupted. So a search is admitted before the engine is asked for its window; runs
 * take turns in the order in which their replies came; and after SLICE_MS of them everything else has its turn first: requests that come,
 * replies that need no model.
 */
import { nextTurn } from "../web.ts";

/** Runs follow one another for so long. Shorter: in workerd, whose timers take a millisecond, the model would idle. */
const SLICE_MS = 8;

/** After runs, others have the thread for so many times as long, where they need it. Fewer: those who need no model wait for those who do. */
const REST = 2;

/** A turn of the event loop in which nobody needed the thread takes less. */
const IDLE_TURN_MS = 2;

/** Weight of the latest run in the cost of one; of a run that was quicker, more, because what made others slow may have been anything. */
const WEIGHT = 0.2;
const WEIGHT_IF_QUICKER = 0.5;

/** Milliseconds per hit, before the first run. */
const FIRST_COST = 0.05;

/** Where one list alone takes too long: so often a search finds out whether the machine has become faster. */
const PROBE_MS = 1000;

/**
 * workerd ends all code of a request whose client is gone: its place is not given back, its turn does not end. A run that takes longer, or a
 * search that takes so many times as long as others, is taken for one of those.
 */
const LOST_MS = 1000;
const LOST_TIMES = 3;

/** A search that was admitted. */
export interface Place {
  readonly hits: number;
  readonly since: number;
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
  /** From admission to the end. */
  let usualMs = 0;
  const waiters: Waiter[] = [];
  /** Whose turn it is. */
  let holder: { readonly since: number } | undefined;
  let [shed, overdue] = [0, 0];

  let msPerHit = FIRST_COST;
  let learnedAt = -Infinity;
  /** The last run, where others waited for its end: until the next one begins, the thread has done all that lies between two runs. */
  let previous: { readonly startedAt: number; readonly hits: number } | undefined;
  /** Of runs, less the time that others had since. */
  let debtMs = 0;
  let endedAt = 0;

  function learn(ms: number, hits: number): void {
    if (ms <= 0 || hits === 0) return;
    const difference = ms / hits - msPerHit;
    msPerHit += difference * (learnedAt === -Infinity ? 1 : difference < 0 ? WEIGHT_IF_QUICKER : WEIGHT);
    learnedAt = now();
  }

  function remove(place: Place): void {
    if (places.delete(place)) hitsAdmitted -= place.hits;
  }

  function removeLost(): void {
    const oldest = now() - Math.max(LOST_MS, LOST_TIMES * usualMs);
    for (const place of places) {
      if (place.since > oldest) return;
      remove(place);
    }
  }

  async function takeTurn(isWanted: () => boolean): Promise<object | undefined> {
    const isFree = holder === undefined || Math.abs(now() - holder.since) > LOST_MS;
    if (!isFree && !(await new Promise<boolean>((wake) => waiters.push({ isWanted, wake })))) return undefined;
    const mine = { since: now() };
    holder = mine;
    if (owedMs() >= SLICE_MS) await rest(isWanted);
    if (isWanted()) return mine;
    passOn(mine);
    return undefined;
  }

  /** What runs owe to others. */
  const owedMs = (): number => debtMs - Math.max(0, now() - endedAt) / REST;

  async function rest(isWanted: () => boolean): Promise<void> {
    for (let turnMs = Infinity; turnMs > IDLE_TURN_MS && owedMs() > 0 && isWanted();) {
      const startedAt = now();
      await nextTurn(); // oxlint-disable-line no-await-in-loop
      turnMs = now() - startedAt;
    }
    debtMs = 0;
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
    admit(hits: number, withinMs: number): Place | undefined {
      removeLost();
      const isProbe = places.size === 0 && Math.abs(now() - learnedAt) >= PROBE_MS;
      if (!isProbe && (hitsAdmitted + hits) * msPerHit > withinMs) {
        shed++;
        return undefined;
      }
      const place = { hits, since: now() };
      places.add(place);
      hitsAdmitted += hits;
      return place;
    },
    leave(place: Place): void {
      usualMs += WEIGHT * (now() - place.since - usualMs);
      remove(place);
    },
    /** Whether the next list may have to wait for its turn. */
    isBusy: (): boolean => holder !== undefined || owedMs() >= SLICE_MS,
    /** Runs `work` when its turn comes; `undefined` where `isWanted` is false by then. Rejects as `work` does. */
    async run<T>(hits: number, isWanted: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
      const mine = await takeTurn(isWanted);
      if (mine === undefined) {
        overdue++;
        return undefined;
      }
      const startedAt = now();
      debtMs = Math.max(0, owedMs());
      if (previous !== undefined) learn(startedAt - previous.startedAt, previous.hits);
      try {
        return await work();
      } finally {
        endedAt = now();
        const isContended = waiters.length > 0;
        previous = isContended ? { startedAt, hits } : undefined;
        if (!isContended) learn(endedAt - startedAt, hits);
        // A clock that stands still says nothing of this run.
        debtMs += Math.max(endedAt - startedAt, 0) || hits * msPerHit;
        passOn(mine);
      }
    },
    /** `shed`: searches that were not admitted. `overdue`: lists that nobody wanted any more when their turn came. */
    snapshot: () => ({ admitted: places.size, waiting: waiters.length, msPerHit: Math.round(msPerHit * 1000) / 1000, shed, overdue }),
  };
}
