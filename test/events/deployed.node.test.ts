/**
 * The whole Worker in real workerd, as it is deployed. Events through `/events` into D1, in batches, while the edge is killed twice: every
 * event stands there once; the client sends again what was not answered. And events through a real queue. A small number by default:
 *
 *   ARMMT_EVENTS=1000000 npx vitest run test/events/deployed.node.test.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { algoliasearch } from "algoliasearch";
import { convertV4MiniflareOptions, type Json, Miniflare } from "miniflare";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundleWorker } from "../../src/lab/harness/bundle.ts";
import { childWorkerds } from "../harness/running.ts";
import { createEventTokens } from "../../src/events/token.ts";
import { ACTIONS } from "../../src/events/ubi.ts";

const EVENTS = Number(process.env["ARMMT_EVENTS"] ?? 5000);
const BATCH = 100;
const CONNECTIONS = 4;
const KILLS = 2;
/** One batch in so many is sent again although it was answered. */
const REPEATED = 20;

const SECRET = "a-secret-for-tests-only-of-32-characters";
const VARS = {
  INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9", window: 0 } },
  EVENT_SECRET: SECRET,
};

const home = mkdtempSync(join(tmpdir(), "armmt-killed-"));
let bundle: Bundle;

beforeAll(async () => {
  bundle = await bundleWorker(fileURLToPath(new URL("../../wrangler.toml", import.meta.url)), join(home, "bundle"));
}, 180_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Edge {
  readonly url: string;
  /** As the machine would: at once, whatever it does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  count(sql: string): Promise<unknown>;
  /** Of the events in R2. */
  lines(): Promise<readonly string[]>;
}

/** `folder`: of the state; the same one, the same state. */
async function startEdge(folder: string, vars: Readonly<Record<string, Json>> = {}): Promise<Edge> {
  const before = new Set(childWorkerds());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: bundle.modules.map(({ name, type, bytes }) => ({ type, path: name, contents: bytes })),
      compatibilityDate: bundle.compatibilityDate,
      bindings: { ...VARS, ...vars },
      kvNamespaces: { EMBEDDINGS: "killed-embeddings" },
      d1Databases: { EVENTS: "killed-events" },
      r2Buckets: { EVENTS_BUCKET: "killed-bucket" },
      queueProducers: { EVENTS_QUEUE: "killed-queue" },
      queueConsumers: { "killed-queue": { maxBatchSize: 10, maxBatchTimeout: 1 } },
      resourcePersistencePath: join(home, folder),
      host: "127.0.0.1",
      port: 0,
      cf: false,
      handleStructuredLogs: () => undefined,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  await miniflare.ready;
  const [pid] = childWorkerds().filter((child) => !before.has(child));
  if (pid === undefined) throw new Error("Cannot find the workerd that was started");
  return {
    url: (await miniflare.unsafeGetDirectURL()).origin,
    async kill() {
      process.kill(pid, "SIGKILL");
      await miniflare.dispose().catch(() => undefined);
    },
    stop: () => miniflare.dispose(),
    count: async (sql) => (await miniflare.getD1Database("EVENTS")).prepare(sql).first("n"),
    lines: async () => {
      const bucket = await miniflare.getR2Bucket("EVENTS_BUCKET");
      const { objects } = await bucket.list({ prefix: "ubi_events/" });
      const texts = await Promise.all(objects.map(async ({ key }) => (await (await bucket.get(key))?.text()) ?? ""));
      return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
    },
  };
}

const tokens = createEventTokens({ secret: SECRET, now: () => Date.now() });

/** A search with 25 items and events about them, no two alike: each action of each item once. */
async function makeBatch(number: number, size: number): Promise<string> {
  const itemIds = Array.from({ length: 25 }, (_, i) => `item-${number}-${i}`);
  const token = await tokens.issue({
    queryId: `query-${number}`,
    application: "products",
    experiment: "rerank",
    variant: "armmt",
    itemIds,
  });
  const events = Array.from({ length: size }, (_, i) => ({
    token: 0,
    action_name: ACTIONS[i % ACTIONS.length],
    event_id: String(i),
    timestamp: Date.now(),
    event_attributes: { object: { object_id: itemIds[i % itemIds.length], price: i, quantity: 1 } },
  }));
  return JSON.stringify({ sent_at: Date.now(), tokens: [token], events });
}

const answerSchema = v.object({ accepted: v.number(), duplicates: v.number(), rejected: v.array(v.unknown()) });

describe("events while the edge is killed", () => {
  it(
    `are all there once: ${EVENTS} of them, ${KILLS} kills`,
    async () => {
      let edge = await startEdge("killed");
      const batches = Math.ceil(EVENTS / BATCH);
      const killAt = Array.from({ length: KILLS }, (_, i) => Math.ceil((batches * (i + 1)) / (KILLS + 1)));
      const seen = { accepted: 0, duplicates: 0, rejected: 0, unanswered: 0, repeated: 0 };
      let next = 0;
      let answered = 0;
      let kills = 0;
      let restarting: Promise<void> | undefined;
      const startedAt = performance.now();

      async function send(body: string): Promise<void> {
        for (;;) {
          await restarting;
          try {
            const response = await fetch(`${edge.url}/events`, { method: "POST", body });
            if (response.status !== 200) throw new Error(`The edge answered ${response.status}`);
            const { accepted, duplicates, rejected } = v.parse(answerSchema, await response.json());
            seen.accepted += accepted;
            seen.duplicates += duplicates;
            seen.rejected += rejected.length;
            return;
          } catch {
            seen.unanswered++;
            await new Promise((resolve) => {
              setTimeout(resolve, 20);
            });
          }
        }
      }

      async function restart(): Promise<void> {
        await edge.kill();
        edge = await startEdge("killed");
      }

      async function work(): Promise<void> {
        while (next < batches) {
          const number = next++;
          const size = Math.min(BATCH, EVENTS - number * BATCH);
          const body = await makeBatch(number, size);
          await send(body);
          if (number % REPEATED === 0) {
            await send(body);
            seen.repeated += size;
          }
          answered++;
          if (answered >= (killAt[kills] ?? Infinity)) {
            kills++;
            restarting = restart();
          }
        }
      }
      await Promise.all(Array.from({ length: CONNECTIONS }, work));
      await restarting;

      const seconds = (performance.now() - startedAt) / 1000;
      const rows = await edge.count("SELECT count(*) AS n FROM ubi_events");
      const different = await edge.count(
        "SELECT count(DISTINCT query_id || ' ' || object_id || ' ' || action_name || ' ' || price) AS n FROM ubi_events",
      );
      await edge.stop();
      // Written, although the answer was lost with the process: what came again counts as known.
      const lostAnswers = seen.duplicates - seen.repeated;
      console.info(
        `${EVENTS} events in ${seconds.toFixed(1)} s (${Math.round(EVENTS / seconds)}/s), ${kills} kills: ${JSON.stringify({ ...seen, lostAnswers, rows })}`,
      );
      expect({ rows, different, kills, rejected: seen.rejected }).toEqual({ rows: EVENTS, different: EVENTS, kills: KILLS, rejected: 0 });
      expect(seen.accepted + lostAnswers).toBe(EVENTS);
      expect(lostAnswers).toBeGreaterThanOrEqual(0);
    },
    60_000 + EVENTS * 10,
  );
});

async function post(edge: Edge, number: number): Promise<unknown> {
  const response = await fetch(`${edge.url}/events`, { method: "POST", body: await makeBatch(number, BATCH) });
  return response.json();
}

describe("events through a queue", () => {
  it("come to D1, once", async () => {
    const edge = await startEdge("queue-d1", { EVENT_SINKS: ["queue"] });
    try {
      const body = await makeBatch(1, BATCH);
      for (let i = 0; i < 2; i++) await (await fetch(`${edge.url}/events`, { method: "POST", body })).json();
      expect(await post(edge, 2)).toEqual({ accepted: BATCH, duplicates: 0, rejected: [] });
      const rows = async (): Promise<unknown> => edge.count("SELECT count(*) AS n FROM ubi_events").catch(() => 0);
      await expect.poll(rows, { timeout: 15_000 }).toBe(2 * BATCH);
    } finally {
      await edge.stop();
    }
  });

  it("come to R2, as lines", async () => {
    const edge = await startEdge("queue-r2", { EVENT_SINKS: ["queue"], QUEUE_SINK: "r2" });
    try {
      await post(edge, 1);
      await expect.poll(async () => (await edge.lines()).length, { timeout: 15_000 }).toBe(BATCH);
      expect(JSON.parse((await edge.lines())[0] ?? "")).toMatchObject({ query_id: "query-1", application: "products" });
    } finally {
      await edge.stop();
    }
  });
});

describe("Algolia's own client", () => {
  it("sends its events here, with the token where its query id stands", async () => {
    const edge = await startEdge("algolia");
    try {
      const { host } = new URL(edge.url);
      const client = algoliasearch("app", "key").initInsights({
        options: { hosts: [{ url: host, accept: "readWrite", protocol: "http" }] },
      });
      const queryID = await tokens.issue({ queryId: "query-1", application: "products", variant: "armmt", itemIds: ["mug", "cup"] });
      const common = { index: "products", userToken: "user-1", queryID };
      const answer = await client.pushEvents({
        events: [
          { ...common, eventType: "click", eventName: "Clicked", objectIDs: ["cup"], positions: [2] },
          {
            ...common,
            eventType: "conversion",
            eventSubtype: "purchase",
            eventName: "Bought",
            objectIDs: ["cup"],
            objectData: [{ queryID, price: 12.5, quantity: 1 }],
            currency: "EUR",
          },
        ],
      });
      expect(answer).toMatchObject({ status: 200, accepted: 2 });
      expect(await edge.count("SELECT count(*) AS n FROM ubi_events WHERE object_id = 'cup' AND client_id IS NULL")).toBe(2);
    } finally {
      await edge.stop();
    }
  });
});
