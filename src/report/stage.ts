/**
 * The rows of one experiment in a temporary SQLite file, because a log may be far larger than memory: pages of one search become one search,
 * actions are added up per search, and searches come back shopper by shopper. It never holds the words of a query.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { ACTIONS, type ActionRow, type SearchRow } from "./log.ts";
import { importSqlite, type Sqlite } from "../runtimes/node/sqlite.ts";
import { UserError } from "../web.ts";

const TABLES = `
  CREATE TABLE search (
    query_id TEXT PRIMARY KEY, variant TEXT NOT NULL, unit TEXT, at REAL NOT NULL, application TEXT NOT NULL, words INTEGER NOT NULL,
    bypass TEXT, teams TEXT, is_ambiguous INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE action (event_id TEXT UNIQUE, query_id TEXT NOT NULL, kind INTEGER NOT NULL, team TEXT, amount REAL, currency TEXT) STRICT`;

/** A later page of the same search adds its teams only; the first page's values stay, in any order of arrival. */
const ADD_SEARCH = `
  INSERT INTO search (query_id, variant, unit, at, application, words, bypass, teams) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (query_id) DO UPDATE SET
    is_ambiguous = is_ambiguous OR variant <> excluded.variant OR COALESCE(unit <> excluded.unit, 0),
    unit = COALESCE(unit, excluded.unit),
    teams = CASE WHEN teams IS NULL OR excluded.teams IS NULL THEN COALESCE(teams, excluded.teams) ELSE json_patch(teams, excluded.teams) END,
    bypass = CASE WHEN excluded.at < at THEN excluded.bypass ELSE bypass END,
    at = MIN(at, excluded.at)`;

/** The index keeps the two passes of a report from sorting all searches each. */
const SEAL = `
  CREATE INDEX by_unit ON search (unit, at, query_id);
  CREATE TABLE outcome (
    query_id TEXT PRIMARY KEY, clicks INTEGER, carts INTEGER, purchases INTEGER, revenue REAL,
    click_a INTEGER, click_b INTEGER, purchase_a INTEGER, purchase_b INTEGER
  ) WITHOUT ROWID;
  INSERT INTO outcome SELECT query_id, SUM(kind = 0), SUM(kind = 1), SUM(kind = 2),
    SUM(CASE WHEN kind = 2 AND currency IS (SELECT currency FROM main) THEN COALESCE(amount, 0) ELSE 0 END),
    SUM(kind = 0 AND team IS 'a'), SUM(kind = 0 AND team IS 'b'), SUM(kind = 2 AND team IS 'a'), SUM(kind = 2 AND team IS 'b')
    FROM action GROUP BY query_id`;

const MAIN_CURRENCY = `CREATE TABLE main AS
  SELECT currency FROM action WHERE kind = 2 AND amount IS NOT NULL GROUP BY currency ORDER BY COUNT(*) DESC, currency LIMIT 1`;

const IN_ORDER = `
  SELECT variant, unit, at AS atMs, application, words, bypass, teams IS NOT NULL AS isInterleaved, COALESCE(clicks, 0) AS clicks, COALESCE(carts, 0) AS carts,
    COALESCE(purchases, 0) AS purchases, COALESCE(revenue, 0) AS revenue, COALESCE(click_a, 0) AS click_a, COALESCE(click_b, 0) AS click_b,
    COALESCE(purchase_a, 0) AS purchase_a, COALESCE(purchase_b, 0) AS purchase_b
  FROM search LEFT JOIN outcome USING (query_id) WHERE NOT is_ambiguous ORDER BY unit, at, query_id`;

const optionalText = v.pipe(
  v.nullable(v.string()),
  v.transform((text) => text ?? undefined),
);
const stagedSchema = v.object({
  variant: v.string(),
  unit: optionalText,
  atMs: v.number(),
  application: v.string(),
  words: v.number(),
  bypass: optionalText,
  isInterleaved: v.pipe(
    v.number(),
    v.transform((flag) => flag === 1),
  ),
  clicks: v.number(),
  carts: v.number(),
  purchases: v.number(),
  /** In the main currency. */
  revenue: v.number(),
  /** Clicks and purchases on items of either team. */
  click_a: v.number(),
  click_b: v.number(),
  purchase_a: v.number(),
  purchase_b: v.number(),
});

/** One search with its outcome. */
export type StagedSearch = Readonly<v.InferOutput<typeof stagedSchema>>;

const countSchema = v.object({ n: v.number() });
const currencySchema = v.object({ currency: optionalText });
const periodSchema = v.object({ first: v.nullable(v.number()), last: v.nullable(v.number()) });
const teamSchema = v.object({ teams: v.nullable(v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.picklist(["a", "b"])))) });
const namesSchema = v.array(v.object({ name: v.string() }));

