/** Which rules of the shop a search called up, and what its shopper came to, in the temporary file of a report (stage.ts). */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { ExploredSearch, RuledSearch } from "./log.ts";

const TABLES = `
  CREATE TABLE explored (query_id TEXT PRIMARY KEY, list TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE ruled (query_id TEXT NOT NULL, rule TEXT NOT NULL, share TEXT NOT NULL, is_in INTEGER NOT NULL, acted INTEGER NOT NULL,
    PRIMARY KEY (query_id, rule)) STRICT, WITHOUT ROWID`;

/** A later page has the same rules. */
const ADD = "INSERT INTO ruled VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET acted = MAX(acted, excluded.acted)";

const EXPLORED = "SELECT query_id AS queryId, unit, list FROM explored JOIN staged USING (query_id) ORDER BY staged.rowid";

const USED = `
  SELECT rule, share, COUNT(*) AS searches, SUM(is_in) AS fits, SUM(acted) AS acted, SUM(unit IS NULL) AS alone
  FROM ruled JOIN staged USING (query_id) GROUP BY rule, share ORDER BY rule, share`;

const totals = {
  searches: v.number(),
  clicked: v.number(),
  clicks: v.number(),
  carts: v.number(),
  purchases: v.number(),
  orders: v.number(),
  items: v.number(),
  gross: v.number(),
  revenue: v.number(),
};
const SUMS = Object.keys(totals);

/** Of a search. */
const VALUES: Readonly<Record<string, string>> = { searches: "1", clicked: "clicks > 0" };

const sumsWhere = (filter: string, prefix: string): string =>
  SUMS.map((sum) => `COALESCE(SUM(${VALUES[sum] ?? sum}) ${filter}, 0) AS ${prefix}${sum}`).join(", ");

/**
 * Shoppers of a rule: side, sums of the searches that it fits, and of all from the first of those on. `others`: rules with the same seed that act at
 * that first search: arms of one experiment.
 */
const SHOPPERS = `
  CREATE INDEX staged_unit ON staged (unit, atMs);
  CREATE TABLE ruled_shopper AS
  WITH first AS (
    SELECT rule, share, unit, query_id AS first_query, MIN(atMs) AS first_at, SUM(is_in) AS is_in, COUNT(*) AS n
    FROM ruled JOIN staged USING (query_id) WHERE share <> '' AND unit IS NOT NULL GROUP BY rule, share, unit
  )
  SELECT first.rule, first.share, MIN(1, first.is_in) AS isIn, first.is_in NOT IN (0, n) AS isCrossed, COALESCE((
      SELECT GROUP_CONCAT(rule, ', ') FROM (SELECT o.rule FROM ruled o WHERE o.query_id = first_query AND o.rule <> first.rule AND o.is_in = 1
        AND o.share <> '' AND json_extract(o.share, '$[2]') = json_extract(first.share, '$[2]') ORDER BY o.rule)
    ), '') AS others, ${sumsWhere("FILTER (WHERE own.rule IS NOT NULL)", "fit_")}, ${sumsWhere("", "later_")}
  FROM first JOIN staged ON staged.unit = first.unit AND staged.atMs >= first_at
    LEFT JOIN ruled own ON own.query_id = staged.query_id AND own.rule = first.rule AND own.share = first.share
  GROUP BY first.rule, first.share, first.unit`;

/** Those who come to the same are one row. */
const sidesOf = (prefix: string): string => {
  const sums = SUMS.map((sum) => `${prefix}${sum} AS ${sum}`).join(", ");
  return `SELECT isIn, isCrossed, others, COUNT(*) AS times, ${sums} FROM ruled_shopper WHERE rule = ? AND share = ?
    GROUP BY isIn, isCrossed, others, ${SUMS.map((sum) => `${prefix}${sum}`).join(", ")}`;
};

const shareSchema = v.pipe(v.string(), v.parseJson(), v.tuple([v.number(), v.number(), v.string()]));
const usedSchema = v.object({
  rule: v.string(),
  share: v.string(),
  searches: v.number(),
  fits: v.number(),
  acted: v.number(),
  alone: v.number(),
});
const sideSchema = v.object({
  isIn: v.number(),
  isCrossed: v.number(),
  others: v.string(),
  times: v.number(),
  ...totals,
});

const exploredSchema = v.object({
  queryId: v.string(),
  unit: v.nullable(v.string()),
  list: v.pipe(
    v.string(),
    v.parseJson(),
    v.object({
      originalIds: v.array(v.string()),
      servedIds: v.array(v.string()),
      propensities: v.array(v.number()),
      without: v.record(v.string(), v.array(v.number())),
    }),
  ),
});

export type SideRow = Readonly<v.InferOutput<typeof sideSchema>>;

export type RuledRows = ReturnType<ReturnType<typeof createRuled>["rows"]>;

export function createRuled(database: DatabaseSync) {
  database.exec(TABLES);
  const insert = database.prepare(ADD);
  const insertList = database.prepare("INSERT INTO explored VALUES (?, ?) ON CONFLICT DO NOTHING");
  return {
    add(queryId: string, rules: readonly RuledSearch[], explored: ExploredSearch | undefined): void {
      if (explored !== undefined) insertList.run(queryId, JSON.stringify(explored));
      for (const { rule, share, isIn, hasActed } of rules)
        insert.run(
          queryId,
          rule,
          share === undefined ? "" : JSON.stringify([share.from, share.to, share.seed]),
          Number(isIn),
          Number(hasActed),
        );
    },
    *explored() {
      for (const row of database.prepare(EXPLORED).iterate()) {
        const { list, ...search } = v.parse(exploredSchema, row);
        yield { ...list, ...search, unit: search.unit ?? undefined };
      }
    },
    /** After the stage is sealed. */
    rows() {
      const used = database.prepare(USED).all().map((row) => v.parse(usedSchema, row)); // prettier-ignore
      if (used.some(({ share }) => share !== "")) database.exec(SHOPPERS);
      return used.map(({ share, ...row }) => {
        const sides = (prefix: string): readonly SideRow[] =>
          share === "" ? [] : database.prepare(sidesOf(prefix)).all(row.rule, share).map((side) => v.parse(sideSchema, side)); // prettier-ignore
        return { ...row, share: share === "" ? null : shareOf(share), fitting: sides("fit_"), later: sides("later_") };
      });
    },
  };
}

function shareOf(text: string) {
  const [from, to, seed] = v.parse(shareSchema, text);
  return { from, to, seed };
}
