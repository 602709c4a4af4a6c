/** `npm run faults`: the fault suite from the command line. Exit code 1 where a promise was broken. */
import { Command, InvalidArgumentError } from "commander";
import { printTable, progressBar } from "../../src/cli/command.ts";
import { STAND_INS } from "../search/dialects/all.ts";
import { RUNTIMES } from "./edges.ts";
import { PROMISES } from "./judge.ts";
import { runMatrix } from "./run.ts";
import { createTally, markdownOf, tableOf } from "./table.ts";

interface Options {
  readonly only: readonly string[];
  readonly runtime: typeof RUNTIMES;
  readonly dialect: typeof STAND_INS;
  readonly short?: true;
  readonly markdown?: true;
}

const listed = (value: string): string[] => value.split(",").map((name) => name.trim().toLowerCase());

function parseRuntimes(value: string): readonly (typeof RUNTIMES)[number][] {
  const chosen = RUNTIMES.filter((runtime) => listed(value).includes(runtime.toLowerCase()));
  if (chosen.length < listed(value).length)
    throw new InvalidArgumentError(`"${value}": use ${RUNTIMES.join(" or ")}, or both with a comma`);
  return chosen;
}

function parseDialects(value: string): typeof STAND_INS {
  const chosen = STAND_INS.filter(({ title }) => listed(value).some((name) => title.toLowerCase().includes(name)));
  if (chosen.length === 0) throw new InvalidArgumentError(`"${value}": use parts of ${STAND_INS.map(({ title }) => title).join("; ")}`);
  return chosen;
}

const promised = Object.entries(PROMISES).map(([name, text]) => `  ${name.padEnd(7)} ${text}`);

const command = new Command("faults")
  .description(
    "Inject faults of engines, stores, models, clocks and clients into a running edge, and compare what shoppers get with what the engine sent",
  )
  .option("--only <texts>", "only faults whose group or name holds one of these texts: compression, status, KV, ...", listed, [])
  .option("--runtime <names>", "workerd, Node, or both", parseRuntimes, RUNTIMES)
  .option("--dialect <names>", "only these engines: parts of their names, with commas between them", parseDialects, STAND_INS)
  .option("--short", "a few faults of each kind (the test suite runs these)")
  .option("--markdown", "print the table as Markdown, as docs/reliability.md has it")
  .addHelpText(
    "after",
    `\nPromises:\n${promised.join("\n")}\n\nA limit of the runtime is no violation: its own fetch, in a Worker of three lines or in Node, gives the same without an edge.\nOne table line per fault; details of the first violation of each follow it. The exit code is 1 where there is a violation.\nThe whole matrix takes about 10 minutes.`,
  )
  .action(async ({ only, runtime, dialect, short, markdown }: Options) => {
    const tally = createTally();
    const startedAt = Date.now();
    let progress = progressBar("Faults", 0, { json: true });
    await runMatrix({
      runtimes: runtime,
      dialects: dialect,
      only,
      isShort: short === true,
      onTry: (tried) => {
        tally.add(tried);
        progress.increment();
      },
      onPart: (label, tries) => {
        progress.stop();
        progress = progressBar(label, tries);
      },
    });
    progress.stop();
    if (tally.tries() === 0) throw new InvalidArgumentError(`No fault has "${only.join('" or "')}" in its name`);
    const { head, rows } = tableOf(tally, runtime);
    if (markdown === true) process.stdout.write(`${markdownOf(tally, runtime)}\n`);
    else printTable(head, rows);
    for (const { group, fault, detail } of tally.rows()) if (detail !== "") process.stderr.write(`${group}: ${fault}\n    ${detail}\n`);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    process.stderr.write(
      `${tally.tries()} tries, ${tally.violations()} with a violation, ${tally.limits()} limits of the runtime, ${seconds} s\n`,
    );
    process.exit(tally.violations() > 0 ? 1 : 0);
  });

await command.parseAsync();
