/**
 * The edge as an HTTP server: a port, the model, stores, the same app as everywhere, and an orderly end. The entries (node.ts,
 * ../deno/deno.ts) supply the parts that differ between runtimes.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import type { Fetch } from "../../backends/engine.ts";
import { logToConsole, openEdge, type Platform, readConfig } from "../../edge.ts";
import { EXPERIMENTS_KEY } from "../../search/live-experiments.ts";
import { errorText, type Log, withTimeout } from "../../web.ts";
import type { Config } from "../../config/config.ts";
import { type KvReader, pointerKey } from "../../embeddings/store.ts";
import type { Gpu } from "../../inference/gpu.ts";
import type { ProviderPreference } from "../../inference/providers.ts";
import { folderKv, writeKey } from "./folder-kv.ts";
import { type NodeModel, openModel, openPublished, readModelFiles } from "./models.ts";
import { PACKAGE_ROOT } from "./package-root.ts";
import { packReply } from "./packed.ts";
import { StartError } from "./settings.ts";
import { sqliteSink } from "./sqlite.ts";

/** What the host knows besides the Request. */
interface Host {
  /** Of the client, as the socket has it. */
  readonly address: string | undefined;
  /** Node's own message, in which app.ts finds the body of a GET. */
  readonly incoming?: object;
}

type Handler = (request: Request, host: Host) => Promise<Response>;

export interface Listener {
  /** The requested port, or the free one that was found for 0. */
  readonly port: number;
  /** Accepts no new requests; resolves when those that run have their replies. */
  close(): Promise<void>;
}

/** The parts that differ between Node and Deno. */
export interface Runtime {
  /** With its version. */
  readonly name: string;
  readonly fetch: Fetch;
  /** `undefined` where there is none, or it cannot be loaded. Called once, and only where WebGPU may run the model. */
  openGpu(): Promise<Gpu | undefined>;
  /** Rejects with the system's error when the port is taken. */
  listen(handler: Handler, where: { readonly host: string; readonly port: number }): Promise<Listener>;
}

/** Everything that openEdge() takes may be given; only `env` is required. */
export interface ServeOptions extends Partial<Omit<Platform, "env">> {
  /** The configuration: the variables of `[vars]` in wrangler.toml and the secrets, as values or as text. */
  readonly env: Platform["env"];
  /** 0 takes any free one. Default 8788. */
  readonly port?: number | undefined;
  /** Address to listen on. Default 127.0.0.1: this machine only. */
  readonly host?: string | undefined;
  /** Folder for the stores that are not given: item vectors in `kv`, events in `events.sqlite`. Default `.armmt/server`. */
  readonly data?: string | undefined;
  /** What runs the model of the package where no `scorer` is given. Default "auto": WebGPU where it works, else WebAssembly. */
  readonly provider?: ProviderPreference | undefined;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** The folder of the stores, as an absolute path. */
  readonly data: string;
  /** Runtime, and which provider runs the model. */
  describe(): object;
  /**
   * Requests that run, and the writes after their replies, get 10 seconds. Resolves to whether all of them have ended; stores and model are
   * closed then.
   */
  stop(): Promise<boolean>;
}

/** For requests that run at the signal, and their writes after the reply. */
export const STOP_TIMEOUT_MS = 10_000;

/** At the start, for what the folder of the stores says; then the server starts without. */
const FOLDER_MS = 1500;

/** How long connections are still accepted then; each reply tells its client that the connection ends. */
const LAST_CALL_MS = 300;

/**
 * Binds the port before anything slow begins, so that a taken one is reported at once; early requests wait. `openFetch` runs while the
 * model is loaded. Throws a StartError, or a ConfigurationError.
 */
export async function startServer(
  options: ServeOptions,
  runtime: Runtime,
  openFetch: () => Promise<Fetch> = async () => runtime.fetch,
): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8788, log = logToConsole } = options;
  const work: Work = { after: createAfterWork(log), isStopping: false };
  const addresses = new WeakMap<Request, string>();
  const clientAddress: ServeOptions["clientAddress"] = (c) => addresses.get(c.req.raw);
  const opened = Promise.withResolvers<Edge>();
  opened.promise.catch(() => undefined);
  const listener = await listen(runtime, host, port, async (request, { address, incoming }) => {
    if (address !== undefined) addresses.set(request, address);
    return answer(request, { incoming }, (await opened.promise).app, work);
  });
  try {
    opened.resolve(await openServerEdge({ clientAddress, ...options }, runtime, log, openFetch));
  } catch (cause) {
    opened.reject(cause);
    void listener.close();
    throw cause;
  }
  const edge = await opened.promise;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    data: edge.data,
    describe: edge.describe,
    stop: () => stop(listener, work, edge, log),
  };
}

type Edge = Awaited<ReturnType<typeof openServerEdge>>;

const rulesPage = () => readFile(join(PACKAGE_ROOT, "assets/rules-page.bin"));

