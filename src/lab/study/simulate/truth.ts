/** The truth that the simulator writes beside a log: read to judge orders, never by training. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { readRecords } from "../../../report/ubi-log.ts";
import { PART_NAMES, type Parts } from "./attraction.ts";
import { type Split, SPLITS } from "../../../cli/lists/split.ts";

/** Of one search; candidates in engine order. */
export const truthSchema = v.object({
  query_id: v.string(),
  split: v.picklist(SPLITS),
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

const simulationSchema = v.object({ parts: v.object(v.entriesFromList(PART_NAMES, v.boolean())) });

/** The truths of a split by query id, from a folder that `armmt simulate` wrote. */
export async function readTruths(folder: string, split: Split): Promise<{ truths: ReadonlyMap<string, Truth>; parts: Parts }> {
  const truths = new Map<string, Truth>();
  for await (const truth of readRecords(join(folder, "truth.ndjson"), truthSchema)) {
    if (truth.split === split) truths.set(truth.query_id, truth);
  }
  const { parts } = v.parse(simulationSchema, JSON.parse(readFileSync(join(folder, "simulation.json"), "utf8")));
  return { truths, parts };
}
