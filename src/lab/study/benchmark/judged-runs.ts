/** Orders and runs of a part, judged on its test lists. */
import { join } from "node:path";
import { judgeOnce, type Judged } from "./judge.ts";
import { ENGINE, SHUFFLE } from "./models.ts";
import { engineScores, readScores, type Run, shuffledScores } from "./runs.ts";
import type { TestLists } from "./test-lists.ts";

/** Orders without training are shuffled as often as models are trained. */
const SHUFFLES = [1, 2, 3, 4, 5] as const;

/** Engine order and shuffles. */
export function judgeOrders(runs: string, test: TestLists): [string, Judged[]][] {
  const at = (model: string, seed: number): string => join(runs, model, `seed-${seed}`);
  const shuffles = SHUFFLES.map((seed) => judgeOnce(at(SHUFFLE, seed), shuffledScores(test, seed), test));
  return [
    [ENGINE, [judgeOnce(at(ENGINE, 1), engineScores(test), test)]],
    [SHUFFLE, shuffles],
  ];
}

/** Runs by model, each judged on the test lists. */
export function judgeRuns(runs: readonly Run[], test: TestLists): [string, Judged[]][] {
  return [...new Set(runs.map(({ model }) => model))].map((name) => [
    name,
    runs.filter(({ model }) => model === name).map((run) => judgeOnce(run.folder, readScores(run, test), test)),
  ]);
}
