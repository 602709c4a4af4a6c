/**
 * A server, top to bottom: flags, configuration, a port, the demo where it is wanted, model, stores, the same app as everywhere, and an
 * orderly end. The entries (node.ts, deno.ts) bring what differs between runtimes.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fetch } from "../../backends/engine.ts";
import { runUntilStopped } from "./stop.ts";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { logToConsole as log, openEdge } from "../../edge.ts";
import { pointerKey } from "../../embeddings/store.ts";
import type { Gpu } from "../../inference/adapter.ts";
import type { AfterWork } from "./after-work.ts";
import { createAfterWork } from "./after-work.ts";
import type { DemoReadyOptions } from "../../cli/start/server/demo-ready.ts";
import { DEMO_INDEX, withDemo } from "../../cli/start/server/demo-vars.ts";
import type { Flags } from "./flags.ts";
import { parseFlags, USAGE } from "./flags.ts";
import { openFolderKv } from "./folder-kv.ts";
import { openModel, readModelFiles } from "./models.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import { openSqliteEvents } from "./sqlite-events.ts";
import { StartError } from "./start-error.ts";
import { errorStack, errorText } from "../../web.ts";

export type Handler = (request: Request) => Promise<Response>;

export interface Listener {
  /** The one that was given, or the free one that was found for 0. */
  readonly port: number;
  /** Takes no new requests; resolves when those that run have their replies. */
  close(): Promise<void>;
}

/** What differs between runtimes. */
export interface Runtime {
  /** With its version. */
  readonly name: string;
  readonly fetch: Fetch;
  /** `undefined` where there is none, or it cannot be loaded. Asked once, and only where WebGPU may serve. */
  openGpu(): Promise<Gpu | undefined>;
  /** Rejects with the system's error when the port is taken. */
  listen(handler: Handler, where: { readonly host: string; readonly port: number }): Promise<Listener>;
  /** How to start it so that it may make what the demo lacks. */
  readonly prepareHint: string;
}

/** From the signal: requests that run then, and what they do after their replies, get so long. */
const STOP_MS = 10_000;

/** Of that, what is on its way is still taken for so long; each reply tells its client that the connection ends with it. */
const LAST_CALL_MS = 300;

/** For `process.argv`; ends the process. */
export async function serve(argv: readonly string[], runtime: Runtime): Promise<void> {
  const started = performance.now();
  try {
    const flags = parseFlags(argv, process.env);
    if (flags.help) {
      process.stdout.write(USAGE);
      return;
    }
    const server = await startServer(flags, runtime);
    announce(server, flags, (performance.now() - started) / 1000);
    await runUntilStopped(() => server.stop(), STOP_MS + 1000);
  } catch (error) {
    const problems = error instanceof StartError ? error.problems : [errorStack(error)];
    for (const problem of problems) process.stderr.write(`Error: ${problem}\n`);
    process.exit(error instanceof StartError ? error.exitCode : 1);
  }
}

interface Server {
  readonly url: string;
  readonly data: string;
  readonly facts: object;
  stop(): Promise<void>;
}

async function startServer(flags: Flags, runtime: Runtime): Promise<Server> {
  // Only a page on this machine may have a token that opens explanations.
  const token = randomBytes(18).toString("base64url");
  const adapt = flags.hasDemo ? (vars: Settings["vars"]) => withDemo(vars, token) : undefined;
  const settings = readSettings({ file: flags.config, env: process.env, adapt });
  const pageToken = isLoopback(flags.host) && settings.config.adminToken === token ? token : undefined;

  const work: Work = { after: createAfterWork(log), isStopping: false };
  const opened = Promise.withResolvers<Edge>();
  opened.promise.catch(() => undefined);
  // The port first, so that a taken one is told before anything slow begins; who asks early waits.
  const listener = await listen(runtime, flags, async (request) => answer(request, (await opened.promise).app, work));
  const edge = await openServerEdge(flags, settings, runtime, pageToken);
  opened.resolve(edge);

  const host = flags.host.includes(":") ? `[${flags.host}]` : flags.host;
  return {
    url: `http://${host}:${listener.port}`,
    data: resolve(flags.data),
    facts: edge.describe(),
    stop: () => stop(listener, work, edge.close),
  };
}

interface Edge {
  readonly app: ReturnType<typeof openEdge>;
  readonly describe: () => object;
  readonly close: () => Promise<void>;
}

