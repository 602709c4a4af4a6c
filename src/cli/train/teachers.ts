/** The teachers of a student: trees, and nets that differ in their seed. None needs another. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runPython } from "./python.ts";
import type { Stage } from "./stages.ts";

interface Teachers {
  /** Folder that `armmt lists` wrote. */
  readonly lists: string;
  /** Folder where they are kept, and where the student looks for them. */
  readonly out: string;
  /** At most; the validation lists end it before. */
  readonly treeRounds: number;
  /** Seeds. */
  readonly nets: readonly number[];
  /** Passes over the lists; a part of one counts. */
  readonly netEpochs: number;
  /** That train each net together. */
  readonly processes?: number;
}

/** One stage each. Removes teachers of other seeds from `out`: the student would learn from them too. */
export function teacherStages({ lists, out, treeRounds, nets, netEpochs, processes = 1 }: Teachers): Stage[] {
  keepOnly(["trees", ...nets.map(String)], out);
  const shared = ["--lists", lists, "--out", out];
  return [
    {
      stage: "trees",
      settings: { rounds: treeRounds },
      work: (signal) => runPython("armmt.training.train_trees", [...shared, "--rounds", String(treeRounds)], { signal, env: barAt(0) }),
    },
    ...nets.map((seed, i): Stage => ({
      stage: `net ${seed}`,
      settings: { epochs: netEpochs, processes },
      work: (signal) =>
        runPython("armmt.training.train_teachers", [...shared, "--seeds", String(seed), "--epochs", String(netEpochs)], {
          signal,
          processes,
          env: barAt(i + 1),
        }),
    })),
  ];
}

function keepOnly(names: readonly string[], folder: string): void {
  for (const file of readdirSync(folder)) {
    const name = /^(?:teacher|targets|validation)-(\w+)\./.exec(file)?.[1];
    if (name !== undefined && !names.includes(name)) rmSync(join(folder, file));
  }
}

/** Bars of processes side by side: each on a line of its own. */
function barAt(line: number): Readonly<Record<string, string>> {
  return { TQDM_POSITION: String(line) };
}
