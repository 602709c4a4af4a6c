/** Every fault injected one by one: what the shopper gets, the reason in the header, and that it is counted, logged and recorded. */
import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { KvReader } from "../../src/embeddings/store.ts";
import type { Scorer } from "../../src/inference/scorer.ts";
import { type Bypass, err, ok, type Result } from "../../src/result.ts";
import { drawnItems, publish } from "./catalog.ts";
import {
  demoShop,
  type Edge,
  type EdgeOptions,
  type Engine,
  ENGINE_URL,
  idsOf,
  match,
  openEdge,
  outcomeOf,
  postJson,
  student,
  WINDOW,
} from "./edge.ts";

const CATALOG = "faults";
const PAGE = { from: 4, size: 6, aggs: { categories: { terms: { field: "category" } } } };
const brokenGet = (): Promise<never> => Promise.reject(new Error("KV GET failed: 500"));

/** KV, 30 ms late. */
const slowKv: KvReader = { get: slowGet };
function slowGet(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
function slowGet(key: string, type: "text"): Promise<string | null>;
async function slowGet(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
  await wait(30);
  return type === "text" ? env.EMBEDDINGS.get(key, "text") : env.EMBEDDINGS.get(key, "arrayBuffer");
}

const SEARCH = postJson(match("red", PAGE));

let expected: string;

beforeAll(async () => {
  await publish(CATALOG);
  expected = await (await demoShop(new Request(`${ENGINE_URL}/products/_search`, SEARCH))).text();
});

const sizeOf = async (request: Request) => JSON.parse(await request.clone().text()).size;
const isWide = async (request: Request) => (await sizeOf(request)) === WINDOW;

const wait = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** The shop, except that requests for the whole window get `reply`. */
const refusing =
  (reply: (request: Request) => Response | Promise<Response>): Engine =>
  async (request) =>
    (await isWide(request)) ? reply(request) : demoShop(request);

async function expectCounted(edge: Edge, reason: string): Promise<void> {
  expect(edge.counters.snapshot()).toEqual({ searches: { armmt: { [reason]: 1 } }, exposures: { written: 1, failed: 0 }, bots: 0 });
  const lines = edge.logs.filter((entry) => entry["event"] === "bypass");
  expect(lines).toEqual([expect.objectContaining({ level: "warn", variant: "armmt", index: "products", reason })]);
  expect(JSON.stringify(lines)).not.toMatch(/\bred\b/);
  expect(edge.records.map((record) => record.query_attributes.armmt.bypass)).toEqual([reason]);
}

/** The shopper's page in the engine's order, in an envelope that reads as for their own request; here even the bytes are the same. */
async function expectEnginePage(options: Partial<EdgeOptions>, reason: string): Promise<Edge> {
  const edge = openEdge({ catalog: CATALOG, ...options });
  const response = await edge.send("/products/_search", SEARCH);
  expect(outcomeOf(response)).toBe(reason);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(expected);
  expect(response.headers.get("content-length")).toBe(String(new TextEncoder().encode(expected).length));
  await expectCounted(edge, reason);
  expect(edge.records[0]!.query_response_hit_ids).toEqual(idsOf(JSON.parse(expected)));
  return edge;
}

describe("the engine fails", () => {
  it.each<[string, number, string, Engine, Readonly<Record<string, number>>]>([
    ["down", 502, "engine_unreachable", () => Promise.reject(new TypeError("Network connection lost")), {}],
    [
      "silent past its budget",
      504,
      "engine_timeout",
      () => wait(3000).then(() => new Response("late")),
      { ENGINE_TIMEOUT_MS: 60, RANK_BUDGET_MS: 50 },
    ],
    [
      "slow in the middle of its reply",
      504,
      "engine_timeout",
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"took"')) })),
      { ENGINE_TIMEOUT_MS: 60, RANK_BUDGET_MS: 50 },
    ],
    [
      "broken off in the middle of its reply",
      502,
      "engine_unreachable",
      () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("Connection reset")) })),
      {},
    ],
  ])("%s: %d, in Elasticsearch's words", async (_, status, reason, engine, vars) => {
    const edge = openEdge({ catalog: CATALOG, engine, vars, maxReplyBytes: 1 << 20 });
    const response = await edge.send("/products/_search", SEARCH);
    expect([response.status, outcomeOf(response), response.headers.get("cache-control")]).toEqual([status, reason, "no-store"]);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status, error: { type: reason, root_cause: [{ type: reason }] } });
    expect(text).not.toContain("127.0.0.1");
    await expectCounted(edge, reason);
    expect(edge.records[0]!.query_response_hit_ids).toEqual([]);
  });

  it.each([400, 404, 429, 500, 503])("with status %d: its own answer passes through", async (status) => {
    const body = '{"error":{"type":"es_rejected_execution_exception"},"status":0}';
    const headers = { "content-type": "application/json", "retry-after": "7", "x-elastic-product": "Elasticsearch" };
    const edge = openEdge({ catalog: CATALOG, engine: () => new Response(body, { status, headers }) });
    const response = await edge.send("/products/_search", SEARCH);
    expect([response.status, outcomeOf(response), await response.text()]).toEqual([status, "engine_status", body]);
    for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toBe(value);
    await expectCounted(edge, "engine_status");
  });

  it.each<[string, string, () => Response | Promise<Response>]>([
    [
      "refuses the window",
      "engine_refused_window",
      () => Response.json({ error: { type: "illegal_argument_exception" }, status: 400 }, { status: 400 }),
    ],
    ["breaks at the window", "engine_refused_window", () => Promise.reject(new Error("Connection reset"))],
    ["truncates its reply", "reply_not_json", async () => new Response(expected.slice(0, -40))],
    ["sends a page of HTML", "reply_not_json", () => new Response("<html>busy</html>")],
    ["sends JSON that is no search reply", "reply_not_search", () => Response.json({ acknowledged: true })],
    ["repeats an id", "duplicate_ids", () => Response.json({ hits: { hits: [{ _id: "a" }, { _id: "a" }] } })],
  ])("%s: the shopper's own request goes out unchanged", async (_, reason, reply) => {
    const edge = await expectEnginePage({ engine: refusing(reply) }, reason);
    expect(edge.exchanges.map((exchange) => exchange.body)).toEqual([
      JSON.stringify(match("red", { ...PAGE, from: 0, size: WINDOW })),
      JSON.stringify(match("red", PAGE)),
    ]);
  });

  it.each([
    ["reply_not_json", '{"hits":{"hits":[{"_id":"a"'],
    ["reply_not_search", '{"took":3}'],
    ["duplicate_ids", '{"hits":{"hits":[{"_id":"a"},{"_id":"a"}]}}'],
  ])("%s also for the shopper's own request: these bytes, this status", async (reason, body) => {
    for (const page of [PAGE, { size: WINDOW }]) {
      const edge = openEdge({ catalog: CATALOG, engine: () => new Response(body) });
      const response = await edge.send("/products/_search", postJson(match("red", page)));
      expect([response.status, outcomeOf(response), await response.text()]).toEqual([200, reason, body]);
      await expectCounted(edge, reason);
    }
  });

  it("too large a reply is streamed on, whole", async () => {
    const hits = Array.from({ length: 3000 }, (_, i) => ({ _id: `id-${i}`, _score: 1 }));
    const body = JSON.stringify({ hits: { hits } });
    const engine: Engine = () => {
      const bytes = new TextEncoder().encode(body);
      let at = 0;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + 1000));
        at += 1000;
      };
      return new Response(new ReadableStream({ pull }));
    };
    for (const page of [{}, { size: WINDOW }]) {
      const edge = openEdge({ catalog: CATALOG, engine, maxReplyBytes: 4096 });
      const response = await edge.send("/products/_search", postJson(match("red", page)));
      expect(outcomeOf(response)).toBe("reply_too_large");
      expect(await response.text()).toBe(body);
      await expectCounted(edge, "reply_too_large");
    }
  });
});

