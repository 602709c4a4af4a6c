/**
 * Orders that the shop's server signed, against what came under their numbers without a signature. Anybody can guess the number of an order and send
 * it with the token of a search of their own, first or last: where a signed order is known, its lines are the order, whenever they come.
 */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";

/** A signed order whose search is not in the report (of a shopper with another id, say) follows the search of what came unsigned. */
const ADOPT = `
  UPDATE purchase AS alone SET lost = NULL,
    query_id = (SELECT query_id FROM purchase other WHERE other.order_no = alone.order_no AND NOT other.is_signed ORDER BY other.id LIMIT 1),
    team = (SELECT team FROM purchase other WHERE other.order_no = alone.order_no AND NOT other.is_signed AND other.item = alone.item LIMIT 1)
  WHERE lost IS NOT NULL AND EXISTS (SELECT 1 FROM purchase other WHERE other.order_no = alone.order_no AND NOT other.is_signed)`;

const UNSIGNED = "NOT is_signed AND order_no IN (SELECT order_no FROM purchase WHERE is_signed)";

/** Sums that differ by less are the same, in different words. */
const CENT = 0.005;

/** Items are compared, not lines: a page may send as one line what the server has as two. */
const CONTRADICTED = `
  WITH sold AS (
    SELECT order_no, order_id, item, is_signed, MIN(id) AS first, COUNT(*) AS lines, SUM(quantity) AS quantity, SUM(amount) AS amount,
      MAX(currency) AS currency FROM purchase WHERE order_no IN (SELECT order_no FROM purchase WHERE is_signed) GROUP BY order_no, item, is_signed
  )
  SELECT other.order_id, other.item, other.lines FROM sold other
  LEFT JOIN sold signed ON signed.is_signed AND signed.order_no = other.order_no AND signed.item = other.item
  WHERE NOT other.is_signed AND COALESCE(signed.quantity <> other.quantity OR COALESCE(signed.currency <> other.currency, 0)
    OR ABS(COALESCE(signed.amount, other.amount, 0) - COALESCE(other.amount, signed.amount, 0)) >= ${CENT}, 1) ORDER BY other.first`;

const contradictedSchema = v.array(v.object({ order_id: v.string(), item: v.string(), lines: v.number() }));
const lostSchema = v.array(v.object({ lost: v.string(), lines: v.number() }));

/** Named in the report, so that somebody can look. */
const EXAMPLES = 5;

/** After the last row, before anything is taken back. */
export function preferSigned(database: DatabaseSync) {
  database.exec(ADOPT);
  const contradicted = v.parse(contradictedSchema, database.prepare(CONTRADICTED).all());
  const replaced = Number(database.prepare(`DELETE FROM purchase WHERE ${UNSIGNED}`).run().changes);
  const lost = v.parse(
    lostSchema,
    database.prepare("SELECT lost, COUNT(*) AS lines FROM purchase WHERE lost IS NOT NULL GROUP BY lost").all(),
  );
  database.exec("DELETE FROM purchase WHERE lost IS NOT NULL");
  const lines = contradicted.reduce((sum, item) => sum + item.lines, 0);
  return {
    /** Unsigned lines with another price, quantity or item than the signed order has. */
    contradicted: { lines, examples: contradicted.slice(0, EXAMPLES).map(({ order_id: order, item }) => ({ order, item })) },
    /** Unsigned lines that say the same. */
    confirmed: replaced - lines,
    /** Signed lines that follow no search of the report, by the reason. */
    lost: new Map(lost.map((row) => [row.lost, row.lines])),
  };
}
