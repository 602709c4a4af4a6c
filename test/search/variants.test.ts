/** What variants do to a search: other models, interleaved and explored orders, shadows; who takes part, and experiments that change live. */
import { env } from "cloudflare:test";
import { type EvaluationContext, InMemoryProvider, OpenFeature } from "@openfeature/server-sdk";
import { beforeAll, describe, expect, it } from "vitest";
import type { Scorer } from "../../src/inference/scorer.ts";
import { type Bypass, ok, type Result } from "../../src/result.ts";
import type { FlagClient } from "../../src/search/flags.ts";
import { publish } from "./catalog.ts";
import { type Edge, idsOf, match, openEdge, outcomeOf, postJson, student, TOKEN, WINDOW } from "./edge.ts";

const CATALOG = "variants";
const QUERY = "red";
const USER = { "x-armmt-user": "user-a" };

beforeAll(() => publish(CATALOG));

/** The student with its scores alone for an order, whatever its form. */
const plain: Result<Scorer, Bypass> = student.ok
  ? ok({ ...student.value, manifest: { ...student.value.manifest, form: "score" as const } })
  : student;

/** The same with its scores turned over, under another version. */
const other: Result<Scorer, Bypass> = student.ok
  ? ok({
      manifest: { ...student.value.manifest, form: "score" as const, version: "upside-down" },
      async score(list) {
        const scores = student.ok ? await student.value.score(list) : student;
        return scores.ok ? ok({ ...scores.value, score: scores.value.score.map((one) => -one) }) : scores;
      },
    })
  : student;

const open = (variant: string, vars: object = {}): Edge =>
  openEdge({ catalog: CATALOG, scorer: plain, others: [other], vars: { DEFAULT_VARIANT: variant, ...vars } });

async function page(edge: Edge, from: number, size: number, headers: Readonly<Record<string, string>> = USER): Promise<string[]> {
  const response = await edge.send("/products/_search", postJson(match(QUERY, { from, size }), headers));
  expect(response.status).toBe(200);
  return idsOf(await response.json());
}

const recorded = (edge: Edge) => edge.records.at(-1)!.query_attributes.armmt;

describe("armmt@<version>", () => {
  it("serves another model's order, and says whose", async () => {
    const edge = open("armmt@upside-down");
    const response = await edge.send("/products/_search", postJson(match(QUERY, { size: WINDOW }), USER));
    expect(response.headers.get("x-armmt")).toContain("model=upside-down;");
    const ids = idsOf(await response.json());
    expect(ids).toEqual((await page(open("armmt"), 0, WINDOW)).toReversed());
    expect(recorded(edge)).toMatchObject({ variant: "armmt@upside-down", model: "upside-down" });
  });

  it("that is not there: the engine's order, and the log says which there are", async () => {
    const edge = open("armmt@nowhere");
    const response = await edge.send("/products/_search", postJson(match(QUERY), USER));
    expect(outcomeOf(response)).toBe("model_unavailable");
    expect(edge.logs.at(-1)!["detail"]).toMatch(/nowhere is not among .*upside-down/);
  });
});

describe("interleave(a, b)", () => {
  const variant = "interleave(control, armmt)";

  it("shows both orders' hits, the same on every page, with the teams in the record", async () => {
    const edge = open(variant);
    const whole = await page(edge, 0, WINDOW);
    const { teams, served_ids: served, original_ids: original } = recorded(edge);
    expect(served).toEqual(whole);
    expect(teams).toHaveLength(WINDOW);
    expect(teams!.filter((team) => team === "a")).toHaveLength(WINDOW / 2);
    expect(whole.toSorted()).toEqual(original.slice(0, WINDOW).toSorted());
    // Each team's first pick is the first of its own order.
    const first = whole[teams!.indexOf("a")];
    expect(original.slice(0, 2)).toContain(first);

    const pages = [...(await page(edge, 0, 7)), ...(await page(edge, 7, 7)), ...(await page(edge, 14, 6))];
    expect(pages).toEqual(whole);
    expect(recorded(edge).teams).toEqual(teams!.slice(14));
  });

  it("drafts anew for another shopper, and is the first order for nobody in particular", async () => {
    const edge = open(variant);
    const orders = new Set<string>();
    for (let i = 0; i < 6; i++) orders.add((await page(edge, 0, WINDOW, { "x-armmt-user": `user-${i}` })).join());
    expect(orders.size).toBeGreaterThan(1);
    const response = await edge.send("/products/_search", postJson(match(QUERY)));
    expect(outcomeOf(response)).toBe("engine_order");
  });

  it("of two models needs both", async () => {
    const edge = open("interleave(armmt, armmt@upside-down)");
    const ids = await page(edge, 0, WINDOW);
    expect(recorded(edge).teams!.filter((team) => team === "b")).toHaveLength(WINDOW / 2);
    expect(new Set(ids).size).toBe(WINDOW);
    const broken = await open("interleave(armmt, armmt@nowhere)").send("/products/_search", postJson(match(QUERY), USER));
    expect(outcomeOf(broken)).toBe("model_unavailable");
  });
});

