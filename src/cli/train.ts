/** `armmt train`: a shop's own log → lists → teachers → student → model folder → gate. Publishes nothing. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { printTable } from "./command.ts";
import { embeddingsFolder } from "./embed/pack.ts";
import { whole } from "./numbers.ts";
import { GATE_CODES, judge, type Judged } from "./train/judge.ts";
import { withLock } from "./train/lock.ts";
import { trainModel, type Trained } from "./train/run.ts";

interface TrainFlags {
  readonly catalog: string;
  readonly from?: readonly string[];
  readonly lists?: string;
  readonly embeddings?: string;
  readonly out?: string;
  readonly live?: string;
  readonly report?: string;
  readonly gate: boolean;
  readonly processes?: number;
  readonly fresh?: true;
  readonly json?: true;
}

/** Where a catalogue's training lies by default: in the current folder, which is the user's project. */
export function trainingFolder(catalog: string): string {
  return resolve(".armmt/train", catalog);
}

const HELP = `
It starts again where it was killed, with the lists it had made. --fresh makes everything anew.
A log needs 5,000 searches with a click; below that, nothing is trained. 15,000 lists take about five minutes on 2 cores.
Python 3.11 or newer makes an environment in .armmt/python on first use; ARMMT_PYTHON names an interpreter, ARMMT_VENV an environment of your own.

Exit codes: 0 trained, and the gate lets it pass (or --no-gate); 1 failed; 2 wrong usage; 3 trained, and the gate does not let it pass

Examples:
  armmt train --catalog products --from .armmt/data/events.sqlite        a server's log
  armmt train --catalog products --from events/ --live model             judged against the model that serves, too
  armmt train --catalog products --from EVENTS -- --local --since 2026-09-01   what follows -- goes to armmt lists
  armmt train --catalog products --lists .armmt/lists                    lists that armmt lists has made`;

export function createTrainCommand(): Command {
  return new Command("train")
    .description("A shop's own log → lists → teachers → student → a model folder, judged by the gate")
    .requiredOption("--catalog <name>", "the catalogue that was searched, as armmt embed and publish name it")
    .option(
      "--from <log...>",
      "the log, as armmt lists takes it: a D1 database, .sqlite, .ndjson, .parquet, a folder, s3://…, r2://…, iceberg:<place>",
    )
    .option("--lists <folder>", "lists that armmt lists has made, instead of a log")
    .option("--embeddings <folder>", "what armmt embed has written (default: .armmt/embeddings/<catalog>)")
    .option("--out <folder>", "where everything is kept; the model is in its folder model (default: .armmt/train/<catalog>)")
    .option("--live <folder>", "the model that serves now: the gate compares with it too")
    .option(
      "--report <file>",
      "armmt report --json: the gate takes its sample ratio (default: the arms must have the weights of wrangler.toml)",
    )
    .option("--no-gate", "do not judge the model: armmt gate can do it later")
    .option("--processes <n>", "processes that train each net together, by torchrun (default: one per GPU, one on CPUs)", whole(1))
    .option("--fresh", "do everything again, even what is at hand")
    .option("--json", "print the figures as JSON")
    .addHelpText("after", HELP)
    .argument("[options...]", "after --: further options of armmt lists")
    .action(async (more: readonly string[], { gate, catalog, live, report, json, ...flags }: TrainFlags) => {
      const out = resolve(flags.out ?? trainingFolder(catalog));
      const embeddings = resolve(flags.embeddings ?? embeddingsFolder(catalog));
      const trained = await withLock(out, () => trainModel({ ...flags, catalog, out, embeddings, json, more }));
      const judged = gate ? await judge({ model: trained.model, lists: trained.lists, live, report, more }) : undefined;
      if (json === true) process.stdout.write(`${JSON.stringify({ ...trained, gate: judged ?? null })}\n`);
      else print(trained, judged);
      if (judged !== undefined && judged.code !== 0) process.exitCode = GATE_CODES.refused;
    });
}

function print({ version, model, survey, times }: Trained, judged: Judged | undefined): void {
  printTable(
    ["stage", "seconds", "reused"],
    times.map(({ stage, seconds, reused }) => [stage, Math.round(seconds), reused ? "yes" : ""]),
  );
  process.stdout.write(`Model ${version} of ${survey.lists} lists (${survey.clicked} with a click) is in ${model}\n`);
  if (judged !== undefined) process.stdout.write(judged.stdout);
  if (judged?.code === 0) process.stdout.write(`The gate lets it pass. Make it live: armmt publish --model ${model}\n`);
}

/** Whether a folder holds a model, whole. */
export function holdsModel(folder: string): boolean {
  return ["student.onnx", "manifest.json", "golden.json"].every((name) => existsSync(join(folder, name)));
}
