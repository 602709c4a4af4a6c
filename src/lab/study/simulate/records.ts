/** The truth that the simulator writes beside a log. */
import * as v from "valibot";

/** The simulator's truth about one search; candidates in engine order. Read by `armmt evaluate` and the study's judge, never by training. */
export const truthSchema = v.object({
  query_id: v.string(),
  split: v.picklist(["train", "validation", "test"]),
  ids: v.array(v.string()),
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

export type Truth = v.InferOutput<typeof truthSchema>;
