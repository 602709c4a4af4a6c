/** Versions of the models by which each arm was served: two of them in one arm are two treatments under one name. */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { parseTreatment, rankersOf } from "../experiment/treatment.ts";

/** Control in the same time, because shoppers of another week are other shoppers. */
const BY_MODEL = `
  WITH served AS (
    SELECT variant, model, MIN(at) AS firstMs, MAX(at) AS lastMs, COUNT(*) AS searches, COUNT(DISTINCT unit) AS shoppers,
      AVG(COALESCE(clicks, 0) > 0) AS clickThrough, AVG(COALESCE(purchases, 0)) AS purchases
    FROM search LEFT JOIN outcome USING (query_id) LEFT JOIN bought USING (query_id) WHERE NOT is_ambiguous AND model IS NOT NULL GROUP BY variant, model
  )
  SELECT * FROM served ORDER BY variant, firstMs, model`;

const rowSchema = v.object({
  variant: v.string(),
  model: v.string(),
  firstMs: v.number(),
  lastMs: v.number(),
  searches: v.number(),
  shoppers: v.number(),
  /** Share of searches with a click. */
  clickThrough: v.number(),
  /** Per search. */
  purchases: v.number(),
});

const DURING = `SELECT COUNT(*) AS searches, AVG(COALESCE(clicks, 0) > 0) AS clickThrough, AVG(COALESCE(purchases, 0)) AS purchases
  FROM search LEFT JOIN outcome USING (query_id) LEFT JOIN bought USING (query_id) WHERE NOT is_ambiguous AND variant = ? AND at BETWEEN ? AND ?`;
const duringSchema = v.object({ searches: v.number(), clickThrough: v.nullable(v.number()), purchases: v.nullable(v.number()) });

export type ModelRow = v.InferOutput<typeof rowSchema>;
export type ModelFigures = Pick<ModelRow, "searches"> & { readonly clickThrough: number | null; readonly purchases: number | null };

/** A row per version, of arms that a model serves; those of the engine's order name the model that would have been live. */
export function modelsOf(database: DatabaseSync) {
  const rows = v.parse(v.array(rowSchema), database.prepare(BY_MODEL).all()).filter(({ variant }) => needsModel(variant));
  return {
    rows,
    /** An arm, such as control, from one time to another. */
    during: (variant: string, firstMs: number, lastMs: number): ModelFigures =>
      v.parse(duringSchema, database.prepare(DURING).get(variant, firstMs, lastMs)),
  };
}

function needsModel(variant: string): boolean {
  const treatment = parseTreatment(variant);
  return treatment.ok && rankersOf(treatment.value).some(({ kind }) => kind === "model");
}
