/**
 * Exposure records in D1: one row per search, the columns that a report groups by beside the whole record.
 *
 * Makes its table itself, the first time it finds none. Reads nothing back.
 */
import type { D1Database } from "@cloudflare/workers-types";
import { err, ok } from "../result.ts";
import type { ExposureSink } from "./sink.ts";
import type { UbiQueryRecord } from "./ubi.ts";

/**
 * A query_id may come from the client and may come twice (two pages of one search), so it is no key. JSON columns hold UBI's own objects;
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
    hit_ids TEXT NOT NULL CHECK (json_valid(hit_ids))
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS ubi_queries_report ON ubi_queries (experiment, variant, timestamp)",
  "CREATE INDEX IF NOT EXISTS ubi_queries_query_id ON ubi_queries (query_id)",
] as const;

const INSERT = `INSERT INTO ubi_queries
  (timestamp, application, query_id, client_id, user_query, experiment, variant, model, bypass, query_attributes, hit_ids)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`;

/** The part of D1 that is used. */
export type EventDatabase = Pick<D1Database, "prepare" | "batch">;

export function createD1Sink(db: EventDatabase): ExposureSink {
  return {
    async write(record) {
      try {
        await insertMakingTable(db, record);
        return ok(true);
      } catch (error) {
        return err(messageOf(error));
      }
    },
  };
}

/** Tries the insert first: only the very first write of a database finds no table, and no isolate has to remember whether there is one. */
async function insertMakingTable(db: EventDatabase, record: UbiQueryRecord): Promise<void> {
  const insert = db.prepare(INSERT).bind(...valuesOf(record));
  try {
    await insert.run();
  } catch (error) {
    if (!/no such table/i.test(messageOf(error))) throw error;
    await db.batch([...SCHEMA.map((statement) => db.prepare(statement)), insert]);
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
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
