/**
 * wrangler as a library: its configuration files, and Workers in real workerd through its dev server, inside this process.
 *
 * No account, no telemetry, no network. Two processes of `wrangler dev` would take 0.6 s and 320 MB more.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Unstable_RawConfig } from "wrangler";
import { UserError, errorText, sleep } from "../web.ts";

/** Where `wrangler dev` of the project in the current folder keeps its state, for `--persist-to`. */
export const LOCAL_STATE = ".armmt/state";

/** The configuration of the project in the current folder, in wrangler's own order. */
export function findConfig(): string {
  return resolve(["wrangler.json", "wrangler.jsonc"].find((name) => existsSync(name)) ?? "wrangler.toml");
}

/** Workers listen for this machine only. */
export const LOCAL_HOST = "127.0.0.1";

/** Imports wrangler, in 1 to 2 s, with telemetry and network look-ups off. */
export function loadWrangler(): Promise<typeof import("wrangler")> {
  // It reads them while it is imported.
  const quiet = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_HIDE_BANNER: "true" };
  Object.assign(process.env, quiet);
  keepStdoutClean();
  return import("wrangler");
}

/** wrangler's notes ("Using secrets defined in .dev.vars") would stand before a command's result, which may be JSON for a program. */
function keepStdoutClean(): void {
  for (const name of ["log", "info", "debug"] as const) console[name] = (...said: unknown[]) => console.error(...said);
}

/** What stands in the file of secrets that `wrangler dev` reads beside this configuration; empty where there is none. */
export function readDevVars(config: string): Readonly<Record<string, string | undefined>> {
  const file = join(dirname(resolve(config)), ".dev.vars");
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}

export type Vars = NonNullable<Unstable_RawConfig["vars"]>;

export interface WorkerOptions {
  /** Path of the wrangler.toml. */
  readonly config: string;
  readonly port: number;
  /** Folder for KV and D1, as wrangler's `--persist-to`. */
  readonly stateDir: string;
  /** Override the vars of the wrangler.toml. */
  readonly vars: Vars;
  /** Folder of static assets, if any. */
  readonly assets?: string | undefined;
  /** Shown before each warning and error that the Worker logs. */
  readonly label: string;
}

export interface RunningWorker {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one Worker and waits until it listens. Rejects with wrangler's own error. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { unstable_startWorker } = await loadWrangler();
  const bindings = Object.fromEntries(
    Object.entries(options.vars).map(([name, value]) => [
      name,
      typeof value === "string" ? { type: "plain_text", value } : { type: "json", value },
    ]),
  );
  const worker = await unstable_startWorker({
    config: options.config,
    bindings,
    ...(options.assets === undefined ? {} : { assets: options.assets }),
    dev: {
      server: { hostname: LOCAL_HOST, port: options.port },
      persist: options.stateDir,
      remote: false,
      inspector: false,
      watch: false,
      logLevel: "error",
      structuredLogsHandler: (log: { level: string; message: string }) => {
        if (isTrouble(log)) process.stderr.write(`${options.label}: ${log.message}\n`);
      },
    },
  });
  await worker.ready;
  return { url: `http://${LOCAL_HOST}:${options.port}`, stop: () => worker.dispose() };
}

/** Warnings and errors, also those that a Worker logs as JSON lines with a `level`. */
function isTrouble({ level, message }: { readonly level: string; readonly message: string }): boolean {
  return level === "error" || level === "warn" || /^\{.*"level":"(error|warn)"/.test(message);
}

/** Requests `url` until the Worker answers, for at most `timeoutMs`; 502 to 504 mean that its engine is not up yet. */
export async function waitForAnswer(url: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = "no answer";
  while (performance.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      if (response.ok) return;
      last = `status ${response.status}: ${(await response.text()).slice(0, 300)}`;
      if (response.status < 502) break;
    } catch (error) {
      last = errorText(error);
    }
    await sleep(50);
  }
  throw new UserError(`${url} does not answer as it should: ${last}`);
}
