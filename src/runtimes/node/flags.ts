/** The command line of the servers, read with Node's own parser, which Deno has too. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as v from "valibot";
import type { ProviderPreference } from "../../inference/providers.ts";
import { PROVIDER_PREFERENCES } from "../../inference/providers.ts";
import { StartError } from "./start-error.ts";
import { errorText } from "../../web.ts";

/** Of the project: configuration, model and sources lie in it. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const DEFAULT_PORT = "8788";

export const USAGE = `Usage: npm run serve:node -- [options]     (Node)
       deno task serve [options]           (Deno)

The edge as a server of its own, with files where Cloudflare has KV and D1, and the demo shop behind it.

Options:
  --config <file>      wrangler.toml whose [vars] are the configuration (default: wrangler.toml of the project);
                       environment variables of the same name win; secrets come from the environment only
  --data <folder>      item vectors and events (default: .armmt/server in the project)
  --no-demo            without the demo shop: the engines and the storefront of the configuration
  --provider <name>    what runs the model: auto, wasm or webgpu (default: auto)
  --port <number>      0 takes any free one (default: environment variable PORT, else ${DEFAULT_PORT})
  --host <address>     address to listen on (default: 127.0.0.1, this machine only)
  --json               print the line that says what runs as JSON, like all lines of the log
  --help               print this

Secrets: ADMIN_TOKEN, EVENT_SECRET, ENGINE_AUTHORIZATION.
Exit codes: 0 stopped by a signal with nothing lost, 1 failed, 2 wrong usage or configuration.
`;

const port = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), v.maxValue(65_535));

const nonEmpty = v.pipe(v.string(), v.nonEmpty());

export interface Flags {
  readonly config: string;
  readonly data: string;
  readonly hasDemo: boolean;
  readonly provider: ProviderPreference;
  readonly port: number;
  readonly host: string;
  readonly json: boolean;
  readonly help: boolean;
}

/** Throws a StartError (exit code 2) with every flag that is wrong, its value, and what is expected. */
export function parseFlags(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Flags {
  const { values } = readArguments(argv);
  const problems: string[] = [];
  const read = <T>(schema: v.GenericSchema<unknown, T>, value: unknown, otherwise: T, problem: string): T => {
    const parsed = v.safeParse(schema, value);
    if (!parsed.success) problems.push(problem);
    return parsed.success ? parsed.output : otherwise;
  };
  const from = values.port === undefined && env["PORT"] !== undefined ? "Environment variable PORT" : "--port";
  const givenPort = values.port ?? env["PORT"] ?? DEFAULT_PORT;
  const { provider = "auto", host = "127.0.0.1", config = `${ROOT}wrangler.toml`, data = `${ROOT}.armmt/server` } = values;
  const flags: Flags = {
    config: read(nonEmpty, config, "", "--config is empty: name a wrangler.toml"),
    data: read(nonEmpty, data, "", "--data is empty: name a folder"),
    hasDemo: values["no-demo"] !== true,
    provider: read(
      v.picklist(PROVIDER_PREFERENCES),
      provider,
      "auto",
      `--provider is "${provider}": use ${PROVIDER_PREFERENCES.join(", ")}`,
    ),
    port: read(port, givenPort, 0, `${from} is "${givenPort}": use a number from 0 to 65535`),
    host: read(nonEmpty, host, "", "--host is empty: name an address, such as 127.0.0.1 or 0.0.0.0"),
    json: values.json === true,
    help: values.help === true,
  };
  if (problems.length > 0) throw new StartError(problems, 2);
  return flags;
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
    const said = errorText(error);
    throw new StartError([`${said.replace(/\.$/, "")} (run with --help for usage)`], 2, { cause: error });
  }
}
