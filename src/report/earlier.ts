/**
 * What the experiment's shoppers did before their first search in it: covariates for `cuped.ts`.
 *
 * Nothing of it can depend on the arm: searches and actions count until the shopper's first search in the experiment, also where a report begins
 * later (--since).
 */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { ACTIONS, type EarlierSpan, type Log, type LogRange } from "./log.ts";
import { DAY_MS } from "../web.ts";

/** Before the first day of the report: what is older says less, and costs the same to read. */
const LOOKBACK_DAYS = 28;

/** What one shopper weighs: more than all but 1 % of those who did it at all counts as that much. */
const CAP_SHARE = 0.99;

const TABLES = `
  CREATE TABLE shopper (unit TEXT PRIMARY KEY, first REAL NOT NULL) WITHOUT ROWID;
  INSERT INTO shopper SELECT unit, MIN(at) FROM search WHERE unit IS NOT NULL GROUP BY unit;
  CREATE TABLE past_search (query_id TEXT PRIMARY KEY, unit TEXT NOT NULL, at REAL NOT NULL, variant TEXT) WITHOUT ROWID;
  CREATE TABLE past_action (event_id TEXT UNIQUE, query_id TEXT NOT NULL, kind INTEGER NOT NULL, at REAL NOT NULL, amount REAL, currency TEXT,
    quantity REAL NOT NULL, order_id TEXT, item TEXT NOT NULL, line TEXT NOT NULL, is_signed INTEGER NOT NULL)`;

/** Only of shoppers who take part. */
const ADD_SEARCH = `INSERT INTO past_search SELECT ?1, unit, ?3, ?4 FROM shopper WHERE unit = ?2
  ON CONFLICT (query_id) DO UPDATE SET at = MIN(at, excluded.at)`;
const ADD_ACTION = `INSERT INTO past_action SELECT ?1, query_id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM past_search WHERE query_id = ?2 ON CONFLICT (event_id) DO NOTHING`;

/** As in orders.ts: once, whatever way it came, and as the shop's server signed it. */
const ORDERS_ONCE = `
  DELETE FROM past_action WHERE NOT is_signed AND order_id IN (SELECT order_id FROM past_action WHERE is_signed);
  DELETE FROM past_action WHERE rowid IN (SELECT id FROM (
    SELECT a.rowid AS id, ROW_NUMBER() OVER (PARTITION BY order_id, unit, item, line ORDER BY a.rowid) AS nth
    FROM past_action a JOIN past_search USING (query_id) WHERE order_id IS NOT NULL) WHERE nth > 1)`;

const SEAL = `
  ${ORDERS_ONCE};
  CREATE INDEX past_search_unit ON past_search (unit);
  UPDATE shopper SET first = MIN(first, (SELECT MIN(at) FROM past_search p WHERE p.unit = shopper.unit AND variant IS NOT NULL))
    WHERE unit IN (SELECT unit FROM past_search WHERE variant IS NOT NULL);
  CREATE TABLE past_outcome (query_id TEXT PRIMARY KEY, clicks INTEGER, carts INTEGER, purchases INTEGER, items REAL, revenue REAL) WITHOUT ROWID;
  INSERT INTO past_outcome SELECT query_id, SUM(kind = 0), SUM(kind = 1), SUM(kind = 2), SUM((kind = 2) * quantity),
    SUM(CASE WHEN kind = 2 AND currency IS (SELECT currency FROM past_action WHERE kind = 2 AND amount IS NOT NULL GROUP BY currency ORDER BY COUNT(*) DESC, currency LIMIT 1)
      THEN COALESCE(amount, 0) ELSE 0 END)
    FROM past_action a JOIN past_search p USING (query_id) JOIN shopper USING (unit) WHERE a.at < first GROUP BY query_id;
  CREATE TABLE past_order (unit TEXT PRIMARY KEY, orders INTEGER) WITHOUT ROWID;
  INSERT INTO past_order SELECT unit, COUNT(DISTINCT COALESCE('number ' || order_id, query_id))
    FROM past_action a JOIN past_search USING (query_id) JOIN shopper USING (unit) WHERE kind = 2 AND a.at < first GROUP BY unit;
  CREATE TABLE past (
    unit TEXT PRIMARY KEY, searches REAL, clicked REAL, clicks REAL, carts REAL, purchases REAL, orders REAL, items REAL, revenue REAL
  ) WITHOUT ROWID;
  INSERT INTO past SELECT unit, COUNT(*), SUM(COALESCE(clicks, 0) > 0), SUM(COALESCE(clicks, 0)), SUM(COALESCE(carts, 0)), SUM(COALESCE(purchases, 0)),
    COALESCE(orders, 0), SUM(COALESCE(items, 0)), SUM(COALESCE(revenue, 0))
    FROM past_search p JOIN shopper USING (unit) LEFT JOIN past_outcome USING (query_id) LEFT JOIN past_order USING (unit)
    WHERE p.at < first GROUP BY unit`;

