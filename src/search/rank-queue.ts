/**
 * The model of one isolate as a counter with a queue: who is admitted, who is under way, who runs next, and what a list has cost of late.
 *
 * All searches share one thread, and a run cannot be interrupted. So before the engine is asked for its window, a search is admitted if it
 * would be ranked in time, and waits until few enough others are under way: what waits there costs the thread nothing, while windows that
 * come all at once hold up those who need no model. Runs take turns in the order in which their replies came; after SLICE_MS of them
 * everything else has its turn first: requests that come, replies that need no model.
 */
import { nextTurn } from "../web.ts";

/** Runs follow one another for so long. Shorter: in workerd, whose timers take a millisecond, the model would idle. */
const SLICE_MS = 8;

/** After runs, others have the thread for so many times as long, where they need it. Fewer: those who need no model wait for those who do. */
const REST = 1.5;

/** A turn of the event loop in which nobody needed the thread takes less. */
const IDLE_TURN_MS = 2;

/**
 * Searches whose lists are under way together, at least; and of those that the model could rank while the engine has one: a search that waits for
 * a slow engine costs the thread nothing.
 */
const MIN_UNDER_WAY = 8;
const TIMES_UNDER_WAY = 2;

/**
 * While searches wait to begin, as many more are under way as runs leave a part of the thread unused, and fewer where they take more. A run is about
 * half of what a list costs: so re-ranking has up to two fifths of the thread, and who needs no model waits one and a half times as long at most.
 */
const SHARE_OF_THREAD = 0.2;
const WAY_STEP = 1.1;
const WAY_STEP_MS = 100;
/** Of all searches that are being served. */
const MOST_UNDER_WAY = 0.5;

/** A timer that comes later finds a thread that is behind; a model without work for longer, while it is not, waits for a slow engine. */
const PUNCTUAL_MS = 10;
const IDLE_MS = 50;

/** Weight of the latest cost. */
const WEIGHT = 0.1;

/**
 * The thread does more between two lists than ranking: as much as so many times the run counts as the list's cost, and no more, or the searches
 * that are not admitted would make lists look dearer, and fewer would be admitted.
 */
const MOST_TIMES_RUN = 3;

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

/** A request that is being served. */
export interface Visit {
  readonly since: number;
  /** Of the lists that are to be ranked for it. */
  hits: number;
  /** What its engine takes. */
  engineMs: number;
  isUnderWay: boolean;
}

interface Waiter {
  readonly isWanted: () => boolean;
  /** `hasTurn`: false where nobody wants the list any more. */
  readonly wake: (hasTurn: boolean) => void;
}

export type RankQueue = ReturnType<typeof createRankQueue>;

