/** More searches than the model has time for, and clients that leave: who gets what, and what is never done for nobody. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Scorer } from "../../src/inference/scorer.ts";
import { OFF, OUTCOME_HEADER } from "../../src/protocol.ts";
import { ok } from "../../src/result.ts";
import { publish } from "./catalog.ts";
import {
  demoShop,
  type Edge,
  type EdgeOptions,
  type Engine,
  match,
  openEdge,
  outcomeOf,
  postJson,
  student,
  TOKEN,
  WINDOW,
} from "./edge.ts";

const CATALOG = "overload";
const PATH = "/products/_search";
const PAGE = { from: 4, size: 6 };

/** Ten runs fit. The timer of the budget is a real one: wide, because a loaded machine is no fault. */
const RUN_MS = 800;
const LIMITS = { RANK_BUDGET_MS: 8000, ENGINE_TIMEOUT_MS: 20_000 };

beforeAll(() => publish(CATALOG));

/** A model whose run takes so long on the clock of the test. */
function slowModel(runMs: number) {
  let ms = runMs;
  let time = 1_000_000;
  let runs = 0;
  const { manifest } = student.ok ? student.value : { manifest: undefined };
  const score: Scorer["score"] = async ({ k }) => {
    runs++;
    time += ms;
    return ok({ score: Float32Array.from({ length: k }, (_score, i) => i), gate: new Float32Array(2 * k).fill(0.5) });
  };
  const slowDown = (times: number): void => {
    ms *= times;
  };
  return { scorer: ok({ manifest: manifest!, score }), now: () => time, runs: () => runs, slowDown };
}

const words = (i: number) => match(`red ${i}`, PAGE);

const sizesOf = ({ exchanges }: Edge): number[] => exchanges.map(({ body }) => JSON.parse(body).size);

function countsOf(outcomes: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

describe("a crowd", () => {
  it("is re-ranked as far as the budget reaches; the others get the engine's order at once, by their own request", async () => {
    const { now, scorer, runs } = slowModel(RUN_MS);
    const edge = openEdge({ catalog: CATALOG, now, scorer, vars: LIMITS });
    // What a run costs.
    for (let i = 0; i < 20; i++) await edge.send(PATH, postJson(words(i))); // oxlint-disable-line no-await-in-loop
    const before = edge.exchanges.length;
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => edge.send(PATH, postJson(words(100 + i)))));
    const outcomes = countsOf(replies.map(outcomeOf));
    expect(outcomes["applied"]).toBeGreaterThanOrEqual(8);
    expect(outcomes["applied"]).toBeLessThanOrEqual(11);
    expect(outcomes).toEqual({ applied: outcomes["applied"], over_budget: 40 - outcomes["applied"]! });
    const sizes = sizesOf(edge).slice(before);
    expect(sizes).toHaveLength(40);
    // Only those that are ranked asked for the window.
    expect(sizes.filter((size) => size === WINDOW).length).toBeLessThanOrEqual(11);
    expect(runs()).toBe(20 + outcomes["applied"]!);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { over_budget: outcomes["over_budget"] } } });
    const status: unknown = await (await edge.send("/armmt/status", { headers: { authorization: `Bearer ${TOKEN}` } })).json();
    expect(status).toMatchObject({ ranking: { underWay: 0, parked: 0, waiting: 0, shed: expect.any(Number) } });
    // Nothing is left over.
    expect(outcomeOf(await edge.send(PATH, postJson(words(999))))).toBe("applied");
  });

  it("waits no longer than the budget, before the engine and after it together", async () => {
    const { now, scorer, slowDown } = slowModel(RUN_MS / 8);
    const edge = openEdge({ catalog: CATALOG, now, scorer, vars: LIMITS });
    for (let i = 0; i < 20; i++) await edge.send(PATH, postJson(words(i))); // oxlint-disable-line no-await-in-loop
    // More are let in than can be served.
    slowDown(8);
    const startedAt = now();
    const replies = Array.from({ length: 60 }, async (_, i) => {
      const reply = await edge.send(PATH, postJson(words(100 + i)));
      return { outcome: outcomeOf(reply), ms: now() - startedAt };
    });
    const applied = (await Promise.all(replies)).filter(({ outcome }) => outcome === "applied");
    expect(applied.length).toBeGreaterThanOrEqual(8);
    expect(Math.max(...applied.map(({ ms }) => ms))).toBeLessThanOrEqual(LIMITS.RANK_BUDGET_MS + 2 * RUN_MS);
  });

  it("does not hold those who need no model, and is not asked to hold them", async () => {
    const { now, scorer } = slowModel(RUN_MS);
    const edge = openEdge({ catalog: CATALOG, now, scorer, vars: LIMITS });
    const order: string[] = [];
    const send = async (kind: string, i: number, headers = {}) => {
      await edge.send(PATH, postJson(words(i), headers));
      order.push(kind);
    };
    await Promise.all([
      ...Array.from({ length: 9 }, (_, i) => send("ranked", i)),
      ...Array.from({ length: 9 }, (_, i) => send("off", 50 + i, { [OUTCOME_HEADER]: OFF })),
    ]);
    // Came last, and has not waited for the last of the runs.
    expect(order.lastIndexOf("off")).toBeLessThan(order.lastIndexOf("ranked"));
  });

  it("gives each place back, whatever becomes of a search", async () => {
    const { now, scorer } = slowModel(RUN_MS);
    let reply: Engine = demoShop;
    const edge = openEdge({
      catalog: CATALOG,
      now,
      scorer,
      engine: (request) => reply(request),
      vars: { RANK_BUDGET_MS: 2000, ENGINE_TIMEOUT_MS: 4000 },
    });
    await edge.send(PATH, postJson(words(0)));
    for (const faulty of [
      () => Promise.reject(new Error("Connection reset")),
      () => new Response("<html>", { status: 500 }),
      () => new Response("{}"),
      () => new Promise<Response>(() => undefined),
    ]) {
      reply = faulty;
      await Promise.all(Array.from({ length: 12 }, (_, i) => edge.send(PATH, postJson(words(i))))); // oxlint-disable-line no-await-in-loop
    }
    const status: unknown = await (await edge.send("/armmt/status", { headers: { authorization: `Bearer ${TOKEN}` } })).json();
    expect(status).toMatchObject({ ranking: { underWay: 0, parked: 0, waiting: 0 } });
  });
});

