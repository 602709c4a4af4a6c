/** How many clicks each model learned from: two rankers differ by the bias of their clicks alone only where they had as many. */
import type { Row } from "./benchmark-file.ts";
import type { Run } from "./runs.ts";
import { meanOverSeeds } from "./statistics.ts";

export const TRAIN_CLICKS = "clicks per training list";

/** Mean over seeds; runs that did not count their clicks have no row. */
export function trainClickRows(runs: readonly Run[]): Omit<Row, "part" | "level">[] {
  const clicks = new Map<string, number[]>();
  for (const { model, trainClicks, trainLists } of runs) {
    if (trainClicks !== undefined) clicks.set(model, [...(clicks.get(model) ?? []), trainClicks / trainLists]);
  }
  return [...clicks].map(([model, values]) => {
    const { mean, low, high } = meanOverSeeds(values);
    return { model, metric: TRAIN_CLICKS, split: "train", mean, low: low ?? null, high: high ?? null, seeds: values.length };
  });
}
