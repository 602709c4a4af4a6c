/**
 * `armmt`: finds the command, runs it, and returns the exit code: 0 ok, 1 failed, 2 wrong usage, 3 an alarm or a refusal.
 *
 * Only the requested command is loaded, so `armmt --help` is quick although some commands bring native libraries.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { PACKAGE_ROOT } from "../runtimes/node/package-root.ts";
import { UserError, errorStack, errorText } from "../web.ts";

/** By name, in the order of the help. `needs`: optional peer dependencies; they are large, and a Worker needs none of them. */
export type Commands = Readonly<
  Record<string, { readonly summary: string; readonly needs?: readonly string[]; readonly load: () => Promise<() => Command> }>
>;

/** The commands of a shop; lab/main.ts adds those of this project. */
export const SHOP_COMMANDS: Commands = {
  embed: {
    summary: "Catalogue → image and text vectors → packed shards",
    needs: ["sharp", "onnxruntime-node"],
    load: async () => (await import("./embed.ts")).createEmbedCommand,
  },
  build: {
    summary: "Runtime and models of the edge Worker, cut down to what they use",
    needs: ["binaryen"],
    load: async () => (await import("./build.ts")).createBuildCommand,
  },
  publish: {
    summary: "Put embedded shards into KV and make them live",
    needs: ["wrangler"],
    load: async () => (await import("./publish.ts")).createPublishCommand,
  },
  private: {
    summary: "Static files with which pages re-rank on the shopper's device",
    needs: ["esbuild", "wrangler"],
    load: async () => (await import("./private.ts")).createPrivateCommand,
  },
  rollback: {
    summary: "Make the set published before live again",
    needs: ["wrangler"],
    load: async () => (await import("./publish.ts")).createRollbackCommand,
  },
  rules: {
    summary: "What stands where, whatever orders it: check, import, export, preview, publish, roll back, explain",
    needs: ["wrangler"],
    load: async () => (await import("./rules.ts")).createRulesCommand,
  },
  browse: {
    summary: "What sells on category, brand and home pages: learn it from your log, publish it, roll back",
    needs: ["wrangler"],
    load: async () => (await import("./browse.ts")).createBrowseCommand,
  },
  explain: {
    summary: "Why a hit stands where it stands: engine, meaning, model, and each rule with its owner",
    load: async () => (await import("./explain.ts")).createExplainCommand,
  },
  doctor: {
    summary: "Ask the search engine: what to configure, what a window costs, which searches would be re-ranked",
    load: async () => (await import("./doctor.ts")).createDoctorCommand,
  },
  evaluate: {
    summary: "Your engine's order against what the edge would serve, by your own judgments",
    load: async () => (await import("./evaluate.ts")).createEvaluateCommand,
  },
  train: {
    summary: "Your own log → a model of your own: lists, teachers, student, gate",
    needs: ["hyparquet", "hyparquet-writer"],
    load: async () => (await import("./train.ts")).createTrainCommand,
  },
  loop: {
    summary: "From the log to the next model in service, in steps that go on where they stopped",
    needs: ["hyparquet", "hyparquet-writer", "wrangler"],
    load: async () => (await import("./loop.ts")).createLoopCommand,
  },
  gate: {
    summary: "May this model serve? By your own log, before a shopper sees it",
    needs: ["hyparquet", "wrangler"],
    load: async () => (await import("./gate.ts")).createGateCommand,
  },
  report: {
    summary: "An experiment: sample ratio, metrics with intervals, interleaving, time to an answer",
    needs: ["wrangler", "vega"],
    load: async () => (await import("./report.ts")).createReportCommand,
  },
  guard: {
    summary: "Switch off a variant that makes a guardrail worse: bypasses, latency, revenue and others",
    needs: ["wrangler"],
    load: async () => (await import("./guard.ts")).createGuardCommand,
  },
  lists: {
    summary: "A log of searches and events → training lists, through the features that serve",
    needs: ["hyparquet", "hyparquet-writer", "wrangler"],
    load: async () => (await import("./lists.ts")).createListsCommand,
  },
  ladder: {
    summary: "Let trust in a model grow by the votes of shoppers",
    needs: ["wrangler"],
    load: async () => (await import("./ladder.ts")).createLadderCommand,
  },
  plan: {
    summary: "Sample size, days and cost of an experiment, before it starts",
    load: async () => (await import("./plan.ts")).createPlanCommand,
  },
  forget: {
    summary: "Remove a shopper's rows from D1",
    needs: ["wrangler"],
    load: async () => (await import("./forget.ts")).createForgetCommand,
  },
};

/** Runs one command line (without node and script) and returns the exit code; writes to stdout and stderr. */
export async function run(argv: readonly string[], commands: Commands): Promise<number> {
  endWithReader();
  const asked = argv[0] === "help" ? argv[1] : argv[0];
  if (asked !== undefined && !asked.startsWith("-") && asked !== "help" && !Object.hasOwn(commands, asked)) {
    process.stderr.write(`Unknown command "${asked}". Known commands: ${Object.keys(commands).join(", ")}\n`);
    return 2;
  }
  try {
    const program = await createProgram(asked, commands);
    await program.parseAsync([...argv], { from: "user" });
    // That of a command that found what it looks for.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed it
    const isForUser = error instanceof UserError;
    const missing = missingPackages(error, commands[asked ?? ""]?.needs ?? []);
    process.stderr.write(`${missing ?? (isForUser ? `Error: ${error.message}` : errorStack(error))}\n`);
    return 1;
  }
}

/** `armmt … | head`: who reads has enough, and that is no failure. */
function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listeners("error").includes(endQuietly)) continue;
    stream.on("error", endQuietly);
  }
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(0); // oxlint-disable-line no-process-exit
}

async function createProgram(asked: string | undefined, commands: Commands): Promise<Command> {
  const program = new Command("armmt")
    .description("Re-rank e-commerce search at the edge: catalogue, model, measurements, demo")
    .version(packageVersion())
    .showHelpAfterError("(run with --help for usage)")
    .addHelpText(
      "after",
      "\nExit codes: 0 ok, 1 failed, 2 wrong usage, 3 an alarm (report, guard, ladder, loop), or a model that the gate does not let pass (gate, train, loop)",
    )
    .exitOverride();
  for (const [name, entry] of Object.entries(commands)) {
    const command = name === asked ? (await entry.load())() : new Command(name).description(entry.summary);
    inheritSettings(command, program);
    program.addCommand(command);
  }
  return program;
}

/** `addCommand` does not hand down exitOverride and the like, so a usage error in a command would end the process. */
function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
}

function packageVersion(): string {
  const json: unknown = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8"));
  return typeof json === "object" && json !== null && "version" in json ? String(json.version) : "unknown";
}

/** `undefined` where the error is another one. */
function missingPackages(error: unknown, needs: readonly string[]): string | undefined {
  const name = /^Cannot find (?:package|module) '([^']+)'/.exec(errorText(error))?.[1];
  const missing = needs.find((needed) => name === needed || name?.startsWith(`${needed}/`));
  return missing && `Error: This command needs the package ${missing}, which is not installed: npm install --save-dev ${needs.join(" ")}`;
}
