/**
 * The rows of one experiment in a temporary SQLite file, because a log may be far larger than memory: pages of one search become one search,
 * actions are added up per search, and searches come back shopper by shopper. It never holds the words of a query.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import * as v from "valibot";
import { createEarlier } from "./earlier.ts";
import { createItemOutcomes } from "./item-outcomes.ts";
import { modelsOf } from "./models.ts";
import { createRuled } from "./ruled.ts";
import { slotsOf } from "./slots.ts";
import { TOKEN_TTL_MS } from "../events/token.ts";
import { ACTIONS, type ActionRow, type EarlierRow, type SearchRow } from "./log.ts";
import { createOrders, type OrderOptions } from "./orders.ts";
import { importSqlite, type Sqlite } from "../runtimes/node/sqlite.ts";
import { DAY_MS, UserError } from "../web.ts";

export interface StageOptions extends OrderOptions {
  /** Actions that come later after their search are left out; default as long as a token lives. */
  readonly windowMs?: number | undefined;
  /** Since 1970: later actions are left out, refunds and cancellations excepted, which correct what counts. */
  readonly untilMs?: number | undefined;
}

const TABLES = `
  CREATE TABLE search (
    query_id TEXT PRIMARY KEY, variant TEXT NOT NULL, unit TEXT, at REAL NOT NULL, application TEXT NOT NULL, index_name TEXT,
    words INTEGER NOT NULL, bypass TEXT, model TEXT, ms REAL, is_empty INTEGER, teams TEXT, is_ambiguous INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE action (event_id TEXT UNIQUE, query_id TEXT NOT NULL, kind INTEGER NOT NULL, team TEXT, item TEXT NOT NULL) STRICT;
  CREATE TABLE slot (query_id TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (query_id, item)) STRICT, WITHOUT ROWID;
  CREATE TABLE earlier (unit TEXT NOT NULL, variant TEXT NOT NULL, PRIMARY KEY (unit, variant)) STRICT, WITHOUT ROWID;
  CREATE TABLE left_out (unit TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`;

/** A later page of the same search adds its teams only; the first page's values stay, in any order of arrival. */
const ADD_SEARCH = `
  INSERT INTO search (query_id, variant, unit, at, application, index_name, words, bypass, model, ms, is_empty, teams)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (query_id) DO UPDATE SET
    is_ambiguous = is_ambiguous OR variant <> excluded.variant OR COALESCE(unit <> excluded.unit, 0),
    unit = COALESCE(unit, excluded.unit),
    teams = CASE WHEN teams IS NULL OR excluded.teams IS NULL THEN COALESCE(teams, excluded.teams) ELSE json_patch(teams, excluded.teams) END,
    bypass = CASE WHEN excluded.at < at THEN excluded.bypass ELSE bypass END,
    model = CASE WHEN excluded.at < at THEN excluded.model ELSE model END,
    ms = CASE WHEN excluded.at < at THEN excluded.ms ELSE ms END,
    is_empty = CASE WHEN excluded.at < at THEN excluded.is_empty ELSE is_empty END,
    at = MIN(at, excluded.at)`;

const SEAL = `
  CREATE TABLE outcome (query_id TEXT PRIMARY KEY, clicks INTEGER, carts INTEGER, click_a INTEGER, click_b INTEGER) WITHOUT ROWID;
  INSERT INTO outcome SELECT query_id, SUM(kind = 0), SUM(kind = 1), SUM(kind = 0 AND team IS 'a'), SUM(kind = 0 AND team IS 'b')
    FROM action GROUP BY query_id`;

const MOVED = "SELECT DISTINCT unit FROM search JOIN earlier USING (unit) WHERE search.variant <> earlier.variant";

/** All who were there before, in every arm alike: without those who moved only, the arms would hold different shares of returning shoppers. */
const LEAVE_OUT = `INSERT INTO left_out SELECT DISTINCT unit FROM search JOIN earlier USING (unit) WHERE EXISTS (${MOVED})`;

/** Sorted once, because a report reads it more than once. */
const SORT = `
  CREATE TABLE staged AS SELECT query_id, variant, unit, at AS atMs, application, words, bypass, ms, is_empty AS isEmpty, teams IS NOT NULL AS isInterleaved, COALESCE(clicks, 0) AS clicks, COALESCE(carts, 0) AS carts,
    COALESCE(purchases, 0) AS purchases, COALESCE(orders, 0) AS orders, COALESCE(items, 0) AS items, COALESCE(gross, 0) AS gross,
    COALESCE(revenue, 0) AS revenue, COALESCE(click_a, 0) AS click_a, COALESCE(click_b, 0) AS click_b,
    COALESCE(purchase_a, 0) AS purchase_a, COALESCE(purchase_b, 0) AS purchase_b
  FROM search LEFT JOIN outcome USING (query_id) LEFT JOIN bought USING (query_id)
  WHERE NOT is_ambiguous AND (unit IS NULL OR unit NOT IN (SELECT unit FROM left_out)) ORDER BY unit, at, query_id`;

