/**
 * A throw in each step after the engine's reply: the shopper gets the engine's answer to their own request, with the reason, counted once.
 * And hosts without an execution context, or with the edge below a prefix.
 */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { CreateDialect, Dialect, RequestPlan, RequestReply, SearchPlan } from "../../src/backends/dialect.ts";
import type { Dialects } from "../../src/backends/dialects.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { type Counters, createCounters } from "../../src/events/counters.ts";
import { CONSENT_HEADER, TOKENS_HEADER, USER_HEADER } from "../../src/protocol.ts";
import type { ListTensors } from "../../src/ranking/features.ts";
import { ok } from "../../src/result.ts";
import { publish } from "./catalog.ts";
import {
  demoShop,
  type Edge,
  type EdgeOptions,
  ENGINE_URL,
  idsOf,
  match,
  openEdge,
  outcomeOf,
  postJson,
  type ReplyJson,
  student,
  TOKEN,
  WINDOW,
} from "./edge.ts";

const CATALOG = "fail-open";
const PATH = "/products/_search";
const BROKEN = new Error("A bug");
const boom = (): never => {
  throw BROKEN;
};

/** A page inside the window, for which the request is widened; and the whole window, for which it is not. */
const PAGES = [
  ["widened", { from: 4, size: 6 }],
  ["as it is", { size: WINDOW }],
] as const;

beforeAll(() => publish(CATALOG));

const engineBody = async (page: object): Promise<string> =>
  (await demoShop(new Request(`${ENGINE_URL}${PATH}`, postJson(match("red", page))))).text();

const ELASTICSEARCH = ALL_DIALECTS.get("elasticsearch")!;

/** Elasticsearch's dialect with other functions. */
function withDialect(change: (dialect: Dialect) => Partial<Dialect>): Dialects {
  const create: CreateDialect = (indexes) => {
    const dialect = ELASTICSEARCH.create(indexes);
    return { ...dialect, ...change(dialect) };
  };
  return new Map([["elasticsearch", { ...ELASTICSEARCH, create }]]);
}

function withPlan(change: (plan: RequestPlan) => Partial<RequestPlan>): Dialects {
  return withDialect((dialect) => ({
    plan(request, index) {
      const plan = dialect.plan(request, index);
      return plan.ok ? ok({ ...plan.value, ...change(plan.value) }) : plan;
    },
  }));
}

function withReply(change: Partial<RequestReply>): Dialects {
  return withPlan((plan) => ({
    parseReply(bytes) {
      const read = plan.parseReply(bytes);
      return read.ok ? ok({ ...read.value, ...change }) : read;
    },
  }));
}

const counting = (change: Partial<Counters>): Counters => ({ ...createCounters(), ...change });

