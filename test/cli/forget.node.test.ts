/** `armmt forget` on the D1 of a real workerd on this machine, by both of its ways. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgetUser, placesElsewhere } from "../../src/cli/forget.ts";
import type { EventDatabase } from "../../src/report/sql-log.ts";
import { openDatabaseFile, openLocalDatabase, openWranglerDatabase } from "../../src/cli/report/database.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";
import { openSqliteEvents } from "../../src/runtimes/node/sqlite.ts";
import { armmt } from "../runtimes/node/servers.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const CONFIG = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));
const stateDir = mkdtempSync(join(tmpdir(), "armmt-forget-"));
const hash = createUnitHash(SECRET);

let database: EventDatabase;

beforeAll(async () => {
  database = await openLocalDatabase({ config: CONFIG, binding: "EVENTS", stateDir });
});

afterAll(async () => {
  await database?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

const run = async (...statements: string[]): Promise<void> => {
  for (const sql of statements) await database.all(sql);
};

const left = async (table: string): Promise<unknown[]> =>
  (await database.all(`SELECT id FROM ${table} ORDER BY id`)).map((row) => Object(row).id);

beforeEach(async () => {
  await run("DROP TABLE IF EXISTS ubi_queries", "DROP TABLE IF EXISTS ubi_events");
});

async function fill(): Promise<void> {
  const unit = await hash("alice");
  for (const table of ["ubi_queries", "ubi_events"]) {
    await run(
      `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, client_id TEXT, unit TEXT)`,
      `INSERT INTO ${table} VALUES (1, 'alice', NULL), (2, 'bob', NULL), (3, 'browser-7', '${unit}'), (4, NULL, NULL), (5, 'o''hara', NULL)`,
    );
  }
}

const options = { secret: SECRET, isTrial: false, elsewhere: [] };

describe("forgetUser()", () => {
  it("removes a user's rows from both tables, by id and by hash, and nobody else's", async () => {
    await fill();
    const report = await forgetUser(database, { ...options, user: "consented-alice" });
    expect(report).toMatchObject({ removed: { ubi_queries: 2, ubi_events: 2 }, isUnitKnown: true, place: stateDir });
    expect([await left("ubi_queries"), await left("ubi_events")]).toEqual([
      [2, 4, 5],
      [2, 4, 5],
    ]);
    expect((await forgetUser(database, { ...options, user: "alice" })).removed).toEqual({ ubi_queries: 0, ubi_events: 0 });
  });

  it("takes the hash itself, and without the secret finds ids only", async () => {
    await fill();
    expect((await forgetUser(database, { ...options, secret: undefined, user: "alice" })).removed.ubi_events).toBe(1);
    expect(await forgetUser(database, { ...options, secret: undefined, user: await hash("alice") })).toMatchObject({
      removed: { ubi_events: 1 },
    });
    expect(await left("ubi_events")).toEqual([2, 4, 5]);
  });

  it("finds the hash of an id as a client too, and tells it for the other stores", async () => {
    const hashed = await hash("browser-9");
    for (const table of ["ubi_queries", "ubi_events"]) {
      // oxlint-disable-next-line no-await-in-loop
      await run(
        `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, client_id TEXT, unit TEXT)`,
        `INSERT INTO ${table} VALUES (1, '${hashed}', NULL), (2, '${hashed}', '${await hash("alice")}'), (3, NULL, '${await hash("alice")}')`,
      );
    }
    expect(await forgetUser(database, { ...options, user: "browser-9" })).toMatchObject({
      hash: hashed,
      removed: { ubi_queries: 2, ubi_events: 2 },
    });
    expect(await left("ubi_queries")).toEqual([3]);
  });

  it("takes a name as a name, whatever stands in it", async () => {
    await fill();
    expect((await forgetUser(database, { ...options, user: "o'hara" })).removed.ubi_queries).toBe(1);
    for (const user of ["' OR 1 = 1 --", "%", "*"]) expect((await forgetUser(database, { ...options, user })).removed.ubi_queries).toBe(0);
    await expect(forgetUser(database, { ...options, user: "" })).rejects.toThrow(/empty/);
    expect(await left("ubi_queries")).toEqual([1, 2, 3, 4]);
  });

  it("counts only, where it is asked to", async () => {
    await fill();
    expect((await forgetUser(database, { ...options, isTrial: true, user: "bob" })).removed).toEqual({ ubi_queries: 1, ubi_events: 1 });
    expect(await left("ubi_queries")).toEqual([1, 2, 3, 4, 5]);
  });

  it("does without tables, and without the column of units", async () => {
    expect((await forgetUser(database, { ...options, user: "alice" })).removed).toEqual({ ubi_queries: 0, ubi_events: 0 });
    await run("CREATE TABLE ubi_queries (id INTEGER PRIMARY KEY, client_id TEXT)", "INSERT INTO ubi_queries VALUES (1, 'alice')");
    expect((await forgetUser(database, { ...options, user: "alice" })).removed).toEqual({ ubi_queries: 1, ubi_events: 0 });
  });
});

describe("through wrangler, as at Cloudflare", () => {
  it("removes the same rows", async () => {
    const home = mkdtempSync(join(tmpdir(), "armmt-forget-"));
    const remote = openWranglerDatabase({ config: CONFIG, binding: "EVENTS", where: ["--local", "--persist-to", home] });
    try {
      const table = "CREATE TABLE ubi_events (id INTEGER PRIMARY KEY, client_id TEXT, unit TEXT)";
      await remote.all(`${table}; INSERT INTO ubi_events VALUES (1, 'it''s', NULL), (2, 'bob', NULL)`);
      expect((await forgetUser(remote, { ...options, user: "it's" })).removed).toEqual({ ubi_queries: 0, ubi_events: 1 });
      expect(await remote.all("SELECT id FROM ubi_events")).toEqual([{ id: 2 }]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }, 120_000);
});

describe("placesElsewhere()", () => {
  it("names what the configuration binds", async () => {
    const config = join(stateDir, "wrangler.toml");
    writeFileSync(
      config,
      `name = "edge"
compatibility_date = "2026-06-15"
[[r2_buckets]]
binding = "EVENTS_BUCKET"
bucket_name = "events"
[[queues.producers]]
binding = "EVENTS_QUEUE"
queue = "events"
[[analytics_engine_datasets]]
binding = "EVENTS_ANALYTICS"
`,
    );
    const names = (await placesElsewhere(config)).map((place) => place.split(":")[0]);
    expect(names).toEqual([
      "Queue (EVENTS_QUEUE)",
      "R2 (EVENTS_BUCKET)",
      "Analytics Engine (EVENTS_ANALYTICS)",
      "D1 Time Travel",
      "Copies that you made",
    ]);
    expect((await placesElsewhere(CONFIG)).map((place) => place.split(":")[0])).toEqual(["D1 Time Travel", "Copies that you made"]);
  });
});

const SHOWN = { variant: "armmt", window: 1, original_ids: ["a"], served_ids: ["a"] };

describe("armmt forget --database", () => {
  it("leaves no trace where pages were split either", async () => {
    const file = join(stateDir, "many.sqlite");
    const events = await openSqliteEvents(file);
    const sink = createD1Sink(events);
    const unit = await hash("alice");
    for (let i = 0; i < 100; i++) {
      const record = { application: "products", queryId: `q-${i}`, clientId: undefined, unit: i % 2 === 0 ? unit : await hash(`bob ${i}`), userQuery: "mug", timeMs: i, armmt: SHOWN }; // prettier-ignore
      await sink.write(createQueryRecord(record));
    }
    const opened = await openDatabaseFile(file, { isWritten: true });
    expect(await forgetUser(opened, { ...options, user: "alice" })).toMatchObject({ removed: { ubi_queries: 50 } });
    await opened.close();
    await events.close();
    expect(readFileSync(file).includes(unit)).toBe(false);
  });

  it("removes a shopper from the file of a server that writes to it, and leaves no trace in it", async () => {
    const file = join(stateDir, "events.sqlite");
    const events = await openSqliteEvents(file);
    const sink = createD1Sink(events);
    for (const [queryId, clientId] of [
      ["q-1", "alice-of-the-file"],
      ["q-2", undefined],
      ["q-3", "bob"],
    ] as const) {
      const unit = queryId === "q-2" ? await hash("alice-of-the-file") : undefined;
      const record = { application: "products", queryId, clientId, unit, userQuery: "mug", timeMs: 0, armmt: SHOWN };
      expect((await sink.write(createQueryRecord(record))).ok).toBe(true);
    }
    const forget = (...args: string[]) => armmt("forget", "alice-of-the-file", "--database", file, "--json", ...args);
    const trial = await forget("--dry-run");
    expect([trial.stderr, trial.code]).toEqual(["", 0]);
    expect(JSON.parse(trial.stdout)).toMatchObject({ removed: { ubi_queries: 1, ubi_events: 0 }, isUnitKnown: false, place: file });
    process.env["EVENT_SECRET"] = SECRET;
    try {
      expect(JSON.parse((await forget()).stdout)).toMatchObject({ removed: { ubi_queries: 2, ubi_events: 0 }, isTrial: false });
    } finally {
      delete process.env["EVENT_SECRET"];
    }
    const later = {
      application: "products",
      queryId: "q-4",
      clientId: undefined,
      unit: undefined,
      userQuery: "mug",
      timeMs: 0,
      armmt: SHOWN,
    };
    await sink.write(createQueryRecord(later));
    await events.close();
    const own = await openDatabaseFile(file);
    expect(await own.all("SELECT query_id FROM ubi_queries ORDER BY id")).toMatchObject([{ query_id: "q-3" }, { query_id: "q-4" }]);
    await own.close();
    expect(readFileSync(file).includes("alice-of-the-file")).toBe(false);
    expect((await armmt("forget", "bob", "--database", join(stateDir, "nothing.sqlite"))).stderr).toContain("does not exist");
    expect((await armmt("forget", "bob", "--local", "--database", file)).stderr).toContain("use one of them");
  });
});
