/**
 * Exposures and events in D1: one row per search and one per event, the columns that a report groups by beside the whole record.
 *
 * Creates its tables when the first write finds none, and adds a column that an older table lacks. Reads nothing back.
 */
import { err, ok, type Result } from "../result.ts";
import { attempt, type Sink } from "./sink.ts";
import type { UbiQueryRecord } from "./ubi.ts";
import { errorText } from "../web.ts";

/**
 * A query_id may come from the client, and twice (two pages of one search), so it is not a key. JSON columns hold UBI's own objects;
 * `hit_ids` is query_response_hit_ids.
 */
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS ubi_queries (
    id INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    application TEXT NOT NULL,
    query_id TEXT NOT NULL,
    client_id TEXT,
    user_query TEXT NOT NULL,
    experiment TEXT,
    variant TEXT NOT NULL,
    model TEXT,
    bypass TEXT,
    query_attributes TEXT NOT NULL CHECK (json_valid(query_attributes)),
    hit_ids TEXT NOT NULL CHECK (json_valid(hit_ids)),
    unit TEXT
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS ubi_queries_report ON ubi_queries (experiment, variant, timestamp)",
  "CREATE INDEX IF NOT EXISTS ubi_queries_query_id ON ubi_queries (query_id)",
  `CREATE TABLE IF NOT EXISTS ubi_events (
    id INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    timestamp TEXT NOT NULL,
    application TEXT NOT NULL,
    action_name TEXT NOT NULL,
    query_id TEXT NOT NULL,
    client_id TEXT,
    unit TEXT,
    object_id TEXT NOT NULL,
    position INTEGER,
    quantity INTEGER,
    price REAL,
    currency TEXT,
    team TEXT,
    order_id TEXT,
    line TEXT,
    price_suspect INTEGER,
    event_attributes TEXT NOT NULL CHECK (json_valid(event_attributes))
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS ubi_events_query_id ON ubi_events (query_id)",
] as const;

const EXPOSURE_COLUMNS = `timestamp, application, query_id, client_id, user_query, experiment, variant, model, bypass, query_attributes, hit_ids, unit`;

const INSERT_EXPOSURE = `INSERT INTO ubi_queries (${EXPOSURE_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`;

/** Exposures have no id; the same search shows the same hits in the same millisecond only once. */
const INSERT_EXPOSURE_ONCE = `INSERT INTO ubi_queries (${EXPOSURE_COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
  WHERE NOT EXISTS (SELECT 1 FROM ubi_queries WHERE query_id = ?3 AND timestamp = ?1 AND hit_ids = ?11)`;

/**
 * A whole batch in one statement: its rows travel as one JSON parameter, because a statement has at most 100 of them. ON CONFLICT names the
 * one conflict that means "known": OR IGNORE would also swallow rows that break another rule. Without WHERE, SQLite reads ON as part of a join.
 */
const INSERT_EVENTS = `INSERT INTO ubi_events
  (event_id, timestamp, application, action_name, query_id, client_id, unit, object_id, position, quantity, price, currency, team,
    order_id, line, price_suspect, event_attributes)
  SELECT value ->> '$.event_id', value ->> '$.timestamp', value ->> '$.application', value ->> '$.action_name', value ->> '$.query_id',
    value ->> '$.client_id', value ->> '$.unit', value ->> '$.event_attributes.object.object_id', value ->> '$.event_attributes.position.ordinal',
    value ->> '$.quantity', value ->> '$.price', value ->> '$.currency', value ->> '$.team',
    value ->> '$.order_id', value ->> '$.line', value ->> '$.price_suspect', value -> '$.event_attributes'
  FROM json_each(?1) WHERE true
  ON CONFLICT (event_id) DO NOTHING`;

/** Columns that tables from before them lack, in the order in which they came. */
const ADDED_COLUMNS = [
  ["ubi_queries", "unit", "TEXT"],
  ["ubi_events", "order_id", "TEXT"],
  ["ubi_events", "line", "TEXT"],
  ["ubi_events", "price_suspect", "INTEGER"],
] as const;

/** Of one parameter; a value in D1 has at most 2 MB. */
const EVENTS_PER_STATEMENT = 500;

/** The part of a D1 statement that is used. */
export interface EventStatement {
  bind(...values: readonly (string | null)[]): EventStatement;
  run(): Promise<Written>;
}

interface Written {
  /** Rows that are new. */
  readonly meta: { readonly changes: number };
}

/** The part of D1 that is used; a binding fits as it is. */
export interface EventDatabase {
  prepare(sql: string): EventStatement;
  /** One transaction: all or none. */
  batch(statements: EventStatement[]): Promise<readonly Written[]>;
  /** As of a Sink. */
  readonly holdsWrites?: boolean;
}

/**
 * Exposures and events in a D1 database, which `armmt report` reads.
 *
 * @example
 * import { d1 } from "armmt-edge/sinks/d1";
 * const sinks = [d1(env.EVENTS)];
 */
export function createD1Sink(db: EventDatabase): Sink {
  const writeExposures = (records: readonly UbiQueryRecord[], isRepeated: boolean): Promise<Result<true, string>> =>
    attempt(async () => {
      const statement = db.prepare(isRepeated ? INSERT_EXPOSURE_ONCE : INSERT_EXPOSURE);
      const inserts = records.map((record) => statement.bind(...valuesOf(record)));
      await runMakingTables(db, inserts);
    });
  return {
    name: "d1",
    ...(db.holdsWrites === true && { holdsWrites: true }),
    write: (record) => writeExposures([record], false),
    writeExposures,
    async writeEvents(events) {
      try {
        const inserts: EventStatement[] = [];
        for (let start = 0; start < events.length; start += EVENTS_PER_STATEMENT) {
          inserts.push(db.prepare(INSERT_EVENTS).bind(JSON.stringify(events.slice(start, start + EVENTS_PER_STATEMENT))));
        }
        const written = await runMakingTables(db, inserts);
        return ok({ written, duplicates: events.length - written });
      } catch (error) {
        return err(errorText(error));
      }
    },
  };
}

/**
 * Tries the inserts first: only the first write of a database finds no table, and no isolate has to remember whether there is one.
 * All or none. Resolves with the number of rows that are new.
 */
async function runMakingTables(db: EventDatabase, inserts: readonly EventStatement[]): Promise<number> {
  if (inserts.length === 0) return 0;
  try {
    return await run(db, inserts);
  } catch (error) {
    const message = errorText(error);
    const [, table, column] = /table (\w+) has no column named (\w+)/i.exec(message) ?? [];
    if (/no such table/i.test(message)) await db.batch(SCHEMA.map((statement) => db.prepare(statement)));
    else if (ADDED_COLUMNS.some(([of, name]) => of === table && name === column)) await addColumns(db, table);
    else throw error;
    return run(db, inserts);
  }
}

async function run(db: EventDatabase, inserts: readonly EventStatement[]): Promise<number> {
  const [first] = inserts;
  // One statement is all or none by itself: it needs no transaction around it.
  const results = inserts.length === 1 && first !== undefined ? [await first.run()] : await db.batch([...inserts]);
  return results.reduce((sum, { meta }) => sum + meta.changes, 0);
}

/** One by one: a database may have some of them, and another isolate may be quicker. */
async function addColumns(db: EventDatabase, table: string | undefined): Promise<void> {
  for (const [of, name, type] of ADDED_COLUMNS) {
    if (of !== table) continue;
    try {
      await db.prepare(`ALTER TABLE ${of} ADD COLUMN ${name} ${type}`).run(); // oxlint-disable-line no-await-in-loop
    } catch (error) {
      if (!/duplicate column/i.test(errorText(error))) throw error;
    }
  }
}

function valuesOf(record: UbiQueryRecord): readonly (string | null)[] {
  const { armmt } = record.query_attributes;
  return [
    record.timestamp,
    record.application,
    record.query_id,
    record.client_id ?? null,
    record.user_query,
    armmt.experiment ?? null,
    armmt.variant,
    armmt.model ?? null,
    armmt.bypass ?? null,
    JSON.stringify(record.query_attributes),
    JSON.stringify(record.query_response_hit_ids),
    record.unit ?? null,
  ];
}

export { createD1Sink as d1 };
