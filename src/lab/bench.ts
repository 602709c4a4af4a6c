/**
 * `armmt bench`: what re-ranking costs on this machine, each figure beside its peer from the same run. Runs the Workers that would be
 * deployed in real workerd, on loopback only, and stops by itself.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { describeMachine } from "./bench/machine.ts";
import type { Measurement } from "./bench/measurement.ts";
import type { PartName } from "./bench/part-names.ts";
import { PART_NAMES, SUMMARIES, USUAL_PARTS } from "./bench/part-names.ts";
import { FULL, QUICK } from "./bench/plan.ts";
import { printTable } from "../cli/command.ts";

interface BenchOptions {
  readonly json?: true;
  readonly quick?: true;
  readonly only?: readonly PartName[];
  readonly reference?: string;
  readonly plots?: string;
}

export function createBenchCommand(): Command {
  const parts = PART_NAMES.map(
    (name) => `  ${name.padEnd(10)} ${SUMMARIES[name]}${USUAL_PARTS.includes(name) ? "" : " (only on request)"}`,
  );
  return new Command("bench")
    .description("Measure what re-ranking costs: time per search, searches per second, start-up, memory, size, and their peers")
    .addOption(new Option("--only <parts>", "only these parts, with commas between them").argParser(parseParts))
    .option("--quick", "few samples: shows that everything runs, the figures are worth little")
    .option("--json", "print an array of {name, unit, p50, p99, p999?, peer?, ratio?, place?} instead of a table")
    .option("--plots <folder>", "also write charts there, as SVG")
    .option("--reference <file>", "only time the model beside this graph of model/armmt/reference.py, in one workerd")
    .addHelpText(
      "after",
      `
Parts:
${parts.join("\n")}

Percentiles are over all samples after a warm-up. p99 is the bad end: the slow one of times, the low one of rates.
Differences ("added time") are taken within a round on 1 connection, and between loads that take turns on 8.
"ms CPU" is processor time of the server, read from outside (Linux only). MB are 1,000,000 bytes.
A full run takes about 16 minutes, a slow machine takes fewer samples.`,
    )
    .action(async (options: BenchOptions) => {
      const json = options.json === true;
      const startedAt = Date.now();
      process.stderr.write(`${describeMachine()}\n`);
      // Brings miniflare and onnxruntime, which take a second to load: not for --help.
      const { runBench } = await import("./bench/run.ts");
      const { reference } = options;
      const chosen = options.only ?? (reference === undefined ? USUAL_PARTS : []);
      const measurements = await runBench({ parts: chosen, reference, plan: options.quick === true ? QUICK : FULL, isQuiet: json });
      if (options.plots !== undefined) {
        const { writePlots } = await import("./bench/plots.ts");
        const files = writePlots(options.plots, measurements, describeMachine());
        process.stderr.write(`${files.length} charts in ${options.plots}: ${files.join(", ")}\n`);
      }
      if (json) process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`);
      else printTable(["measurement", "unit", "p50", "p99", "p99.9", "ratio", "against"], measurements.map(rowOf));
      process.stderr.write(`Took ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
    });
}

function parseParts(value: string): readonly PartName[] {
  const asked = value.split(",").map((name) => name.trim());
  const known = PART_NAMES.filter((name) => asked.includes(name));
  const unknown = asked.filter((name) => !known.some((one) => one === name));
  if (unknown.length > 0) throw new InvalidArgumentError(`No part "${unknown.join('", "')}": use ${PART_NAMES.join(", ")}`);
  return known;
}

function rowOf({ name, unit, p50, p99, p999, ratio, peer }: Measurement): (string | number | undefined)[] {
  return [name, unit, p50, p99, p999, ratio, peer];
}
