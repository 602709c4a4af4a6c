/**
 * Lines that are read: UBI 1.3 query and event records of any shop, and the truth that the simulator writes beside them.
 *
 * The schemas ask only for what is needed and let every other field pass; `events/ubi.ts` has the records that this project writes.
 */
import * as v from "valibot";

const ids = v.array(v.string());

/** A UBI query record with the exposure of `query_attributes.armmt`. */
export const queryRecordSchema = v.looseObject({
  query_id: v.string(),
  client_id: v.optional(v.string()),
  user_query: v.string(),
  timestamp: v.string(),
  query_attributes: v.looseObject({
    armmt: v.looseObject({
      variant: v.optional(v.string()),
      /** Engine order, the whole window. */
      original_ids: ids,
      /** The engine's scores, parallel to original_ids, where the log has them. */
      original_scores: v.optional(v.array(v.number())),
      /** As shown, position 1 first. */
      served_ids: ids,
    }),
  }),
});

/** A UBI event about one item. `position.ordinal` is 1-based here. */
export const eventRecordSchema = v.looseObject({
  action_name: v.string(),
  query_id: v.optional(v.string()),
  client_id: v.optional(v.string()),
  timestamp: v.string(),
  event_attributes: v.looseObject({
    object: v.looseObject({ object_id: v.string() }),
    position: v.optional(v.looseObject({ ordinal: v.optional(v.number()) })),
  }),
});

/** The simulator's truth about one search; candidates in engine order. Read by `armmt evaluate` and the study's judge, never by training. */
export const truthSchema = v.object({
  query_id: v.string(),
  split: v.picklist(["train", "validation", "test"]),
  ids,
  /** Sum of the parts that do not depend on the shown order. */
  utility: v.array(v.number()),
  /** 0..4 */
  grade: v.array(v.number()),
  in_stock: v.array(v.boolean()),
  /** In whole currency units, cents after the point. */
  price: v.array(v.number()),
  /** candidates x parts of a look by which two products seem alike, row by row; codes into simulation.json's `look`. */
  look: v.array(v.number()),
  /** Never shown in training or validation. */
  cold_item: v.array(v.boolean()),
  /** Weight of the picture for this shopper, 0..1. */
  modality: v.number(),
});

export type QueryRecord = v.InferOutput<typeof queryRecordSchema>;
export type EventRecord = v.InferOutput<typeof eventRecordSchema>;
export type Truth = v.InferOutput<typeof truthSchema>;
