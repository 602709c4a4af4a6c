/** Reads from the event database, for the dashboard. Sinks write only; nothing that serves a search reads. */
import type { D1Database } from "@cloudflare/workers-types";

export interface Query {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** The rows of each query. All of them are of one state of the database. */
export type ReadEvents = (queries: readonly Query[]) => Promise<readonly (readonly unknown[])[]>;

export function d1Reader(database: D1Database): ReadEvents {
  return async (queries) => {
    const results = await database.batch(queries.map(({ sql, values }) => database.prepare(sql).bind(...values)));
    return results.map((result) => result.results);
  };
}
