/** The sink of D1 over Node's SQLite: the same tables, all or none. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createD1Sink } from "../../../src/events/d1.ts";
import { createQueryRecord, type ServedEvent, type UbiQueryRecord } from "../../../src/events/ubi.ts";
import { importSqlite, openSqliteEvents } from "../../../src/runtimes/node/sqlite.ts";

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
    events.close();
    expect(await read(path, "SELECT count(*) AS n FROM ubi_events")).toEqual([{ n: 3 }]);
  });

  it("opens the same file again, and adds a column that it lacks", async () => {
    const path = join(folder, "older.sqlite");
    const first = await openSqliteEvents(path);
    await createD1Sink(first).write(record("query-1"));
    await first.prepare("ALTER TABLE ubi_queries DROP COLUMN unit").run();
    first.close();
    const again = await openSqliteEvents(path);
    expect(await createD1Sink(again).write(record("query-2"))).toEqual({ ok: true, value: true });
    again.close();
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
    events.close();
    expect(await read(path, "SELECT n FROM t")).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it("says when another process does not let go of the file, and writes when it has", async () => {
    const path = join(folder, "busy.sqlite");
    const events = await openSqliteEvents(path);
    const sink = createD1Sink(events);
    await sink.write(record("query-1"));
    const { DatabaseSync } = await importSqlite();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    expect(await sink.write(record("query-2"))).toEqual({ ok: false, error: "database is locked" });
    other.exec("COMMIT");
    expect(await sink.write(record("query-3"))).toEqual({ ok: true, value: true });
    other.close();
    events.close();
  });

  it("refuses a statement that it has not prepared, and a path that is no file", async () => {
    const one = await openSqliteEvents(join(folder, "one.sqlite"));
    const foreign = { bind: () => foreign, run: () => Promise.resolve({ meta: { changes: 0 } }) };
    await expect(one.batch([foreign])).rejects.toThrow("prepared by another database");
    one.close();
    await expect(openSqliteEvents(folder)).rejects.toThrow("unable to open database file");
  });
});
