/**
 * Starts `npm start` as a user would, on free ports and in its own folder, and finds a browser to open it with.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Path of a Chromium, or undefined. */
export function findChromium(): string | undefined {
  const candidates = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

const readySchema = v.object({ edge: v.string(), shop: v.string(), items: v.number(), proof: v.object({ header: v.string() }) });

export interface Demo extends v.InferOutput<typeof readySchema> {
  readonly process: ChildProcess;
  /** Sends the signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Vectors that the first demo of this run made: they take longer than all else. Below the run's own temporary folder (vitest.config.ts). */
const VECTORS = join(tmpdir(), "demo-embeddings");

/** `home` holds vectors and state. Rejects with the output of a command that ends before it is ready. */
export async function startDemo(home: string, ...flags: string[]): Promise<Demo> {
  const own = join(home, "embeddings");
  const isUsual = flags.length === 0;
  if (isUsual && existsSync(VECTORS)) cpSync(VECTORS, own, { recursive: true, preserveTimestamps: true });
  const demo = await launch(process.execPath, ["src/lab/main.ts", "start"], home, flags);
  if (isUsual && !existsSync(VECTORS)) cpSync(own, VECTORS, { recursive: true, preserveTimestamps: true });
  return demo;
}

/** The same, with npm and its shell in between. */
export async function npmStartDemo(home: string): Promise<Demo> {
  return launch("npm", ["--silent", "start", "--"], home, []);
}

async function launch(command: string, first: readonly string[], home: string, flags: readonly string[]): Promise<Demo> {
  const [port, shopPort] = await freePorts();
  const args = [...first, "--json", "--home", home, "--port", String(port), "--shop-port", String(shopPort), ...flags];
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = await Promise.race([lines.next(), ended]);
  if (typeof line !== "object" || line === null || line.done === true) throw new Error(`The demo ended before it was ready:\n${errors}`);
  const ready = v.parse(readySchema, JSON.parse(line.value));
  return {
    ...ready,
    process: child,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const [a, b] = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [a ?? 0, b ?? 0];
}
