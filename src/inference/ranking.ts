/** `<catalog>/ranking`: which model a catalogue follows, how far, since when and why. Written by `armmt` commands only. */
import * as v from "valibot";

export function rankingKey(catalog: string): string {
  return `${catalog}/ranking`;
}

export function rankingHistoryKey(catalog: string): string {
  return `${catalog}/ranking-history`;
}

export const rankingSchema = v.object({
  format: v.literal(1),
  /** Version of a model that was deployed or published. */
  model: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/, "expected the version of a model")),
  /** 0 to 1: its part of the order that the variant `armmt` serves. */
  trust: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  /** ISO 8601. */
  since: v.string(),
  /** One sentence. */
  evidence: v.string(),
});

export type CatalogRanking = v.InferOutput<typeof rankingSchema>;
