/** `armmt bench`: what re-ranking costs on this machine, in real workerd on loopback, each figure beside its peer from the same run. */
import { Command, InvalidArgumentError, Option } from "commander";
import { type Part, PARTS } from "./bench/parts.ts";
import { describeMachine } from "./bench/processes.ts";
import { printTable } from "../cli/command.ts";

type BenchOptions = Readonly<{ json?: boolean; quick?: true; only?: readonly Part[]; plots?: string }>;

export function createBenchCommand(): Command {
  const parts = PARTS.map(({ name, summary, isOnRequest }) => `  ${name.padEnd(10)} ${summary}${isOnRequest ? " (only on request)" : ""}`);
  return new Command("bench")
    .description("Measure what re-ranking costs: time per search, searches per second, start-up, memory, size, and their peers")
    .addOption(new Option("--only <parts>", "only these parts, with commas between them").argParser(parseParts))
    .option("--quick", "few samples: shows that everything runs, the figures are worth little")
    .option("--json", "print an array of {name, unit, p50, p99, p999?, peer?, ratio?, place?} instead of a table")
    .option("--plots <folder>", "also write charts there, as SVG")
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
    .action(async ({ json = false, quick, only, plots }: BenchOptions) => {
      const startedAt = Date.now();
      process.stderr.write(`${describeMachine()}\n`);
      // Loaded on demand, as the parts are: --help stays quick.
      const { FULL, QUICK, runBench } = await import("./bench/run.ts");
      const chosen = only ?? PARTS.filter(({ isOnRequest }) => !isOnRequest);
      const measurements = await runBench({ parts: chosen, plan: quick === true ? QUICK : FULL, isQuiet: json });
      if (plots !== undefined) {
        const { writePlots } = await import("./bench/plots.ts");
        const files = writePlots(plots, measurements, describeMachine());
        process.stderr.write(`${files.length} charts in ${plots}: ${files.join(", ")}\n`);
      }
      if (json) process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`);
      else {
        const rows = measurements.map(({ name, unit, p50, p99, p999, ratio, peer }) => [name, unit, p50, p99, p999, ratio, peer]);
        printTable(["measurement", "unit", "p50", "p99", "p99.9", "ratio", "against"], rows);
      }
      process.stderr.write(`Took ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
    });
}

function parseParts(value: string): readonly Part[] {
  const asked = value.split(",").map((name) => name.trim());
  const unknown = asked.filter((name) => !PARTS.some((part) => part.name === name));
  const names = PARTS.map(({ name }) => name).join(", ");
  if (unknown.length > 0) throw new InvalidArgumentError(`No part "${unknown.join('", "')}": use ${names}`);
  return PARTS.filter(({ name }) => asked.includes(name));
}
