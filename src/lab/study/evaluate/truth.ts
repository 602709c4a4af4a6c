/** Reads the truth of a simulated search, which the simulator writes beside its events. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { readRecords } from "../../../report/ubi-records.ts";
import type { Parts } from "../simulate/attraction.ts";
import { type Truth, truthSchema } from "../simulate/records.ts";
import type { Split } from "../simulate/split.ts";

const simulationSchema = v.object({
  parts: v.object({ text: v.boolean(), picture: v.boolean(), personal: v.boolean(), context: v.boolean() }),
});

interface Simulated {
  /** By query id. */
  readonly truths: ReadonlyMap<string, Truth>;
  readonly parts: Parts;
}

/** `folder` is one that `armmt simulate` wrote. */
export async function readTruths(folder: string, split: Split): Promise<Simulated> {
  const truths = new Map<string, Truth>();
  for await (const truth of readRecords(join(folder, "truth.ndjson"), truthSchema)) {
    if (truth.split === split) truths.set(truth.query_id, truth);
  }
  const { parts } = v.parse(simulationSchema, JSON.parse(readFileSync(join(folder, "simulation.json"), "utf8")));
  return { truths, parts };
}
