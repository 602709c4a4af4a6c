/** Where a report's rows come from: D1 of a real workerd, `wrangler d1`, SQLite files and UBI files all tell the same. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getPlatformProxy } from "wrangler";
import { openDatabaseFile, openLocalDatabase, openWranglerDatabase } from "../../src/cli/report/database.ts";
import type { ActionRow, Log, LogRange, SearchRow } from "../../src/report/log.ts";
import { EXAMPLE, openSimulatedLog, simulateSearches } from "../../src/cli/report/simulated.ts";
import { openSqlLog } from "../../src/report/sql-log.ts";
import { openUbiLog } from "../../src/report/ubi-log.ts";
import { configuredWeights, parseWeights, weightsIn } from "../../src/cli/report/weights.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";
import { report } from "./rows.ts";
import { TABLES, writeSimulatedDatabase } from "./simulated-database.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONFIG = join(ROOT, "wrangler.toml");
const SHARED = join(ROOT, "../shared/data/fixtures/ubi/ubi_queries_events.ndjson");
const ALL: LogRange = { experiment: "rerank", since: undefined, until: undefined };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-logs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function everything(log: Log, range = ALL): Promise<{ searches: SearchRow[]; actions: ActionRow[] }> {
  const [searches, actions]: [SearchRow[], ActionRow[]] = [[], []];
  for await (const row of log.searches(range)) searches.push(row);
  for await (const row of log.actions(range)) actions.push(row);
  return { searches, actions };
}

const QUERY = createQueryRecord({
  application: "shop",
  queryId: "q1",
  userQuery: "it's a  red mug",
  timeMs: Date.UTC(2026, 10, 2, 9),
  armmt: {
    experiment: "rerank",
    variant: "interleave(control, armmt)",
    window: 3,
    model: "m1",
    engine_ms: 12.5,
    edge_ms: 3,
    original_ids: ["x", "y", "z"],
    served_ids: ["y", "x", "z"],
    teams: ["b", "a", null],
  },
});

describe("D1 on this machine", () => {
  let state = "";
  beforeAll(async () => {
    state = join(folder, "state");
    const proxy = await getPlatformProxy({ configPath: CONFIG, persist: { path: join(state, "v3") }, remoteBindings: false });
    const database: unknown = proxy.env["EVENTS"];
    const namespace: unknown = proxy.env["EMBEDDINGS"];
    if (!isDatabase(database) || !isNamespace(namespace)) throw new Error("no bindings");
    const sink = createD1Sink(database);
    expect(await sink.write(QUERY)).toEqual({ ok: true, value: true });
    await sink.write({ ...QUERY, query_id: "q2", query_attributes: { armmt: { ...QUERY.query_attributes.armmt, experiment: "other" } } });
    for (const table of TABLES) await database.prepare(table.replaceAll("\n", " ")).run();
    const insert = `INSERT INTO ubi_events (event_id, timestamp, application, action_name, query_id, object_id, price, currency, event_attributes) VALUES (?, '', 'shop', ?, ?, 'y', 3.5, 'EUR', '{}')`;
    for (const [id, name, query] of [
      ["1", "click", "q1"],
      ["2", "impression", "q1"],
      ["3", "click", "q2"],
      ["4", "purchase", "q1"],
    ] as const) {
      // prettier-ignore
      await database.prepare(insert).bind(id, name, query).run();
    }
    await namespace.put(
      "experiments",
      JSON.stringify([{ key: "rerank", variations: ["interleave(control, armmt)", "control"], weights: [0.25, 0.75] }]),
    );
    await proxy.dispose();
  });

  it("is read as the edge writes it, by binding and by wrangler's own command", async () => {
    const opened = [
      await openLocalDatabase({ config: CONFIG, binding: "EVENTS", stateDir: state }),
      openWranglerDatabase({ config: CONFIG, binding: "EVENTS", where: ["--local", "--persist-to", state] }),
    ];
    for (const database of opened) {
      const log = await openSqlLog(database);
      expect(log.notes).toEqual([]);
      expect(await log.experiments()).toEqual(new Map([["rerank", 1], ["other", 1]])); // prettier-ignore
      const { searches, actions } = await everything(log);
      expect(searches).toEqual([
        {
          queryId: "q1",
          variant: "interleave(control, armmt)",
          atMs: Date.UTC(2026, 10, 2, 9),
          application: "shop",
          unit: undefined,
          words: 4,
          bypass: undefined,
          model: "m1",
          ms: 15.5,
          isEmpty: false,
          teams: new Map([["y", "b"], ["x", "a"]]), // prettier-ignore
          isSimulated: false,
        },
      ]);
      expect(actions.map(({ queryId, action, itemId, price, currency }) => [queryId, action, itemId, price, currency])).toEqual([
        ["q1", "click", "y", 3.5, "EUR"],
        ["q1", "purchase", "y", 3.5, "EUR"],
      ]);
      await log.close();
    }
  });

  it("gives the weights that are changed without a deployment", async () => {
    const log = await openSqlLog(await openLocalDatabase({ config: CONFIG, binding: "EVENTS", stateDir: state }));
    const data = await report(log, { weights: undefined, config: CONFIG });
    await log.close();
    expect(data.exposures.weightsFrom).toBe('KV key "experiments"');
    expect(data.exposures.arms.map(({ variant, weight }) => [variant, weight])).toEqual([["interleave(control, armmt)", 0.25], ["control", 0.75]]); // prettier-ignore
    expect(data.interleaving[0]?.votes[0]).toMatchObject({ b: 1, a: 0 });
  });

  it("refuses a binding that is none, and a folder that is not there", async () => {
    await expect(openLocalDatabase({ config: CONFIG, binding: "EMBEDDINGS_", stateDir: state })).rejects.toThrow(
      /No D1 database "EMBEDDINGS_"/,
    );
    await expect(openLocalDatabase({ config: CONFIG, binding: "EVENTS", stateDir: join(folder, "no") })).rejects.toThrow(/--persist-to/);
  });
});

interface Statement {
  bind(...values: readonly unknown[]): Statement;
  run(): Promise<unknown>;
}

function isDatabase(value: unknown): value is Parameters<typeof createD1Sink>[0] & { prepare(sql: string): Statement } {
  return typeof value === "object" && value !== null && "prepare" in value;
}

function isNamespace(value: unknown): value is { put(key: string, value: string): Promise<void> } {
  return typeof value === "object" && value !== null && "put" in value;
}

describe("a SQLite file", () => {
  it("is read in pages, and says what is simulated", async () => {
    const file = join(folder, "simulated.sqlite");
    const simulated = { ...EXAMPLE, experiment: "rerank", days: 8 };
    const written = [...simulateSearches(simulated)];
    expect(writeSimulatedDatabase(file, "rerank", written)).toBe(12_000); // three pages
    const log = await openSqlLog(await openDatabaseFile(file));
    const { searches, actions } = await everything(log);
    expect(searches).toEqual(written.map(({ search }) => search));
    expect(searches.every(({ isSimulated }) => isSimulated)).toBe(true);
    expect(actions).toEqual(written.flatMap((one) => one.actions.map((action) => ({ ...action, eventId: undefined }))));
    const [since, until] = ["2026-09-09T00:00:00.000Z", "2026-09-10T00:00:00.000Z"];
    const day = await everything(log, { ...ALL, since, until });
    expect(day.searches).toHaveLength(
      written.filter(({ search }) => new Date(search.atMs).toISOString() >= since && new Date(search.atMs).toISOString() < until).length,
    );
    expect((await everything(openSimulatedLog(simulated), { ...ALL, since, until })).searches).toEqual(day.searches);
    await log.close();
  });

  it("need hold neither events nor units", async () => {
    const file = join(folder, "old.sqlite");
    const database = new DatabaseSync(file);
    database.exec((TABLES[0] ?? "").replace("unit TEXT,", ""));
    database.exec(`INSERT INTO ubi_queries (timestamp, application, query_id, client_id, user_query, experiment, variant, query_attributes, hit_ids)
      VALUES ('2026-11-02T09:00:00.000Z', 'shop', 'q1', 'ann', '', 'rerank', 'control', '{"armmt":{}}', '[]')`);
    database.close();
    const log = await openSqlLog(await openDatabaseFile(file));
    expect(log.notes).toEqual([expect.stringContaining("no table ubi_events")]);
    expect((await everything(log)).searches[0]).toMatchObject({ unit: "ann", words: 0 });
    await log.close();
  });

  it("may be empty, but must be a database", async () => {
    const empty = join(folder, "empty.sqlite");
    writeFileSync(empty, "");
    const log = await openSqlLog(await openDatabaseFile(empty));
    expect(log.notes[0]).toContain("no table ubi_queries");
    expect((await log.experiments()).size).toBe(0);
    await log.close();
    const text = join(folder, "text.sqlite");
    writeFileSync(text, "certainly no database ".repeat(50));
    const opened = await openDatabaseFile(text);
    await expect(openSqlLog(opened)).rejects.toThrow(/is not a SQLite database/);
    await opened.close();
    await expect(openDatabaseFile(join(folder, "none.sqlite"))).rejects.toThrow(/does not exist/);
  });

  it("quotes the name of an experiment", async () => {
    const file = join(folder, "quoted.sqlite");
    writeSimulatedDatabase(file, "it's", simulateSearches({ ...EXAMPLE, experiment: "it's", days: 1, searchesPerDay: 20 }));
    const log = await openSqlLog(await openDatabaseFile(file));
    expect((await everything(log, { ...ALL, experiment: "it's" })).searches).toHaveLength(20);
    await log.close();
  });
});

describe("UBI files", () => {
  it("tell the same as the tables", async () => {
    const file = join(folder, "lines.ndjson");
    const { user_query: userQuery, ...rest } = QUERY;
    const lines = [
      { index: { _index: "ubi_queries" } },
      { ...rest, user_query: userQuery, client_id: "ann" },
      { application: "shop", query_id: "q9", user_query: "no experiment", query_attributes: {}, timestamp: QUERY.timestamp },
      {
        action_name: "click",
        query_id: "q1",
        event_id: "e1",
        timestamp: "",
        message: null,
        event_attributes: { object: { object_id: "y" } },
      },
      { action_name: "purchase", query_id: "q1", price: 3, quantity: 2, currency: "EUR", team: "a", event_attributes: {} },
      { action_name: "purchase", query_id: "q1", event_attributes: { price: 3, currency: "EUR", team: "b" } },
      { action_name: "impression", query_id: "q1", event_attributes: {} },
    ];
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\n"));
    const log = openUbiLog({ queries: file, events: file });
    expect(await log.experiments()).toEqual(new Map([["rerank", 1]]));
    const { searches, actions } = await everything(log);
    expect(searches).toHaveLength(1);
    expect(searches[0]).toMatchObject({ queryId: "q1", unit: "ann", words: 4, teams: new Map([["y", "b"], ["x", "a"]]) }); // prettier-ignore
    expect(actions.map(({ eventId, action, itemId, quantity, price, team }) => [eventId, action, itemId, quantity, price, team])).toEqual([
      ["e1", "click", "y", undefined, undefined, undefined],
      [undefined, "purchase", "", 2, 3, "a"],
      [undefined, "purchase", "", undefined, 3, "b"],
    ]);
    expect((await everything(log, { ...ALL, until: "2026-11-02T09:00:00.000Z" })).searches).toHaveLength(0);
  });

  it("say where they are broken, and that they are missing", async () => {
    const file = join(folder, "broken.ndjson");
    writeFileSync(file, '{"a":1}\nnot json\n');
    await expect(openUbiLog({ queries: file, events: undefined }).experiments()).rejects.toThrow(/line 2 is not JSON/);
    writeFileSync(file, JSON.stringify({ query_id: 7, query_attributes: { armmt: { experiment: "rerank" } } }));
    await expect(openUbiLog({ queries: file, events: undefined }).experiments()).rejects.toThrow(/query_id: .*"query_id":7/);
    expect(() => openUbiLog({ queries: join(folder, "none.ndjson"), events: undefined })).toThrow(/does not exist/);
  });

  it.skipIf(!existsSync(SHARED))("of others without an experiment are read as such (skips without ../shared)", async () => {
    expect(readFileSync(SHARED, "utf8")).toContain('"query_attributes": {}');
    const log = openUbiLog({ queries: SHARED, events: SHARED });
    expect((await log.experiments()).size).toBe(0);
    expect((await everything(log)).actions).toHaveLength(14);
  });
});

describe("weights", () => {
  it("are read from the command line, with arms that have commas in their names", () => {
    expect(parseWeights("control=0.4, armmt@v2=0.4,interleave(control, armmt)=0.2")).toEqual(
      new Map([["control", 0.4], ["armmt@v2", 0.4], ["interleave(control, armmt)", 0.2]]), // prettier-ignore
    );
    for (const wrong of [
      "",
      "control",
      "control=1",
      "control=1,control=1",
      "control=0,armmt=0",
      "control=-1,armmt=1",
      "control=1,armmt=x",
    ]) {
      expect(() => parseWeights(wrong)).toThrow(/gives no weights/);
    }
  });

  it("are read from GrowthBook's shape: weights, ranges, or neither", () => {
    const list = [
      { key: "a", variations: ["control", "armmt"], weights: [0.9, 0.1], coverage: 0.5 },
      { key: "b", variations: ["control", "armmt"], ranges: [[0, 0.2], [0.5, 0.6]] }, // prettier-ignore
      { key: "c", variations: ["control", "armmt"] },
    ];
    const of = (key: string) => [...(weightsIn(list, key, "here")?.arms.values() ?? [])].map((weight) => Number(weight.toFixed(6)));
    expect([of("a"), of("b"), of("c")]).toEqual([[0.9, 0.1], [0.2, 0.1], [0.5, 0.5]]); // prettier-ignore
    expect(weightsIn(JSON.stringify(list), "b", "here")?.from).toBe("here");
    for (const nothing of [undefined, "no json", "{}", [{ key: 1 }]]) expect(weightsIn(nothing, "a", "here")).toBeUndefined();
    expect(weightsIn(list, "d", "here")).toBeUndefined();
  });

  it("are those of wrangler.toml where nothing else is said, and equal where that does not know the experiment", async () => {
    const file = join(folder, "unknown.sqlite");
    writeSimulatedDatabase(file, "simulated", simulateSearches({ ...EXAMPLE, days: 1, searchesPerDay: 50 }));
    const log = await openSqlLog(await openDatabaseFile(file));
    const range = { ...ALL, experiment: "simulated" };
    const data = await report(log, { weights: undefined, config: CONFIG, range });
    await log.close();
    expect(data.exposures.weightsFrom).toContain("equal weights");
    expect(data.exposures.arms[0]).toMatchObject({ variant: "control", weight: 1 / 3 });
    expect((await configuredWeights(CONFIG, "rerank"))?.arms).toEqual(new Map([["control", 0.5], ["armmt", 0.5]])); // prettier-ignore
  });
});
