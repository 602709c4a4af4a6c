/** The assignments of a million units, in one number: what every isolate and Node must agree on. */
import { assignVariant, type Experiment } from "../../src/experiment/assign.ts";

export const UNITS = 1_000_000;

const RERANK: Experiment = { key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] };
const CHECKOUT: Experiment = { key: "checkout", variations: ["control", "armmt"], weights: [0.5, 0.5] };

export interface Million {
  /** FNV-1a over the variants in the order of the units. */
  readonly digest: string;
  /** Share of units in the second arm of each experiment, and in both. */
  readonly shares: readonly [rerank: number, checkout: number, both: number];
}

/** What all of them must say; another number means that shoppers change arms with a deployment. */
export const EXPECTED_DIGEST = "e25067fb";

export function assignMillion(): Million {
  let hash = 0x811c9dc5;
  const counts: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < UNITS; i++) {
    const id = `shopper-${i}`;
    const first = assignVariant(RERANK, { id })?.variant === "armmt" ? 1 : 0;
    const second = assignVariant(CHECKOUT, { id })?.variant === "armmt" ? 1 : 0;
    hash = Math.imul(hash ^ (first * 2 + second), 0x01000193);
    counts[0] += first;
    counts[1] += second;
    counts[2] += first * second;
  }
  return { digest: (hash >>> 0).toString(16), shares: [counts[0] / UNITS, counts[1] / UNITS, counts[2] / UNITS] };
}
