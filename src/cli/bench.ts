/**
 * `armmt bench`: what re-ranking costs on this machine. Runs the Workers that would be deployed in real workerd, on loopback only, and
 * stops by itself.
 */
import { Command } from "commander";
import { describeMachine } from "./bench/machine.ts";
import type { Measurement } from "./bench/measurement.ts";
import { printTable } from "./command.ts";

interface BenchOptions {
  readonly json?: true;
  readonly quick?: true;
  readonly reference?: string;
  readonly providers?: true;
}

export function createBenchCommand(): Command {
  return new Command("bench")
    .description("Measure the time added per search, the model's run, searches per second, size, start-up and memory")
    .option("--json", "print an array of {name, unit, p50, p99, peer?, ratio?} instead of a table")
    .option("--quick", "few samples: shows that everything runs, the figures are worth little")
    .option("--reference <file>", "only time the model beside this graph of model/armmt/reference.py, in one workerd")
    .option("--providers", "only time the model on wasm and on WebGPU in Node, with 1 to 8 lists in one run")
    .addHelpText(
      "after",
      `
Percentiles are over all samples after a warm-up. p99 is the bad end: the slow one of times, the low one of rates.
Differences ("added time") are taken within a round, on one keep-alive connection.
MB are 1,000,000 bytes. A full run takes about 3 minutes, at most 5:
a slow machine takes fewer samples.`,
    )
    .action(async (options: BenchOptions) => {
      const json = options.json === true;
      const startedAt = Date.now();
      process.stderr.write(`${describeMachine()}\n`);
      // Brings miniflare, which takes a second to load: not for --help.
      const { FULL, QUICK, runBench, runProviders, runReference } = await import("./bench/run.ts");
      const plan = options.quick === true ? QUICK : FULL;
      const measure = async (): Promise<Measurement[]> => {
        if (options.providers === true) return runProviders(plan, json);
        return options.reference === undefined ? runBench(plan, json) : runReference(plan, options.reference);
      };
      const measurements = await measure();
      if (json) process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`);
      else printTable(["measurement", "unit", "p50", "p99", "ratio", "against"], measurements.map(rowOf));
      process.stderr.write(`Took ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
    });
}

function rowOf({ name, unit, p50, p99, ratio, peer }: Measurement): (string | number | undefined)[] {
  return [name, unit, p50, p99, ratio, peer];
}