describe("item vectors fail", () => {
  it("nothing published", () => expectEnginePage({ catalog: "nobody" }, "nothing_published"));

  it("a shard is missing", async () => {
    const [key] = await publish("missing");
    await env.EMBEDDINGS.delete(key!);
    await expectEnginePage({ catalog: "missing" }, "shard_missing");
  });

  it("a shard's checksum is wrong", async () => {
    const [key] = await publish("corrupt");
    const bytes = new Uint8Array((await env.EMBEDDINGS.get(key!, "arrayBuffer"))!);
    bytes[bytes.length >> 1]! ^= 1;
    await env.EMBEDDINGS.put(key!, bytes);
    await expectEnginePage({ catalog: "corrupt" }, "shard_corrupt");
  });

  it("the store throws", () => expectEnginePage({ kv: { get: brokenGet } }, "store_unavailable"));

  it("the store is slow, and is still waited for after the reply so that the next search finds its shards", async () => {
    const edge = await expectEnginePage({ kv: slowKv, vars: { RANK_BUDGET_MS: 80 } }, "store_timeout");
    const outcomes: string[] = [];
    for (let i = 0; i < 10 && !outcomes.includes("applied"); i++) outcomes.push(outcomeOf(await edge.send("/products/_search", SEARCH)));
    expect(outcomes).toContain("applied");
  });

  it("all hits are unknown", async () => {
    await publish("strangers", { items: drawnItems().map((item) => ({ ...item, itemId: `other-${item.itemId}` })) });
    await expectEnginePage({ catalog: "strangers" }, "no_item_vectors");
  });

  it("all hits are without vectors", async () => {
    await publish("bare", { items: drawnItems().map((item) => ({ ...item, image: undefined, text: undefined })) });
    await expectEnginePage({ catalog: "bare" }, "no_item_vectors");
  });

  it("some hits are unknown: those that are known are re-ranked with them", async () => {
    await publish("half", { items: drawnItems().filter((_, i) => i % 2 === 0) });
    const edge = openEdge({ catalog: "half" });
    const response = await edge.send("/products/_search", postJson(match("red", { size: WINDOW })));
    expect(outcomeOf(response)).toBe("applied");
    expect(idsOf(await response.json())).toHaveLength(WINDOW);
  });
});

