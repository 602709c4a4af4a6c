/** What each rule did, asked of a real D1 in workerd, and rules published into a real KV from the admin page's route. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { openEdge as open } from "../../src/edge.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { d1Reader } from "../../src/events/read.ts";
import { createQueryRecord, type RulesAttributes } from "../../src/events/ubi.ts";
import { bypass } from "../../src/result.ts";
import { TOKEN } from "./edge.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR_MS = 3_600_000;
const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

function openEdge() {
  return open({
    env: {
      INDEXES: { products: { backend: "meilisearch", url: "http://127.0.0.1:7700", window: 20, catalog: "none" } },
      ADMIN_TOKEN: TOKEN,
      LIVE_RULES: true,
    },
    kv: env.EMBEDDINGS,
    writeKv: (key, value) => env.EMBEDDINGS.put(key, value),
    sinks: { EVENTS: env.EVENTS },
    readEvents: d1Reader(env.EVENTS),
    scorer: () => bypass("model_unavailable", "none in this test"),
    dialects: ALL_DIALECTS,
    fetch: async () => Response.json({ hits: [] }),
    log: () => undefined,
    now: () => NOW,
  });
}

const record = (queryId: string, atMs: number, rules: Omit<RulesAttributes, "version"> | undefined, application = "products") =>
  createQueryRecord({
    application,
    queryId,
    unit: undefined,
    userQuery: "red mug",
    timeMs: atMs,
    armmt: {
      variant: "control",
      window: 20,
      original_ids: ["p1"],
      served_ids: ["p1"],
      ...(rules !== undefined && { rules: { version: "v1", ...rules } }),
    },
  });

describe("what rules did", () => {
  it("is counted by the search: matched, acted, did nothing and why", async () => {
    const idle = [
      { rule: "pin", reason: "sold_out", item: "p1" },
      { rule: "pin", reason: "not_in_window", item: "p2" },
      { rule: "pin", reason: "not_in_window", item: "p3" },
      { rule: "*", reason: "filters_not_read" },
    ];
    await createD1Sink(env.EVENTS).writeExposures(
      [
        record("q1", NOW - HOUR_MS, { applied: ["pin", "__proto__"], idle }),
        record("q1", NOW - HOUR_MS + 1000, { applied: ["pin"], idle }), // its second page
        record("q2", NOW - HOUR_MS, { applied: [], idle: [{ rule: "pin", reason: "sorted" }], held_back: ["arm"] }),
        record("q3", NOW - HOUR_MS, { applied: ["pin"] }),
        record("q4", NOW - HOUR_MS, undefined),
        record("q5", NOW - 25 * HOUR_MS, { applied: ["pin"] }),
        record("q6", NOW - HOUR_MS, { applied: ["pin"] }, "of another index"),
      ],
      false,
    );
    const reply = await openEdge().request("/armmt/rules/none/today", { headers });
    const { at, rows }: { at: number; rows: { rule: string; reason: string; n: number }[] } = JSON.parse(await reply.text());
    expect(at).toBe(NOW);
    expect(rows.map(({ rule, reason, n }) => `${rule}|${reason}|${n}`).toSorted()).toEqual(
      [
        "*|filters_not_read|1",
        "__proto__|matched|1",
        "__proto__||1",
        "arm|held_back|1",
        "pin|matched|3",
        "pin|not_in_window|1",
        "pin|sold_out|1",
        "pin|sorted|1",
        "pin||2",
        "|searches|4",
      ].toSorted(),
    );
  });

  it("goes with rules that are published into KV from the page", async () => {
    const edge = openEdge();
    const text = JSON.stringify({ format: 1, rules: [{ id: "a", action: { do: "diversify", first: 4 } }] });
    const post = (body: object, path = "") =>
      edge.request(`/armmt/rules/none${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect((await post({ text, by: "anna", expect: "none" })).status).toBe(200);
    expect((await post({ text, by: "ben", expect: "none" })).status).toBe(409);
    const state = await edge.request("/armmt/rules/none", { headers });
    expect(await state.json()).toMatchObject({ text, history: [{ by: "anna" }] });
    const tried = await post(
      { text, search: { path: "/indexes/products/search", body: '{"q":"mug"}', headers: { "content-type": "application/json" } } },
      "/try",
    );
    expect(await tried.json()).toMatchObject({ hits: [], armmt: { query: "mug" } });
  });
});
