/** `armmt loop`: from the log to the next model in service, safe to run from cron. */
import { resolve } from "node:path";
import { Command } from "commander";
import { runCommand } from "./child.ts";
import { printTable } from "./command.ts";
import { embeddingsFolder } from "./embed/pack.ts";
import { runLoop } from "./loop/run.ts";
import { type LoopState, type Outcome, readState, type Step, STEPS } from "./loop/state.ts";
import { withLock } from "./train/lock.ts";
import { UserError } from "../web.ts";

type MoreFlags = Readonly<Partial<Record<Step, readonly string[]>>>;
interface LoopFlags extends MoreFlags {
  readonly catalog: string;
  readonly from?: readonly string[];
  readonly embeddings?: string;
  readonly out?: string;
  readonly live?: string;
  readonly status?: true;
  readonly fresh?: true;
  readonly json?: true;
}

const SAID: Readonly<Record<Outcome, string>> = {
  live: "the model is in service with all the trust that the ladder gives",
  refused: "the gate does not let the model pass; what is served is as it was",
  too_few: "the log is too short for a model; what is served is as it was",
  stopped: "the ladder took the trust away from the model",
};

/** A refusal is worth a look; a short log is how every shop begins. */
const EXIT_CODES: Readonly<Record<Outcome, number>> = { live: 0, refused: 3, too_few: 0, stopped: 3 };

const HELP = `
The steps of a round: lists → train → gate → publish → ladder, each a command of its own (armmt <step> --help). Nothing before publish touches what
is served. A step that fails, or is killed, is done again by the next run; steps that are done are not. The ladder needs days of traffic: run the
loop every hour, and it climbs; when it has ended, the next run begins a new round. loop.json in --out says where it stands.

Exit codes: 0 the round goes on, ended well, or waits for more clicks; 1 a step failed; 2 wrong usage; 3 refused by the gate or stopped by the ladder

Examples:
  armmt loop --catalog products --from .armmt/data/events.sqlite --publish "--folder .armmt/data/kv" --ladder "--folder .armmt/data/kv"
  armmt loop --catalog products --status`;

export function createLoopCommand(): Command {
  const command = new Command("loop")
    .description("From a shop's own log to its next model in service: lists, train, gate, publish, ladder; run it again and it goes on")
    .requiredOption("--catalog <name>", "the catalogue, as armmt embed and publish name it")
    .option("--from <log...>", "the log, as armmt lists takes it")
    .option("--embeddings <folder>", "what armmt embed has written (default: .armmt/embeddings/<catalog>)")
    .option("--out <folder>", "where everything is kept (default: .armmt/loop/<catalog>)")
    .option("--live <folder>", "the model that serves now, until the loop has published its own: the gate compares with it");
  for (const step of STEPS) command.option(`--${step} <options>`, `further options of armmt ${step}, in one string`, splitOptions);
  return command
    .option("--status", "say where the loop stands, and do nothing")
    .option("--fresh", "leave an unfinished round and begin a new one")
    .option("--json", "print the state as JSON")
    .addHelpText("after", HELP)
    .action(async ({ catalog, live, ...flags }: LoopFlags) => {
      const out = resolve(flags.out ?? `.armmt/loop/${catalog}`);
      const state = flags.status === true ? readState(out) : await run(catalog, out, { ...flags, live });
      if (state === undefined) throw new UserError(`No loop has run in ${out} yet`);
      if (flags.json === true) process.stdout.write(`${JSON.stringify(state)}\n`);
      else print(state);
      if (flags.status !== true && state.round.outcome !== undefined) process.exitCode = EXIT_CODES[state.round.outcome];
    });
}

type RunFlags = Omit<LoopFlags, "catalog" | "live"> & { readonly live: string | undefined };

function run(catalog: string, out: string, { from, fresh, live, ...flags }: RunFlags): Promise<LoopState> {
  if (from === undefined) throw new UserError("Give the log with --from");
  const embeddings = resolve(flags.embeddings ?? embeddingsFolder(catalog));
  const { lists, train, gate, publish, ladder } = flags;
  const more = { lists, train, gate, publish, ladder };
  return withLock(out, () => runLoop({ catalog, from, embeddings, out, live, more, fresh }, runCommand));
}

/** Words of a command line: quotes keep blanks together. */
export function splitOptions(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "");
}

function print({ round }: LoopState): void {
  printTable(
    ["step", "state", "seconds", "when"],
    STEPS.map((step) => {
      const { state = "to do", seconds = "", at = "" } = round.steps[step] ?? {};
      return [step, state, seconds, at];
    }),
  );
  const model = round.model === undefined ? "" : `, model ${round.model}`;
  const details = STEPS.flatMap((step) => round.steps[step]?.detail ?? []);
  const end = round.outcome === undefined ? "not at its end: run the loop again" : SAID[round.outcome];
  process.stdout.write(`Round ${round.number}${model}: ${end}\n${details.map((detail) => `${detail}\n`).join("")}`);
}
