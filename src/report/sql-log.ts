/** The tables `ubi_queries` and `ubi_events` as a log, read in pages by id, so that neither this machine nor D1 holds all of it at once. */
import * as v from "valibot";
import {
  ACTIONS,
  type EarlierRows,
  type EarlierSpan,
  type Log,
  type LogRange,
  rawAction,
  rawExplored,
  rawRules,
  rawSearch,
  toActionRow,
  toSearchRow,
} from "./log.ts";
import { UserError } from "../web.ts";

export interface EventDatabase extends Pick<Log, "place" | "liveExperiments" | "close"> {
  /** Rows as objects. Values are written into `sql`, quoted: `wrangler d1 execute` binds none. */
  all(sql: string): Promise<readonly unknown[]>;
}

/** A row of an interleaved experiment holds its list, about 2 KB. */
const PAGE_ROWS = 5000;

const jsonOf = <T extends v.GenericSchema>(schema: T) => v.nullish(v.pipe(v.string(), v.parseJson(), schema));

const searchSchema = v.object({
  ...rawSearch.entries,
  id: v.number(),
  teams: jsonOf(v.array(v.unknown())),
  served_ids: jsonOf(v.array(v.string())),
  slot_ids: jsonOf(v.array(v.string())),
  rules: jsonOf(rawRules),
  explored: jsonOf(rawExplored),
});

const actionSchema = v.object({ ...rawAction.entries, id: v.number() });

const earlierSchema = v.object({ id: v.number(), unit: v.string(), variant: v.string() });

/** Of events; older tables lack them. */
const ORDER_COLUMNS = ["order_id", "line", "price_suspect"] as const;

const IS_SIGNED = "json_extract(e.event_attributes, '$.armmt.is_signed')";

function orderColumns(events: ReadonlySet<string>): string {
  const known = ORDER_COLUMNS.map((column) => (events.has(column) ? `e.${column}` : `NULL AS ${column}`));
  return [...known, `CASE WHEN e.action_name IN ('purchase', 'refund', 'cancel') THEN ${IS_SIGNED} END AS is_signed`].join(", ");
}

const countSchema = v.array(v.object({ experiment: v.string(), searches: v.number() }));
const columnSchema = v.array(v.object({ name: v.string() }));

export async function openSqlLog(database: EventDatabase): Promise<Log> {
  const queries = await columnsOf(database, "ubi_queries");
  const events = await columnsOf(database, "ubi_events");
  const { place } = database;
  // Older tables lack the column; the client is the best guess.
  const unit = queries.has("unit") ? "COALESCE(unit, client_id)" : "client_id";
  return {
    place,
    notes: [
      ...(queries.size === 0 ? [`There is no table ubi_queries in ${place}: no search was recorded yet.`] : []),
      ...(events.size === 0 ? [`There is no table ubi_events in ${place}: no click, cart or purchase was recorded yet.`] : []),
    ],
    async experiments() {
      if (queries.size === 0) return new Map();
      const sql = "SELECT experiment, COUNT(*) AS searches FROM ubi_queries WHERE experiment IS NOT NULL GROUP BY experiment";
      return new Map(v.parse(countSchema, await database.all(sql)).map(({ experiment, searches }) => [experiment, searches]));
    },
    async *searches(range) {
      if (queries.size === 0) return;
      const columns = [
        `id, timestamp, application, query_id, ${unit} AS unit, user_query, variant, bypass`,
        `${queries.has("model") ? "model" : "NULL AS model"}, ${queries.has("hit_ids") ? "json_array_length(hit_ids)" : "NULL"} AS shown`,
        "json_extract(query_attributes, '$.armmt.engine_ms') AS engine_ms, json_extract(query_attributes, '$.armmt.edge_ms') AS edge_ms",
        "json_extract(query_attributes, '$.armmt.simulated') AS simulated, json_extract(query_attributes, '$.armmt.index') AS \"index\"",
        "json_extract(query_attributes, '$.armmt.rules.slot_ids') AS slot_ids",
        "json_remove(json_extract(query_attributes, '$.armmt.rules'), '$.idle', '$.slot_ids', '$.without') AS rules",
        // Their whole lists, of those few that need them.
        "CASE WHEN json_type(query_attributes, '$.armmt.rules.without') = 'object' AND json_extract(query_attributes, '$.armmt.offset') = 0 " +
          "AND json_type(query_attributes, '$.armmt.propensities') = 'array' THEN json_object(" +
          ["original_ids", "served_ids", "propensities"]
            .map((name) => `'${name}', json_extract(query_attributes, '$.armmt.${name}')`)
            .join(", ") +
          ", 'without', json_extract(query_attributes, '$.armmt.rules.without')) END AS explored",
        "json_extract(query_attributes, '$.armmt.teams') AS teams",
        "CASE WHEN json_type(query_attributes, '$.armmt.teams') = 'array' THEN json_extract(query_attributes, '$.armmt.served_ids') END AS served_ids",
      ];
      // The plus keeps SQLite from using the index on the experiment: with it, each page would sort all remaining rows.
      // Timestamps are ISO 8601 with a Z, so they compare as text.
      const { experiment, since, until } = range;
      const where =
        (experiment === undefined ? "1" : `+experiment = ${quote(experiment)}`) +
        (since === undefined ? "" : ` AND timestamp >= ${quote(since)}`) +
        (until === undefined ? "" : ` AND timestamp < ${quote(until)}`);
      const select = (after: number) => `SELECT ${columns.join(", ")} FROM ubi_queries WHERE id > ${after} AND ${where}`;
      for await (const row of pages(database, searchSchema, select)) yield toSearchRow(row);
    },
    async *armsBefore({ experiment, since }) {
      if (queries.size === 0 || since === undefined || experiment === undefined) return;
      const select =
        `SELECT id, ${unit} AS unit, variant FROM ubi_queries ` +
        `WHERE +experiment = ${quote(experiment)} AND timestamp < ${quote(since)} AND ${unit} IS NOT NULL`;
      for await (const row of pages(database, earlierSchema, (after) => `${select} AND id > ${after}`)) yield row;
    },
    async *actions(range) {
      if (queries.size === 0 || events.size === 0) return;
      // A whole order's object is the order; a refund or a cancellation by the shop's server follows no search.
      const select =
        "SELECT e.id, e.query_id, e.action_name, e.quantity, e.price, e.currency, e.team, e.timestamp, " +
        `${orderColumns(events)}, e.application, ${events.has("unit") ? "e.unit" : "NULL"} AS unit, e.client_id, ` +
        "CASE WHEN json_extract(e.event_attributes, '$.object.object_id_type') = 'order' THEN NULL ELSE e.object_id END AS object_id " +
        "FROM ubi_events e " +
        `WHERE e.action_name IN (${ACTIONS.map(quote).join(", ")}) AND (e.action_name IN ('refund', 'cancel') ` +
        // An order that only names its shopper.
        (events.has("unit") ? "OR (e.query_id = '' AND e.unit IS NOT NULL) " : "") +
        (range.experiment === undefined
          ? "OR 1 "
          : `OR EXISTS (SELECT 1 FROM ubi_queries q WHERE q.query_id = e.query_id AND q.experiment = ${quote(range.experiment)}) `) +
        // Of whatever search: what its order holds is true of what came unsigned.
        `OR (e.action_name = 'purchase' AND ${IS_SIGNED}))`;
      for await (const row of pages(database, actionSchema, (after) => `${select} AND e.id > ${after}`)) yield toActionRow(row);
    },
    earlier: (range, span) => earlierRows(database, { queries, events }, range, span),
    liveExperiments: () => database.liveExperiments(),
    close: () => database.close(),
  };
}

