/** The other sinks, in the platform's own local versions; retries, dead letters, and the consumer of the queue. */
import type { Message, MessageBatch } from "@cloudflare/workers-types";
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { createBreakers } from "../../src/breaker.ts";
import { createAnalyticsSink } from "../../src/events/analytics.ts";
import { createEventCounters } from "../../src/events/counters.ts";
import { createD1Sink, type EventStatement } from "../../src/events/d1.ts";
import { createNdjsonSink } from "../../src/events/ndjson.ts";
import { createPipelineSink } from "../../src/events/pipeline.ts";
import { consumeBatch, createQueueSink } from "../../src/events/queue.ts";
import { createDeadLetters, createRetryingSink, type LetterStore, MAX_RECORDS } from "../../src/events/retrying.ts";
import type { Sink } from "../../src/events/sink.ts";
import { combineSinks, openSinks } from "../../src/events/sinks.ts";
import { createQueryRecord, type ServedEvent } from "../../src/events/ubi.ts";

const EVENT: ServedEvent = {
  event_id: "e-1",
  application: "products",
  action_name: "purchase",
  query_id: "query-1",
  client_id: "browser-7",
  timestamp: "2026-11-20T12:00:01.000Z",
  quantity: 2,
  price: 12.5,
  event_attributes: {
    object: { object_id: "b", object_id_type: "product" },
    position: { ordinal: 3 },
    armmt: { experiment: "rerank", variant: "armmt" },
  },
};

const EXPOSURE = createQueryRecord({
  application: "products",
  queryId: "query-1",
  unit: "0123",
  userQuery: "red mug",
  timeMs: Date.UTC(2026, 10, 20, 12),
  armmt: { experiment: "rerank", variant: "armmt", window: 100, original_ids: ["a", "b"], served_ids: ["b", "a"], bypass: "over_budget" },
});

const events = (count: number): ServedEvent[] => Array.from({ length: count }, (_, i) => ({ ...EVENT, event_id: `e-${i}` }));

const written = (count: number) => ({ ok: true, value: { written: count, duplicates: 0 } });

async function countRows(table: string): Promise<unknown> {
  try {
    return await env.EVENTS.prepare(`SELECT count(*) AS n FROM ${table}`).first("n");
  } catch {
    return 0;
  }
}

async function clear(): Promise<void> {
  await env.EVENTS.batch([env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_queries"), env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_events")]);
  for (const { name } of (await env.DEAD_LETTERS.list()).keys) await env.DEAD_LETTERS.delete(name);
  for (const { key } of (await env.EVENTS_BUCKET.list()).objects) await env.EVENTS_BUCKET.delete(key);
}

beforeEach(clear);