/** Throws a UserError where this Node has none. */
export async function loadSqlite(): Promise<Sqlite> {
  try {
    return await importSqlite();
  } catch (error) {
    throw new UserError(`This Node (${process.version}) has no SQLite, which reports need: use Node 22.13 or newer`, { cause: error });
  }
}

export type Stage = Awaited<ReturnType<typeof createStage>>;

export async function createStage() {
  const { DatabaseSync: Database } = await loadSqlite();
  const folder = mkdtempSync(join(tmpdir(), "armmt-report-"));
  const database = new Database(join(folder, "stage.sqlite"));
  database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${TABLES}; BEGIN`);
  const addSearch = database.prepare(ADD_SEARCH);
  const addAction = database.prepare("INSERT INTO action VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING");
  const findSearch = database.prepare("SELECT teams FROM search WHERE query_id = ?");
  const count = (from: string): number => v.parse(countSchema, database.prepare(`SELECT COUNT(*) AS n FROM ${from}`).get()).n;
  const names = (sql: string): readonly string[] => v.parse(namesSchema, database.prepare(sql).all()).map(({ name }) => name);
  let [pages, withoutTime, strayActions, simulated] = [0, 0, 0, 0];
  return {
    addSearch({ queryId, variant, unit, atMs, application, words, bypass, teams, isSimulated }: SearchRow): void {
      pages++;
      if (isSimulated) simulated++;
      if (Number.isNaN(atMs)) {
        withoutTime++;
        return;
      }
      const teamsText = teams === undefined ? null : JSON.stringify(Object.fromEntries(teams));
      addSearch.run(queryId, variant, unit || null, atMs, application, words, bypass ?? null, teamsText);
    },
    /** After all searches. */
    addAction({ eventId, queryId, action, itemId, quantity = 1, price, currency, team }: ActionRow): void {
      const found = findSearch.get(queryId);
      if (found === undefined) {
        strayActions++;
        return;
      }
      const credited = team ?? v.parse(teamSchema, found).teams?.[itemId] ?? null;
      const amount = price === undefined ? null : price * quantity;
      addAction.run(eventId ?? null, queryId, ACTIONS.indexOf(action), credited, amount, currency ?? null);
    },
    /** After the last row, before anything below. */
    seal: () => database.exec(`COMMIT; ${MAIN_CURRENCY}; ${SEAL}`),
    counts: () => ({
      /** Rows, a page each. */
      pages,
      searches: count("search"),
      /** Rows without a valid timestamp; left out. */
      withoutTime,
      /** Query ids that two shoppers or two arms share; left out, because their actions cannot be attributed. */
      ambiguous: count("search WHERE is_ambiguous"),
      /** Actions on searches outside the experiment or the time range. */
      strayActions,
      simulated,
    }),
    money() {
      const main = database.prepare("SELECT currency FROM main").get();
      return {
        /** The currency of most purchases; `undefined` where none was given. */
        currency: main === undefined ? undefined : v.parse(currencySchema, main).currency,
        purchases: count("action WHERE kind = 2"),
        withoutPrice: count("action WHERE kind = 2 AND amount IS NULL"),
        /** Priced in another currency than the main one. */
        otherCurrency: count("action WHERE kind = 2 AND amount IS NOT NULL AND currency IS NOT (SELECT currency FROM main)"),
      };
    },
    /** First and last time of a search; `undefined` without one. */
    period() {
      const { first, last } = v.parse(periodSchema, database.prepare("SELECT MIN(at) AS first, MAX(at) AS last FROM search").get());
      return first === null || last === null ? undefined : { firstMs: first, lastMs: last };
    },
    /** Arms with a search, "control" first. */
    variants: () => names("SELECT DISTINCT variant AS name FROM search ORDER BY variant <> 'control', variant"),
    /** The most frequent applications. */
    applications: (most: number) =>
      names(`SELECT application AS name FROM search GROUP BY application ORDER BY COUNT(*) DESC, application LIMIT ${most}`),
    /** The searches of one shopper in the order of time, or a single search of an unknown shopper. */
    clusters: () => clustersOf(database),
    close() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function* clustersOf(database: DatabaseSync): Generator<readonly StagedSearch[]> {
  let cluster: StagedSearch[] = [];
  for (const row of database.prepare(IN_ORDER).iterate()) {
    const search = v.parse(stagedSchema, row);
    if (cluster.length > 0 && (search.unit === undefined || search.unit !== cluster[0]?.unit)) {
      yield cluster;
      cluster = [];
    }
    cluster.push(search);
  }
  if (cluster.length > 0) yield cluster;
}
