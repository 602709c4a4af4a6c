/** Any log → the same searches: wherever it lies, with the report's attribution, orders and refunds, and a reason for all that is left out. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesTable, icebergTable } from "../../../src/cli/lists/duckdb.ts";
import { openLog, type LoggedSearch, type LogOptions } from "../../../src/cli/lists/log.ts";
import { hashUnit, treatmentOf } from "../../../src/cli/lists/records.ts";
import { recordOf } from "../../../src/cli/lists/rows.ts";
import { openSource } from "../../../src/cli/lists/sources.ts";
import { splitOf } from "../../../src/cli/lists/split.ts";
import { createD1Sink } from "../../../src/events/d1.ts";
import { createEventRecord, createQueryRecord, type ServedEvent, type UbiQueryRecord } from "../../../src/events/ubi.ts";
import { openSqliteEvents } from "../../../src/runtimes/node/sqlite.ts";
import { DAY_MS } from "../../../src/web.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-logs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AT = Date.UTC(2026, 10, 21, 12);

interface Search {
  readonly id: string;
  readonly variant?: string;
  readonly unit?: string | undefined;
  readonly index?: string;
  readonly original?: string;
  readonly served?: string;
  readonly offset?: number | null;
  readonly more?: object;
  readonly at?: number;
}

/** One letter per item. */
function search({
  id,
  variant = "armmt",
  unit,
  index = "products",
  original = "abcd",
  served = original,
  offset = 0,
  more,
  at = AT,
}: Search) {
  return createQueryRecord({
    application: "shop",
    queryId: id,
    unit,
    userQuery: "mug",
    timeMs: at,
    armmt: {
      experiment: "e",
      variant,
      index,
      window: 4,
      original_ids: original.split(""),
      served_ids: served.split(""),
      offset,
      ...more,
    },
  });
}

let events = 0;

function event(action: ServedEvent["action_name"], queryId: string, itemId: string, more: Partial<ServedEvent> = {}, at = AT + 60_000) {
  const record = createEventRecord({ application: "shop", action, queryId, itemId, position: 1, timeMs: at });
  return {
    event_id: `e${++events}`,
    ...record,
    ...more,
    event_attributes: { ...record.event_attributes, armmt: {} },
  } satisfies ServedEvent;
}

const order = (id: string, price: number, more: object = {}) => ({ order_id: id, price, currency: "EUR", quantity: 1, ...more });

const QUERIES: readonly UbiQueryRecord[] = [
  search({ id: "q1", unit: "alice", served: "bacd" }),
  search({ id: "q2", unit: "bob", variant: "interleave(control, armmt)", served: "abdc", more: { teams: ["a", "b", "a", null] } }),
  search({
    id: "q3",
    unit: "alice",
    variant: "explore(armmt)",
    served: "acbd",
    more: { propensities: [1, 0.2, 0.2, 1] },
    at: AT + 3_600_000,
  }),
  search({ id: "q4", variant: "control" }),
  // Two pages of one search, the second first.
  search({ id: "q5", unit: "carol", served: "cd", offset: 2, original: "abcd" }),
  search({ id: "q5", unit: "carol", served: "ab", offset: 0, original: "abcd" }),
  search({ id: "other index", index: "books" }),
  search({ id: "cursor", offset: null }),
  search({ id: "shared", unit: "alice" }),
  search({ id: "shared", unit: "bob" }),
  search({ id: "bypassed", unit: "dave", more: { bypass: "store_timeout" } }),
];

