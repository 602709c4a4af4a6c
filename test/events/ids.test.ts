/** No id of a shopper is written anywhere as it came: every door, every sink, the dead letters, the log, the replies and the tokens. */
import { env } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAnalyticsSink } from "../../src/events/analytics.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createNdjsonSink } from "../../src/events/ndjson.ts";
import { createPipelineSink } from "../../src/events/pipeline.ts";
import { createQueueSink } from "../../src/events/queue.ts";
import type { Sink } from "../../src/events/sink.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import * as edge from "../../src/edge.ts";
import { scorersOf } from "../../src/inference/scorer.ts";
import { EVENT_ROUTES } from "../../src/protocol.ts";
import { bypass } from "../../src/result.ts";
import { sleep } from "../../src/web.ts";
import { demoShop, ENGINE_URL, idsOf, match, postJson, type ReplyJson } from "../search/edge.ts";
import { gaPurchase, segmentBatch } from "./official.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const [USER, SESSION, CLIENT] = ["rawUserId-4711", "rawSessionId-0815", "rawClientId-9393"];
const RAW = /raw(User|Session|Client)Id/i;

/** Everything that was written, as text. */
let written: string[] = [];
const note = (...values: readonly unknown[]): void =>
  void written.push(...values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))));

const down = { write: () => Promise.reject(new Error("down")), writeExposures: () => Promise.reject(new Error("down")) };
const SINKS: readonly Sink[] = [
  createD1Sink(env.EVENTS),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer is not looked at
  createQueueSink({ send: (message: unknown) => Promise.resolve(note(message)) } as never),
  createPipelineSink({ send: (records) => Promise.resolve(note(records)) }),
  createAnalyticsSink({ writeDataPoint: note }),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the reply is not looked at
  createNdjsonSink({ put: (key: string, text: unknown) => Promise.resolve(note(key, text)) } as never),
  { name: "down", ...down, writeEvents: () => Promise.reject(new Error("down")) },
];

const letters = new Map<string, string>();
const deadLetters = {
  put: (key: string, text: string) => Promise.resolve(void letters.set(key, text)),
  get: (key: string) => Promise.resolve(letters.get(key) ?? null),
  delete: (key: string) => Promise.resolve(void letters.delete(key)),
  list: () => Promise.resolve({ keys: [...letters.keys()].map((name) => ({ name })), list_complete: true }),
};

const work: Promise<unknown>[] = [];
const app = edge.openEdge({
  env: {
    INDEXES: { products: { backend: "elasticsearch", url: ENGINE_URL, window: 20, catalog: "none" } },
    EVENT_SECRET: SECRET,
    ORDER_SECRET: SECRET.toUpperCase(),
    EXPERIMENTS: [{ key: "rerank", variations: ["control", "armmt"] }],
  },
  kv: env.EMBEDDINGS,
  sinks: SINKS,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of KV that is used
  deadLetters: deadLetters as never,
  scorer: scorersOf([bypass("model_unavailable", "There is none in this test")]),
  fetch: (url, init) => Promise.resolve(demoShop(new Request(url, init))),
  dialects: ALL_DIALECTS,
  log: note,
  afterReply: (promise) => void work.push(promise),
});

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await app.fetch(new Request(`https://edge.example.com${path}`, init));
  note([...response.headers].join());
  if (EVENT_ROUTES.has(path.split("?")[0] ?? "")) note(await response.clone().text());
  return response;
}

async function everything(): Promise<string> {
  // Not the last attempts of the sink that is down: those take 17 seconds.
  await Promise.race([Promise.allSettled(work), sleep(1000)]);
  const tables = await Promise.all(["ubi_queries", "ubi_events"].map((table) => env.EVENTS.prepare(`SELECT * FROM ${table}`).all()));
  return [...written, ...letters.keys(), ...letters.values(), ...tables.map(({ results }) => JSON.stringify(results))].join("\n");
}

beforeAll(async () => {
  await env.EVENTS.batch([env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_queries"), env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_events")]);
});

beforeEach(() => {
  written = [];
  letters.clear();
});

