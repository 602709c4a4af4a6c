/** `armmt doctor`: asks the shop's engine before the shop's users do. The work is in doctor/run.ts, loaded on demand. */
import { Command, InvalidArgumentError } from "commander";
import { LOCAL_STATE } from "./wrangler.ts";
import type { DoctorFlags } from "./doctor/run.ts";
import { above, whole } from "./numbers.ts";

const EXAMPLES = `
For each index of the configuration: what the engine's settings say (page sizes, default orders, pins, ids, vectors in replies), which searches
would be re-ranked and why others would not, and what a window costs in the engine's own milliseconds.

A file of searches has one JSON object per line, as clients send them to the edge:
  {"path":"/products/_search","body":{"query":{"match":{"title":"red mug"}},"size":24}}
  {"method":"GET","path":"/solr/products/select?q=red+mug&rows=24"}

Examples:
  $ armmt doctor                                              words from the titles of the engine's own products
  $ armmt doctor --words "red mug" --words lamp               your shoppers' words
  $ armmt doctor --searches searches.ndjson --json            your application's searches

Secrets as elsewhere: ENGINE_AUTHORIZATION in the environment, or in .dev.vars beside the configuration. Nothing is written to the engine.
Exit codes: 0 no problem found, 1 a problem, or an engine that does not answer, 2 wrong usage or configuration.`;

export function createDoctorCommand(): Command {
  return new Command("doctor")
    .description("Ask the search engine: what to configure, what a window costs, which searches would be re-ranked")
    .option("--config <file>", "wrangler.toml whose [vars] are the configuration", "wrangler.toml")
    .option("--index <name>", "only this index (repeatable)", collect)
    .option("--words <text>", "what a shopper types (repeatable)", collect)
    .option("--searches <file>", "searches of your application, one JSON object per line")
    .option("--window <hits>", "windows to time (repeatable; default: 50, 100, 200 and the configured one)", collectWindows)
    .option("--afford <ms>", "what a window may cost a search beside its own page", above(0), 20)
    .option("--repeat <n>", "requests per figure", whole(1), 9)
    .option("--data <folder>", "published item vectors to compare ids with, as the server has them", `${LOCAL_STATE.split("/")[0]}/server`)
    .option("--json", "print the findings as JSON, and no progress")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import("./doctor/run.ts");
      process.exitCode = await runDoctor(flags);
    });
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function collectWindows(text: string, before: readonly number[] = []): readonly number[] {
  const window = Number(text);
  if (!/^\d+$/.test(text) || window < 2 || window > 1000) {
    throw new InvalidArgumentError(`"${text}" is not a window; give a number of hits from 2 to 1000.`);
  }
  return [...before, window];
}
