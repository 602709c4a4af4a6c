/** `npm run closed-loop`: simulated shoppers, an edge, `armmt loop` and the truth, from the first search to the second model (docs/closed-loop.md). */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { SIZES, type SizeName } from "./closed-loop/plan.ts";

interface Flags {
  readonly out?: string;
  readonly size: SizeName;
  readonly page?: string;
  readonly fresh?: true;
  readonly check?: true;
}

const HELP = `
It goes on where it was stopped, part by part. Training needs Python, as armmt train does.

Examples:
  npm run closed-loop -- --page docs          the whole story, about an hour on 2 idle cores, and its page
  npm run closed-loop -- --size tenth         every part with a tenth of the searches; most questions stay open
  npm run closed-loop -- --size quick --check searches, a round of the loop and a look of the ladder, in minutes`;

export function createClosedLoopCommand(): Command {
  return new Command("closed-loop")
    .description("The whole loop with simulated shoppers at a real edge: log, model, tests, next model")
    .addOption(new Option("--size <name>", "how many searches").choices(Object.keys(SIZES)).default("full"))
    .option("--out <folder>", "where everything is kept (default: .armmt/closed-loop/<size>)")
    .option("--page <folder>", "write closed-loop.md there, with its charts and closed-loop.json in the folder closed-loop")
    .option("--fresh", "begin anew")
    .option("--check", "exit code 1 where something does not hold that must, however few searches there are")
    .addHelpText("after", HELP)
    .action(async ({ size, page, check, ...flags }: Flags) => {
      const home = resolve(flags.out ?? `.armmt/closed-loop/${size}`);
      const { tellStory } = await import("./closed-loop/run.ts");
      const { faultsOf, readFigures } = await import("./closed-loop/figures.ts");
      const { writePage } = await import("./closed-loop/page.ts");
      const write = (): void => {
        const figures = readFigures(home);
        if (page !== undefined) writePage(resolve(page), figures);
      };
      await tellStory({ home, size, sizes: SIZES[size], isFresh: flags.fresh === true, afterPart: write });
      const figures = readFigures(home);
      process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
      const faults = faultsOf(figures);
      for (const fault of faults) process.stderr.write(`${fault}\n`);
      if (check === true && faults.length > 0) process.exitCode = 1;
    });
}