describe("shadow(armmt)", () => {
  it("shows the engine's order and records the model's", async () => {
    const edge = open("shadow(armmt)");
    const response = await edge.send("/products/_search", postJson(match(QUERY, { from: 3, size: 5 }), USER));
    expect(outcomeOf(response)).toBe("engine_order");
    const control = open("control");
    expect(idsOf(await response.json())).toEqual(await page(control, 3, 5));
    const { shadow_ids: shadow, bypass } = recorded(edge);
    expect([bypass, shadow]).toEqual(["engine_order", await page(open("armmt"), 0, WINDOW)]);
  });
});

describe("explore(armmt)", () => {
  it("swaps one pair at most, the same on every page, and records the chances", async () => {
    const model = await page(open("armmt"), 0, WINDOW);
    const edge = open("explore(armmt)");
    let swapped = 0;
    for (let i = 0; i < 12; i++) {
      const user = { "x-armmt-user": `user-${i}` };
      const shown = await page(edge, 0, WINDOW, user);
      const { propensities } = recorded(edge);
      expect(propensities).toHaveLength(WINDOW);
      const moved = shown.flatMap((id, place) => (id === model[place] ? [] : [place]));
      expect([0, 2]).toContain(moved.length);
      for (const place of moved) expect(propensities![place]).toBeCloseTo(1 / 18, 12);
      if (moved.length > 0) swapped++;
      expect([...(await page(edge, 0, 4, user)), ...(await page(edge, 4, 16, user))]).toEqual(shown);
    }
    expect(swapped).toBeGreaterThan(0);
    expect(swapped).toBeLessThan(12);
  });
});

describe("who takes part", () => {
  const EXPERIMENTS = [{ key: "rerank", variations: ["control", "armmt"] }];

  it("no crawler: it gets the default variant, and nothing is recorded of it", async () => {
    const edge = open("armmt", { EXPERIMENTS });
    const agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    for (let i = 0; i < 8; i++) {
      const response = await edge.send("/products/_search", postJson(match(QUERY), { "user-agent": agent, "x-armmt-user": `user-${i}` }));
      expect(outcomeOf(response)).toBe("applied");
    }
    expect(edge.records).toEqual([]);
    expect(edge.counters.snapshot()).toMatchObject({ bots: 8, searches: {} });
  });

  it("whoever the targeting names", async () => {
    const targeted = [{ key: "rerank", variations: ["control", "shadow(armmt)"], condition: { country: "DE" } }];
    const edge = open("armmt", { EXPERIMENTS: targeted });
    const outcome = async (country: string): Promise<string> =>
      outcomeOf(await edge.send("/products/_search", postJson(match(QUERY), { ...USER, "cf-ipcountry": country })));
    expect([await outcome("DE"), await outcome("FR")]).toEqual(["engine_order", "applied"]);
    expect(edge.records.map((record) => record.query_attributes.armmt.experiment)).toEqual(["rerank", undefined]);
  });

  it("nobody for whom a condition cannot be evaluated: the search goes on, and the log says so", async () => {
    const condition = { $and: [{ country: "DE" }, { $not: null }] };
    const edge = open("armmt", { EXPERIMENTS: [{ key: "rerank", variations: ["control", "shadow(armmt)"], condition }] });
    const response = await edge.send("/products/_search", postJson(match(QUERY), { ...USER, "cf-ipcountry": "DE" }));
    expect(outcomeOf(response)).toBe("applied");
    expect(recorded(edge)).not.toHaveProperty("experiment");
    expect(edge.logs.find((entry) => entry["event"] === "experiments")!["detail"]).toMatch(/cannot be evaluated/);
  });

  it.each(["armmt", "shadow(armmt)", "interleave(control, armmt)", "explore(armmt)"])(
    "keeps the shoppers of %s in its arm when a guardrail has switched it off, in the engine's order",
    async (variant) => {
      const experiment = { key: "rerank", variations: ["control", variant], weights: [0, 1] };
      const edge = open("armmt", { EXPERIMENTS: [{ ...experiment, off: [variant] }] });
      expect(outcomeOf(await send(edge))).toBe("switched_off");
      expect(recorded(edge)).toMatchObject({ experiment: "rerank", variant, bypass: "switched_off" });
      const untouched = open("armmt", { EXPERIMENTS: [{ ...experiment, off: ["control"] }] });
      expect(outcomeOf(await send(untouched))).not.toBe("switched_off");
    },
  );

  it("is overridden by the admin, outside the experiment", async () => {
    const edge = open("armmt", { EXPERIMENTS });
    const admin = { authorization: `Bearer ${TOKEN}`, ...USER };
    const forced = await edge.send("/products/_search?armmt_variant=interleave(control,armmt)", postJson(match(QUERY), admin));
    expect(outcomeOf(forced)).toBe("applied");
    expect(recorded(edge)).toMatchObject({ variant: "interleave(control,armmt)", teams: expect.any(Array), admin: true });
    for (const name of ["experiment", "arms"]) expect(recorded(edge)).not.toHaveProperty(name);
    // Who asks why is no shopper either; without the token it is a shopper's search like any other.
    await edge.send("/products/_search?armmt_explain=1", postJson(match(QUERY), admin));
    expect(recorded(edge)).toMatchObject({ experiment: "rerank", admin: true });
    await edge.send("/products/_search?armmt_explain=1", postJson(match(QUERY), USER));
    expect(recorded(edge)).not.toHaveProperty("admin");
  });
});