const EVENTS: readonly ServedEvent[] = [
  event("click", "q1", "a", { unit: "alice" }),
  event("purchase", "q1", "a", { ...order("o1", 10, { quantity: 2 }), unit: "alice" }),
  // The page of the order is loaded again.
  event("purchase", "q1", "a", { ...order("o1", 10, { quantity: 2 }), unit: "alice" }),
  event("purchase", "q1", "b", { ...order("o1", 5), unit: "alice" }),
  event("refund", "q1", "a", { ...order("o1", 10), unit: "alice" }),
  event("purchase", "q2", "c", { ...order("o2", 7), unit: "bob" }),
  event("cancel", "q2", "c", { order_id: "o2", unit: "bob" }),
  event("add_to_cart", "q2", "d"),
  event("click", "q5", "c"),
  event("click", "q5", "z"),
  event("click", "q4", "b", {}, AT + 8 * DAY_MS),
  event("click", "unknown", "a"),
  event("impression", "q4", "b"),
  event("view", "q1", "d", { unit: "alice" }, AT + 120_000),
];

async function read(from: LogOptions["from"], options: Partial<LogOptions> = {}) {
  const log = await openLog({ from, indexes: new Set(["products"]), ...options });
  const leftOut = new Map(log.leftOut);
  const searches = [...log.searches((reason) => leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1))];
  log.close();
  return { searches, leftOut: Object.fromEntries(leftOut), ignored: Object.fromEntries(log.ignored), log };
}

const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const sorted = (list: readonly LoggedSearch[]) => list.toSorted((a, b) => a.queryId.localeCompare(b.queryId));

let found: Awaited<ReturnType<typeof read>>;
const byId = (id: string): LoggedSearch | undefined => found.searches.find(({ queryId }) => queryId === id);
const sqlite = join(folder, "events.sqlite");

beforeAll(async () => {
  const database = await openSqliteEvents(sqlite);
  const sink = createD1Sink(database);
  expect((await sink.writeExposures(QUERIES, false)).ok).toBe(true);
  expect((await sink.writeEvents(EVENTS)).ok).toBe(true);
  await database.close();
  found = await read(sqlite);
});

describe("a log of the edge", () => {
  it("gives labels, money and orders by the rules of the report", () => {
    const { actions, revenue, orders } = byId("q1")!;
    expect([[...actions.click], [...actions.purchase]]).toEqual([["a"], ["a", "b"]]);
    // Two pieces at 10, one given back, and one line of 5; one order that came twice.
    expect([Object.fromEntries(revenue!), orders]).toEqual([{ a: 10, b: 5 }, 1]);
    // Cancelled: not bought. Its cart stays.
    expect([[...byId("q2")!.actions.purchase], [...byId("q2")!.actions.add_to_cart], byId("q2")!.orders]).toEqual([[], ["d"], 0]);
    expect([...byId("q4")!.actions.click]).toEqual([]);
  });

  it("knows treatment, teams, propensities and positions in the whole list", () => {
    const { searches } = found;
    expect(searches.map(({ queryId, treatment }) => [queryId, treatment])).toEqual([
      ["q1", "serve"],
      ["q2", "interleave"],
      ["q3", "explore"],
      ["q4", "engine"],
      ["q5", "serve"],
      ["bypassed", "engine"],
    ]);
    expect(Object.fromEntries(byId("q2")!.teams!)).toEqual({ a: 1, b: 2, d: 1 });
    expect(Object.fromEntries(byId("q3")!.propensities!)).toEqual({ a: 1, c: 0.2, b: 0.2, d: 1 });
    expect(byId("q1")!.propensities).toBeUndefined();
    expect(byId("q5")).toMatchObject({ itemIds: ["a", "b", "c", "d"], servedIds: ["c", "d", "a", "b"], positions: [3, 4, 1, 2] });
  });

  it("takes the history from earlier events of the same shopper only, and splits by shopper", () => {
    expect(byId("q3")!.history).toEqual(["d", "a", "b"]);
    for (const id of ["q1", "q2", "q4", "q5"]) expect(byId(id)!.history).toEqual([]);
    for (const { queryId, unit, split } of found.searches) {
      const who = { q1: "alice", q2: "bob", q3: "alice", q5: "carol", bypassed: "dave" }[queryId];
      expect(unit).toBe(who === undefined ? undefined : hashUnit(who));
      expect(split).toBe(who === undefined ? splitOf("search", queryId) : splitOf("shopper", who));
    }
  });

  it("says how often and why something is left out", () => {
    expect(found.leftOut).toEqual({
      "of another index": 1,
      "a page at a place that only the engine knows": 1,
      "one query id for several shoppers, texts or arms": 1,
    });
    expect(found.ignored).toEqual({
      '"impression", which is no label': 1,
      "no search of these lists": 1,
      "outside the attribution window": 1,
      "order lines that came again": 1,
      "order lines that were cancelled": 1,
    });
  });

  it("takes a time range, and a shorter window", async () => {
    const { searches, leftOut } = await read(sqlite, { since: new Date(AT + 1).toISOString() });
    expect(searches.map(({ queryId }) => queryId)).toEqual(["q3"]);
    expect(leftOut["outside the time range"]).toBe(9);
    const short = await read(sqlite, { windowMs: 1000 });
    expect(short.searches.flatMap(({ actions }) => [...actions.click, ...actions.purchase])).toEqual([]);
    expect(short.ignored["outside the attribution window"]).toBe(9);
  });
});