describe("createNdjsonSink()", () => {
  it("writes one object per batch: a line per record, by kind and day", async () => {
    const sink = createNdjsonSink(env.EVENTS_BUCKET);
    expect(await sink.writeEvents(events(3))).toEqual(written(3));
    expect(await sink.writeExposures([EXPOSURE], false)).toEqual({ ok: true, value: true });
    const { objects } = await env.EVENTS_BUCKET.list();
    expect(objects.map(({ key }) => key.replace(/[0-9a-f]{32}/, "<checksum>"))).toEqual([
      "ubi_events/2026-11-20/<checksum>.ndjson",
      "ubi_queries/2026-11-20/<checksum>.ndjson",
    ]);
    const text = await (await env.EVENTS_BUCKET.get(objects[0]!.key))?.text();
    expect(
      text
        ?.trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(events(3));
  });

  it("writes a batch that comes again over itself", async () => {
    const sink = createNdjsonSink(env.EVENTS_BUCKET);
    for (let i = 0; i < 2; i++) await sink.writeEvents(events(3));
    expect((await env.EVENTS_BUCKET.list()).objects).toHaveLength(1);
  });
});

describe("createAnalyticsSink()", () => {
  it("adds up, and tells nothing of a shopper or an item", async () => {
    const points: unknown[] = [];
    const sink = createAnalyticsSink({ writeDataPoint: (point) => void points.push(point) });
    expect(await sink.writeEvents([...events(3), { ...EVENT, action_name: "click" }])).toEqual(written(4));
    await sink.write(EXPOSURE);
    expect(points).toEqual([
      { indexes: ["rerank"], blobs: ["purchase", "armmt", "products", "", ""], doubles: [3, 6, 75] },
      { indexes: ["rerank"], blobs: ["click", "armmt", "products", "", ""], doubles: [1, 2, 25] },
      { indexes: ["rerank"], blobs: ["exposure", "armmt", "products", "over_budget", ""], doubles: [1, 0, 0] },
    ]);
  });

  it("is taken by the platform's binding, which keeps nothing locally", async () => {
    expect(await createAnalyticsSink(env.EVENTS_ANALYTICS).writeEvents(events(2))).toEqual(written(2));
  });
});

describe("createPipelineSink()", () => {
  it("sends UBI records that say what they are, in parts", async () => {
    const sent: object[][] = [];
    const sink = createPipelineSink({ send: async (records) => void sent.push(records) });
    expect(await sink.writeEvents(events(501))).toEqual(written(501));
    expect(sent.map((part) => part.length)).toEqual([500, 1]);
    expect(sent[0]?.[0]).toEqual({ record: "event", ...events(1)[0] });
    await sink.write(EXPOSURE);
    expect(sent[2]).toEqual([{ record: "exposure", ...EXPOSURE }]);
  });

  it("is taken by the platform's binding, which keeps nothing locally", async () => {
    expect(await createPipelineSink(env.EVENTS_PIPELINE).writeEvents(events(2))).toEqual(written(2));
  });
});

/** What a queue delivers: what the sink has sent, as it is after a journey as JSON. */
function deliver(bodies: readonly unknown[]): { batch: MessageBatch; outcomes: Map<string, string> } {
  const outcomes = new Map<string, string>();
  const messages = bodies.map((body, i): Message => {
    const id = `m-${i}`;
    return {
      id,
      timestamp: new Date(0),
      attempts: 1,
      body: JSON.parse(JSON.stringify(body)),
      ack: () => void outcomes.set(id, "ack"),
      retry: () => void outcomes.set(id, "retry"),
    };
  });
  const batch: MessageBatch = {
    queue: "events",
    messages,
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    ackAll: () => undefined,
    retryAll: () => undefined,
  };
  return { batch, outcomes };
}

const quiet = { log: () => undefined };

describe("a queue", () => {
  it("carries exposures and events to the sink behind it", async () => {
    const sent: unknown[] = [];
    const sink = createQueueSink({
      send: async (body) => {
        sent.push(body);
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
    });
    expect(await sink.writeEvents(events(2))).toEqual(written(2));
    expect(await sink.write(EXPOSURE)).toEqual({ ok: true, value: true });
    // At least once: the second time nothing is new.
    for (let i = 0; i < 2; i++) {
      const { batch, outcomes } = deliver(sent);
      await consumeBatch(batch, { sink: createD1Sink(env.EVENTS), ...quiet });
      expect([...outcomes.values()]).toEqual(["ack", "ack"]);
      expect([await countRows("ubi_events"), await countRows("ubi_queries")]).toEqual([2, 1]);
    }
    const { results } = await env.EVENTS.prepare("SELECT unit, bypass FROM ubi_queries").all();
    expect(results).toEqual([{ unit: "0123", bypass: "over_budget" }]);
  });

  it("takes many events in messages that are not too large", async () => {
    const sizes: number[] = [];
    const sink = createQueueSink({
      send: async (body) => {
        sizes.push(JSON.stringify(body).length);
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
    });
    expect(await sink.writeEvents(events(500))).toEqual(written(500));
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(128_000);
  });

  it("is the platform's own binding", async () => {
    expect(await createQueueSink(env.EVENTS_QUEUE).writeEvents(events(2))).toEqual(written(2));
  });

  it("gives back what could not be written or read, and nothing else", async () => {
    const failing: Sink = { ...createD1Sink(env.EVENTS), writeEvents: async () => ({ ok: false, error: "full" }) };
    const logs: unknown[] = [];
    const { batch, outcomes } = deliver([
      { kind: "events", events: events(1) },
      { kind: "exposure", exposure: EXPOSURE },
      { kind: "?" },
      null,
    ]);
    await consumeBatch(batch, { sink: failing, log: (entry) => void logs.push(entry) });
    expect(Object.fromEntries(outcomes)).toEqual({ "m-0": "retry", "m-1": "ack", "m-2": "retry", "m-3": "retry" });
    expect(await countRows("ubi_queries")).toBe(1);
    expect(logs).toHaveLength(3);
  });
});

/** Real D1, but for the writes that fail. */
function flaky(failures: number): { sink: Sink; tries: () => number } {
  const real = createD1Sink(env.EVENTS);
  let tries = 0;
  return {
    sink: {
      ...real,
      writeEvents: async (list) => (++tries <= failures ? { ok: false, error: "D1 is overloaded" } : real.writeEvents(list)),
      writeExposures: async (list, isRepeated) =>
        ++tries <= failures ? { ok: false, error: "D1 is overloaded" } : real.writeExposures(list, isRepeated),
    },
    tries: () => tries,
  };
}

const now = (): number => Date.UTC(2026, 10, 20, 12);

function retrying(failures: number, store: LetterStore | undefined = env.DEAD_LETTERS) {
  const { sink, tries } = flaky(failures);
  const counters = createEventCounters();
  const waits: number[] = [];
  let lastId = 0;
  const after: Promise<unknown>[] = [];
  const built = createRetryingSink({
    sink,
    deadLetters: store === undefined ? undefined : createDeadLetters({ store, now, createId: () => `id-${++lastId}` }),
    counters,
    now,
    wait: async (ms) => void waits.push(ms),
    ...quiet,
  });
  return { sink: built, tries, counters, waits, after, afterReply: (work: Promise<unknown>) => void after.push(work) };
}

const letters = async (): Promise<string[]> => (await env.DEAD_LETTERS.list()).keys.map(({ name }) => name);

describe("createRetryingSink()", () => {
  it("tries again while the client waits", async () => {
    const { sink, counters, waits, afterReply } = retrying(2);
    expect(await sink.writeEvents(events(3), afterReply)).toEqual({ ok: true, value: { written: 3, duplicates: 0, deferred: 0 } });
    expect(waits).toEqual([50, 250]);
    expect(counters.snapshot().sinks).toEqual({ d1: { retried: 2 } });
    expect(await countRows("ubi_events")).toBe(3);
  });

  it("keeps what fails before it answers, and writes it after the reply", async () => {
    const { sink, counters, after, afterReply } = retrying(4);
    expect(await sink.writeEvents(events(3), afterReply)).toEqual({ ok: true, value: { written: 0, duplicates: 0, deferred: 3 } });
    expect(await letters()).toEqual(["d1/2026-11-20T12:00:00.000Z-id-1"]);
    await Promise.all(after);
    expect([await letters(), await countRows("ubi_events")]).toEqual([[], 3]);
    expect(counters.snapshot().sinks).toEqual({ d1: { retried: 2, failed: 1, deferred: 3, redelivered: 3 } });
  });

  it("leaves to later writes what fails for long, and loses nothing", async () => {
    const long = retrying(Infinity);
    await long.sink.writeEvents(events(3), long.afterReply);
    await long.sink.write(EXPOSURE);
    await Promise.all(long.after);
    expect((await letters()).length).toBe(2);
    // Another isolate, when the store is well again.
    const later = retrying(0);
    await later.sink.writeEvents([{ ...EVENT, event_id: "new" }], later.afterReply);
    await Promise.all(later.after);
    expect([await letters(), await countRows("ubi_events"), await countRows("ubi_queries")]).toEqual([[], 4, 1]);
  });

  it("keeps letters in R2 as well", async () => {
    const { sink, after, afterReply } = retrying(4, env.EVENTS_BUCKET);
    await sink.writeEvents(events(3), afterReply);
    expect((await env.EVENTS_BUCKET.list()).objects.map(({ key }) => key)).toEqual(["d1/2026-11-20T12:00:00.000Z-id-1"]);
    await Promise.all(after);
    expect([(await env.EVENTS_BUCKET.list()).objects.length, await countRows("ubi_events")]).toEqual([0, 3]);
  });

  it("says that it failed where there is no place to keep anything, and where that place fails too", async () => {
    for (const store of [undefined, { ...env.DEAD_LETTERS, put: () => Promise.reject(new Error("KV is down")) }]) {
      const { sink, tries, afterReply } = store === undefined ? withoutLetters() : retrying(Infinity, store);
      expect(await sink.writeEvents(events(3), afterReply)).toMatchObject({
        ok: false,
        error: expect.stringContaining("D1 is overloaded"),
      });
      expect(tries()).toBe(3);
    }
  });

  it("does not remove a letter that it cannot read", async () => {
    await env.DEAD_LETTERS.put("d1/2026-letter", "{ broken");
    const { sink, after, afterReply } = retrying(0);
    await sink.writeEvents(events(1), afterReply);
    await Promise.all(after);
    expect(await letters()).toEqual(["d1/2026-letter"]);
  });
});

function withoutLetters() {
  const { sink, tries } = flaky(Infinity);
  const counters = createEventCounters();
  const built = createRetryingSink({ sink, deadLetters: undefined, counters, now: () => 0, wait: async () => undefined, ...quiet });
  return { sink: built, tries, afterReply: () => undefined };
}

/** The bindings of Cloudflare that never answer, and one that throws. */
const hang = (): Promise<never> => new Promise(() => {});
const statement: EventStatement = { bind: () => statement, run: hang };
const broken: readonly (readonly [string, Sink])[] = [
  ["D1", createD1Sink({ prepare: () => statement, batch: hang })],
  ["a queue", createQueueSink({ send: hang })],
  ["a pipeline", createPipelineSink({ send: hang })],
  [
    "Analytics Engine",
    createAnalyticsSink({
      writeDataPoint: () => {
        throw new Error("no data set");
      },
    }),
  ],
  ["a bucket", createNdjsonSink({ put: hang })],
];

function openBroken(sink: Sink, deadLetters?: LetterStore) {
  const clock = { ms: now() };
  const counters = createEventCounters();
  const logs: unknown[] = [];
  let lastId = 0;
  const shared = { now: () => clock.ms, log: (entry: unknown) => void logs.push(entry) };
  const breakers = createBreakers(shared);
  const letterBox = deadLetters && createDeadLetters({ store: deadLetters, now: shared.now, createId: () => `id-${++lastId}` });
  const built = createRetryingSink({
    sink,
    deadLetters: letterBox,
    counters,
    ...shared,
    breakers,
    wait: async () => undefined,
    attemptMs: 20,
  });
  return { built, clock, counters, logs, breakers };
}

describe("a sink that hangs or fails for long", () => {
  it.each(broken)("%s: is left alone after five failures, and every record is counted", async (_name, sink) => {
    const { built, counters, breakers } = openBroken(sink);
    for (let n = 0; n < 8; n++) expect((await built.write(EXPOSURE)).ok).toBe(false);
    expect(counters.snapshot().sinks[sink.name]).toMatchObject({ failed: 5, dropped: 8 });
    expect(breakers.snapshot()[`sink ${sink.name}`]).toEqual({ state: "open", failures: 5, opened: 1, refused: 3 });
    const started = performance.now();
    expect((await built.writeEvents(events(2), () => undefined)).ok).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("puts records into the dead-letter queue at once while it is left alone, and writes them when it is well", async () => {
    const real = createD1Sink(env.EVENTS);
    let isDown = true;
    const sink: Sink = {
      ...real,
      writeEvents: (list) => (isDown ? hang() : real.writeEvents(list)),
      writeExposures: (list, isRepeated) => (isDown ? hang() : real.writeExposures(list, isRepeated)),
    };
    const { built, clock, counters } = openBroken(sink, env.DEAD_LETTERS);
    for (let n = 0; n < 30; n++) expect((await built.write({ ...EXPOSURE, query_id: `q-${n}` })).ok).toBe(true);
    expect((await letters()).length).toBe(30);
    isDown = false;
    clock.ms += 60_000;
    for (let n = 30; n < 33; n++) await built.write({ ...EXPOSURE, query_id: `q-${n}` });
    expect([await countRows("ubi_queries"), await letters()]).toEqual([33, []]);
    expect(counters.snapshot().sinks["d1"]).toMatchObject({ deferred: 30, redelivered: 30 });
  });

  it("fills no memory: what is under way is bounded, and the rest is counted", async () => {
    const { built, counters } = openBroken(createQueueSink({ send: hang }));
    const results = await Promise.all(Array.from({ length: MAX_RECORDS + 7 }, () => built.write(EXPOSURE)));
    expect(results.filter((result) => !result.ok && result.error.includes("there is no room for more"))).toHaveLength(7);
    expect(counters.snapshot().sinks["queue"]?.["dropped"]).toBe(MAX_RECORDS + 7);
  });

  it("waits no longer for a dead-letter queue that hangs too", async () => {
    const store: LetterStore = { ...env.DEAD_LETTERS, put: () => Promise.reject(new Error("KV is down")) };
    const { built, counters } = openBroken(createQueueSink({ send: hang }), store);
    for (let n = 0; n < 8; n++) {
      expect(await built.write(EXPOSURE)).toMatchObject({ ok: false, error: expect.stringContaining("could not be kept aside") });
    }
    expect(counters.snapshot().sinks["queue"]).toMatchObject({ dropped: 8 });
  });
});

describe("several sinks", () => {
  const shared = { counters: createEventCounters(), now: () => 0, createId: () => "id", ...quiet };

  it("all get everything; the first one's counts are the answer", async () => {
    const sink = openSinks({ names: ["d1", "analytics", "pipeline", "queue"], bindings: env, ...shared });
    await sink.writeEvents(events(2), () => undefined);
    expect(await sink.writeEvents(events(3), () => undefined)).toEqual({ ok: true, value: { written: 1, duplicates: 2, deferred: 0 } });
    expect(await sink.write(EXPOSURE)).toEqual({ ok: true, value: true });
  });

  it("fail when one fails", async () => {
    const sink = combineSinks([openSinks({ names: ["d1"], bindings: env, ...shared }), withoutLetters().sink]);
    expect((await sink.writeEvents(events(2), () => undefined)).ok).toBe(false);
    expect((await sink.write(EXPOSURE)).ok).toBe(false);
  });

  it("are refused without their binding", () => {
    expect(() => openSinks({ names: ["queue"], bindings: { EVENTS: env.EVENTS }, ...shared })).toThrow(/no binding EVENTS_QUEUE/);
  });
});