const send = (edge: Edge): Promise<Response> => edge.send("/products/_search", postJson(match(QUERY), USER));

const contextEvaluator = (context: EvaluationContext): string =>
  context.targetingKey === "user-a" && context["index"] === "products" ? "off" : "none";

describe("another flag system", () => {
  const FLAG = "search-order";
  const vars = { VARIANT_FLAG: FLAG, DEFAULT_VARIANT: "armmt", EXPERIMENTS: [{ key: "rerank", variations: ["control", "shadow(armmt)"] }] };
  const openWith = (flagClient: FlagClient): Edge => openEdge({ catalog: CATALOG, flagClient, vars });
  it("decides through OpenFeature, by the unit and what is known of the request", async () => {
    const variants = { off: "control", on: "armmt", none: "" };
    await OpenFeature.setProviderAndWait(
      "armmt",
      new InMemoryProvider({ [FLAG]: { variants, defaultVariant: "on", disabled: false, contextEvaluator } }),
    );
    const edge = openWith(OpenFeature.getClient("armmt"));
    expect(outcomeOf(await send(edge))).toBe("engine_order");
    expect(recorded(edge)).toMatchObject({ experiment: FLAG, variant: "control" });
    // Its shares are the flag system's own.
    expect(recorded(edge)).not.toHaveProperty("arms");
    expect(outcomeOf(await edge.send("/products/_search", postJson(match(QUERY), { "x-armmt-user": "user-b" })))).toBe("applied");
    expect(recorded(edge)).not.toHaveProperty("experiment");
  });

  it.each<[string, FlagClient["getStringValue"], RegExp]>([
    ["fails", () => Promise.reject(new Error("down")), /down/],
    ["is silent", () => new Promise(() => {}), /No answer within 100 ms/],
    ["names no variant", () => Promise.resolve("best"), /"best" is not a variant/],
  ])("that %s: the default variant, outside the experiment, and a line in the log", async (_, getStringValue, detail) => {
    const edge = openWith({ getStringValue });
    expect(outcomeOf(await send(edge))).toBe("applied");
    expect(recorded(edge)).not.toHaveProperty("experiment");
    expect(edge.logs.find((entry) => entry["event"] === "flag_failed")!["detail"]).toMatch(detail);
  });
});

describe("experiments in KV", () => {
  it("take the place of those in the configuration, within a minute and without a deployment", async () => {
    let now = Date.UTC(2026, 5, 1);
    const EXPERIMENTS = [{ key: "rerank", variations: ["control", "shadow(armmt)"] }];
    const vars = { DEFAULT_VARIANT: "armmt", EXPERIMENTS, LIVE_EXPERIMENTS: true };
    const edge = openEdge({ catalog: CATALOG, now: () => now, vars });
    const outcome = async (): Promise<string> => outcomeOf(await edge.send("/products/_search", postJson(match(QUERY), USER)));
    expect(await outcome()).toBe("engine_order");
    await env.EMBEDDINGS.put("experiments", JSON.stringify([{ key: "rerank", variations: ["armmt", "explore(armmt)"] }]));
    expect(await outcome()).toBe("engine_order");
    now += 61_000;
    await outcome();
    expect(await outcome()).toBe("applied");
    expect(recorded(edge).variant).toMatch(/^(armmt|explore\(armmt\))$/);

    // Nobody reads that key who does not want it.
    expect(outcomeOf(await send(openEdge({ catalog: CATALOG, vars: { ...vars, LIVE_EXPERIMENTS: false } })))).toBe("engine_order");

    // A new isolate knows them from its first search.
    expect(outcomeOf(await openEdge({ catalog: CATALOG, vars }).send("/products/_search", postJson(match(QUERY), USER)))).toBe("applied");

    await env.EMBEDDINGS.put("experiments", '[{"key":"rerank","variations":["best","worst"]}]');
    now += 61_000;
    await outcome();
    expect(await outcome()).toBe("applied");
    expect(edge.logs.find((entry) => entry["event"] === "experiments")!["detail"]).toMatch(/variations\.0 is "best": is not a variant/);

    await env.EMBEDDINGS.delete("experiments");
    now += 61_000;
    await outcome();
    expect(await outcome()).toBe("engine_order");
  });
});
