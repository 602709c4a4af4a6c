/** The model's queue with a clock that the test moves: who is admitted, who runs, and who has the thread between two runs. */
import { expect, it } from "vitest";
import { createRankQueue } from "../../src/search/rank-queue.ts";
import { nextTurn } from "../../src/web.ts";

const HITS = 100;
const BUDGET_MS = 200;
const always = () => true;

function open() {
  let time = 1_000_000;
  const queue = createRankQueue(() => time);
  const pass = (ms: number): void => void (time += ms);
  /** A run that takes so long. */
  const run = (ms: number, isWanted = always, log?: (what: string) => void) =>
    queue.run(HITS, isWanted, async () => {
      log?.("run");
      pass(ms);
      return ms;
    });
  /** A request that is admitted with one list, or has left again. */
  const admit = (hits = HITS, withinMs = BUDGET_MS, isWanted = always, engineMs = 0) => {
    const visit = queue.enter();
    const admission = queue.admit(visit, hits, withinMs, engineMs, isWanted);
    if (admission.ok) return { visit, begins: admission.begins };
    queue.leave(visit);
    return undefined;
  };
  const crowd = (count: number) => Array.from({ length: count }, () => admit()).filter((place) => place !== undefined);
  return { queue, pass, run, admit, crowd };
}

it("admits as many lists as are ranked within the budget, by the cost of the last runs, and counts the others", async () => {
  const { queue, run, admit, crowd } = open();
  for (let i = 0; i < 80; i++) await run(8); // oxlint-disable-line no-await-in-loop
  const admitted = crowd(40);
  expect(admitted).toHaveLength(BUDGET_MS / 8);
  expect(queue.snapshot()).toMatchObject({
    served: admitted.length,
    underWay: 8,
    parked: admitted.length - 8,
    shed: 40 - admitted.length,
  });
  // A shorter list still has room where a longer one has none.
  queue.leave(admitted[0]!.visit);
  expect(admit(2 * HITS)).toBeUndefined();
  expect(admit()).toBeDefined();
  expect(admit()).toBeUndefined();
  // While the engine takes its time, the queue gets shorter.
  expect(admit(HITS, BUDGET_MS + 50)).toBeDefined();
});

it("has a few lists under way, however many are admitted: the others begin in the order in which they came", async () => {
  const { queue, run, crowd } = open();
  await run(4);
  const admitted = crowd(30);
  const [first, waiting] = [admitted.slice(0, 8), admitted.slice(8)];
  expect(first.every(({ begins }) => begins === undefined)).toBe(true);
  const begun: number[] = [];
  waiting.forEach(({ begins }, i) => void begins?.then((isWanted) => isWanted && begun.push(i)));
  for (const { visit } of first.slice(0, 3)) queue.leave(visit);
  await nextTurn();
  expect(begun).toEqual([0, 1, 2]);
  // One that waits leaves: nobody takes its place.
  queue.leave(waiting[3]!.visit);
  queue.leave(waiting[0]!.visit);
  await nextTurn();
  expect(begun).toEqual([0, 1, 2, 4]);
  expect(queue.snapshot()).toMatchObject({ underWay: 8, parked: 30 - 8 - 5 });
});

it("has more of them under way while runs leave the thread to others, and fewer again where they take more than their share", async () => {
  const { queue, pass, run, crowd } = open();
  await run(4);
  const served = crowd(40);
  for (let i = 0; i < 200; i++) queue.enter();
  const underWay = (): number => queue.snapshot().underWay;
  const work = async (runs: number, eachMs: number, othersMs: number): Promise<void> => {
    for (let i = 0; i < runs; i++) {
      await run(eachMs); // oxlint-disable-line no-await-in-loop
      pass(othersMs);
      queue.look(100);
    }
  };
  expect(underWay()).toBe(8);
  await work(10, 4, 100);
  expect(underWay()).toBeGreaterThan(16);
  expect(underWay()).toBeLessThan(24);
  const most = underWay();
  await work(60, 30, 80);
  for (const { visit } of served.slice(0, most)) queue.leave(visit);
  expect(underWay()).toBe(8);
});

