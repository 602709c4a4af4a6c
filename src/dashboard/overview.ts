/**
 * What the dashboard shows of the event database: a few numbers per arm and day, added up by the database itself. The page makes figures of them.
 *
 * Shares of shoppers only (who clicked, who bought): they add up, no single order moves them, and the page's verdict on them is that of the
 * report. Money, capping and segments need the whole log: `armmt report`. Every query reads a bounded number of rows, and an answer is kept for
 * some minutes, because D1 is paid by the rows read, and refuses the records of searches as well once a free day is used up.
 */
import type { ReadEvents } from "../events/read.ts";
import type { Experiment } from "../experiment/assign.ts";
import { TOKEN_TTL_MS } from "../events/token.ts";
import { REASONS } from "../result.ts";
import { DAY_MS, errorText, isRecent, withTimeout } from "../web.ts";

/** Rows as the database gives them; src/report/dashboard/rows.ts says what is in them. */
export type Overview = Awaited<ReturnType<typeof readOverview>>;

/** Of one experiment. Of a longer one only the last are added up, and the page gives no verdict. */
export const MOST_SEARCHES = 100_000;
const FRESH_MS = 300_000;
const READ_MS = 25_000;
const HOUR_MS = 3_600_000;

/** The report's index holds all that is asked for: no row of the table is read. */
const EXPERIMENTS = `SELECT experiment, COUNT(*) AS searches, MIN(timestamp) AS first, MAX(timestamp) AS last FROM ubi_queries
WHERE experiment IS NOT NULL GROUP BY 1 ORDER BY 4 DESC LIMIT 5`;

const lately = (table: string, rows: number): string => `FROM ${table} WHERE id > (SELECT MAX(id) FROM ${table}) - ${rows}`;

const OUTCOMES = `SELECT variant, model, bypass, COUNT(*) AS n ${lately("ubi_queries", 20_000)} AND timestamp >= ? GROUP BY 1, 2, 3 ORDER BY 4 DESC`;

const TIMES = `SELECT bypass IS NULL AS applied, query_attributes ->> '$.armmt.engine_ms' AS engine, query_attributes ->> '$.armmt.edge_ms' AS edge
${lately("ubi_queries", 2000)} AND engine IS NOT NULL`;

const EVENTS = `SELECT substr(timestamp, 1, 16) AS minute, action_name AS action, COUNT(*) AS n ${lately("ubi_events", 20_000)} AND timestamp >= ? GROUP BY 1, 2`;

const first = (happened: string): string => `MIN(CASE WHEN ${happened} THEN day END)`;

/** Those that the shop's server signed, and that name their shopper and no search. */
const orders = (shopper: "unit" | "client_id"): string =>
  `SELECT * FROM (SELECT id, timestamp, ${shopper} AS unit FROM ubi_events WHERE query_id = '' AND action_name = 'purchase' ORDER BY id DESC LIMIT ${MOST_SEARCHES})`;

const perDay = (what: string, from = "shopper", day = what): string =>
  `SELECT '${what}' AS what, variant, ${day} AS day, COUNT(*) AS n FROM ${from} WHERE ${day} IS NOT NULL GROUP BY 2, 3`;

/** As in the report: pages of one search are one search, who was seen in two arms is left out, and an order without a search follows its shopper's last. */
const DAYS = `WITH search AS MATERIALIZED (SELECT query_id, MIN(variant) AS variant, MIN(unit) AS unit, MIN(timestamp) AS at, substr(MIN(timestamp), 1, 10) AS day
FROM ubi_queries WHERE experiment = ?1 AND id > COALESCE((SELECT id FROM ubi_queries WHERE experiment = ?1 ORDER BY id DESC LIMIT 1
OFFSET ${MOST_SEARCHES}), 0) GROUP BY 1 HAVING MIN(variant) = MAX(variant) AND MIN(unit) IS MAX(unit)),
named AS MATERIALIZED (SELECT MAX(s.at), s.query_id FROM (${orders("unit")} UNION ALL ${orders("client_id")}) e
JOIN search s ON s.unit = e.unit AND s.at <= e.timestamp AND julianday(e.timestamp) - julianday(s.at) <= ${TOKEN_TTL_MS / DAY_MS} GROUP BY e.id),
shopper AS MATERIALIZED (SELECT MIN(s.variant) AS variant, MIN(day) AS seen, ${first("action_name = 'click'")} AS clicked,
${first("action_name = 'purchase' OR named.query_id IS NOT NULL")} AS bought
FROM search s LEFT JOIN ubi_events USING (query_id) LEFT JOIN named USING (query_id) WHERE s.unit IS NOT NULL GROUP BY s.unit HAVING MIN(s.variant) = MAX(s.variant))
${["seen", "clicked", "bought"].map((what) => perDay(what)).join(" UNION ALL ")} UNION ALL ${perDay("searches", "search", "day")}
UNION ALL SELECT 'simulated', '', '', COUNT(*) FROM (SELECT application, query_attributes FROM ubi_queries WHERE experiment = ?1
ORDER BY id DESC LIMIT 100) WHERE application LIKE '%simulat%' OR query_attributes ->> '$.armmt.simulated' = 1 ORDER BY 3`;

/** Asks the database at most once in five minutes, whoever looks; after a failure it is asked again. */
export function createOverview(
  read: ReadEvents,
  configured: () => Promise<readonly Experiment[]>,
  now: () => number,
): () => Promise<Overview> {
  return seldom(now, async () => readOverview(read, await configured(), now()));
}

/** Asks at most once in five minutes, whoever wants to know; after a failure it asks again. */
export function seldom<T>(now: () => number, ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || !isRecent(last.at, FRESH_MS, now())) {
      const mine = { at: now(), answer: ask() };
      last = mine;
      mine.answer.catch(() => {
        if (last === mine) last = undefined;
      });
    }
    return last.answer;
  };
}

/** Gives up a database that hangs. */
export function inTime(read: ReadEvents): ReadEvents {
  return (queries) => withTimeout(read(queries), READ_MS, () => Promise.reject(new Error(`No answer within ${READ_MS / 1000} s`)));
}

async function readOverview(readAll: ReadEvents, configured: readonly Experiment[], at: number) {
  const read = inTime(readAll);
  const since = (hours: number) => [new Date(at - hours * HOUR_MS).toISOString()];
  const [experiments = [], outcomes = [], times = [], events = []] = await read([
    { sql: EXPERIMENTS, values: [] },
    { sql: OUTCOMES, values: since(24) },
    { sql: TIMES, values: [] },
    { sql: EVENTS, values: since(1) },
  ]);
  const keys = experiments.map((row) => String(Object(row).experiment));
  return {
    /** Milliseconds since 1970. */
    at,
    most: MOST_SEARCHES,
    /** The most recent first. */
    experiments,
    /** Of each of them. */
    days: keys.length === 0 ? [] : await read(keys.map((key) => ({ sql: DAYS, values: [key] }))),
    configured: configured.map(({ key, variations, weights, ranges }) => ({ key, variations, weights, ranges })),
    /** Of a day. */
    outcomes,
    /** Reasons for a bypass that a search itself gives. */
    expected: Object.entries(REASONS).flatMap(([reason, { expected }]) => (expected ? reason : [])),
    /** Of the last searches. */
    times,
    /** Of an hour. */
    events,
  };
}

/** A database without tables has recorded nothing yet. */
export function isEmptyDatabase(error: unknown): boolean {
  return /no such table/i.test(errorText(error));
}