describe("the model fails", () => {
  const { value: model } = student.ok ? student : { value: undefined };
  const failing = (score: Scorer["score"]): Result<Scorer, Bypass> => ok({ manifest: model!.manifest, score });

  it("it does not fit the published vectors, which the log names on both sides", async () => {
    await publish("foreign", { set: { imageEncoder: "somebody-elses/1" } });
    const edge = await expectEnginePage({ catalog: "foreign" }, "model_mismatch");
    expect(edge.logs[0]!["detail"]).toContain("somebody-elses/1");
  });

  it.each(["model_unavailable", "model_mismatch"] as const)("it was not loaded (%s): the window is not even asked for", async (reason) => {
    const edge = await expectEnginePage({ scorer: err({ reason, detail: "Refused at start" }) }, reason);
    expect(edge.exchanges.map((exchange) => exchange.body)).toEqual([JSON.stringify(match("red", PAGE))]);
  });

  it("its scores are NaN, from a run over vectors that are", () =>
    expectEnginePage(
      { scorer: failing((list) => model!.score({ ...list, image: list.image.map(() => Number.NaN) })) },
      "scores_not_finite",
    ));

  it("its run is refused, for tensors that do not fit", () =>
    expectEnginePage({ scorer: failing((list) => model!.score({ ...list, image: list.image.slice(1) })) }, "model_failed"));

  it("it gives a score too few", () =>
    expectEnginePage(
      {
        scorer: failing(async (list) => {
          const scores = await model!.score(list);
          return scores.ok ? ok({ ...scores.value, score: scores.value.score.slice(1) }) : scores;
        }),
      },
      "scores_wrong_count",
    ));

  it("it takes longer than the budget", () =>
    expectEnginePage(
      {
        scorer: failing(async (list) => {
          await wait(1500);
          return model!.score(list);
        }),
        vars: { RANK_BUDGET_MS: 600 },
      },
      "over_budget",
    ));

  it("a bug throws: the page is the engine's, and the log has the stack", async () => {
    const edge = openEdge({ catalog: CATALOG, scorer: failing(() => Promise.reject(new Error("A bug"))) });
    const response = await edge.send("/products/_search", SEARCH);
    expect([outcomeOf(response), await response.text()]).toEqual(["internal_error", expected]);
    expect(edge.logs[0]).toMatchObject({ level: "error", reason: "internal_error" });
    expect(edge.logs[0]!["detail"]).toMatch(/A bug\n\s+at /);
  });
});

describe("the event store fails", () => {
  it.each([
    ["refuses", () => Promise.resolve(err("D1_ERROR: no space"))],
    ["throws", () => Promise.reject(new Error("D1 is down"))],
  ])("%s: the shopper does not notice, the counter does", async (_, write) => {
    const edge = openEdge({ catalog: CATALOG, sink: { write } });
    const response = await edge.send("/products/_search", SEARCH);
    expect(outcomeOf(response)).toBe("applied");
    expect(edge.counters.snapshot()).toEqual({ searches: { armmt: { applied: 1 } }, exposures: { written: 0, failed: 1 }, bots: 0 });
    expect(edge.logs).toEqual([
      expect.objectContaining({ event: "exposure_failed", level: "warn", detail: expect.stringContaining("D1") }),
    ]);
  });
});