/** What shoppers come to, and searches of unknown ones; those who come to the same are one row. */
const TOTALS = `
  WITH searched AS (
    SELECT unit, 1 AS searches, clicks > 0 AS clicked, clicks, carts, purchases, orders, items, gross, revenue FROM staged
  ), cluster AS (
    SELECT 1 AS isKnown, SUM(searches) AS searches, SUM(clicked) AS clicked, SUM(clicks) AS clicks, SUM(carts) AS carts, SUM(purchases) AS purchases,
      SUM(orders) AS orders, SUM(items) AS items, SUM(gross) AS gross, SUM(revenue) AS revenue FROM searched WHERE unit IS NOT NULL GROUP BY unit
    UNION ALL SELECT 0, searches, clicked, clicks, carts, purchases, orders, items, gross, revenue FROM searched WHERE unit IS NULL
  )
  SELECT *, COUNT(*) AS times FROM cluster GROUP BY isKnown, searches, clicked, clicks, carts, purchases, orders, items, gross, revenue`;

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
  /** As in the log: null where it is unknown. */
  ms: v.nullable(v.number()),
  isEmpty: v.nullable(v.number()),
  isInterleaved: v.pipe(
    v.number(),
    v.transform((flag) => flag === 1),
  ),
  clicks: v.number(),
  carts: v.number(),
  /** Lines of orders that were not cancelled. */
  purchases: v.number(),
  /** Each with the search of its first line. */
  orders: v.number(),
  items: v.number(),
  /** In the currency of the report; revenue is without what was given back. */
  gross: v.number(),
  revenue: v.number(),
  /** Clicks and purchases on items of either team. */
  click_a: v.number(),
  click_b: v.number(),
  purchase_a: v.number(),
  purchase_b: v.number(),
});

/** One search with its outcome. */
export type StagedSearch = Readonly<v.InferOutput<typeof stagedSchema>>;

const totalsSchema = v.object({
  isKnown: v.number(),
  times: v.number(),
  searches: v.number(),
  clicked: v.number(),
  clicks: v.number(),
  carts: v.number(),
  purchases: v.number(),
  orders: v.number(),
  items: v.number(),
  gross: v.number(),
  revenue: v.number(),
});

const countSchema = v.object({ n: v.number() });
const foundSchema = v.object({ at: v.number(), application: v.string(), unit: v.nullable(v.string()), teams: v.nullable(v.string()) });
const periodSchema = v.object({ first: v.nullable(v.number()), last: v.nullable(v.number()) });
const teamsSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.picklist(["a", "b"])));
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

/** Clients' clocks are wrong by hours; what they did a day before the search, it did not cause. */
const BEFORE_MS = DAY_MS;