describe("wherever it lies", () => {
  const gone = { ...search({ id: "q9" }), query_attributes: undefined };
  const places: readonly (readonly [string, () => LogOptions["from"]])[] = [
    [
      "a folder of queries.ndjson and events.ndjson, beside other files",
      () => {
        write("two/truth.ndjson", "{}\n");
        write("two/queries.ndjson", lines(QUERIES));
        return dirname(write("two/events.ndjson", lines(EVENTS)));
      },
    ],
    ["two files", () => [write("queries-of-may.jsonl", lines(QUERIES)), write("events-of-may.ndjson.gz", gzipSync(lines(EVENTS)))]],
    ["one file with both", () => write("both.ndjson", lines([...EVENTS, ...QUERIES]))],
    [
      "day folders of R2, with lines that came twice",
      () => {
        for (const day of ["2026-11-21", "2026-11-22"]) {
          write(`r2/ubi_events/${day}/abc.ndjson`, lines(EVENTS));
          write(`r2/ubi_queries/${day}/def.ndjson`, lines(QUERIES));
        }
        return join(folder, "r2");
      },
    ],
    [
      "a pipeline's records of both kinds",
      () =>
        write(
          "pipeline/part-0.ndjson",
          lines([
            ...QUERIES.map((record) => ({ record: "exposure", ...record })),
            ...EVENTS.map((record) => ({ record: "event", ...record })),
          ]),
        ),
    ],
    [
      "a server's data folder",
      () => {
        write("data/kv/shop/live", "{}");
        copyFileSync(sqlite, join(folder, "data/events.sqlite"));
        return join(folder, "data");
      },
    ],
  ];
  for (const [name, make] of places) {
    it(`is the same log in ${name}`, async () => {
      const { searches, ignored } = await read(make());
      expect(sorted(searches)).toEqual(sorted(found.searches));
      expect(ignored["order lines that came again"]).toBeGreaterThan(0);
    });
  }

  it("is a plain UBI log of a shop without this edge", async () => {
    const plain = {
      query_id: 7,
      client_id: "browser-1",
      user_query: "mug",
      timestamp: "2026-11-21T12:00:00Z",
      query_response_hit_ids: [1, 2, 3],
    };
    const click = {
      action_name: "click_through",
      query_id: "7",
      client_id: "browser-1",
      timestamp: "2026-11-21T12:00:09Z",
      event_attributes: { object: { object_id: 2 } },
    };
    const { searches } = await read(write("plain.ndjson", lines([plain, click, gone])), { indexes: undefined });
    expect(searches[0]).toMatchObject({ queryId: "7", itemIds: ["1", "2", "3"], treatment: "engine", unit: hashUnit("browser-1") });
    expect([...searches[0]!.actions.click]).toEqual(["2"]);
  });

  it("counts records that cannot be read, and names the first", async () => {
    const broken = {
      ...search({ id: "q8" }),
      query_attributes: { armmt: { original_ids: ["a", "b"], original_scores: [1], served_ids: ["a"] } },
    };
    const { searches, leftOut, log } = await read(
      write("broken.ndjson", lines([broken, { ...search({ id: "q7" }), timestamp: "noon" }, QUERIES[0]!])),
    );
    expect([searches.length, leftOut["cannot be read"]]).toEqual([1, 2]);
    expect(log.firstUnreadable).toMatch(/broken\.ndjson, line 1: 1 original_scores for 2 ids/);
    await expect(read(join(folder, "no such.ndjson"))).rejects.toThrow(/no such\.ndjson does not exist: name a SQLite file/);
    mkdirSync(join(folder, "empty"));
    await expect(read(join(folder, "empty"))).rejects.toThrow(/holds no log/);
  });
});