const pastSchema = v.object({
  searches: v.number(),
  clicked: v.number(),
  clicks: v.number(),
  carts: v.number(),
  purchases: v.number(),
  orders: v.number(),
  items: v.number(),
  revenue: v.number(),
});
/** Sums of one shopper. */
export type Past = v.InferOutput<typeof pastSchema>;

const COLUMNS = Object.keys(pastSchema.entries);
const boundsSchema = v.object({ first: v.nullable(v.number()), last: v.nullable(v.number()) });
const numberSchema = v.optional(v.object({ n: v.number() }));

export type Earlier = ReturnType<typeof createEarlier>;

export function createEarlier(database: DatabaseSync) {
  let find: ReturnType<DatabaseSync["prepare"]> | undefined;
  return {
    /** After the stage is sealed. */
    async read(log: Log, range: LogRange): Promise<void> {
      const span = log.earlier === undefined ? undefined : spanOf(database);
      if (log.earlier === undefined || span === undefined) return;
      const rows = log.earlier(range, span);
      database.exec(`${TABLES}; BEGIN`);
      const addSearch = database.prepare(ADD_SEARCH);
      for await (const { queryId, unit, atMs, variant } of rows.searches())
        if (!Number.isNaN(atMs)) addSearch.run(queryId, unit, atMs, variant ?? null);
      const addAction = database.prepare(ADD_ACTION);
      if (countOf(database, "SELECT COUNT(*) AS n FROM past_search") > 0)
        for await (const {
          eventId,
          queryId,
          action,
          atMs,
          quantity = 1,
          price,
          currency,
          orderId,
          itemId,
          line = "",
          isSigned,
        } of rows.actions()) {
          if (Number.isNaN(atMs)) continue;
          const amount = price === undefined ? null : price * quantity;
          const order = [quantity, action === "purchase" ? (orderId ?? null) : null, itemId, line, isSigned === true ? 1 : 0];
          addAction.run(eventId ?? null, queryId, ACTIONS.indexOf(action), atMs, amount, currency ?? null, ...order);
        }
      database.exec(`COMMIT; ${SEAL}`);
      for (const name of COLUMNS) cap(database, name);
      if (countOf(database, "SELECT COUNT(*) AS n FROM past") > 0)
        find = database.prepare(`SELECT ${COLUMNS.join(", ")} FROM past WHERE unit = ?`);
    },
    /** Capped sums of one shopper; `undefined` where nothing is known. */
    of(unit: string): Past | undefined {
      const row = find?.get(unit);
      return row === undefined ? undefined : v.parse(pastSchema, row);
    },
    /** Of all shoppers with something to know. */
    *all(): Generator<Past> {
      if (find === undefined) return;
      for (const row of database.prepare(`SELECT ${COLUMNS.join(", ")} FROM past`).iterate()) yield v.parse(pastSchema, row);
    },
  };
}

/** `undefined` where no shopper is known. */
function spanOf(database: DatabaseSync): EarlierSpan | undefined {
  const bounds = "SELECT MIN(at) AS first, MAX(at) AS last FROM search WHERE unit IS NOT NULL";
  const { first, last } = v.parse(boundsSchema, database.prepare(bounds).get());
  if (first === null || last === null) return undefined;
  return { from: new Date(first - LOOKBACK_DAYS * DAY_MS).toISOString(), until: new Date(last).toISOString() };
}

function countOf(database: DatabaseSync, sql: string): number {
  return v.parse(numberSchema, database.prepare(sql).get())?.n ?? 0;
}

function cap(database: DatabaseSync, name: string): void {
  const known = countOf(database, `SELECT COUNT(*) AS n FROM past WHERE ${name} > 0`);
  if (known === 0) return;
  const at = Math.ceil(known * CAP_SHARE) - 1;
  const limit = countOf(database, `SELECT ${name} AS n FROM past WHERE ${name} > 0 ORDER BY ${name} LIMIT 1 OFFSET ${at}`);
  database.prepare(`UPDATE past SET ${name} = ?1 WHERE ${name} > ?1`).run(limit);
}
