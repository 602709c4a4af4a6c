import type { D1Database } from "@cloudflare/workers-types";
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { createD1Sink } from "../../src/events/d1.ts";
import { type ArmmtAttributes, createQueryRecord, type ServedEvent, type UbiQueryRecord } from "../../src/events/ubi.ts";

const db: D1Database = env.EVENTS;

function exposure(
  changes: { clientId?: string; unit?: string; userQuery?: string; armmt?: Partial<ArmmtAttributes> } = {},
): UbiQueryRecord {
  return createQueryRecord({
    application: "products",
    queryId: "query-1",
    clientId: changes.clientId,
    unit: changes.unit,
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

function event(changes: Partial<ServedEvent> = {}): ServedEvent {
  return {
    event_id: "e-1",
    application: "products",
    action_name: "click",
    query_id: "query-1",
    timestamp: "2026-11-20T12:00:01.000Z",
    event_attributes: {
      object: { object_id: "b", object_id_type: "product" },
      position: { ordinal: 3 },
      armmt: { experiment: "rerank", variant: "armmt" },
    },
    ...changes,
  };
}

async function eventRows() {
  const { results } = await db.prepare("SELECT * FROM ubi_events ORDER BY id").all();
  return results;
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
      unit: null,
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

  it("stores the unit, and adds its column to a database from before it", async () => {
    const sink = createD1Sink(db);
    await sink.write(exposure());
    await db.prepare("ALTER TABLE ubi_queries DROP COLUMN unit").run();
    const written = await Promise.all(Array.from({ length: 4 }, () => sink.write(exposure({ unit: "0123" }))));
    expect(written.every(({ ok }) => ok)).toBe(true);
    expect((await rows()).map((row) => row["unit"])).toEqual([null, "0123", "0123", "0123", "0123"]);
  });

  it("writes an exposure that may be there already only once", async () => {
    const sink = createD1Sink(db);
    for (const isRepeated of [false, true, true]) await sink.writeExposures([exposure()], isRepeated);
    await sink.writeExposures([exposure({ armmt: { served_ids: ["a", "b"] } })], true);
    expect((await rows()).map((row) => row["hit_ids"])).toEqual(['["c","a","b"]', '["a","b"]']);
  });
});

describe("createD1Sink().writeEvents()", () => {
  beforeEach(async () => {
    await db.batch([db.prepare("DROP TABLE IF EXISTS ubi_queries"), db.prepare("DROP TABLE IF EXISTS ubi_events")]);
  });

  it("makes its table and writes a row for each event, with what is absent as NULL", async () => {
    const order = { order_id: "o", line: "2" };
    const full = event({
      event_id: "e-2",
      client_id: "c",
      unit: "u",
      quantity: 2,
      price: 10,
      currency: "EUR",
      team: "b",
      ...order,
      price_suspect: true,
    });
    expect(await createD1Sink(db).writeEvents([event(), full])).toEqual({ ok: true, value: { written: 2, duplicates: 0 } });
    const common = {
      timestamp: "2026-11-20T12:00:01.000Z",
      application: "products",
      action_name: "click",
      query_id: "query-1",
      object_id: "b",
      position: 3,
      event_attributes: JSON.stringify(event().event_attributes),
    };
    const without = { order_id: null, line: null, price_suspect: null };
    const absent = { client_id: null, unit: null, quantity: null, price: null, currency: null, team: null, ...without };
    const given = { client_id: "c", unit: "u", quantity: 2, price: 10, currency: "EUR", team: "b", ...order, price_suspect: 1 };
    expect(await eventRows()).toEqual([
      { id: 1, event_id: "e-1", ...common, ...absent },
      { id: 2, event_id: "e-2", ...common, ...given },
    ]);
  });

  it("adds the columns of orders to a database from before them, whichever of them it has", async () => {
    const sink = createD1Sink(db);
    await sink.writeEvents([event()]);
    for (const column of ["order_id", "price_suspect"]) await db.prepare(`ALTER TABLE ubi_events DROP COLUMN ${column}`).run(); // oxlint-disable-line no-await-in-loop
    const written = await Promise.all(
      Array.from({ length: 4 }, (_, i) => sink.writeEvents([event({ event_id: `o-${i}`, order_id: "7", line: "2", price_suspect: true })])),
    );
    expect(written.every(({ ok }) => ok)).toBe(true);
    expect((await eventRows()).map((row) => [row["order_id"], row["line"], row["price_suspect"]])).toEqual([
      [null, null, null],
      ...Array.from({ length: 4 }, () => ["7", "2", 1]),
    ]);
  });

  it("writes an event once, however often it comes, and says how many it knew", async () => {
    const sink = createD1Sink(db);
    await sink.writeEvents([event()]);
    const again = await sink.writeEvents([event(), event({ event_id: "e-2" }), event({ event_id: "e-2" })]);
    expect(again).toEqual({ ok: true, value: { written: 1, duplicates: 2 } });
    expect((await eventRows()).map((row) => row["event_id"])).toEqual(["e-1", "e-2"]);
  });

  it("writes more events than a statement has parameters, all or none", async () => {
    const sink = createD1Sink(db);
    const many = Array.from({ length: 1200 }, (_, i) => event({ event_id: `e-${i}` }));
    expect(await sink.writeEvents(many)).toEqual({ ok: true, value: { written: 1200, duplicates: 0 } });
    const broken = [event({ event_id: "new" }), ...many, event({ event_id: "newer", quantity: 0.5 })];
    expect((await sink.writeEvents(broken)).ok).toBe(false);
    expect((await eventRows()).length).toBe(1200);
  });

  it("keeps text as it was", async () => {
    const odd = `"'); DROP TABLE ubi_events; -- \u{1F45F} \\ \n`;
    const { event_attributes: attributes } = event();
    await createD1Sink(db).writeEvents([
      event({ event_attributes: { ...attributes, object: { object_id: odd, object_id_type: "product" } } }),
    ]);
    const [row] = await eventRows();
    expect(row?.["object_id"]).toBe(odd);
    expect(JSON.parse(String(row?.["event_attributes"]))).toMatchObject({ object: { object_id: odd } });
  });

  it("writes first events of many requests at once", async () => {
    const sink = createD1Sink(db);
    const written = await Promise.all(
      Array.from({ length: 8 }, (_, i) => sink.writeEvents([event({ event_id: `e-${i}` }), event({ event_id: "all" })])),
    );
    const counts = written.map((one) => (one.ok ? one.value.written : NaN));
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(9);
    expect((await eventRows()).length).toBe(9);
  });
});
