/** What became of hits in slots of the shop's rules (sponsored products), by arm, in the temporary file of a report (stage.ts). */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";

const SLOTS = `
  WITH own AS (SELECT search.variant, query_id, item FROM slot JOIN search USING (query_id)
      WHERE NOT is_ambiguous AND (unit IS NULL OR unit NOT IN (SELECT unit FROM left_out))),
    acted AS (SELECT own.variant, SUM(kind = 0) AS clicks, SUM(kind = 1) AS carts FROM own JOIN action USING (query_id, item) GROUP BY own.variant),
    sold AS (SELECT own.variant, COUNT(*) AS purchases,
        SUM(CASE WHEN trouble IS NULL THEN COALESCE((amount - back) * worth, 0) ELSE 0 END) AS revenue
      FROM own JOIN purchase line USING (query_id, item) LEFT JOIN rate ON rate.currency IS line.currency
      WHERE NOT is_cancelled GROUP BY own.variant),
    every AS (SELECT variant, SUM(clicks) AS allClicks FROM staged GROUP BY variant)
  SELECT variant, COUNT(DISTINCT query_id) AS searches, COUNT(*) AS shown, COALESCE(MAX(clicks), 0) AS clicks, COALESCE(MAX(carts), 0) AS carts,
    COALESCE(MAX(purchases), 0) AS purchases, COALESCE(MAX(revenue), 0) AS revenue, COALESCE(MAX(allClicks), 0) AS allClicks
  FROM own LEFT JOIN acted USING (variant) LEFT JOIN sold USING (variant) LEFT JOIN every USING (variant)
  GROUP BY variant ORDER BY variant <> 'control', variant`;

const rowSchema = v.object({
  variant: v.string(),
  /** With a slot that was filled. */
  searches: v.number(),
  /** Items in slots, each once per search. */
  shown: v.number(),
  clicks: v.number(),
  carts: v.number(),
  /** Lines that were not cancelled. */
  purchases: v.number(),
  /** Without what was given back, in the currency of the report. */
  revenue: v.number(),
  /** Of this arm, on any hit. */
  allClicks: v.number(),
});

/** After the stage is sealed. Arms without a slot are absent. */
export function slotsOf(database: DatabaseSync): readonly Readonly<v.InferOutput<typeof rowSchema>>[] {
  return database
    .prepare(SLOTS)
    .all()
    .map((row) => v.parse(rowSchema, row));
}
