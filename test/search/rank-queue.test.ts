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
  return { queue, pass, run };
}

it("admits as many lists as are ranked within the budget, by the cost of the last runs, and counts the others", async () => {
  const { queue, run } = open();
  for (let i = 0; i < 30; i++) await run(8); // oxlint-disable-line no-await-in-loop
  const places = Array.from({ length: 40 }, () => queue.admit(HITS, BUDGET_MS));
  const admitted = places.filter((place) => place !== undefined);
  expect(admitted).toHaveLength(BUDGET_MS / 8);
  expect(queue.snapshot()).toMatchObject({ admitted: admitted.length, shed: 40 - admitted.length });
  // A shorter list still has room where a longer one has none.
  for (const place of admitted.slice(0, 1)) queue.leave(place);
  expect(queue.admit(2 * HITS, BUDGET_MS)).toBeUndefined();
  expect(queue.admit(HITS, BUDGET_MS)).toBeDefined();
  expect(queue.admit(HITS, BUDGET_MS)).toBeUndefined();
  // While the engine takes its time, the queue gets shorter.
  expect(queue.admit(HITS, BUDGET_MS + 50)).toBeDefined();
});

it("is limited before the first run too: a cold isolate meets the same crowd", () => {
  const { queue } = open();
  const admitted = Array.from({ length: 256 }, () => queue.admit(HITS, BUDGET_MS)).filter((place) => place !== undefined);
  expect(admitted.length).toBeGreaterThan(10);
  expect(admitted.length).toBeLessThan(100);
});

it("follows a machine that has become slower, or faster", async () => {
  const { queue, run } = open();
  const room = () => {
    const places = Array.from({ length: 200 }, () => queue.admit(HITS, BUDGET_MS)).filter((place) => place !== undefined);
    for (const place of places) queue.leave(place);
    return places.length;
  };
  await run(4);
  const before = room();
  for (let i = 0; i < 20; i++) await run(40); // oxlint-disable-line no-await-in-loop
  expect(room()).toBeLessThanOrEqual(5);
  for (let i = 0; i < 30; i++) await run(4); // oxlint-disable-line no-await-in-loop
  expect(room()).toBeGreaterThan(before * 0.9);
});

it("lets one list a second try a model that is slower than the budget", async () => {
  const { queue, run, pass } = open();
  await run(1000);
  expect(queue.admit(HITS, BUDGET_MS)).toBeUndefined();
  pass(1000);
  expect(queue.admit(HITS, BUDGET_MS)).toBeDefined();
  expect(queue.admit(HITS, BUDGET_MS)).toBeUndefined();
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
  const { queue, run, pass } = open();
  await run(8);
  while (queue.admit(HITS, BUDGET_MS) !== undefined);
  void queue.run(HITS, always, () => new Promise(() => undefined));
  pass(60_000);
  expect(queue.admit(HITS, BUDGET_MS)).toBeDefined();
  expect(queue.snapshot().admitted).toBe(1);
  expect(await run(4)).toBe(4);
});

it("keeps its counts when the clock is set back", async () => {
  const { queue, run, pass } = open();
  await run(8);
  pass(-3_600_000);
  const place = queue.admit(HITS, BUDGET_MS);
  expect(place).toBeDefined();
  expect(await run(8)).toBe(8);
  if (place !== undefined) queue.leave(place);
  expect(queue.snapshot()).toMatchObject({ admitted: 0, waiting: 0 });
  expect(queue.snapshot().msPerHit).toBeCloseTo(0.08, 2);
});
