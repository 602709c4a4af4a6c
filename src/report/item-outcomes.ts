/** What became of each item of a search, in the temporary file of a report (stage.ts): for training lists. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import * as v from "valibot";

const OUTCOMES = `
  SELECT item, SUM(kind = 0) AS clicks, SUM(kind = 1) AS carts, 0 AS purchases, 0 AS revenue FROM action WHERE query_id = ?1 GROUP BY item
  UNION ALL SELECT item, 0, 0, COUNT(*), SUM(CASE WHEN trouble IS NULL THEN COALESCE((amount - back) * worth, 0) ELSE 0 END)
    FROM purchase line LEFT JOIN rate ON rate.currency IS line.currency WHERE query_id = ?1 AND NOT is_cancelled GROUP BY item`;

const outcomeSchema = v.object({ item: v.string(), clicks: v.number(), carts: v.number(), purchases: v.number(), revenue: v.number() });
const ordersSchema = v.object({ orders: v.number() });

/** `clicks` and `carts` are counts, `purchases` lines that were not cancelled, `revenue` money without what was given back. */
export type ItemOutcome = Readonly<v.InferOutput<typeof outcomeSchema>>;

/** After the stage is sealed. An item that was clicked and bought has two rows. */
export function createItemOutcomes(database: DatabaseSync) {
  let statements: { readonly items: StatementSync; readonly orders: StatementSync } | undefined;
  const prepared = () => {
    if (statements === undefined) {
      database.exec("CREATE INDEX action_query ON action (query_id)"); // reports need none
      const orders = database.prepare("SELECT orders FROM bought WHERE query_id = ?");
      statements = { items: database.prepare(OUTCOMES), orders };
    }
    return statements;
  };
  return {
    itemsOf: (queryId: string): readonly ItemOutcome[] =>
      prepared()
        .items.all(queryId)
        .map((row) => v.parse(outcomeSchema, row)),
    /** Each with the search of its first line. */
    ordersOf(queryId: string): number {
      const row = prepared().orders.get(queryId);
      return row === undefined ? 0 : v.parse(ordersSchema, row).orders;
    },
  };
}