it("refuses at once where those that wait already would begin too late, and admits again when they begin sooner", async () => {
  const { queue, pass, run, crowd } = open();
  await run(1);
  const places = crowd(60);
  const admits = (): boolean => {
    const visit = queue.enter();
    const { ok } = queue.admit(visit, HITS, 10_000, 0, always, BUDGET_MS);
    queue.leave(visit);
    return ok;
  };
  const beginOneEvery = (ms: number, times: number): void => {
    for (const { visit } of places.splice(0, times)) {
      pass(ms);
      queue.leave(visit);
    }
  };
  expect(admits()).toBe(true);
  // 40 wait then, and one begins every 20 ms.
  beginOneEvery(20, 12);
  expect(admits()).toBe(false);
  beginOneEvery(20, 35);
  expect(queue.snapshot().parked).toBeLessThan(9);
  expect(admits()).toBe(true);
});

it("has more of them under way before a slow engine, for which they wait anyway", async () => {
  const { run, admit } = open();
  for (let i = 0; i < 80; i++) await run(4); // oxlint-disable-line no-await-in-loop
  const admitted = Array.from({ length: 90 }, () => admit(HITS, BUDGET_MS + 150, always, 150));
  expect(admitted.filter((place) => place?.begins === undefined && place !== undefined)).toHaveLength((2 * 150) / 4);
});

it("has twice as many under way wherever thread and model have nothing to do: they wait for the engine only", async () => {
  const { queue, pass, run, crowd } = open();
  await run(4);
  crowd(40);
  const underWayAfter = (ms: number, lateMs: number): number => {
    pass(ms);
    queue.look(lateMs);
    return queue.snapshot().underWay;
  };
  // The model ran just now; then the timer says that the thread is behind.
  expect(underWayAfter(40, 0)).toBe(8);
  expect(underWayAfter(20, 30)).toBe(8);
  expect(underWayAfter(50, 0)).toBe(16);
  expect(underWayAfter(50, 0)).toBe(32);
  expect(underWayAfter(50, 0)).toBe(40);
});

it("begins nothing for nobody", async () => {
  const { queue, run, admit, crowd } = open();
  await run(4);
  const first = crowd(8);
  let isWanted = true;
  const late = admit(HITS, BUDGET_MS, () => isWanted);
  const next = admit();
  isWanted = false;
  queue.leave(first[0]!.visit);
  expect(await late?.begins).toBe(false);
  expect(await next?.begins).toBe(true);
  queue.leave(late!.visit);
  queue.leave(next!.visit);
  for (const { visit } of first) queue.leave(visit);
  expect(queue.snapshot()).toMatchObject({ served: 0, underWay: 0, parked: 0, overdue: 1 });
  expect(crowd(8).every(({ begins }) => begins === undefined)).toBe(true);
});

it("is limited before the first run too: a cold isolate meets the same crowd", () => {
  const { crowd } = open();
  const admitted = crowd(256);
  expect(admitted.length).toBeGreaterThan(10);
  expect(admitted.length).toBeLessThan(100);
});

it("follows a machine that has become slower, or faster", async () => {
  const { queue, run, crowd } = open();
  const room = () => {
    const places = crowd(200);
    for (const { visit } of places) queue.leave(visit);
    return places.length;
  };
  await run(4);
  const before = room();
  for (let i = 0; i < 60; i++) await run(40); // oxlint-disable-line no-await-in-loop
  expect(room()).toBeLessThanOrEqual(5);
  for (let i = 0; i < 60; i++) await run(4); // oxlint-disable-line no-await-in-loop
  expect(room()).toBeGreaterThan(before * 0.9);
});

it("lets one list a second try a model that is slower than the budget", async () => {
  const { run, pass, admit } = open();
  await run(1000);
  expect(admit()).toBeUndefined();
  pass(1000);
  expect(admit()).toBeDefined();
  expect(admit()).toBeUndefined();
});

it("counts what lies between two runs while others wait, as on a clock that stands still during a run", async () => {
  const { queue, pass } = open();
  const frozen = () =>
    queue.run(HITS, always, async () => {
      // The clock moves with the next event.
      await nextTurn();
      return true;
    });
  for (let round = 0; round < 30; round++) {
    const runs = [frozen(), frozen(), frozen()];
    await nextTurn(); // oxlint-disable-line no-await-in-loop
    pass(10);
    await Promise.all(runs); // oxlint-disable-line no-await-in-loop
  }
  expect(queue.snapshot().msPerHit).toBeGreaterThan(0);
});

