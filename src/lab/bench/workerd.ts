/**
 * A bundled Worker in a workerd of its own, without wrangler or miniflare around it: what answers is the Worker, and what the process uses
 * is its. KV and D1 lead to the stand-in stores, which is another process, as in production it is another machine.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Readable } from "node:stream";
import type { Bundle, BundledModule } from "./bundle.ts";
import { workerd } from "./machine.ts";
import { UserError } from "../../web.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export type Vars = Readonly<Record<string, Json>>;

export interface RunningWorkerd {
  readonly url: string;
  readonly pid: number;
  /** performance.now() when it was spawned. */
  readonly spawnedAt: number;
  stop(): void;
}

export interface Surroundings {
  readonly vars?: Vars;
  /** host:port of the stand-in stores; without them the bindings are there and lead nowhere. */
  readonly stores?: string;
  /** V8's heap may take so much, and the process ends when that is not enough; without it as much as V8 finds good for the machine. */
  readonly heapMb?: number | undefined;
}

const FIELDS: Readonly<Record<BundledModule["type"], string>> = { ESModule: "esModule", CompiledWasm: "wasm", Data: "data" };

const START_TIMEOUT_MS = 20_000;

const NOWHERE = "127.0.0.1:9";

/** Cap'n Proto's text literals are JSON's. */
const text = (value: string): string => JSON.stringify(value);

const MAX_CONFIG_BYTES = 100_000_000;

/**
 * Writes modules and a workerd configuration into `folder`; returns the configuration's path. It is the encoded form, which wrangler hands to
 * workerd as well: to read the text that embeds 8 MB of modules would take a third of the start.
 */
export function writeWorkerdConfig(folder: string, bundle: Bundle, { vars = {}, stores = NOWHERE, heapMb }: Surroundings = {}): string {
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of bundle.modules) writeFileSync(join(folder, name), bytes);
  const modules = bundle.modules.map(({ name, type }) => `(name = ${text(name)}, ${FIELDS[type]} = embed ${text(name)})`);
  const bindings = Object.entries(vars).map(([name, value]) =>
    typeof value === "string"
      ? `(name = ${text(name)}, text = ${text(value)})`
      : `(name = ${text(name)}, json = ${text(JSON.stringify(value))})`,
  );
  bindings.push(
    `(name = "EMBEDDINGS", kvNamespace = "stores")`,
    `(name = "EVENTS", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "stores")]))`,
  );
  const source = join(folder, "workerd.capnp");
  writeFileSync(
    source,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${heapMb === undefined ? "" : text(`--max-heap-size=${heapMb}`)}],
  services = [
    (name = "main", worker = (
      compatibilityDate = ${text(bundle.compatibilityDate)},
      modules = [${modules.join(", ")}],
      bindings = [${bindings.join(", ")}],
    )),
    (name = "stores", external = (address = ${text(stores)}, http = ())),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  const path = join(folder, "workerd.bin");
  writeFileSync(path, execFileSync(workerd().path, ["compile", "--config-only", source], { maxBuffer: MAX_CONFIG_BYTES }));
  return path;
}

/** Resolves once it listens. Ends with this process. `onLog` gets each line of the Worker's log. */
export async function startWorkerd(config: string, onLog: (line: string) => void = showProblem): Promise<RunningWorkerd> {
  const spawnedAt = performance.now();
  const child = spawn(workerd().path, ["serve", "--binary", config, "--control-fd=3"], { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = () => {
    process.removeListener("exit", kill);
    kill();
  };
  const [, stdout, , control] = child.stdio;
  if (child.pid === undefined || stdout === null || control === null || control === undefined || !("read" in control)) {
    stop();
    throw new Error("Cannot start workerd");
  }
  eachLine(stdout, onLog);
  try {
    const port = await listeningPort(control);
    return { url: `http://127.0.0.1:${port}`, pid: child.pid, spawnedAt, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

/** The edge logs every bypass, which is half of what the bench asks for: only its warnings and errors are shown, on stderr. */
function showProblem(line: string): void {
  if (!line.includes('"level":"info"')) process.stderr.write(`${line}\n`);
}

function eachLine(stdout: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
}

/** workerd writes one JSON line per socket to the control pipe once it listens. */
function listeningPort(control: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let written = "";
    const timer = setTimeout(() => reject(new UserError(`workerd does not listen after ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS);
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      finish();
    };
    control.on("data", (chunk: Buffer) => {
      written += chunk.toString("utf8");
      const port = /"event":"listen".*?"port":(\d+)/.exec(written)?.[1];
      if (port !== undefined) settle(() => resolve(Number(port)));
    });
    control.once("end", () => settle(() => reject(new UserError("workerd ended before it listened; its own message is above"))));
  });
}