export async function createStage({ windowMs = TOKEN_TTL_MS, untilMs = Infinity, ...orderOptions }: StageOptions = {}) {
  const { DatabaseSync: Database } = await loadSqlite();
  const folder = mkdtempSync(join(tmpdir(), "armmt-report-"));
  const database = new Database(join(folder, "stage.sqlite"));
  database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${TABLES}`);
  const orders = createOrders(database, orderOptions);
  const ruled = createRuled(database);
  database.exec("BEGIN");
  const addSearch = database.prepare(ADD_SEARCH);
  const addAction = database.prepare("INSERT INTO action VALUES (?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING");
  const addSlot = database.prepare("INSERT INTO slot VALUES (?, ?) ON CONFLICT DO NOTHING");
  const addEarlier = database.prepare("INSERT INTO earlier VALUES (?, ?) ON CONFLICT DO NOTHING");
  const findSearch = database.prepare("SELECT at, application, unit, teams FROM search WHERE query_id = ?");
  const count = (from: string): number => v.parse(countSchema, database.prepare(`SELECT COUNT(*) AS n FROM ${from}`).get()).n;
  const names = (sql: string): readonly string[] => v.parse(namesSchema, database.prepare(sql).all()).map(({ name }) => name);
  /** Few logs need it, and its index. */
  let findLast: StatementSync | undefined;
  let [pages, withoutTime, strayActions, simulated] = [0, 0, 0, 0];
  /** A shop's server may name an order's shopper, and no search: it follows the last one before it. Empty where there is none. */
  const lastSearchBefore = (unit: string | undefined, atMs: number | undefined): string => {
    if (unit === undefined || atMs === undefined) return "";
    if (findLast === undefined) {
      database.exec("CREATE INDEX search_unit ON search (unit, at)");
      findLast = database.prepare("SELECT query_id FROM search WHERE unit = ? AND at <= ? AND NOT is_ambiguous ORDER BY at DESC LIMIT 1");
    }
    const found = findLast.get(unit, atMs);
    return found === undefined ? "" : v.parse(v.object({ query_id: v.string() }), found).query_id;
  };
  const outside = { actions: 0, purchases: 0, undated: 0 };
  const isWithinWindow = (atMs: number, searchAtMs: number): boolean =>
    atMs < untilMs && atMs <= searchAtMs + windowMs && atMs >= searchAtMs - BEFORE_MS;
  const countOutside = (action: ActionRow["action"], by: number): void => {
    outside.actions += by;
    if (action === "purchase") outside.purchases += by;
  };
  return {
    addSearch({
      queryId,
      variant,
      unit,
      atMs,
      application,
      index,
      words,
      bypass,
      model,
      ms,
      isEmpty,
      teams,
      slotIds,
      rules,
      explored,
      isSimulated,
    }: SearchRow): void {
      pages++;
      if (isSimulated) simulated++;
      if (Number.isNaN(atMs)) {
        withoutTime++;
        return;
      }
      const teamsText = teams === undefined ? null : JSON.stringify(Object.fromEntries(teams));
      addSearch.run(
        queryId,
        variant,
        unit || null,
        atMs,
        application,
        index ?? null,
        words,
        bypass ?? null,
        model ?? null,
        ms ?? null,
        isEmpty === undefined ? null : Number(isEmpty),
        teamsText,
      );
      for (const item of slotIds ?? []) addSlot.run(queryId, item);
      if (rules !== undefined) ruled.add(queryId, rules, explored);
    },
    /** Who was in which arm before the range. */
    addEarlier: ({ unit, variant }: EarlierRow): void => void addEarlier.run(unit, variant),
    /** After all searches. */
    addAction(given: ActionRow): void {
      const { unit, otherUnit } = given;
      const searchOf = (): string => lastSearchBefore(unit, given.atMs) || lastSearchBefore(otherUnit, given.atMs);
      const row = given.queryId === "" && given.action === "purchase" ? { ...given, queryId: searchOf() } : given;
      const { eventId, queryId, action, itemId, team, atMs } = row;
      const found = findSearch.get(queryId);
      const search = found === undefined ? undefined : v.parse(foundSchema, found);
      if (action === "refund" || action === "cancel") {
        orders.reverse(row, search);
        return;
      }
      const isSignedOrder = row.isSigned === true && action === "purchase" && row.orderId !== undefined;
      const isTimely = atMs === undefined || search === undefined || isWithinWindow(atMs, search.at);
      if (search === undefined || !isTimely) {
        const lost = search === undefined ? "stray" : "outside";
        if (isSignedOrder)
          orders.add({ ...row, queryId: "" }, search ?? { application: row.application ?? "", unit: row.unit ?? null }, {
            team: null,
            lost,
          });
        else if (lost === "stray") strayActions++;
        else countOutside(action, 1);
        return;
      }
      if (atMs === undefined) outside.undated++;
      const credited = team ?? (search.teams === null ? null : v.parse(teamsSchema, search.teams)[itemId]) ?? null;
      if (action === "purchase") orders.add(row, search, { team: credited });
      else addAction.run(eventId ?? null, queryId, ACTIONS.indexOf(action), credited, itemId);
    },
    /** After the last row, before anything below. */
    seal(): void {
      database.exec(`COMMIT; ${SEAL}; ${LEAVE_OUT}`);
      orders.seal();
      strayActions += orders.lost("stray");
      countOutside("purchase", orders.lost("outside"));
      database.exec(SORT);
    },
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
      /** Actions after the attribution window or the time range, or long before their search, and the purchases among them; left out. `undated`: counted. */
      outside,
      /** Shoppers who were in another arm before the time range, and all who were there before: left out where any moved. */
      carriedOver: { moved: count(`(${MOVED})`), leftOut: count("left_out") },
    }),
    money: () => ({
      /** Of revenue; `undefined` where no price has one. */
      currency: orders.currency(),
      purchases: count("purchase WHERE NOT is_cancelled"),
      /** Per arm, currency and trouble. */
      prices: orders.prices(),
      ...orders.repeats(),
      ...orders.reversals(),
      ...orders.doubts(),
      withoutNumber: orders.withoutNumber(),
    }),
    /** Per item, for training lists. */
    outcomes: createItemOutcomes(database),
    /** Of the same shoppers; empty until it is read. */
    earlier: createEarlier(database),
    /** Sponsored places, by arm. */
    slots: () => slotsOf(database),
    /** The shop's rules, and what shoppers with and without them came to. */
    rules: () => ruled.rows(),
    /** Lists with a swapped pair and an order without a rule, shopper by shopper. */
    explored: () => ruled.explored(),
    /** Versions of the models by which the arms were served. */
    models: () => modelsOf(database),
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
    /** The sums of each of them, without an order. */
    *totals() {
      for (const row of database.prepare(TOTALS).iterate()) {
        const { isKnown, times, ...totals } = v.parse(totalsSchema, row);
        yield { totals, isKnown: isKnown === 1, times };
      }
    },
    close() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function* clustersOf(database: DatabaseSync): Generator<readonly StagedSearch[]> {
  let cluster: StagedSearch[] = [];
  for (const row of database.prepare("SELECT * FROM staged ORDER BY rowid").iterate()) {
    const search = v.parse(stagedSchema, row);
    if (cluster.length > 0 && (search.unit === undefined || search.unit !== cluster[0]?.unit)) {
      yield cluster;
      cluster = [];
    }
    cluster.push(search);
  }
  if (cluster.length > 0) yield cluster;
}
