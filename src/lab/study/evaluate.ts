/**
 * `armmt evaluate`: the exported student, in the runtime that serves, on the held-out searches of a simulation, against engine order and
 * shuffling. Judged by the simulation's truth, which neither training nor the model has seen.
 */
import { Command } from "commander";
import { createRandom } from "../../demo/catalogue/random.ts";
import { buildTensors, type ListTensors } from "../../ranking/features.ts";
import { bootstrapMean, type Interval, mean } from "./evaluate/metrics.ts";
import { printTable, progressBar } from "../../cli/command.ts";
import { FIGURES, meanOf, orderByScore, type Worth, worthOf } from "./evaluate/worth.ts";
import { readTruths } from "./evaluate/truth.ts";
import { listInputOf, openItems } from "./lists/dataset.ts";
import { readLog } from "./lists/log.ts";
import { openModel, scoreList } from "./evaluate/exported.ts";
import { type Split, SPLITS } from "./simulate/split.ts";
import { UserError } from "../../web.ts";

interface EvaluateOptions {
  readonly model: string;
  readonly simulation: string;
  readonly embeddings: string;
  readonly split: Split;
  readonly json?: boolean | undefined;
}

interface Comparison {
  readonly figure: string;
  readonly engine: number;
  readonly shuffle: number;
  readonly armmt: number;
  /** The same model with every picture withheld. */
  readonly withoutImages: number;
  /** armmt minus engine, paired by search, 95 % bootstrap interval. */
  readonly gain: Interval;
}

export interface EvaluateReport {
  readonly model: string;
  readonly split: Split;
  readonly searches: number;
  /** Searches in which nothing is relevant: left out of nDCG. */
  readonly nothingRelevant: number;
  readonly comparisons: readonly Comparison[];
  /** Mean weight of the picture in the item's fusion, for shoppers who read and for shoppers who look (lower and upper third). */
  readonly imageWeight: { readonly readers: number; readonly lookers: number };
  /** Milliseconds per run of the model here, median. */
  readonly runMs: number;
}

function withoutImages(list: ListTensors): ListTensors {
  const presence = list.presence.map((value, i) => (i % 2 === 0 ? 0 : value));
  return { ...list, image: new Float32Array(list.image.length), historyImage: new Float32Array(list.historyImage.length), presence };
}

export async function evaluate(options: EvaluateOptions): Promise<EvaluateReport> {
  const scorer = await openModel(options.model);
  const { manifest } = scorer;
  const items = openItems(options.embeddings);
  const { truths, parts } = await readTruths(options.simulation, options.split);
  const searches = await readLog(options.simulation, options.split);
  if (searches.length === 0) throw new UserError(`${options.simulation} has no search in the ${options.split} split`);
  const shape = { imageDim: manifest.dims.image, textDim: manifest.dims.text, scaling: manifest.features };

  const worths = { engine: [] as Worth[], shuffle: [] as Worth[], armmt: [] as Worth[], withoutImages: [] as Worth[] };
  const weights: { modality: number; image: number }[] = [];
  const times: number[] = [];
  const bar = progressBar("Evaluating", searches.length, { json: options.json });
  for (const search of searches) {
    const truth = truths.get(search.queryId);
    if (truth === undefined) throw new UserError(`truth.ndjson has nothing on query "${search.queryId}": simulate again`);
    const list = buildTensors(listInputOf(search, items), shape);
    const started = performance.now();
    const scored = await scoreList(scorer, list, search.query);
    times.push(performance.now() - started);
    const engine = search.itemIds.map((_, i) => i);
    const random = createRandom(`shuffle:${search.queryId}`);
    worths.engine.push(worthOf(truth, engine, parts));
    worths.shuffle.push(worthOf(truth, orderByScore(engine.map(() => random.next())), parts));
    worths.armmt.push(worthOf(truth, orderByScore(scored.score), parts));
    worths.withoutImages.push(worthOf(truth, orderByScore((await scoreList(scorer, withoutImages(list), search.query)).score), parts));
    const image = engine.reduce((sum, i) => sum + scored.gate[2 * i + 1]!, 0) / engine.length;
    weights.push({ modality: truth.modality, image });
    bar.increment();
  }
  bar.stop();

  const comparisons = FIGURES.map(({ name, of }): Comparison => {
    const random = createRandom(`bootstrap:${name}`);
    const differences = worths.armmt.flatMap((worth, i) => {
      const after = of(worth);
      const before = of(worths.engine[i]!);
      return after === undefined || before === undefined ? [] : [after - before];
    });
    return {
      figure: name,
      engine: meanOf(worths.engine, of),
      shuffle: meanOf(worths.shuffle, of),
      armmt: meanOf(worths.armmt, of),
      withoutImages: meanOf(worths.withoutImages, of),
      gain: bootstrapMean(differences, { random: () => random.next() }),
    };
  });
  return {
    model: manifest.version,
    split: options.split,
    searches: searches.length,
    nothingRelevant: worths.engine.filter((worth) => worth.ndcg === undefined).length,
    comparisons,
    imageWeight: {
      readers: mean(weights.filter(({ modality }) => modality < 1 / 3).map(({ image }) => image)),
      lookers: mean(weights.filter(({ modality }) => modality > 2 / 3).map(({ image }) => image)),
    },
    runMs: times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0,
  };
}

