/**
 * What each rule did in the last 24 hours, from the records of searches in the event database. Reads at most the last records, and keeps an answer
 * for some minutes: D1 is paid by the rows read.
 */
import type { ReadEvents } from "../events/read.ts";
import { UNDECIDED } from "../rules/match.ts";
import { DAY_MS } from "../web.ts";
import { inTime, seldom } from "./overview.ts";

/** Searches that are looked at, the last ones. */
const MOST_RECORDS = 20_000;

/** Pages of one search are one search. A rule may act on one of its items, and say of another why not. */
const DID = `WITH recent AS MATERIALIZED (SELECT query_id, query_attributes AS a FROM ubi_queries
WHERE id > (SELECT MAX(id) FROM ubi_queries) - ${MOST_RECORDS} AND timestamp >= ?1 AND application IN (SELECT value FROM json_each(?2))),
ruled AS MATERIALIZED (SELECT query_id, a ->> '$.armmt.rules' AS r FROM recent WHERE a ->> '$.armmt.rules' IS NOT NULL),
did AS MATERIALIZED (SELECT query_id, value AS rule, '' AS reason FROM ruled, json_each(r, '$.applied')
UNION SELECT query_id, value ->> '$.rule', value ->> '$.reason' FROM ruled, json_each(r, '$.idle')
UNION SELECT query_id, value, 'held_back' FROM ruled, json_each(r, '$.held_back'))
SELECT rule, reason, COUNT(*) AS n FROM did GROUP BY 1, 2
UNION ALL SELECT rule, 'matched', COUNT(DISTINCT query_id) FROM did
WHERE reason NOT IN ('held_back', ${UNDECIDED.map((reason) => `'${reason}'`).join()}) GROUP BY 1
UNION ALL SELECT '', 'searches', COUNT(DISTINCT query_id) FROM recent`;

/** `reason`: "" acted, "matched" (acted or not), "searches" (with `rule` ""), else why it did nothing. */
export interface RuleRow {
  readonly rule: string;
  readonly reason: string;
  readonly n: number;
}

export interface RulesToday {
  readonly at: number;
  /** RuleRow each, as the database gives them. */
  readonly rows: readonly unknown[];
}

/** For one catalogue, by its indexes. */
export function createRulesToday(read: ReadEvents, now: () => number, indexes: readonly string[]): () => Promise<RulesToday> {
  return seldom(now, async () => {
    const at = now();
    const [rows = []] = await inTime(read)([{ sql: DID, values: [new Date(at - DAY_MS).toISOString(), JSON.stringify(indexes)] }]);
    return { at, rows };
  });
}