async function leave(options: Partial<EdgeOptions>, when: (client: AbortController) => Promise<unknown>): Promise<Edge> {
  const client = new AbortController();
  const edge = openEdge({ catalog: CATALOG, ...options });
  const replying = edge.send(PATH, { ...postJson(words(1)), signal: client.signal }).catch(() => undefined);
  await when(client);
  await replying;
  return edge;
}

function expectNoTrace(edge: Edge): void {
  expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { aborted: 1 } }, exposures: { written: 0, failed: 0 } });
  expect(edge.records).toEqual([]);
  expect(edge.logs.filter(({ level }) => level !== "info")).toEqual([]);
}

describe("a client that leaves", () => {
  it("cancels the request to the engine", async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const engine: Engine = ({ signal }) => {
      asked.resolve(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("Aborted")));
      });
    };
    const edge = await leave({ engine }, async (client) => {
      const signal = await asked.promise;
      expect(signal.aborted).toBe(false);
      client.abort();
      expect(signal.aborted).toBe(true);
    });
    expectNoTrace(edge);
    // The shopper's own request is not sent for nobody.
    expect(edge.exchanges).toHaveLength(1);
  });

  it("cancels a run that waits, and not the one after it", async () => {
    const { manifest } = student.ok ? student.value : { manifest: undefined };
    const running = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    let runs = 0;
    const score: Scorer["score"] = async ({ k }) => {
      runs++;
      running.resolve(undefined);
      if (runs === 1) await goOn.promise;
      return ok({ score: Float32Array.from({ length: k }, (_score, i) => i), gate: new Float32Array(2 * k).fill(0.5) });
    };
    const edge = openEdge({ catalog: CATALOG, scorer: ok({ manifest: manifest!, score }) });
    const first = edge.send(PATH, postJson(words(1)));
    await running.promise;
    const client = new AbortController();
    const second = edge.send(PATH, { ...postJson(words(2)), signal: client.signal }).catch(() => undefined);
    const third = edge.send(PATH, postJson(words(3)));
    while (edge.exchanges.length < 3) await new Promise((resolve) => setTimeout(resolve, 5)); // oxlint-disable-line no-await-in-loop
    client.abort();
    goOn.resolve(undefined);
    expect([outcomeOf(await first), outcomeOf(await third)]).toEqual(["applied", "applied"]);
    await second;
    expect(runs).toBe(2);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { applied: 2, aborted: 1 } }, exposures: { written: 2 } });
  });
});
