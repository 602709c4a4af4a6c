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
  /** Version of a model that was deployed or published; `null`: none by this ranking any more, so the published set says. */
  model: v.nullable(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/, "expected the version of a model"))),
  /** 0 to 1: its part of the order that the variant `armmt` serves. */
  trust: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  /** ISO 8601. */
  since: v.string(),
  /** One sentence. */
  evidence: v.string(),
});

export type RankingRecord = v.InferOutput<typeof rankingSchema>;
export type CatalogRanking = RankingRecord & { readonly model: string };

/** `undefined` where the published set says what is followed. */
export function followed(record: RankingRecord | undefined): CatalogRanking | undefined {
  return record === undefined || record.model === null ? undefined : { ...record, model: record.model };
}
