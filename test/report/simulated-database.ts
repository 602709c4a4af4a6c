/** Simulated searches in a SQLite file with the tables that the edge makes (src/events/d1.ts). */
import { DatabaseSync } from "node:sqlite";
import type { SimulatedSearch } from "../../src/cli/report/simulated.ts";

export const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ubi_queries (
    id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, application TEXT NOT NULL, query_id TEXT NOT NULL, client_id TEXT, unit TEXT,
    user_query TEXT NOT NULL, experiment TEXT, variant TEXT NOT NULL, model TEXT, bypass TEXT,
    query_attributes TEXT NOT NULL CHECK (json_valid(query_attributes)), hit_ids TEXT NOT NULL CHECK (json_valid(hit_ids))
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS ubi_queries_report ON ubi_queries (experiment, variant, timestamp)",
  "CREATE INDEX IF NOT EXISTS ubi_queries_query_id ON ubi_queries (query_id)",
  `CREATE TABLE IF NOT EXISTS ubi_events (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, timestamp TEXT NOT NULL, application TEXT NOT NULL, action_name TEXT NOT NULL,
    query_id TEXT NOT NULL, client_id TEXT, unit TEXT, object_id TEXT NOT NULL, position INTEGER, quantity INTEGER, price REAL, currency TEXT,
    team TEXT, event_attributes TEXT NOT NULL CHECK (json_valid(event_attributes))
  ) STRICT`,
];

const INSERT_QUERY = `INSERT INTO ubi_queries
  (timestamp, application, query_id, unit, user_query, experiment, variant, bypass, query_attributes, hit_ids)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const INSERT_EVENT = `INSERT INTO ubi_events
  (event_id, timestamp, application, action_name, query_id, unit, object_id, quantity, price, currency, team, event_attributes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}')`;

/** Adds the searches to a file, which is made where there is none. Returns how many. */
export function writeSimulatedDatabase(path: string, experiment: string, searches: Iterable<SimulatedSearch>): number {
  const database = new DatabaseSync(path);
  for (const table of TABLES) database.exec(table);
  database.exec("BEGIN");
  const [addQuery, addEvent] = [database.prepare(INSERT_QUERY), database.prepare(INSERT_EVENT)];
  let count = 0;
  for (const { query, search, actions } of searches) {
    const { application, queryId, variant, bypass, teams } = search;
    const [timestamp, unit] = [new Date(search.atMs).toISOString(), search.unit ?? null];
    const items = JSON.stringify([...(teams?.keys() ?? ["shown"])]);
    const armmt = { experiment, variant, simulated: true, ...(teams && { teams: [...teams.values()], served_ids: [...teams.keys()] }) };
    addQuery.run(timestamp, application, queryId, unit, query, experiment, variant, bypass ?? null, JSON.stringify({ armmt }), items);
    for (const { eventId = null, action, itemId, quantity = null, price = null, currency = null, team = null } of actions) {
      addEvent.run(eventId, timestamp, application, action, queryId, unit, itemId, quantity, price, currency, team);
    }
    count++;
  }
  database.exec("COMMIT");
  database.close();
  return count;
}
