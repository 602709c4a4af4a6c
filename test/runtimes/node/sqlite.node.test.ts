/** The sink of D1 over Node's SQLite: the same tables, all or none. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEventCounters } from "../../../src/events/counters.ts";
import { createD1Sink } from "../../../src/events/d1.ts";
import { MAX_RECORDS } from "../../../src/events/retrying.ts";
import { openSinks } from "../../../src/events/sinks.ts";
import { createQueryRecord, type ServedEvent, type UbiQueryRecord } from "../../../src/events/ubi.ts";
import { importSqlite, MAX_BYTES, MAX_WRITES, openSqliteEvents } from "../../../src/runtimes/node/sqlite.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-sqlite-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const record = (queryId: string): UbiQueryRecord =>
  createQueryRecord({
    application: "products",
    queryId,
    clientId: undefined,
    unit: "unit",
    userQuery: "red shoe",
    timeMs: Date.UTC(2026, 10, 20),
    armmt: { variant: "armmt", window: 100, original_ids: ["a", "b"], served_ids: ["b", "a"] },
  });

const event = (id: string, changes: Partial<ServedEvent> = {}): ServedEvent => ({
  event_id: id,
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
});

async function read(path: string, sql: string): Promise<readonly unknown[]> {
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

async function lock(path: string, how = "BEGIN IMMEDIATE") {
  const { DatabaseSync } = await importSqlite();
  const other = new DatabaseSync(path);
  other.exec(`PRAGMA busy_timeout = 5000; ${how}`);
  return other;
}

describe("openSqliteEvents()", () => {
  it("makes folder, file and tables with the first write, and is read while it is open", async () => {
    const path = join(folder, "new", "events.sqlite");
    const events = await openSqliteEvents(path);
    const sink = createD1Sink(events);
    expect(await sink.write(record("query-1"))).toEqual({ ok: true, value: true });
    expect(await sink.writeEvents([event("e-1"), event("e-2"), event("e-1")])).toEqual({ ok: true, value: { written: 2, duplicates: 1 } });
    expect(await sink.writeEvents([event("e-2"), event("e-3")])).toEqual({ ok: true, value: { written: 1, duplicates: 1 } });
    expect(await read(path, "SELECT query_id, unit, hit_ids FROM ubi_queries")).toEqual([
      { query_id: "query-1", unit: "unit", hit_ids: '["b","a"]' },
    ]);
    await events.close();
    expect(await read(path, "SELECT count(*) AS n FROM ubi_events")).toEqual([{ n: 3 }]);
  });

  it("opens the same file again, and adds a column that it lacks", async () => {
    const path = join(folder, "older.sqlite");
    const first = await openSqliteEvents(path);
    await createD1Sink(first).write(record("query-1"));
    await first.prepare("ALTER TABLE ubi_queries DROP COLUMN unit").run();
    await first.close();
    const again = await openSqliteEvents(path);
    expect(await createD1Sink(again).write(record("query-2"))).toEqual({ ok: true, value: true });
    await again.close();
    expect(await read(path, "SELECT query_id, unit FROM ubi_queries ORDER BY id")).toEqual([
      { query_id: "query-1", unit: null },
      { query_id: "query-2", unit: "unit" },
    ]);
  });

  it("writes all of a batch or nothing, and goes on afterwards", async () => {
    const path = join(folder, "batch.sqlite");
    const events = await openSqliteEvents(path);
    await events.batch([events.prepare("CREATE TABLE t (n INTEGER CHECK (n < 10)) STRICT")]);
    const insert = events.prepare("INSERT INTO t VALUES (?1)");
    await expect(events.batch([insert.bind("1"), insert.bind("11")])).rejects.toThrow("CHECK constraint failed");
    expect(await events.batch([insert.bind("2"), insert.bind("3")])).toEqual([{ meta: { changes: 1 } }, { meta: { changes: 1 } }]);
    await events.close();
    expect(await read(path, "SELECT n FROM t")).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it("waits for another process that does not let go of the file, and holds up nobody meanwhile", async () => {
    const path = join(folder, "busy.sqlite");
    const logs: Readonly<Record<string, unknown>>[] = [];
    const events = await openSqliteEvents(path, (entry) => void logs.push(entry));
    const sink = createD1Sink(events);
    await sink.write(record("query-0"));
    const other = await lock(path);
    let latest = performance.now();
    let longestMs = 0;
    const ticking = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - latest);
      latest = performance.now();
    }, 5);
    const writes = Array.from({ length: 50 }, (_, i) => sink.write(record(`query-${i + 1}`)));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    clearInterval(ticking);
    expect(longestMs).toBeLessThan(700); // on the thread of the searches it would be 1000 for each
    expect(events.describe()).toMatchObject({ waiting: 50, locked: true });
    other.exec("COMMIT");
    expect(await Promise.all(writes)).toEqual(writes.map(() => ({ ok: true, value: true })));
    other.close();
    await events.close();
    expect(await read(path, "SELECT count(DISTINCT query_id) AS n FROM ubi_queries")).toEqual([{ n: 51 }]);
    expect(logs.map((entry) => [entry["event"], entry["locked"]])).toEqual([
      ["events_locked", true],
      ["events_locked", false],
    ]);
  });

  it("opens a file that is locked, and writes to it later", async () => {
    const path = join(folder, "busy-first.sqlite");
    const other = await lock(path, "BEGIN EXCLUSIVE");
    const events = await openSqliteEvents(path);
    const written = createD1Sink(events).write(record("query-1"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    other.exec("COMMIT");
    other.close();
    expect(await written).toEqual({ ok: true, value: true });
    expect(await events.close()).toBe(0);
  });

  it("refuses what does not fit into its queue, and counts it", async () => {
    const path = join(folder, "full.sqlite");
    const events = await openSqliteEvents(path);
    await events.prepare("CREATE TABLE t (n TEXT)").run();
    const other = await lock(path);
    const insert = events.prepare("INSERT INTO t VALUES (?1)");
    const writes = Array.from({ length: MAX_WRITES + 5 }, () => insert.bind("1").run());
    const refused = writes.slice(MAX_WRITES);
    for (const write of refused) await expect(write).rejects.toThrow("there is no room for more"); // oxlint-disable-line no-await-in-loop
    expect(events.describe()).toMatchObject({ waiting: MAX_WRITES, refused: 5 });
    other.exec("COMMIT");
    await Promise.all(writes.slice(0, MAX_WRITES));
    const large = "x".repeat(MAX_BYTES / 4);
    other.exec("BEGIN IMMEDIATE");
    const results = Array.from({ length: 5 }, () => insert.bind(large).run());
    await expect(results[4]).rejects.toThrow("there is no room for more");
    other.exec("COMMIT");
    await Promise.all(results.slice(0, 4));
    other.close();
    expect(await events.close()).toBe(0);
    expect(await read(path, "SELECT count(*) AS n FROM t")).toEqual([{ n: MAX_WRITES + 4 }]);
  });

  it("is bounded by its own queue alone, behind the retries of a sink", async () => {
    const path = join(folder, "many.sqlite");
    const events = await openSqliteEvents(path);
    const counters = createEventCounters();
    const sink = openSinks({
      names: ["d1"],
      bindings: { EVENTS: events },
      counters,
      now: Date.now,
      log: () => undefined,
      createId: () => "id",
    });
    await sink.write(record("query-0"));
    const other = await lock(path);
    const writes = Array.from({ length: MAX_RECORDS + 500 }, (_, i) => sink.write(record(`query-${i + 1}`)));
    expect(events.describe()).toMatchObject({ waiting: writes.length });
    other.exec("COMMIT");
    other.close();
    expect((await Promise.all(writes)).every(({ ok }) => ok)).toBe(true);
    await events.close();
    expect(counters.snapshot().sinks).toEqual({});
    expect(await read(path, "SELECT count(*) AS n FROM ubi_queries")).toEqual([{ n: MAX_RECORDS + 501 }]);
  });

  it("says how many writes are lost where the file stays locked until the end", async () => {
    const path = join(folder, "lost.sqlite");
    const events = await openSqliteEvents(path);
    const sink = createD1Sink(events);
    await sink.write(record("query-0"));
    const other = await lock(path);
    const writes = Array.from({ length: 7 }, (_, i) => sink.write(record(`query-${i + 1}`)));
    expect(await events.close(300)).toBe(7);
    expect(await Promise.all(writes)).toEqual(writes.map(() => ({ ok: false, error: `${path} is closed` })));
    expect(await sink.write(record("late"))).toEqual({ ok: false, error: `${path} is closed` });
    other.close();
  });

  it("refuses a statement that it has not prepared, and a path that is no file", async () => {
    const one = await openSqliteEvents(join(folder, "one.sqlite"));
    const foreign = { bind: () => foreign, run: () => Promise.resolve({ meta: { changes: 0 } }) };
    await expect(one.batch([foreign])).rejects.toThrow("prepared by another database");
    await one.close();
    await expect(openSqliteEvents(folder)).rejects.toThrow("unable to open database file");
  });
});
