/** A bundled Worker in its own workerd process, whose time and memory are the Worker's. KV and D1 are in another process, over HTTP. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Bundle, BundledModule } from "./bundle.ts";
import { UserError, withTimeout } from "../../web.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export type Vars = Readonly<Record<string, Json>>;

export type RunningWorkerd = Awaited<ReturnType<typeof startWorkerd>>;

interface WorkerdOptions {
  readonly vars?: Vars;
  /** host:port of the server for KV and D1; by default the bindings exist and every call fails. */
  readonly stores?: string;
  /** Limit of V8's heap, beyond which the process ends; by default V8 chooses one for the machine. */
  readonly heapMb?: number | undefined;
}

const FIELDS: Readonly<Record<BundledModule["type"], string>> = { ESModule: "esModule", CompiledWasm: "wasm", Data: "data" };

const START_TIMEOUT_MS = 20_000;
const UNREACHABLE = "127.0.0.1:9";
const MAX_CONFIG_BYTES = 100_000_000;

/** The workerd that miniflare (and so wrangler) runs: path of the executable, and its version. */
export function workerdBinary(): { readonly path: string; readonly version: string } {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { default: path, version } = Object(fromMiniflare("workerd"));
  if (typeof path !== "string" || typeof version !== "string") throw new Error("The workerd package does not name its executable");
  return { path, version };
}

/** Cap'n Proto's text literals are JSON's. */
const text = (value: string): string => JSON.stringify(value);

/**
 * Writes modules and a workerd configuration into `folder`; returns the configuration's path. It is the encoded form, as wrangler passes it
 * to workerd: parsing the text form with 8 MB of embedded modules would take a third of the start.
 */
export function writeWorkerdConfig(
  folder: string,
  bundle: Bundle,
  { vars = {}, stores = UNREACHABLE, heapMb }: WorkerdOptions = {},
): string {
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of bundle.modules) writeFileSync(join(folder, name), bytes);
  const modules = bundle.modules.map(({ name, type }) => `(name = ${text(name)}, ${FIELDS[type]} = embed ${text(name)})`);
  const bindings = Object.entries(vars).map(([name, value]) => {
    const binding = typeof value === "string" ? `text = ${text(value)}` : `json = ${text(JSON.stringify(value))}`;
    return `(name = ${text(name)}, ${binding})`;
  });
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
      compatibilityFlags = [${(bundle.compatibilityFlags ?? []).map(text).join(", ")}],
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
  writeFileSync(path, execFileSync(workerdBinary().path, ["compile", "--config-only", source], { maxBuffer: MAX_CONFIG_BYTES }));
  return path;
}

/** Resolves once it listens; it ends with this process. `spawnedAt`: by performance.now(). `onLog` gets each line of the Worker's log. Throws a UserError if it does not start. */
export async function startWorkerd(config: string, onLog: (line: string) => void = showProblem) {
  const spawnedAt = performance.now();
  const args = ["serve", "--binary", config, "--control-fd=3"];
  const child = spawn(workerdBinary().path, args, { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  const stop = endWithThisProcess(child);
  try {
    const [, stdout, , control] = child.stdio;
    if (child.pid === undefined || stdout === null || control === null || control === undefined || !("read" in control)) {
      throw new Error("Cannot start workerd");
    }
    createInterface(stdout).on("line", onLog);
    const port = await withTimeout(listeningPort(control), START_TIMEOUT_MS, () => undefined);
    if (port === undefined) throw new UserError(`workerd does not listen after ${START_TIMEOUT_MS} ms`);
    return { url: `http://127.0.0.1:${port}`, pid: child.pid, spawnedAt, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Returns a function that kills the child at once; an exit of this process does so too. */
export function endWithThisProcess(child: ChildProcess): () => void {
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  return () => {
    process.removeListener("exit", kill);
    kill();
  };
}

/** The edge logs every bypass as information: only its warnings and errors are shown, on stderr. */
function showProblem(line: string): void {
  if (!line.includes('"level":"info"')) process.stderr.write(`${line}\n`);
}

/** workerd writes one JSON line per socket to the control pipe once it listens. */
async function listeningPort(control: Readable): Promise<number> {
  for await (const line of createInterface(control)) {
    const port = /"event":"listen".*?"port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new UserError("workerd ended before it listened; its own message is above");
}
