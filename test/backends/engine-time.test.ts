/** The time of one exchange with an engine, and who is charged for it. */
import { expect, it } from "vitest";
import { createEngineClient, type Fetch } from "../../src/backends/engine.ts";
import { nextTurn, sleep } from "../../src/web.ts";

const REQUEST = { method: "GET", path: "/", search: "", body: undefined } as const;
const CLIENT = { headers: new Headers(), address: undefined };
const LIMIT_MS = 40;

const clientOf = (fetch: Fetch) =>
  createEngineClient({
    fetch,
    url: "http://engine",
    headers: { fromClient: [], own: {}, address: undefined },
    withheldParams: [],
    maxReplyBytes: 1000,
  });

/** Holds the thread, as runs of the model do. */
function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it("does not charge the engine for a thread that was busy: a reply that lies in the socket is read", async () => {
  const engine = clientOf(async () => {
    await sleep(5);
    // Head and body come in turns of the event loop.
    for (let turn = 0; turn < 3; turn++) await nextTurn(); // oxlint-disable-line no-await-in-loop
    return new Response("reply");
  });
  const replying = engine.send(REQUEST, CLIENT, LIMIT_MS);
  hold(3 * LIMIT_MS);
  expect(await replying).toMatchObject({ ok: true, value: { status: 200 } });
});

it("looks again while the thread stays busy, and gives up all the same", async () => {
  const over = new AbortController();
  const engine = clientOf(() => new Promise(() => undefined));
  const busy = (async () => {
    while (!over.signal.aborted) {
      hold(25);
      await sleep(0); // oxlint-disable-line no-await-in-loop
    }
  })();
  const startedAt = performance.now();
  expect(await engine.send(REQUEST, CLIENT, LIMIT_MS)).toMatchObject({ ok: false, error: { reason: "engine_timeout" } });
  over.abort();
  await busy;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LIMIT_MS);
});

it("is over at its limit where the engine is late", async () => {
  const signals: AbortSignal[] = [];
  const engine = clientOf((_url, { signal }) => {
    if (signal instanceof AbortSignal) signals.push(signal);
    return new Promise(() => undefined);
  });
  expect(await engine.send(REQUEST, CLIENT, LIMIT_MS)).toMatchObject({ ok: false, error: { reason: "engine_timeout" } });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

it("is not begun for a client that has left, and is cancelled for one that leaves", async () => {
  let asked = 0;
  const engine = clientOf((_url, { signal }) => {
    asked++;
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("Aborted")));
    });
  });
  const aborted = { ok: false, error: { reason: "aborted" } };
  expect(await engine.send(REQUEST, { ...CLIENT, signal: AbortSignal.abort() }, LIMIT_MS)).toMatchObject(aborted);
  expect(asked).toBe(0);
  const client = new AbortController();
  const replying = engine.send(REQUEST, { ...CLIENT, signal: client.signal }, 60_000);
  client.abort();
  expect(await replying).toMatchObject(aborted);
  expect(asked).toBe(1);
});
