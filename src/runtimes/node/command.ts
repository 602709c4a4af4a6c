/** The servers' command line: flags and configuration, the server, and its end by a signal. */
import { parseArgs } from "node:util";
import * as v from "valibot";
import type { Fetch } from "../../backends/engine.ts";
import type { Config } from "../../config/config.ts";
import { logToConsole as log } from "../../edge.ts";
import { PROVIDER_PREFERENCES } from "../../inference/providers.ts";
import { errorStack, errorText } from "../../web.ts";
import { isReading } from "./folder-kv.ts";
import { type RunningServer, type Runtime, startServer, STOP_TIMEOUT_MS } from "./serve.ts";
import { type Adapted, readSettings, StartError, type Vars } from "./settings.ts";
import { runUntilStopped } from "./stop.ts";

const DEFAULT_PORT = "8788";

/** What an entry adds to the plain server, such as a shop to search; `--no-demo` leaves it out. */
export interface Extension {
  /** For --help: the commands that start the server, what is added, and the line of --no-demo. */
  readonly usage: { readonly commands: string; readonly added: string; readonly flag: string };
  /** The configured variables with the extension's own, and problems. */
  readonly adapt: (vars: Vars) => Adapted;
  /** Runs once the port is bound. Throws a StartError. */
  openFetch(server: ExtendedServer): Promise<Fetch>;
}

export interface ExtendedServer extends Pick<Flags, "data" | "host" | "json"> {
  readonly config: Config;
  /** For addresses that are not the extension's. */
  readonly fetch: Fetch;
}

const PLAIN: Extension["usage"] = {
  commands: `node src/runtimes/node/node.ts [options]       (Node)
       deno run -A src/runtimes/deno/deno.ts [options]  (Deno)`,
  added: "",
  flag: "",
};

const usage = ({ commands, added, flag } = PLAIN): string => `Usage: ${commands}

The edge as a server of its own, with files where Cloudflare has KV and D1${added}.

Options:
  --config <file>      wrangler.toml whose [vars] are the configuration (default: wrangler.toml in the current folder);
                       environment variables of the same name win; secrets come from the environment only
  --data <folder>      item vectors and events (default: .armmt/server in the current folder)
${flag}  --provider <name>    what runs the model: auto, wasm or webgpu (default: auto)
  --port <number>      0 takes any free one (default: environment variable PORT, else ${DEFAULT_PORT})
  --host <address>     address to listen on (default: 127.0.0.1, this machine only)
  --json               print the line that says what runs as JSON, like all lines of the log
  --help               print this

Secrets: ADMIN_TOKEN, EVENT_SECRET, ORDER_SECRET, ENGINE_AUTHORIZATION.
Exit codes: 0 stopped by a signal with nothing lost, 1 failed, 2 wrong usage or configuration.
`;

/** For `process.argv`; ends the process. */
export async function runCommand(argv: readonly string[], runtime: Runtime, extension?: Extension): Promise<void> {
  const started = performance.now();
  try {
    const flags = parseFlags(argv, process.env);
    if (flags.help) {
      process.stdout.write(usage(extension?.usage));
      return;
    }
    const added = flags.hasDemo ? extension : undefined;
    const { data, host, port, provider } = flags;
    const { vars: env, config } = readSettings({ file: flags.config, env: process.env, adapt: added?.adapt });
    const openFetch = added && (() => added.openFetch({ ...flags, config, fetch: runtime.fetch }));
    const server = await startServer({ env, data, host, port, provider }, runtime, openFetch);
    announce(server, flags.json, added !== undefined, (performance.now() - started) / 1000);
    const stop = async (): Promise<void> => {
      if (!(await server.stop())) process.exitCode = 1;
    };
    await runUntilStopped(stop, STOP_TIMEOUT_MS + 1000, endProcess);
  } catch (error) {
    const problems = error instanceof StartError ? error.problems : [errorStack(error)];
    for (const problem of problems) process.stderr.write(`Error: ${problem}\n`);
    process.exit(error instanceof StartError ? error.exitCode : 1);
  }
}

/** Node waits for its threads when it ends: with one that waits for a file that hangs it never would. */
function endProcess(code: number): void {
  if (!isReading()) process.exit(code);
  log({ level: "error", event: "killed", detail: "A read of the data folder hangs: the process ends itself by SIGKILL" });
  process.kill(process.pid, "SIGKILL");
}

function announce(server: RunningServer, json: boolean, hasDemo: boolean, seconds: number): void {
  const { url, data } = server;
  const facts = server.describe();
  if (json) {
    log({ level: "info", event: "ready", url, data, demo: hasDemo, ...facts, seconds: Number(seconds.toFixed(3)) });
    return;
  }
  const page = hasDemo ? `\n  Page      ${url.replace("127.0.0.1", "localhost")}/` : "";
  const lines = [`  Edge      ${url}  ${JSON.stringify(facts)}`, `  Data      ${data}`];
  process.stdout.write(`\nReady after ${seconds.toFixed(1)} s\n${page}\n${lines.join("\n")}\n\nCtrl-C stops it.\n`);
}

type Flags = ReturnType<typeof parseFlags>;

const nonEmpty = (problem: string) => v.pipe(v.string(), v.nonEmpty(problem));

/** Throws a StartError (exit code 2) with every wrong flag, its value, and the fix. */
export function parseFlags(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const { values } = readArguments(argv);
  const portSource = values.port === undefined && env["PORT"] !== undefined ? "Environment variable PORT" : "--port";
  const { provider = "auto", port = env["PORT"] ?? DEFAULT_PORT } = values;
  const portProblem = `${portSource} is "${port}": use a number from 0 to 65535`;
  const schema = v.object({
    config: v.optional(nonEmpty("--config is empty: name a wrangler.toml"), "wrangler.toml"),
    data: v.optional(nonEmpty("--data is empty: name a folder"), ".armmt/server"),
    provider: v.picklist(PROVIDER_PREFERENCES, `--provider is "${provider}": use ${PROVIDER_PREFERENCES.join(", ")}`),
    port: v.pipe(v.string(), v.regex(/^\d+$/, portProblem), v.transform(Number), v.maxValue(65_535, portProblem)),
    host: v.optional(nonEmpty("--host is empty: name an address, such as 127.0.0.1 or 0.0.0.0"), "127.0.0.1"),
    json: v.optional(v.boolean(), false),
    help: v.optional(v.boolean(), false),
  });
  const parsed = v.safeParse(schema, { ...values, provider, port });
  if (!parsed.success) {
    const problems = parsed.issues.map(({ message }) => message);
    throw new StartError(problems, 2);
  }
  // Without effect where the entry has no extension, so that one command line fits both entries.
  return { ...parsed.output, hasDemo: values["no-demo"] !== true };
}

function readArguments(argv: readonly string[]) {
  const options = {
    config: { type: "string" },
    data: { type: "string" },
    "no-demo": { type: "boolean" },
    provider: { type: "string" },
    port: { type: "string" },
    host: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
  } catch (error) {
    throw new StartError([`${errorText(error).replace(/\.$/, "")} (run with --help for usage)`], 2, { cause: error });
  }
}