interface Flags {
  readonly model: string;
  readonly simulation: string;
  readonly embeddings: string;
  readonly split: Split;
  readonly json?: true;
}

const digits = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value >= 0 ? "+" : ""}${digits(value)}`;

/** The comparisons as rows of a table: figure, shuffle, engine, the model without images, the model, its gain over the engine. */
export function comparisonRows({ comparisons }: EvaluateReport): string[][] {
  return comparisons.map(({ figure, shuffle, engine, withoutImages: blind, armmt, gain }) => [
    figure,
    ...[shuffle, engine, blind, armmt].map(digits),
    `${signed(gain.mean)} (${signed(gain.low)} .. ${signed(gain.high)})`,
  ]);
}

function parseSplit(text: string): Split {
  const split = SPLITS.find((name) => name === text);
  if (split === undefined) throw new UserError(`Unknown split "${text}": expected one of ${SPLITS.join(", ")}`);
  return split;
}

export function createEvaluateCommand(): Command {
  return new Command("evaluate")
    .description("The exported model against engine order, on held-out simulated searches")
    .option("--model <folder>", "folder with student.onnx and manifest.json", "model")
    .option("--simulation <folder>", "folder that armmt simulate wrote", ".armmt/model/simulation")
    .option("--embeddings <folder>", "folder that armmt embed wrote for the simulated shop", ".armmt/model/embeddings")
    .option("--split <name>", `which searches: ${SPLITS.join(", ")}`, parseSplit, "test" as const)
    .option("--json", "print the figures as JSON")
    .action(async (flags: Flags) => {
      const report = await evaluate(flags);
      if (flags.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
      else printEvaluation(report);
    });
}

export function printEvaluation(report: EvaluateReport): void {
  const { model, split, searches, nothingRelevant, imageWeight } = report;
  process.stdout.write(
    `Model ${model}, ${searches} simulated searches of the ${split} split (${nothingRelevant} with nothing relevant, left out of nDCG)\n`,
  );
  printTable(["figure", "shuffle", "engine", "armmt without images", "armmt", "armmt - engine (95 %)"], comparisonRows(report));
  process.stdout.write(
    `Weight of the picture: ${imageWeight.readers.toFixed(3)} for shoppers who read, ${imageWeight.lookers.toFixed(3)} for shoppers who look\n` +
      `One run of the model here: ${report.runMs.toFixed(2)} ms (median)\n`,
  );
}