it("takes what the thread did between two runs for a part of their cost, but not for all that others made it do", async () => {
  const { queue, run, pass, crowd } = open();
  await run(2);
  // Some wait to begin, so that the thread is never idle.
  crowd(30);
  for (const [between, msPerList] of [
    [3, 5],
    [60, 6],
  ] as const) {
    for (let i = 0; i < 80; i++) {
      pass(between);
      await run(2); // oxlint-disable-line no-await-in-loop
    }
    expect(queue.snapshot().msPerHit * HITS).toBeCloseTo(msPerList, 0);
  }
});

it("does not run a list whose search is over when its turn comes, and goes on with the next", async () => {
  const { queue, run } = open();
  const ran: string[] = [];
  let isWanted = true;
  const first = queue.run(HITS, always, async () => {
    await nextTurn();
    isWanted = false;
    return "first";
  });
  const late = run(
    4,
    () => isWanted,
    () => ran.push("late"),
  );
  const last = run(4, always, () => ran.push("last"));
  expect(await Promise.all([first, late, last])).toEqual(["first", undefined, 4]);
  expect(ran).toEqual(["last"]);
  expect(queue.snapshot()).toMatchObject({ overdue: 1, waiting: 0 });
});

it("passes the turn on after a run that rejects", async () => {
  const { queue, run } = open();
  const broken = queue.run(HITS, always, () => Promise.reject(new Error("A bug")));
  const next = run(4);
  await expect(broken).rejects.toThrow("A bug");
  expect(await next).toBe(4);
});

it("lets the event loop turn after a few runs, however many wait", async () => {
  const { run } = open();
  const log: string[] = [];
  const runs = Array.from({ length: 12 }, () => run(4, always, () => log.push("run")));
  const over = new AbortController();
  const others = (async () => {
    while (!over.signal.aborted) {
      log.push("turn");
      await nextTurn(); // oxlint-disable-line no-await-in-loop
    }
  })();
  await Promise.all(runs);
  over.abort();
  await others;
  const streaks = log.join(" ").split("turn");
  expect(Math.max(...streaks.map((streak) => streak.split("run").length - 1))).toBeLessThanOrEqual(3);
});

it("runs at once where nobody else needs the thread", async () => {
  const { run, pass } = open();
  for (let i = 0; i < 10; i++) {
    let hasTurned = false;
    void nextTurn().then(() => (hasTurned = true));
    await run(4); // oxlint-disable-line no-await-in-loop
    expect(hasTurned).toBe(false);
    pass(20);
    await nextTurn(); // oxlint-disable-line no-await-in-loop
  }
});

it("forgets places and turns whose requests have ended without a word", async () => {
  const { queue, run, pass, admit } = open();
  await run(8);
  let waiting = 0;
  for (let place = admit(); place !== undefined; place = admit()) {
    if (place.begins !== undefined) waiting++;
    void place.begins?.then(() => waiting--);
  }
  expect(waiting).toBeGreaterThan(0);
  void queue.run(HITS, always, () => new Promise(() => undefined));
  pass(60_000);
  expect(admit()).toMatchObject({ begins: undefined });
  expect(queue.snapshot()).toMatchObject({ served: 1, underWay: 1, parked: 0 });
  // None of them waits for ever, should it still be there.
  await nextTurn();
  expect(waiting).toBe(0);
  expect(await run(4)).toBe(4);
});

it("keeps its counts when the clock is set back", async () => {
  const { queue, run, pass, admit } = open();
  await run(8);
  pass(-3_600_000);
  const place = admit();
  expect(place).toBeDefined();
  expect(await run(8)).toBe(8);
  if (place !== undefined) queue.leave(place.visit);
  expect(queue.snapshot()).toMatchObject({ served: 0, waiting: 0 });
  expect(queue.snapshot().msPerHit).toBeCloseTo(0.08, 2);
});