describe.each(PAGES)("a throw after the engine's reply, the request %s", (_, page) => {
  async function send(options: Partial<EdgeOptions>, query = ""): Promise<{ edge: Edge; response: Response; text: string }> {
    const edge = openEdge({ catalog: CATALOG, ...options });
    const init = postJson(match("red", page), query === "" ? {} : { authorization: `Bearer ${TOKEN}` });
    const response = await edge.send(`${PATH}${query}`, init);
    return { edge, response, text: await response.text() };
  }

  async function expectEngineOrder(options: Partial<EdgeOptions>, query = ""): Promise<Edge> {
    const { edge, response, text } = await send(options, query);
    expect([response.status, outcomeOf(response)]).toEqual([200, "internal_error"]);
    expect(text).toBe(await engineBody(page));
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { internal_error: 1 } }, exposures: { written: 1, failed: 0 } });
    expect(edge.logs.filter(({ event }) => event === "bypass")).toEqual([
      expect.objectContaining({ level: "error", reason: "internal_error", detail: expect.stringContaining("A bug") }),
    ]);
    return edge;
  }

  it("in the choice of the window", () =>
    expectEngineOrder({
      dialects: withPlan((plan) => ({ searches: plan.searches.map(throwingOnce) })),
    }));

  it("in reading the reply", async () => {
    let calls = 0;
    await expectEngineOrder({
      dialects: withPlan((plan) => ({ parseReply: (bytes) => (calls++ === 0 ? boom() : plan.parseReply(bytes)) })),
    });
  });

  it("in ordering", async () => {
    const model = student.ok ? student.value : undefined;
    const edge = await expectEngineOrder({ scorer: ok({ manifest: model!.manifest, score: boom }) });
    // The page is cut from the reply at hand.
    expect(edge.exchanges).toHaveLength(1);
  });

  it("in assembling the page", async () => {
    const edge = await expectEngineOrder({ dialects: withReply({ assemble: boom }) });
    // A widened reply is not the shopper's: only then the engine is asked again.
    expect(edge.exchanges).toHaveLength(page.size === WINDOW ? 1 : 2);
    expect(edge.exchanges.at(-1)?.body).toBe(JSON.stringify(match("red", page)));
  });

  it("in explaining", () => {
    const model = student.ok ? student.value : undefined;
    const scorer = ok({
      // Its scores are the order: those of a difference are added to another order first, and read no more.
      manifest: { ...model!.manifest, form: "score" as const },
      score: async ({ k }: ListTensors) => {
        let reads = 0;
        return ok({
          gate: new Float32Array(2 * k),
          // The order reads it once, the explanation again.
          get score(): Float32Array {
            return reads++ === 0 ? Float32Array.from({ length: k }, (_score, i) => -i) : boom();
          },
        });
      },
    });
    return expectEngineOrder({ scorer }, "?armmt_explain");
  });

  it("in counting", () => {
    const counters = createCounters();
    const countSearch: Counters["countSearch"] = (variant, outcome) =>
      outcome === "applied" ? boom() : counters.countSearch(variant, outcome);
    return expectEngineOrder({ counters: { ...counters, countSearch } });
  });

  it("in counting, always: only the count is lost", async () => {
    const { response, text, edge } = await send({ counters: counting({ countSearch: boom, countExposure: boom }) });
    expect([response.status, outcomeOf(response), text]).toEqual([200, "internal_error", await engineBody(page)]);
    expect(edge.logs).toContainEqual(expect.objectContaining({ event: "after_reply_failed" }));
  });

  it("in the log: only the line is lost", async () => {
    const { edge, response, text } = await send({ catalog: "nobody", log: boom });
    expect([response.status, outcomeOf(response), text]).toEqual([200, "nothing_published", await engineBody(page)]);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { nothing_published: 1 } }, exposures: { written: 1 } });
  });

  it("in making tokens: the order stays, without a token", async () => {
    const encrypt = vi.spyOn(crypto.subtle, "encrypt").mockImplementation(boom);
    const vars = { EVENT_SECRET: "a-secret-for-tests-only-of-32-characters" };
    const { edge, response } = await send({ vars }).finally(() => encrypt.mockRestore());
    expect([response.status, outcomeOf(response), response.headers.get(TOKENS_HEADER)]).toEqual([200, "applied", null]);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { applied: 1 } }, exposures: { written: 1 } });
  });

  it.each(["record", "sink"])("in the exposure %s: the order stays, the failure is counted", async (step) => {
    // The record hashes the unit.
    const sign = vi.spyOn(crypto.subtle, "sign");
    if (step === "record") sign.mockImplementation(boom);
    const vars = { EVENT_SECRET: "a-secret-for-tests-only-of-32-characters" };
    const edge = openEdge({ catalog: CATALOG, vars, ...(step === "sink" && { sink: { write: boom } }) });
    const init = postJson(match("red", page), { [USER_HEADER]: "shopper-1", [CONSENT_HEADER]: "1" });
    const response = await edge.send(PATH, init).finally(() => sign.mockRestore());
    expect([response.status, outcomeOf(response), idsOf(await response.json()).length]).toEqual([200, "applied", page.size]);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { applied: 1 } }, exposures: { written: 0, failed: 1 } });
  });
});

