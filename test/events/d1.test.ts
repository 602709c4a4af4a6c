import type { D1Database } from "@cloudflare/workers-types";
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { createD1Sink } from "../../src/events/d1.ts";
import type { ArmmtAttributes, UbiQueryRecord } from "../../src/events/ubi.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";

const db: D1Database = env.EVENTS;

function exposure(changes: { clientId?: string; userQuery?: string; armmt?: Partial<ArmmtAttributes> } = {}): UbiQueryRecord {
  return createQueryRecord({
    application: "products",
    queryId: "query-1",
    clientId: changes.clientId,
    userQuery: changes.userQuery ?? "red shoe",
    timeMs: Date.UTC(2026, 10, 20, 12, 0, 0, 5),
    armmt: {
      experiment: "rerank",
      variant: "armmt",
      model: "student-1",
      window: 100,
      original_ids: ["a", "b", "c"],
      served_ids: ["c", "a", "b"],
      ...changes.armmt,
    },
  });
}

async function rows() {
  const { results } = await db.prepare("SELECT * FROM ubi_queries ORDER BY id").all();
  return results;
}

describe("createD1Sink()", () => {
  beforeEach(async () => {
    await db.prepare("DROP TABLE IF EXISTS ubi_queries").run();
  });

  it("makes its table and writes one row per search", async () => {
    const sink = createD1Sink(db);
    expect(await sink.write(exposure())).toEqual({ ok: true, value: true });
    expect(await sink.write(exposure())).toEqual({ ok: true, value: true });
    const written = await rows();
    expect(written.length).toBe(2); // the same query_id twice: two pages of one search
    expect(written[0]).toEqual({
      id: 1,
      timestamp: "2026-11-20T12:00:00.005Z",
      application: "products",
      query_id: "query-1",
      client_id: null,
      user_query: "red shoe",
      experiment: "rerank",
      variant: "armmt",
      model: "student-1",
      bypass: null,
      query_attributes: JSON.stringify(exposure().query_attributes),
      hit_ids: '["c","a","b"]',
    });
  });

  it("writes eight first records at once", async () => {
    const sink = createD1Sink(db);
    const written = await Promise.all(Array.from({ length: 8 }, () => sink.write(exposure())));
    expect(written).toEqual(Array.from({ length: 8 }, () => ({ ok: true, value: true })));
    expect((await rows()).length).toBe(8);
  });

  it("keeps a bypassed search in its arm, and absent values absent", async () => {
    const { experiment: _e, model: _m, ...rest } = exposure().query_attributes.armmt;
    const record = { ...exposure(), query_attributes: { armmt: { ...rest, bypass: "shard_corrupt" as const } } };
    expect((await createD1Sink(db).write(record)).ok).toBe(true);
    expect(await rows()).toMatchObject([{ experiment: null, model: null, variant: "armmt", bypass: "shard_corrupt" }]);
  });

  it("stores a client id only where it is given", async () => {
    const sink = createD1Sink(db);
    await sink.write(exposure({ clientId: "browser-7" }));
    await sink.write(exposure());
    expect((await rows()).map((row) => row["client_id"])).toEqual(["browser-7", null]);
  });

  it("writes what a shopper types as text, whatever it is", async () => {
    const typed = `"'); DROP TABLE ubi_queries; -- \u0000 \u{1F45F} ${"x".repeat(5000)}`;
    expect((await createD1Sink(db).write(exposure({ userQuery: typed }))).ok).toBe(true);
    expect((await rows())[0]?.["user_query"]).toBe(typed);
  });

  it("lets a report group by arm and read the JSON, through the index", async () => {
    const sink = createD1Sink(db);
    for (const variant of ["armmt", "control", "armmt"]) await sink.write(exposure({ armmt: { variant } }));
    const report = `SELECT variant, count(*) AS searches, max(json_extract(query_attributes, '$.armmt.window')) AS window,
      max(json_array_length(hit_ids)) AS shown FROM ubi_queries WHERE experiment = ?1 AND timestamp >= ?2 GROUP BY variant`;
    const { results } = await db.prepare(report).bind("rerank", "2026-11-20").all();
    expect(results).toEqual([
      { variant: "armmt", searches: 2, window: 100, shown: 3 },
      { variant: "control", searches: 1, window: 100, shown: 3 },
    ]);
    const plan = await db.prepare(`EXPLAIN QUERY PLAN ${report}`).bind("rerank", "2026-11-20").all();
    expect(JSON.stringify(plan.results)).toContain("USING INDEX ubi_queries_report");
  });

  it("answers with what the database said when it cannot write", async () => {
    await db.prepare("CREATE TABLE ubi_queries (id INTEGER PRIMARY KEY)").run();
    const failed = await createD1Sink(db).write(exposure());
    expect(failed).toMatchObject({ ok: false, error: expect.stringMatching(/no column named timestamp/) });
  });
});
