/** The folder of a study's runs, `<runs>/<model>/seed-<n>/`, and the two orders that need no training. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { createRandom } from "../../../demo/catalogue/random.ts";
import type { RunScores } from "./judge.ts";
import { readMatrix } from "./read-npy.ts";
import type { TestLists } from "./test-lists.ts";
import { UserError } from "../../../web.ts";

const runSchema = v.looseObject({
  model: v.string(),
  seed: v.number(),
  parameters: v.number(),
  /** Of `parameters`, those in the token table. */
  tokenTable: v.number(),
  trainLists: v.number(),
  /** In all training lists, as the model saw them. */
  trainClicks: v.optional(v.number()),
  seconds: v.number(),
  /** Learned P(examined) at positions 1 .. 10, relative to the first. */
  examination: v.optional(v.array(v.number())),
  /** Of one run over 100 candidates. */
  flops: v.optional(v.number()),
});

export interface Run extends v.InferOutput<typeof runSchema> {
  readonly folder: string;
}

/** Finished runs, by model and then seed. A folder without run.json is one that is not finished. */
export function findRuns(runs: string): Run[] {
  if (!existsSync(runs)) return [];
  const models = readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found = models.flatMap(({ name: model }) =>
    readdirSync(join(runs, model)).flatMap((name): Run[] => {
      const folder = join(runs, model, name);
      const path = join(folder, "run.json");
      if (!existsSync(path)) return [];
      const run = v.safeParse(runSchema, JSON.parse(readFileSync(path, "utf8")));
      if (!run.success) throw new UserError(`${path}: ${v.summarize(run.issues)}`);
      if (run.output.model !== model) throw new UserError(`${path} is of model "${run.output.model}", its folder of "${model}"`);
      return [{ ...run.output, folder }];
    }),
  );
  return found.toSorted((a, b) => (a.model === b.model ? a.seed - b.seed : a.model < b.model ? -1 : 1));
}

/** Throws a UserError when the run did not score every test list. */
export function readScores({ folder }: Run, test: TestLists): RunScores {
  const scores = readMatrix(join(folder, "scores.npy"));
  const path = join(folder, "clicks.npy");
  const clicks = existsSync(path) ? readMatrix(path) : undefined;
  for (const { rows } of clicks === undefined ? [scores] : [scores, clicks]) {
    if (rows === test.lists.length) continue;
    throw new UserError(`${folder} scores ${rows} lists, the test split has ${test.lists.length}: take the folder away and run again`);
  }
  return { scores, clicks };
}

function scoresOf(test: TestLists, score: (list: TestLists["lists"][number]) => (place: number) => number): RunScores {
  const columns = test.lists.reduce((most, { k }) => Math.max(most, k), 0);
  const values = new Float32Array(test.lists.length * columns);
  test.lists.forEach((list, i) => {
    const scoreOf = score(list);
    for (let place = 0; place < list.k; place++) values[i * columns + place] = scoreOf(place);
  });
  return { scores: { values, rows: test.lists.length, columns } };
}

/** Engine order: the further down, the lower. */
export function engineScores(test: TestLists): RunScores {
  return scoresOf(test, () => (place) => -place);
}

/** Each list shuffled, in another way for another seed. */
export function shuffledScores(test: TestLists, seed: number): RunScores {
  return scoresOf(test, ({ queryId }) => {
    const random = createRandom(`shuffle:${seed}:${queryId}`);
    return () => random.next();
  });
}