/** `now`: milliseconds of any clock; where it stands still between events, as on Cloudflare, costs are learned from one event to the next. */
export function createRankQueue(now: () => number) {
  const visits = new Set<Visit>();
  const parked: (Waiter & { readonly visit: Visit })[] = [];
  let [hitsAdmitted, underWay] = [0, 0];
  let usualMs = 0;
  const waiters: Waiter[] = [];
  /** Whose turn it is. */
  let holder: { readonly since: number } | undefined;
  let [shed, overdue] = [0, 0];

  /** What hits have cost, the latest most. */
  const cost = { ms: FIRST_COST, hits: 1 };
  const msPerHit = (): number => cost.ms / cost.hits;
  let learnedAt = -Infinity;
  /** The last list that was ready, while searches waited: until the next one is, the thread has done all that lies between two lists. */
  let lastReadyAt: number | undefined;
  /** Of runs, less the time that others had since. */
  let debtMs = 0;
  let endedAt = -Infinity;
  /** Searches that may be under way, whatever the engine does. */
  let way = MIN_UNDER_WAY;
  /** What runs took since the last step. */
  const step = { ranMs: 0, since: now() };
  /** While others wait, one begins so often. */
  let beginsEveryMs = 0;
  let begunAt: number | undefined;

  function learn(ms: number, hits: number): void {
    if (ms < 0 || hits === 0) return;
    const weight = learnedAt === -Infinity ? 1 : WEIGHT;
    cost.ms += weight * (ms - cost.ms);
    cost.hits += weight * (hits - cost.hits);
    learnedAt = now();
  }

  function remove(visit: Visit): void {
    if (!visits.delete(visit)) return;
    hitsAdmitted -= visit.hits;
    if (visit.isUnderWay) underWay--;
    const at = parked.findIndex((one) => one.visit === visit);
    if (at >= 0) parked.splice(at, 1)[0]!.wake(false);
    beginNext();
  }

  function removeLost(): void {
    const oldest = now() - Math.max(LOST_MS, LOST_TIMES * usualMs);
    for (const visit of visits) {
      if (visit.since > oldest) return;
      remove(visit);
    }
  }

  function hasWay({ hits, engineMs }: Visit): boolean {
    const meanwhile = (TIMES_UNDER_WAY * engineMs) / (hits * msPerHit());
    return underWay < Math.max(way, meanwhile);
  }

  function adjustWay(ranMs: number): void {
    step.ranMs += ranMs;
    const tookMs = Math.abs(now() - step.since);
    if (tookMs < WAY_STEP_MS) return;
    const wanted = step.ranMs < SHARE_OF_THREAD * tookMs ? way * WAY_STEP : way / WAY_STEP;
    if (parked.length > 0) way = Math.max(MIN_UNDER_WAY, Math.min(wanted, MOST_UNDER_WAY * visits.size));
    Object.assign(step, { ranMs: 0, since: now() });
  }

  function begin(visit: Visit): void {
    visit.isUnderWay = true;
    underWay++;
  }

  /** `more`: beyond those that have way. */
  function beginNext(more = 0): void {
    for (let left = more; parked[0] !== undefined && (hasWay(parked[0].visit) || left > 0); left--) {
      const { visit, isWanted, wake } = parked.shift()!;
      if (isWanted()) {
        const at = now();
        if (begunAt !== undefined) beginsEveryMs += WEIGHT * (Math.max(0, at - begunAt) - beginsEveryMs);
        begunAt = parked.length > 0 ? at : undefined;
        begin(visit);
        wake(true);
      } else {
        hitsAdmitted -= visit.hits;
        visit.hits = 0;
        overdue++;
        wake(false);
      }
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
    enter(): Visit {
      removeLost();
      const visit = { since: now(), hits: 0, engineMs: 0, isUnderWay: false };
      visits.add(visit);
      return visit;
    },
    /**
     * Whether lists of so many hits together would begin within `beginsWithinMs` and be ranked within `withinMs`, of which the engine itself takes
     * `engineMs`. `begins`: when the request may ask for its windows; to false where `isWanted` is false by then; `undefined`: at once.
     */
    admit(
      visit: Visit,
      hits: number,
      withinMs: number,
      engineMs = 0,
      isWanted: () => boolean = () => true,
      beginsWithinMs = Infinity,
    ): { readonly ok: false } | { readonly ok: true; readonly begins: Promise<boolean> | undefined } {
      const isProbe = hitsAdmitted === 0 && Math.abs(now() - learnedAt) >= PROBE_MS;
      Object.assign(visit, { engineMs });
      const beginsInMs = hasWay({ ...visit, hits }) ? 0 : parked.length * beginsEveryMs;
      if (!isProbe && ((hitsAdmitted + hits) * msPerHit() > withinMs || beginsInMs > beginsWithinMs)) {
        shed++;
        return { ok: false };
      }
      hitsAdmitted += hits;
      visit.hits = hits;
      if (hasWay(visit)) {
        begin(visit);
        return { ok: true, begins: undefined };
      }
      return { ok: true, begins: new Promise((wake) => parked.push({ visit, isWanted, wake })) };
    },
    /**
     * Looks again whether those that wait may begin. `lateMs`: how late the caller's timer comes. Where neither thread nor model have anything to do,
     * all wait for the engine only: then as many more begin as are under way.
     */
    look(lateMs: number): void {
      const isIdle = holder === undefined && waiters.length === 0 && Math.abs(now() - endedAt) >= IDLE_MS;
      beginNext(isIdle && lateMs < PUNCTUAL_MS ? underWay : 0);
    },
    leave(visit: Visit): void {
      usualMs += WEIGHT * (now() - visit.since - usualMs);
      remove(visit);
    },
    /** Whether the next list may have to wait. */
    isBusy: (): boolean => holder !== undefined || parked.length > 0 || owedMs() >= SLICE_MS,
    /** Runs `work` when its turn comes; `undefined` where `isWanted` is false by then. Rejects as `work` does. */
    async run<T>(hits: number, isWanted: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
      const mine = await takeTurn(isWanted);
      if (mine === undefined) {
        overdue++;
        return undefined;
      }
      const startedAt = now();
      debtMs = Math.max(0, owedMs());
      const readyAt = lastReadyAt;
      lastReadyAt = parked.length + waiters.length > 0 ? startedAt : undefined;
      const sinceReadyMs = readyAt === undefined ? undefined : startedAt - readyAt;
      try {
        return await work();
      } finally {
        endedAt = now();
        const ms = Math.max(endedAt - startedAt, 0);
        if (sinceReadyMs !== undefined) learn(ms > 0 ? Math.min(Math.max(sinceReadyMs, ms), MOST_TIMES_RUN * ms) : sinceReadyMs, hits);
        else if (ms > 0) learn(ms, hits);
        // A clock that stands still says nothing of this run.
        const ranMs = ms || hits * msPerHit();
        debtMs += ranMs;
        adjustWay(ranMs);
        passOn(mine);
      }
    },
    /** `shed`: searches that were not admitted. `overdue`: those that nobody wanted any more when their turn came. */
    snapshot: () => ({
      served: visits.size,
      underWay,
      parked: parked.length,
      waiting: waiters.length,
      msPerHit: Math.round(msPerHit() * 1000) / 1000,
      shed,
      overdue,
    }),
  };
}