async function openServerEdge(flags: Flags, { vars, config }: Settings, runtime: Runtime, token: string | undefined): Promise<Edge> {
  const data = resolve(flags.data);
  const kvFolder = join(data, "kv");
  await orExplain(`Cannot make the folder ${data}`, "name another with --data <folder>", () => mkdir(kvFolder, { recursive: true }));
  const kv = openFolderKv(kvFolder);
  const files = await readModelFiles();
  const opening = openModel(files, { preference: flags.provider, openGpu: () => runtime.openGpu(), log });
  const searched = flags.hasDemo ? config.indexes.get(DEMO_INDEX) : undefined;
  const openFetch = async (): Promise<Fetch> => {
    if (searched === undefined) return runtime.fetch;
    const { manifest } = files;
    const ready = {
      data,
      kv: kvFolder,
      page: join(data, "page"),
      index: searched,
      manifest,
      reader: kv,
      json: flags.json,
      hint: runtime.prepareHint,
    };
    return openDemo(ready, runtime, token);
  };
  const [model, fetch] = await Promise.all([opening, openFetch()]);
  const file = join(data, "events.sqlite");
  const events = await orExplain(`Cannot open ${file}`, "name another folder with --data <folder>", () => openSqliteEvents(file));
  const describe = () => ({ runtime: runtime.name, ...model.describe() });
  const app = openEdge({ env: vars, kv, sinks: { EVENTS: events }, scorer: model.scorer, fetch, dialects: ALL_DIALECTS, describe });
  for (const catalog of new Set([...config.indexes.values()].map((index) => index.catalog))) {
    if ((await kv.get(pointerKey(catalog), "text")) !== null) continue; // oxlint-disable-line no-await-in-loop
    const detail = `Nothing is published for "${catalog}": run npm run armmt -- publish --catalog ${catalog} --folder ${kvFolder}`;
    log({ level: "warn", event: "nothing_published", catalog, detail });
  }
  const close = async () => {
    events.close();
    await model.close();
  };
  return { app, describe, close };
}

/** Imported only here: the demo needs packages that a server without it does not. */
async function openDemo(ready: DemoReadyOptions, { fetch }: Runtime, token: string | undefined): Promise<Fetch> {
  const { makeDemoReady } = await import("../../cli/start/server/demo-ready.ts");
  await makeDemoReady(ready);
  const { withDemoShop } = await import("../../cli/start/server/demo-shop.ts");
  return withDemoShop({ page: ready.page, token, fetch });
}

interface Work {
  readonly after: AfterWork;
  isStopping: boolean;
}

async function answer(request: Request, app: Edge["app"], work: Work): Promise<Response> {
  const context = { waitUntil: (later: Promise<unknown>) => work.after.add(later), passThroughOnException: () => undefined, props: {} };
  const replying = Promise.resolve(app.fetch(request, {}, context));
  // A shopper who leaves does not end what was begun for them.
  work.after.add(replying);
  const reply = await replying;
  if (work.isStopping) reply.headers.set("connection", "close");
  return reply;
}

async function stop(listener: Listener, work: Work, close: () => Promise<void>): Promise<void> {
  work.isStopping = true;
  const finish = async (): Promise<"finished"> => {
    await sleep(LAST_CALL_MS);
    await listener.close();
    await work.after.settled();
    return "finished";
  };
  const outcome = await Promise.race([finish(), sleep(STOP_MS)]);
  if (outcome !== "finished") {
    log({ level: "error", event: "stopped_early", detail: `${work.after.size} requests or writes did not end within ${STOP_MS} ms` });
    process.exitCode = 1;
  }
  await close();
}

async function listen(runtime: Runtime, { host, port }: Flags, handler: Handler): Promise<Listener> {
  try {
    return await runtime.listen(handler, { host, port });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const problem =
      code === "EADDRINUSE"
        ? `Port ${port} is in use. Stop what listens there, or choose another one with --port <number>`
        : `Cannot listen on ${host}, port ${port} (${code}). Choose others with --host <address> and --port <number>`;
    throw new StartError([problem], 1, { cause });
  }
}

async function orExplain<T>(what: string, fix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new StartError([`${what} (${errorText(cause)}): ${fix}`], 1, { cause });
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function announce({ url, data, facts }: Server, { json, hasDemo }: Flags, seconds: number): void {
  if (json) {
    log({ level: "info", event: "ready", url, data, demo: hasDemo, ...facts, seconds: Number(seconds.toFixed(3)) });
    return;
  }
  const page = hasDemo ? `\n  Page      ${url.replace("127.0.0.1", "localhost")}/` : "";
  const lines = [`  Edge      ${url}  ${JSON.stringify(facts)}`, `  Data      ${data}`];
  process.stdout.write(`\nReady after ${seconds.toFixed(1)} s\n${page}\n${lines.join("\n")}\n\nCtrl-C stops it.\n`);
}