const withBrokenUbi = (plan: SearchPlan) => Object.defineProperty({ ...plan }, "ubi", { get: boom, enumerable: true });

describe("a throw before the engine is asked", () => {
  const page = { from: 4, size: 6 };
  const search = postJson(match("red", page));

  async function expectEngineOrder(edge: Edge): Promise<void> {
    const response = await edge.send(PATH, search);
    expect([response.status, outcomeOf(response)]).toEqual([200, "internal_error"]);
    expect(await response.text()).toBe(await engineBody(page));
    expect(edge.exchanges.map(({ body }) => body)).toEqual([JSON.stringify(match("red", page))]);
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { internal_error: 1 } }, exposures: { written: 0, failed: 1 } });
    expect(edge.logs).toContainEqual(
      expect.objectContaining({ level: "error", reason: "internal_error", detail: expect.stringContaining("A bug") }),
    );
  }

  it("in making an id", () => expectEngineOrder(openEdge({ catalog: CATALOG, createId: boom })));

  it("in reading the time", async () => {
    let isBroken = false;
    const now = (): number => {
      if (!isBroken) return Date.now();
      isBroken = false;
      return boom();
    };
    const edge = openEdge({ catalog: CATALOG, now });
    isBroken = true;
    await expectEngineOrder(edge);
  });

  it("in reading the query", () => {
    return expectEngineOrder(
      openEdge({ catalog: CATALOG, dialects: withPlan((plan) => ({ searches: plan.searches.map(withBrokenUbi) })) }),
    );
  });

  it("with an engine that is away: 502, not 500", async () => {
    const edge = openEdge({ catalog: CATALOG, createId: boom, engine: boom });
    const response = await edge.send(PATH, search);
    expect([response.status, outcomeOf(response)]).toEqual([502, "engine_unreachable"]);
  });

  it("in counting too", async () => {
    const edge = openEdge({ catalog: CATALOG, createId: boom, counters: counting({ countSearch: boom }) });
    const response = await edge.send(PATH, search);
    expect([response.status, outcomeOf(response), await response.text()]).toEqual([200, "internal_error", await engineBody(page)]);
  });
});

/** A copy whose offset cannot be read the first time. */
function throwingOnce(search: SearchPlan): SearchPlan {
  let reads = 0;
  const get = () => (reads++ === 0 ? boom() : search.offset);
  return Object.defineProperty({ ...search }, "offset", { get, enumerable: true });
}

describe("any host", () => {
  const search = postJson(match("red", { from: 4, size: 6 }));
  const SECRET = { EVENT_SECRET: "a-secret-for-tests-only-of-32-characters" };

  it.each(["", "/shop", "/shop/deep"])("serves searches and events below %j, with and without an execution context", async (prefix) => {
    const edge = openEdge({ catalog: CATALOG, vars: SECRET });
    const app = prefix === "" ? edge.app : new Hono().route(prefix, edge.app);
    const context = createExecutionContext();
    const expected: ReplyJson = await (await edge.send(PATH, search)).json();
    for (const args of [[], [{}, context]] as const) {
      const response = await app.request(`${prefix}${PATH}`, search, ...args);
      expect([response.status, outcomeOf(response)]).toEqual([200, "applied"]);
      const token = response.headers.get(TOKENS_HEADER) ?? "";
      const reply: ReplyJson = await response.json();
      expect(reply).toEqual(expected);
      const [id] = idsOf(reply);
      const click = { action_name: "click", event_attributes: { object: { object_id: id } } };
      const sent = await app.request(`${prefix}/events`, postJson({ tokens: [token], events: [click] }), ...args);
      expect([sent.status, await sent.json()]).toMatchObject([200, { accepted: 1 }]);
    }
    await waitOnExecutionContext(context);
    expect(new Set(edge.exchanges.map(({ url }) => url))).toEqual(new Set([`${ENGINE_URL}${PATH}`]));
    await vi.waitFor(() => expect(edge.records).toHaveLength(3));
  });
});