const earlierSearch = v.object({
  id: v.number(),
  query_id: v.string(),
  unit: v.string(),
  timestamp: v.string(),
  variant: v.nullable(v.string()),
});
const earlierAction = v.object({ ...actionSchema.entries, timestamp: v.string() });

/** Narrow rows: all searches of known shoppers but those of the report. Which shoppers take part, the stage knows; asked here, each page would search for it. */
function earlierRows(
  database: EventDatabase,
  { queries, events }: Record<"queries" | "events", ReadonlySet<string>>,
  { experiment, since }: LogRange,
  { from, until }: EarlierSpan,
): EarlierRows {
  const unit = queries.has("unit") ? "COALESCE(unit, client_id)" : "client_id";
  const isOwn = experiment === undefined ? "1" : `experiment IS ${quote(experiment)}`;
  const isBefore = since === undefined ? "0" : `timestamp < ${quote(since)}`;
  return {
    async *searches() {
      if (queries.size === 0) return;
      const select =
        `SELECT id, query_id, ${unit} AS unit, timestamp, CASE WHEN ${isOwn} THEN variant END AS variant FROM ubi_queries WHERE ${unit} IS NOT NULL ` +
        `AND timestamp < ${quote(until)} AND CASE WHEN ${isOwn} THEN ${isBefore} ELSE timestamp >= ${quote(from)} END`;
      for await (const row of pages(database, earlierSearch, (after) => `${select} AND id > ${after}`))
        yield { queryId: row.query_id, unit: row.unit, atMs: Date.parse(row.timestamp), variant: row.variant ?? undefined };
    },
    async *actions() {
      if (events.size === 0) return;
      const select =
        `SELECT e.id, e.query_id, e.action_name, e.object_id, e.quantity, e.price, e.currency, e.timestamp, ${orderColumns(events)} FROM ubi_events e ` +
        `WHERE action_name IN (${ACTIONS.map(quote).join(", ")}) AND timestamp >= ${quote(from)} AND timestamp < ${quote(until)}`;
      for await (const row of pages(database, earlierAction, (after) => `${select} AND e.id > ${after}`))
        yield { ...toActionRow(row), atMs: Date.parse(row.timestamp) };
    },
  };
}

/** Empty for a missing table. */
export async function columnsOf(database: EventDatabase, table: string): Promise<ReadonlySet<string>> {
  return new Set(v.parse(columnSchema, await database.all(`PRAGMA table_info(${table})`)).map(({ name }) => name));
}

/** All rows, some thousand at a time. `select`: a statement without its order, of rows with a greater id. */
export async function* pages<T extends v.GenericSchema<unknown, { readonly id: number }>>(
  database: EventDatabase,
  schema: T,
  select: (after: number) => string,
): AsyncGenerator<v.InferOutput<T>> {
  let after = -1;
  for (;;) {
    const rows = await database.all(`${select(after)} ORDER BY id LIMIT ${PAGE_ROWS}`); // oxlint-disable-line no-await-in-loop
    for (const row of rows) {
      const parsed = v.safeParse(schema, row);
      if (!parsed.success) {
        const [issue] = parsed.issues;
        throw new UserError(`A row of ${database.place} cannot be read: ${v.getDotPath(issue) ?? "row"}: ${issue.message}`);
      }
      after = parsed.output.id;
      yield parsed.output;
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

/** An SQL string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
