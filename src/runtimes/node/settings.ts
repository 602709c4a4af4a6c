/**
 * A wrangler.toml and the environment → the edge's configuration, or every problem at once.
 *
 * The same file configures the Worker and the servers. Features of Cloudflare alone (queues, pipelines, flags) are refused by name.
 */
import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import * as v from "valibot";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { dialectLimits } from "../../backends/dialects.ts";
import { type Config, parseConfig, VARIABLE_NAMES } from "../../config/config.ts";
import { SECRET_NAMES } from "../../config/fields.ts";
import { errorText } from "../../web.ts";

/** Why a server does not start: each problem names the value and the fix. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly problems: readonly string[];
  /** 2: flags or configuration are wrong. 1: something that they need is missing. */
  readonly exitCode: 1 | 2;

  constructor(problems: readonly string[], exitCode: 1 | 2, options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
    this.exitCode = exitCode;
  }
}

export type Vars = Readonly<Record<string, unknown>>;

interface SettingsOptions {
  /** Path of a wrangler.toml. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Adds variables to those of file and environment, and problems. */
  readonly adapt?: ((vars: Vars) => Adapted) | undefined;
}

export interface Adapted {
  readonly vars: Vars;
  readonly problems: readonly string[];
}

/** `vars`: as given to parseConfig(); for openEdge(). Throws a StartError (exit code 2) with every problem: variable, value, fix. */
export function readSettings({ file, env, adapt }: SettingsOptions) {
  const inFile = readVars(file);
  const exposed = SECRET_NAMES.filter((name) => Object.hasOwn(inFile, name)).map(
    (name) => `${name} stands in ${file}: take it out there and set it as an environment variable`,
  );
  const inEnvironment = VARIABLE_NAMES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const given: Vars = { ...inFile, ...Object.fromEntries(inEnvironment) };
  const { vars, problems } = adapt?.(given) ?? { vars: given, problems: [] };
  const parsed = parseConfig(vars, dialectLimits(ALL_DIALECTS));
  if (!parsed.ok) throw new StartError([...exposed, ...problems, ...parsed.error], 2);
  const all = [...exposed, ...problems, ...cloudflareOnly(parsed.value)];
  if (all.length > 0) throw new StartError(all, 2);
  return { vars, config: parsed.value };
}

const fileSchema = v.object({ vars: v.optional(v.record(v.string(), v.unknown()), {}) });

function readVars(file: string): Vars {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new StartError([`Cannot read ${file} (${errorText(error)}): name a wrangler.toml with --config <file>`], 2, { cause: error });
  }
  try {
    const parsed = v.safeParse(fileSchema, parse(text));
    if (parsed.success) return parsed.output.vars;
  } catch (error) {
    throw new StartError([`${file} is not TOML: ${errorText(error).trim()}`], 2, { cause: error });
  }
  throw new StartError([`vars in ${file} is no table: write the variables under [vars]`], 2);
}

function cloudflareOnly({ eventSinks, variantFlag }: Config): readonly string[] {
  const sinks = eventSinks
    .filter((name) => name !== "d1")
    .map((name) => `EVENT_SINKS names "${name}", which only Cloudflare has: use "d1", here the file events.sqlite`);
  const fix = "take it out, or give openEdge() a flagClient in an entry of your own";
  return variantFlag === undefined ? sinks : [...sinks, `VARIANT_FLAG is "${variantFlag}", but a server has no flag client: ${fix}`];
}