describe("tables", () => {
  it("takes rows whose JSON columns are text, and times without a zone", () => {
    const { query_attributes: attributes, ...rest } = QUERIES[0]!;
    const row = {
      ...rest,
      timestamp: "2026-11-21 12:00:00.5",
      query_attributes: JSON.stringify(attributes),
      hit_ids: '["a"]',
      query_response_hit_ids: null,
    };
    expect(recordOf(row)).toMatchObject({
      query_attributes: attributes,
      timestamp: "2026-11-21T12:00:00.5Z",
      query_response_hit_ids: ["a"],
    });
    expect(recordOf({ value: JSON.stringify(QUERIES[0]) })).toEqual(QUERIES[0]);
  });

  it("reads Parquet files through DuckDB, columns as structs or as text, and says what DuckDB says", async () => {
    const place = mkdtempSync(join(tmpdir(), "armmt-parquet-"));
    try {
      const file = join(place, "log.ndjson");
      const records = [...QUERIES.map((of) => ({ record: "exposure", ...of })), ...EVENTS.map((of) => ({ record: "event", ...of }))];
      writeFileSync(file, records.map((of) => `${JSON.stringify(of)}\n`).join(""));
      const connection = await (await DuckDBInstance.create(":memory:")).connect();
      const table = `read_json('${file}', columns = {record: 'VARCHAR', query_id: 'VARCHAR', client_id: 'VARCHAR', timestamp: 'TIMESTAMPTZ',
        user_query: 'VARCHAR', query_attributes: 'JSON', query_response_hit_ids: 'VARCHAR[]', action_name: 'VARCHAR', event_attributes: 'JSON'})`;
      await connection.run(`COPY (SELECT * FROM ${table} WHERE record = 'exposure') TO '${join(place, "queries.parquet")}'`);
      await connection.run(`COPY (SELECT * FROM read_json('${file}') WHERE record = 'event') TO '${join(place, "events.parquet")}'`);
      connection.closeSync();
      rmSync(file);
      const source = await openSource({ from: place });
      const rows: unknown[] = [];
      for await (const { record } of source.records("queries")) rows.push(record);
      await source.close();
      expect(rows).toHaveLength(records.length);
      const { query_id: id, query_attributes: attributes, query_response_hit_ids: hits } = QUERIES[0]!;
      expect(rows).toContainEqual(expect.objectContaining({ query_id: id, query_attributes: attributes, query_response_hit_ids: hits }));
      const [first] = EVENTS;
      expect(rows).toContainEqual(expect.objectContaining({ action_name: first?.action_name, query_id: first?.query_id }));
      const missing = await openSource({ from: join(place, "queries.parquet") });
      rmSync(join(place, "queries.parquet"));
      await expect(missing.records("queries")[Symbol.asyncIterator]().next()).rejects.toThrow(
        /DuckDB cannot read .*IO Error: No files found/,
      );
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  it("reads a folder as Spark writes it", async () => {
    const place = mkdtempSync(join(tmpdir(), "armmt-spark-"));
    try {
      writeFileSync(join(place, "_SUCCESS"), "");
      const rows = QUERIES.map(({ query_attributes: attributes, ...of }) =>
        JSON.stringify({ record: "exposure", ...of, query_attributes: JSON.stringify(attributes) }),
      );
      writeFileSync(join(place, "part-00000-9066ffc2-c000.json"), `${rows.join("\n")}\n`);
      const source = await openSource({ from: place });
      const written: unknown[] = [];
      for await (const { record } of source.records("queries")) written.push(record);
      expect(written).toEqual(QUERIES.map((of) => ({ record: "exposure", ...of })));
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  it("asks for a bucket's folder, and takes keys as AWS's tools do", () => {
    const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "it's", AWS_ENDPOINT_URL: "https://account.r2.cloudflarestorage.com/" };
    expect(filesTable("r2://shop/ubi/", keys)).toEqual({
      table: "read_parquet('s3://shop/ubi/**/*.parquet', union_by_name = true)",
      before: [
        "INSTALL httpfs; LOAD httpfs",
        "CREATE SECRET bucket_keys (TYPE s3, KEY_ID 'id', SECRET 'it''s', REGION 'auto', ENDPOINT 'account.r2.cloudflarestorage.com', URL_STYLE 'path')",
      ],
    });
    expect(filesTable("s3://shop/ubi/*.parquet", {}).table).toBe("read_parquet('s3://shop/ubi/*.parquet', union_by_name = true)");
    expect(filesTable("/data/ubi.parquet", keys).before).toEqual([]);
    expect(filesTable("r2://shop/ubi_*/**/*.ndjson", {})).toMatchObject({
      table: "read_ndjson_objects('s3://shop/ubi_*/**/*.ndjson')",
      record: "r.json",
    });
    expect(() => filesTable("s3://shop/ubi", { AWS_ENDPOINT_URL: "account" })).toThrow(/endpoint account is no address/);
  });

  it("finds an Iceberg table in its folder, or in a catalogue", () => {
    expect(icebergTable("/data/ubi", {})).toEqual({
      table: "iceberg_scan('/data/ubi')",
      before: ["INSTALL iceberg; LOAD iceberg", "SET unsafe_enable_version_guessing = true"],
    });
    expect(icebergTable("s3://shop/ubi/metadata/00002-a.metadata.json", {}).before).toEqual([
      "INSTALL iceberg; LOAD iceberg",
      "INSTALL httpfs; LOAD httpfs",
    ]);
    const address = "https://catalog.cloudflarestorage.com/account/shop?warehouse=account_shop&table=default.ubi";
    const { table, before } = icebergTable(address, { ICEBERG_TOKEN: "a token" });
    expect(table).toBe('"catalogue"."default"."ubi"');
    expect(before.slice(2)).toEqual([
      "CREATE SECRET catalogue_token (TYPE iceberg, TOKEN 'a token')",
      "ATTACH 'account_shop' AS catalogue (TYPE iceberg, ENDPOINT 'https://catalog.cloudflarestorage.com/account/shop', SECRET catalogue_token)",
    ]);
    expect(icebergTable(address, {}).before.at(-1)).toContain("AUTHORIZATION_TYPE 'none'");
    expect(() => icebergTable("https://host/?table=ubi", {})).toThrow("table=ubi has no namespace: write table=<namespace>.<table>");
  });
});

it("knows how an order came about", () => {
  const ids = { original_ids: ["a", "b"], served_ids: ["b", "a"] };
  expect(treatmentOf({ ...ids, variant: "shadow(armmt)" })).toBe("shadow");
  expect(treatmentOf({ ...ids, variant: "semantic" })).toBe("serve");
  expect(treatmentOf({ ...ids, variant: "interleave(control, armmt)" })).toBe("engine");
  expect(treatmentOf({ ...ids, variant: "interleave(armmt, control)" })).toBe("serve");
  expect(treatmentOf({ ...ids, variant: "explore(armmt)" })).toBe("serve");
  expect(treatmentOf({ ...ids, variant: "some other shop's" })).toBe("serve");
  expect(treatmentOf({ ...ids, served_ids: ["a"] })).toBe("engine");
});
