/** `armmt assess`: the exported student in the serving runtime, against engine order, by the truth of held-out simulated searches. */
import { Command, Option } from "commander";
import { createRandom } from "../../demo/catalogue/random.ts";
import { buildTensors, type ListTensors } from "../../ranking/features.ts";
import { printTable, progressBar } from "../../cli/command.ts";
import { mean, orderByScore } from "../../cli/evaluate/metrics.ts";
import { bootstrapMean, FIGURES, meanOf, type Worth, worthOf } from "./assess/worth.ts";
import { listInputOf, openItems } from "../../cli/lists/dataset.ts";
import { readLog } from "../../cli/lists/log.ts";
import { openModel, scoreList } from "./assess/exported.ts";
import { readTruths } from "./simulate/truth.ts";
import { type Split, SPLITS } from "../../cli/lists/split.ts";
import { UserError } from "../../web.ts";

/** Folders, and which searches. */
type AssessOptions = Readonly<{ model: string; simulation: string; embeddings: string; split: Split; json?: boolean | undefined }>;

export type Assessment = Awaited<ReturnType<typeof assess>>;

function withoutImages(list: ListTensors): ListTensors {
  const presence = list.presence.map((value, i) => (i % 2 === 0 ? 0 : value));
  return { ...list, image: new Float32Array(list.image.length), historyImage: new Float32Array(list.historyImage.length), presence };
}

export async function assess(options: AssessOptions) {
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
  const bar = progressBar("Assessing", searches.length, options);
  for (const search of searches) {
    const truth = truths.get(search.queryId);
    if (truth === undefined) throw new UserError(`truth.ndjson has nothing on query "${search.queryId}": simulate again`);
    const list = buildTensors(listInputOf(search, items), shape);
    const started = performance.now();
    const { score, gate } = await scoreList(scorer, list, search.query);
    times.push(performance.now() - started);
    const blind = await scoreList(scorer, withoutImages(list), search.query);
    const engine = search.itemIds.map((_, i) => i);
    const random = createRandom(`shuffle:${search.queryId}`);
    const add = (to: Worth[], order: readonly number[]) => to.push(worthOf(truth, order, parts));
    add(worths.engine, engine);
    add(worths.shuffle, orderByScore(engine.map(random.next)));
    add(worths.armmt, orderByScore(score));
    add(worths.withoutImages, orderByScore(blind.score));
    weights.push({ modality: truth.modality, image: mean(engine.map((i) => gate[2 * i + 1]!)) });
    bar.increment();
  }
  bar.stop();

  const comparisons = FIGURES.map((figure) => {
    const differences = worths.armmt.flatMap((worth, i) => {
      const [after, before] = [worth.get(figure), worths.engine[i]!.get(figure)];
      return after === undefined || before === undefined ? [] : [after - before];
    });
    return {
      figure,
      engine: meanOf(worths.engine, figure),
      shuffle: meanOf(worths.shuffle, figure),
      armmt: meanOf(worths.armmt, figure),
      /** The same model with every picture withheld. */
      withoutImages: meanOf(worths.withoutImages, figure),
      /** armmt minus engine, paired by search, 95 % bootstrap interval. */
      gain: bootstrapMean(differences, createRandom(`bootstrap:${figure}`).next),
    };
  });
  const weightOf = (isMeant: (modality: number) => boolean): number =>
    mean(weights.filter(({ modality }) => isMeant(modality)).map(({ image }) => image));
  return {
    model: manifest.version,
    split: options.split,
    searches: searches.length,
    /** Searches in which nothing is relevant: left out of nDCG. */
    nothingRelevant: worths.engine.filter((worth) => worth.get(FIGURES[0]!) === undefined).length,
    comparisons,
    /** Mean weight of the picture in the item's fusion, for shoppers who read and for shoppers who look (lower and upper third). */
    imageWeight: { readers: weightOf((modality) => modality < 1 / 3), lookers: weightOf((modality) => modality > 2 / 3) },
    /** Milliseconds per run of the model here, median. */
    runMs: times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0,
  };
}

const digits = (value: number): string => value.toFixed(4);
const signed = (value: number): string => `${value >= 0 ? "+" : ""}${digits(value)}`;

/** The comparisons as rows of a table: figure, shuffle, engine, the model without images, the model, its gain over the engine. */
export function comparisonRows({ comparisons }: Assessment): string[][] {
  return comparisons.map(({ figure, shuffle, engine, withoutImages: blind, armmt, gain }) => [
    figure,
    ...[shuffle, engine, blind, armmt].map(digits),
    `${signed(gain.mean)} (${signed(gain.low)} .. ${signed(gain.high)})`,
  ]);
}

export function createAssessCommand(): Command {
  return new Command("assess")
    .description("The exported model against engine order, on held-out simulated searches")
    .option("--model <folder>", "folder with student.onnx and manifest.json", "model")
    .option("--simulation <folder>", "folder that armmt simulate wrote", ".armmt/model/simulation")
    .option("--embeddings <folder>", "folder that armmt embed wrote for the simulated shop", ".armmt/model/embeddings")
    .addOption(new Option("--split <name>", "which searches").choices(SPLITS).default("test"))
    .option("--json", "print the figures as JSON")
    .action(async (options: AssessOptions) => {
      const report = await assess(options);
      if (options.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
      else printAssessment(report);
    });
}

export function printAssessment(report: Assessment): void {
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