async function openServerEdge(options: ServeOptions, runtime: Runtime, log: Log, openFetch: () => Promise<Fetch>) {
  const data = resolve(options.data ?? ".armmt/server");
  const kvFolder = join(data, "kv");
  const { kv = folderKv(kvFolder), dialects = ALL_DIALECTS, provider: preference = "auto" } = options;
  if (options.kv === undefined) {
    const making = orExplain(`Cannot make the folder ${data}`, "name another with --data <folder>", () =>
      mkdir(kvFolder, { recursive: true }),
    );
    await withTimeout(making, FOLDER_MS, () => log({ level: "warn", event: "store_timeout", detail: `The folder ${data} hangs` }));
  }
  const openOwnModel = async (): Promise<NodeModel> =>
    openModel(await readModelFiles(), { preference, openGpu: () => runtime.openGpu(), log });
  const [model, fetch] = await Promise.all([options.scorer === undefined ? openOwnModel() : undefined, options.fetch ?? openFetch()]);
  const scorer = options.scorer ?? model?.scorer;
  if (scorer === undefined) throw new Error("There is neither a scorer nor a model");
  const file = join(data, "events.sqlite");
  const database =
    options.sinks === undefined
      ? await orExplain(`Cannot open ${file}`, "name another folder with --data <folder>", () => sqliteSink(file, log))
      : undefined;
  const sinks = options.sinks ?? database ?? {};
  const describe = () => ({ runtime: runtime.name, ...model?.describe(), ...options.describe?.() });
  const describeAll = () => ({ ...describe(), ...(database !== undefined && { eventsFile: database.describe() }) });
  const readEvents = options.readEvents ?? database?.read;
  const writeKv = options.kv === undefined ? (key: string, value: string) => writeKey(kvFolder, key, value) : options.writeKv;
  const platform = {
    openPublished,
    rulesPage,
    ...options,
    kv,
    writeKv,
    sinks,
    readEvents,
    scorer,
    fetch,
    dialects,
    log,
    describe: describeAll,
  };
  const app = openEdge(platform);
  if (options.kv === undefined) await tryStore(kv, readConfig(platform), kvFolder, log);
  /** Resolves to whether nothing is lost. */
  const close = async (withinMs: number): Promise<boolean> => {
    const lost = (await database?.close(withinMs)) ?? 0;
    if (lost > 0) log({ level: "error", event: "records_lost", writes: lost, detail: `${file} could not be written until the end` });
    await model?.close();
    return lost === 0;
  };
  return { app, data, describe, close };
}

/** Says what is not published yet. A key that hangs is known to hang before the first search asks for it. */
async function tryStore(kv: KvReader, { indexes, hasLiveExperiments }: Config, folder: string, log: Log): Promise<void> {
  const catalogs = [...new Set([...indexes.values()].map(({ catalog }) => catalog))];
  const keys = [...catalogs.map(pointerKey), ...(hasLiveExperiments ? [EXPERIMENTS_KEY] : [])];
  const tried = keys.map(async (key, i) => {
    try {
      const found = await withTimeout(kv.get(key, "text"), FOLDER_MS, () => "late" as const);
      if (found === "late") log({ level: "warn", event: "store_timeout", detail: `Key ${key} in ${folder} hangs` });
      const catalog = catalogs[i];
      if (found !== null || catalog === undefined) return;
      const detail = `Nothing is published for "${catalog}": run npm run armmt -- publish --catalog ${catalog} --folder ${folder}`;
      log({ level: "warn", event: "nothing_published", catalog, detail });
    } catch (cause) {
      log({ level: "warn", event: "store_unavailable", detail: `Cannot read ${key} in ${folder}: ${errorText(cause)}` });
    }
  });
  await Promise.all(tried);
}

interface Work {
  readonly after: ReturnType<typeof createAfterWork>;
  isStopping: boolean;
}

async function answer(request: Request, env: object, app: Edge["app"], work: Work): Promise<Response> {
  const context = { waitUntil: (later: Promise<unknown>) => work.after.add(later), passThroughOnException: () => undefined, props: {} };
  const replying = Promise.resolve(app.fetch(request, env, context)).then((reply) => {
    if (work.isStopping) reply.headers.set("connection", "close");
    return packReply(request, reply);
  });
  // A shopper who leaves does not end the work that was begun.
  work.after.add(replying);
  return replying;
}

async function stop(listener: Listener, work: Work, edge: Edge, log: Log): Promise<boolean> {
  work.isStopping = true;
  const startedAt = performance.now();
  const finish = async (): Promise<true> => {
    await sleep(LAST_CALL_MS);
    await listener.close();
    await work.after.settled();
    return true;
  };
  const isFinished = await Promise.race([finish(), sleep(STOP_TIMEOUT_MS, false, { ref: false })]);
  if (!isFinished) {
    const detail = `${work.after.size} requests or writes did not end within ${STOP_TIMEOUT_MS} ms`;
    log({ level: "error", event: "stopped_early", detail });
  }
  const isWritten = await edge.close(Math.max(STOP_TIMEOUT_MS - (performance.now() - startedAt), LAST_CALL_MS));
  return isFinished && isWritten;
}

async function listen(runtime: Runtime, host: string, port: number, handler: Handler): Promise<Listener> {
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

async function orExplain<T>(failure: string, fix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new StartError([`${failure} (${errorText(cause)}): ${fix}`], 1, { cause });
  }
}

/** Work that goes on after a reply (waitUntil); a server that stops waits for it. Failures are logged: nothing else reports them. */
export function createAfterWork(log: Log) {
  const running = new Set<Promise<void>>();
  return {
    /** How many promises are pending. */
    get size(): number {
      return running.size;
    },
    add(work: Promise<unknown>): void {
      const watched = work
        .then(
          () => undefined,
          (cause: unknown) => log({ level: "error", event: "after_reply_failed", detail: String(cause) }),
        )
        .finally(() => running.delete(watched));
      running.add(watched);
    },
    /** Resolves when none is pending, including those that were added meanwhile. */
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running); // oxlint-disable-line no-await-in-loop
    },
  };
}