const ext = { ubi: { query_id: `search-of-${USER}`, client_id: CLIENT, application: `shop of ${CLIENT}`, user_query: "mug" } };

describe.each(["1", "0"])("with consent %s", (consent) => {
  it("no sink, letter, log line, header or reply holds an id as it came", async () => {
    const who = { "x-armmt-user": USER, "x-armmt-session": SESSION, "x-armmt-consent": consent };
    const headers = { ...who, cookie: `id=${USER}`, authorization: `Bearer ${USER}` };
    const response = await send("/products/_search", postJson(match("red", { size: 5, ext }), headers));
    const reply: ReplyJson = await response.json();
    const [one = "", two = ""] = idsOf(reply);
    const token = response.headers.get("x-armmt-events") ?? "";
    await send(
      "/products/_search",
      postJson(match("blue", { ext: { ubi: { client_id: CLIENT, query_id: SESSION } } }), { ...who, "x-armmt-user": "" }),
    );
    await send(`/products/_search?preference=${USER}`, { method: "POST", body: `{"broken": "${USER}`, headers });

    const ubi = { token, client_id: CLIENT, user_id: USER, session_id: SESSION, message: USER, user_query: "mug" };
    const attributes = { object: { object_id: one, order_id: "7", user: USER }, comment: USER };
    const bodies: readonly (readonly [string, unknown])[] = [
      [
        "/events",
        { consent: consent === "1", client_id: CLIENT, events: [{ action_name: "click", ...ubi, event_attributes: attributes }] },
      ],
      // Refused, each for another reason.
      ["/events", [{ action_name: `by ${USER}`, ...ubi, token: USER, event_attributes: { object: { object_id: two } } }]],
      ["/events", [{ action_name: "click", ...ubi, timestamp: USER, event_attributes: { object: { object_id: two } } }]],
      [
        "/1/events",
        {
          events: [
            {
              eventType: "click",
              eventName: `Click of ${CLIENT}`,
              queryID: token,
              objectIDs: [two],
              userToken: CLIENT,
              authenticatedUserToken: USER,
            },
          ],
        },
      ],
      [
        "/feedback",
        {
          event: "interaction",
          id: USER,
          ranking: token,
          type: "click",
          item: two,
          user: USER,
          session: SESSION,
          fields: [{ name: "who", value: USER }],
        },
      ],
      [
        "/mp/collect?api_secret=x",
        { ...gaPurchase([one], token), client_id: CLIENT, user_id: USER, user_properties: { id: { value: USER } } },
      ],
      ["/v1/batch", { ...segmentBatch([one, two], token), userId: USER, anonymousId: CLIENT }],
      [
        "/v1/t",
        {
          type: "track",
          event: "Product Clicked",
          userId: USER,
          anonymousId: CLIENT,
          properties: { product_id: one, armmt_token: token, email: USER },
        },
      ],
      ["/v1/p", { type: "page", userId: USER, anonymousId: CLIENT, properties: { search: USER } }],
      ["/v1/i", { type: "identify", userId: USER, anonymousId: CLIENT, traits: { email: USER } }],
      ["/v1/a", { type: "alias", userId: USER, previousId: CLIENT }],
      ["/v1/m", { series: [{ type: "Counter", metric: USER, value: 1, tags: { library: "analytics.js" } }] }],
    ];
    for (const [path, body] of bodies) {
      const { status } = await send(path, postJson(body, headers)); // oxlint-disable-line no-await-in-loop
      // Segment's library reports what is answered otherwise as lost.
      if (path.startsWith("/v1/")) expect([path, status]).toEqual([path, 200]);
    }
    const all = await everything();
    // The doors took something, and every sink got something.
    expect(all).toContain(`"object_id":"${two}"`);
    expect(letters.size).toBeGreaterThan(3);
    const found = all.split("\n").filter((line) => RAW.test(line) && !line.includes('"action_unknown"'));
    expect(found).toEqual([]);
    expect(all).not.toMatch(/jake@yahoo|AiUGstSDIg|23adfd82|123456\.7654321|YOUR_WRITE_KEY|T_12345/);
  });
});
