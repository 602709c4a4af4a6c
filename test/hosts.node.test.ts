/** Hosts that give no execution context: `app.request()` and the stock `serve()` of @hono/node-server. */
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALL_DIALECTS } from "../src/backends/all-dialects.ts";
import { openEdge, type Platform } from "../src/edge.ts";
import { type Counters, createCounters } from "../src/events/counters.ts";
import { OUTCOME_HEADER } from "../src/protocol.ts";
import { bypass, ok } from "../src/result.ts";

const HITS = [0, 1, 2].map((i) => ({ _index: "products", _id: `p${i}`, _score: 3 - i, _source: {} }));
const REPLY = { took: 1, timed_out: false, hits: { total: { value: 3, relation: "eq" }, hits: HITS } };
const SEARCH = { method: "POST", headers: { "content-type": "application/json" }, body: '{"query":{"match":{"title":"red"}}}' };
const EVENTS = { method: "POST", headers: { "content-type": "application/json" }, body: "[]" };

const rejected: unknown[] = [];
const note = (reason: unknown): void => void rejected.push(reason);
beforeEach(() => void process.on("unhandledRejection", note));
afterEach(() => {
  process.off("unhandledRejection", note);
  expect(rejected).toEqual([]);
});

function platform(more: Partial<Platform> = {}): Platform {
  return {
    env: {
      INDEXES: { products: { backend: "elasticsearch", url: "http://localhost:9200", window: 20 } },
      EVENT_SECRET: "a-secret-for-tests-only-of-32-characters",
    },
    kv: { get: async () => null },
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: () => bypass("model_unavailable", "none"),
    fetch: async () => Response.json(REPLY),
    dialects: ALL_DIALECTS,
    log: () => undefined,
    ...more,
  };
}

async function expectServed(fetch: (path: string, init: RequestInit) => Response | Promise<Response>): Promise<void> {
  const found = await fetch("/products/_search", SEARCH);
  expect([found.status, await found.json(), found.headers.get(OUTCOME_HEADER)]).toEqual([200, REPLY, "bypass; reason=model_unavailable"]);
  const sent = await fetch("/events", EVENTS);
  expect([sent.status, await sent.json()]).toEqual([200, { accepted: 0, duplicates: 0, rejected: [] }]);
}

describe.each(["", "/shop"])("mounted below %j", (prefix) => {
  const mounted = (edge = openEdge(platform())) => new Hono().route(prefix === "" ? "/" : prefix, edge);

  it("app.request()", async () => {
    const app = mounted();
    await expectServed((path, init) => app.request(`${prefix}${path}`, init));
  });

  it("the stock server of @hono/node-server", async () => {
    const app = mounted();
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    try {
      await vi.waitFor(() => expect(server.listening).toBe(true));
      const { port } = server.address() as AddressInfo; // oxlint-disable-line no-unsafe-type-assertion
      await expectServed((path, init) => fetch(`http://127.0.0.1:${port}${prefix}${path}`, init));
    } finally {
      server.close();
    }
  });
});

describe("the start", () => {
  it("names each engine that is asked in the clear, unless its host is surely private", () => {
    const engine = { backend: "elasticsearch", window: 20, allowInsecureHttp: true };
    const INDEXES = {
      near: { ...engine, url: "http://elasticsearch:9200" },
      here: { ...engine, url: "http://localhost:9200" },
      sealed: { ...engine, url: "https://es.example.com" },
      far: { ...engine, url: "http://es.example.com:9200" },
    };
    const logged: unknown[] = [];
    openEdge(platform({ env: { INDEXES }, log: (entry) => logged.push(entry) }));
    expect(logged).toEqual([
      { level: "warn", event: "insecure_http", index: "far", detail: expect.stringContaining("http://es.example.com:9200: key, searches") },
    ]);
  });
});

describe("the country of a shopper", () => {
  const EXPERIMENTS = [{ key: "rerank", variations: ["control", "armmt"], weights: [1, 0], condition: { country: "DE" } }];
  const outcomeWith = async (headers: Record<string, string>, vars: object = {}) => {
    const INDEXES = { products: { backend: "elasticsearch", url: "http://localhost:9200", window: 20 } };
    const app = openEdge(platform({ env: { INDEXES, EXPERIMENTS, ...vars } }));
    const reply = await app.request("/products/_search", { ...SEARCH, headers: { ...SEARCH.headers, "x-armmt-user": "u1", ...headers } });
    return reply.headers.get(OUTCOME_HEADER);
  };
  const [inIt, outside] = ["bypass; reason=engine_order", "bypass; reason=model_unavailable"];

  it("is believed from the header that the configuration names, and from no other outside of Cloudflare", async () => {
    expect(await outcomeWith({ "cf-ipcountry": "DE" })).toBe(outside);
    expect(await outcomeWith({ "cf-ipcountry": "DE" }, { CLIENT_COUNTRY_HEADER: "x-country" })).toBe(outside);
    expect(await outcomeWith({ "x-country": "DE" }, { CLIENT_COUNTRY_HEADER: "x-country" })).toBe(inIt);
    expect(await outcomeWith({ "x-country": "FR" }, { CLIENT_COUNTRY_HEADER: "x-country" })).toBe(outside);
  });
});

describe("work after the reply", () => {
  it("that rejects is logged, and never an unhandled rejection", async () => {
    const logged: unknown[] = [];
    const sinks = {
      write: () => Promise.reject(new Error("no store")),
      writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
    };
    // An exposure that fails is counted by counters that fail too.
    const counters: Counters = {
      ...createCounters(),
      countExposure() {
        throw new Error("no counters");
      },
    };
    const app = openEdge(platform({ sinks, counters, log: ({ event }) => logged.push(event) }));
    await expectServed((path, init) => app.request(path, init));
    await vi.waitFor(() => expect(logged).toContain("after_reply_failed"));
  });

  it("goes to the platform's afterReply where it has one", async () => {
    const work: Promise<unknown>[] = [];
    const app = openEdge(platform({ afterReply: (later) => void work.push(later) }));
    await expectServed((path, init) => app.request(path, init));
    expect(work.length).toBeGreaterThan(0);
    await Promise.all(work);
  });
});
