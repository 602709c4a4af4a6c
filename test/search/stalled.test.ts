/** What a search asks besides the engine, when it hangs: every wait has a limit, and what hangs again and again is not asked for a while. */
import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { KvReader } from "../../src/embeddings/store.ts";
import { type Edge, match, openEdge, outcomeOf, postJson, TOKEN } from "./edge.ts";

const hang = (): Promise<never> => new Promise(() => {});
const HANGING: KvReader = { get: hang };
const EXPERIMENTS = [{ key: "rerank", variations: ["control", "armmt"] }];

/** One search, without waiting for what comes after its reply. */
async function ask({ app }: Edge, headers: Readonly<Record<string, string>> = {}): Promise<{ outcome: string; ms: number }> {
  const started = performance.now();
  const request = new Request("https://edge.example.com/products/_search", postJson(match("red", { size: 10 }), headers));
  const response = await app.fetch(request, {}, createExecutionContext());
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  return { outcome: outcomeOf(response), ms: performance.now() - started };
}

async function statusOf({ app }: Edge): Promise<unknown> {
  const request = new Request("https://edge.example.com/armmt/status", { headers: { authorization: `Bearer ${TOKEN}` } });
  return (await app.fetch(request, {}, createExecutionContext())).json();
}

async function askTimes(edge: Edge, times: number, headers: Readonly<Record<string, string>> = {}) {
  const replies: Awaited<ReturnType<typeof ask>>[] = [];
  for (let n = 0; n < times; n++) replies.push(await ask(edge, headers));
  return replies;
}

const quickest = (replies: readonly { readonly ms: number }[]): number => Math.min(...replies.map(({ ms }) => ms));

describe("a search while something hangs", () => {
  it("KV: waits for its share of the budget, then not at all, and says so", async () => {
    const edge = openEdge({ catalog: "hanging", kv: HANGING, vars: { RANK_BUDGET_MS: 400 } });
    expect((await askTimes(edge, 5)).map(({ outcome }) => outcome).slice(0, 2)).toEqual(["store_timeout", "store_timeout"]);
    const left = await askTimes(edge, 6);
    expect(left.at(-1)?.outcome).toBe("store_unavailable");
    expect(quickest(left)).toBeLessThan(200);
    expect(await statusOf(edge)).toMatchObject({
      breakers: { "store hanging": { state: expect.stringMatching(/open|probing/), opened: 1 } },
      indexes: { products: { published: { reason: "store_unavailable" } } },
    });
  });

  it("the key of live experiments: only the first searches of an isolate wait, and only once", async () => {
    const edge = openEdge({ catalog: "hanging", kv: HANGING, vars: { EXPERIMENTS, LIVE_EXPERIMENTS: true } });
    const replies = await askTimes(edge, 6, { "x-armmt": "off" });
    expect(replies.map(({ outcome }) => outcome)).toEqual(replies.map(() => "off"));
    expect(quickest(replies)).toBeLessThan(250);
  });

  it("the flag system: five searches wait for it, the next do not", async () => {
    let asked = 0;
    const flagClient = {
      getStringValue: () => {
        asked++;
        return hang();
      },
    };
    const edge = openEdge({ catalog: "hanging", kv: HANGING, flagClient, vars: { VARIANT_FLAG: "order", DEFAULT_VARIANT: "control" } });
    await askTimes(edge, 12, { "x-armmt-user": "user-a" });
    expect(asked).toBeLessThan(8); // five, and a try after each pause
    expect(edge.logs.filter((entry) => entry["event"] === "flag_failed")).toHaveLength(1);
    expect(edge.logs).toContainEqual({ level: "warn", event: "breaker", name: "flag order", state: "open" });
  });

  it("the rate limiter: nobody is refused for it, and nobody waits for long", async () => {
    let asked = 0;
    const isWithinRate = () => {
      asked++;
      return hang();
    };
    const edge = openEdge({ catalog: "hanging", kv: HANGING, isWithinRate });
    const replies = await askTimes(edge, 12, { "cf-connecting-ip": "192.0.2.1", "x-armmt": "off" });
    expect(replies.map(({ outcome }) => outcome)).toEqual(replies.map(() => "off"));
    expect(asked).toBeLessThan(9);
    expect(edge.logs.filter((entry) => entry["event"] === "rate_limiter_failed")).toHaveLength(1);
  });

  it("the making of tokens: the reply goes without them", async () => {
    const sign = vi.spyOn(crypto.subtle, "sign").mockImplementation(hang);
    const digest = vi.spyOn(crypto.subtle, "digest").mockImplementation(hang);
    try {
      const vars = { EVENT_SECRET: "a-secret-for-tests-only-of-32-characters" };
      const edge = openEdge({ catalog: "hanging", kv: HANGING, vars });
      expect((await ask(edge, { "x-armmt": "off" })).ms).toBeLessThan(3000);
      expect(edge.logs).toContainEqual(expect.objectContaining({ event: "tokens_failed" }));
    } finally {
      sign.mockRestore();
      digest.mockRestore();
    }
  });

  it("the sink: nobody waits, and there is a line of the log for many records", async () => {
    const edge = openEdge({ catalog: "hanging", kv: HANGING, sink: { write: async () => ({ ok: false, error: "full" }) } });
    await askTimes(edge, 10, { "x-armmt": "off" });
    await vi.waitFor(() => expect(edge.counters.snapshot().exposures["failed"]).toBe(10));
    expect(edge.logs.filter((entry) => entry["event"] === "exposure_failed")).toHaveLength(1);
    expect(await statusOf(edge)).toMatchObject({ events: { sinks: { own: { dropped: 10 } } } });
  });
});

describe("live experiments and a clock that jumps", () => {
  it("are read again within a minute after it", async () => {
    const clock = { ms: Date.UTC(2026, 10, 20) };
    let reads = 0;
    const kv: KvReader = {
      get: async () => {
        reads++;
        return null;
      },
    };
    const edge = openEdge({ catalog: "hanging", kv, now: () => clock.ms, vars: { EXPERIMENTS, LIVE_EXPERIMENTS: true } });
    const readsOf = async () => {
      reads = 0;
      await ask(edge, { "x-armmt": "off" });
      return reads;
    };
    expect([await readsOf(), await readsOf()]).toEqual([1, 0]);
    clock.ms += 3_600_000;
    expect(await readsOf()).toBe(1);
    clock.ms -= 3_599_000;
    expect([await readsOf(), await readsOf()]).toEqual([1, 0]);
  });
});
