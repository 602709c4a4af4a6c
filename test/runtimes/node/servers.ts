/** Starts the servers as a user would, as child processes on free ports, in Node and in Deno with the permissions of deno.json. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const SECRET = "a-secret-for-tests-only-of-32-characters";
export const ADMIN_TOKEN = "a-token-for-tests-only";

/** Not a bot: what bots see is not recorded. */
export const CHROME = {
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
};

export type RuntimeName = "Node" | "Deno";

const DENO = join(ROOT, "node_modules/.bin/deno");

/** Why Deno cannot be tested here; `undefined` where it can. */
export const denoProblem: string | undefined = (() => {
  if (!existsSync(DENO)) return `${DENO} is not installed (npm ci brings it)`;
  const { status, stderr, error } = spawnSync(DENO, ["--version"], { encoding: "utf8" });
  return status === 0 ? undefined : `${DENO} does not run: ${error?.message ?? stderr}`;
})();

if (denoProblem !== undefined) console.warn(`Tests of the Deno server are skipped: ${denoProblem}`);

export const runtimes: readonly RuntimeName[] = denoProblem === undefined ? ["Node", "Deno"] : ["Node"];

const denoConfig = v.object({ tasks: v.object({ serve: v.object({ command: v.string() }) }) });

/** The command of `deno task serve`, without the shell of tasks: its variables, program and arguments. */
function denoCommand(): { readonly env: Record<string, string>; readonly args: string[] } {
  const { tasks } = v.parse(denoConfig, JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")));
  const words = tasks.serve.command.split(" ");
  const program = words.findIndex((word) => !/^\w+=/.test(word));
  return {
    env: Object.fromEntries(words.slice(0, program).map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)])),
    args: words.slice(program + 1),
  };
}

export interface StartOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the server. */
  readonly data: string;
}

const readySchema = v.object({
  event: v.literal("ready"),
  url: v.string(),
  runtime: v.string(),
  provider: v.string(),
  seconds: v.number(),
});

export interface Server extends v.InferOutput<typeof readySchema> {
  readonly process: ChildProcess;
  /** All that it has printed so far: the log, and what else went to stderr. */
  readonly log: () => string;
  /** Sends the signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

function launch(runtime: RuntimeName, { flags = [], env = {}, data }: StartOptions): ChildProcess {
  const own = ["--json", "--data", data, ...(flags.includes("--port") ? [] : ["--port", "0"]), ...flags];
  const { env: denoEnv, args } = runtime === "Deno" ? denoCommand() : { env: {}, args: ["src/cli/start/server/node.ts"] };
  return spawn(runtime === "Deno" ? DENO : process.execPath, [...args, ...own], {
    cwd: ROOT,
    env: { ...process.env, ...denoEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Rejects with what the server printed when it ends before it is ready. */
export async function startServer(runtime: RuntimeName, options: StartOptions): Promise<Server> {
  const child = launch(runtime, options);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let printed = "";
  child.stderr?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const ready = new Promise<v.InferOutput<typeof readySchema>>((resolve) => {
    createInterface(child.stdout!).on("line", (line) => {
      printed += `${line}\n`;
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), readySchema), line);
      if (parsed.success) resolve(parsed.output);
    });
  });
  const outcome = await Promise.race([ready, ended]);
  if (typeof outcome !== "object" || outcome === null) throw new Error(`${runtime} ended with ${outcome} before it was ready:\n${printed}`);
  return {
    ...outcome,
    process: child,
    log: () => printed,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For servers that shall not start. */
export async function runServer(runtime: RuntimeName, options: StartOptions): Promise<Ended> {
  const child = launch(runtime, options);
  const printed = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...printed };
}

export function armmt(...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    execFile(process.execPath, [join(ROOT, "src/lab/main.ts"), ...args], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const replySchema = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }) });

export interface Found {
  readonly status: number;
  /** The `x-armmt` header. */
  readonly armmt: string;
  readonly token: string;
  readonly connection: string | null;
  readonly ids: readonly string[];
}

/** One search of the index "products". */
export async function search(url: string, query: string, headers: Readonly<Record<string, string>> = {}): Promise<Found> {
  const response = await fetch(`${url}/products/_search`, {
    method: "POST",
    headers: { "content-type": "application/json", ...CHROME, ...headers },
    body: JSON.stringify({ query: { multi_match: { query, fields: ["title^2", "category"] } }, size: 20 }),
  });
  const parsed = v.safeParse(replySchema, await response.json());
  return {
    status: response.status,
    armmt: response.headers.get("x-armmt") ?? "",
    connection: response.headers.get("connection"),
    token: response.headers.get("x-armmt-events") ?? "",
    ids: parsed.success ? parsed.output.hits.hits.map(({ _id: id }) => id) : [],
  };
}
