/** `npm start`, top to bottom: vectors, KV, shop, page, two Workers, one search to prove that it works, then waiting for Ctrl-C. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import * as v from "valibot";
import type { FieldOptions } from "../catalog/fields.ts";
import { type Catalog, readCatalog } from "../catalog/file.ts";
import { embedCatalog, type EmbedReport } from "../embed.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { publishLocally } from "../publish.ts";
import { loadWrangler, LOCAL_HOST, type RunningWorker, startWorker, type Vars, waitForAnswer, type WorkerOptions } from "../wrangler.ts";
import { runUntilStopped, STOP_SIGNALS } from "../../runtimes/node/stop.ts";
import { UserError } from "../../web.ts";
import { packAhead } from "../private/build.ts";
import { buildDemoPrivate, buildPage, packedFolder } from "./page.ts";
import { announce, type Running, trySearch } from "./ready.ts";
import { stockShop } from "./shop.ts";

export interface StartFlags extends FieldOptions {
  readonly catalog: string;
  readonly port: number;
  readonly shopPort: number;
  readonly imageEncoder: string;
  /** Width over height. */
  readonly pictureAspect?: number;
  readonly skipUnreadable?: true;
  readonly rebuild?: true;
  /** Folder for computed and stored files; default .armmt in the project. */
  readonly home?: string;
  readonly json?: true;
}

const ANSWER_TIMEOUT_MS = 30_000;

/** Ends the process when the demo is stopped; rejects when it cannot be started. */
export async function runDemo(flags: StartFlags): Promise<never> {
  const started = performance.now();
  if (flags.port === flags.shopPort) throw new UserError(`--port and --shop-port are both ${flags.port}. Give them different numbers`);
  await Promise.all([requireFreePort(flags.port, "--port"), requireFreePort(flags.shopPort, "--shop-port")]);
  const { workers, ...running } = await startAll(flags);
  // Miniflare's listeners would end the process in the middle of stopAll(), with an error code.
  for (const signal of STOP_SIGNALS) process.removeAllListeners(signal);
  const stopped = runUntilStopped(() => stopAll(workers));
  announce({ ...running, seconds: (performance.now() - started) / 1000 }, flags);
  return stopped;
}

async function startAll(flags: StartFlags): Promise<Omit<Running, "seconds"> & { readonly workers: readonly RunningWorker[] }> {
  const home = flags.home === undefined ? join(PACKAGE_ROOT, ".armmt") : resolve(flags.home);
  const stateDir = join(home, "state");
  const pageDir = join(home, "page");
  const shopConfig = join(PACKAGE_ROOT, "src/demo/wrangler.toml");
  const edgeConfig = join(PACKAGE_ROOT, "wrangler.toml");

  const catalog = readCatalog(flags);
  const wrangler = loadWrangler(); // takes a second or two, while others use the other core
  const [embedded] = await Promise.all([
    embed(flags, catalog, join(home, "embeddings", catalog.name)),
    buildPage(PACKAGE_ROOT, pageDir),
    packAhead(packedFolder(home)),
    wrangler,
  ]);
  const { pictureAspect } = flags;
  await Promise.all([
    publishLocally({ from: embedded.out, catalog: catalog.name, config: edgeConfig, stateDir }),
    buildDemoPrivate({ home, pageDir, catalog, pictureAspect, from: embedded.out, edgeConfig }),
  ]);
  await stockShop({ catalog, pictureAspect, config: shopConfig, stateDir, pageDir });

  const token = randomBytes(18).toString("base64url");
  const shopUrl = `http://${LOCAL_HOST}:${flags.shopPort}`;
  const edgeUrl = `http://${LOCAL_HOST}:${flags.port}`;
  const vars = await edgeVars(edgeConfig, { shopUrl, catalog: catalog.name, token });
  const workers = await startBoth([
    { label: "shop", config: shopConfig, port: flags.shopPort, stateDir, vars: { DEMO_ADMIN_TOKEN: token }, assets: pageDir },
    { label: "edge", config: edgeConfig, port: flags.port, stateDir, vars },
  ]);
  try {
    await Promise.all([waitForAnswer(`${shopUrl}/catalog.json`, ANSWER_TIMEOUT_MS), waitForAnswer(`${edgeUrl}/`, ANSWER_TIMEOUT_MS)]);
    return { workers, edgeUrl, shopUrl, catalog, embedded, proof: await trySearch(edgeUrl) };
  } catch (error) {
    await stopAll(workers);
    throw error;
  }
}

/** The index that the page and the documentation search. */
const INDEX = "products";
const indexesSchema = v.looseObject({ [INDEX]: v.looseObject({}) });

/** The vars of the edge's wrangler.toml, with the demo's addresses, catalogue and token. */
async function edgeVars(config: string, { shopUrl, catalog, token }: Record<"shopUrl" | "catalog" | "token", string>): Promise<Vars> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const parsed = v.safeParse(indexesSchema, readConfig({ config }).vars["INDEXES"]);
  if (!parsed.success) throw new UserError(`${config} has no [vars.INDEXES.${INDEX}]; the demo searches that index, put it back`);
  const indexes = { ...parsed.output, [INDEX]: { ...parsed.output[INDEX], url: shopUrl, catalog } };
  return { INDEXES: indexes, STOREFRONT_URL: shopUrl, ADMIN_TOKEN: token };
}

/** Checked before anything slow begins. Throws a UserError that names the port and the flag to change it. */
async function requireFreePort(port: number, flag: string): Promise<void> {
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    const server = createServer();
    server.once("error", (error) => settle(error));
    server.listen(port, LOCAL_HOST, () => server.close(() => settle(undefined)));
  });
  if (problem === undefined) return;
  if (problem.code === "EADDRINUSE")
    throw new UserError(`Port ${port} is in use. Stop what listens there, or choose another one with ${flag} <number>`);
  throw new UserError(`Cannot listen on port ${port} (${problem.code ?? problem.message}). Choose another one with ${flag} <number>`);
}

/** Starts both, or none. */
async function startBoth(options: readonly WorkerOptions[]): Promise<RunningWorker[]> {
  const started = await Promise.allSettled(options.map(startWorker));
  const failure = started.find((outcome) => outcome.status === "rejected");
  const workers = started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (failure === undefined) return workers;
  await stopAll(workers);
  throw failure.reason;
}

async function stopAll(workers: readonly RunningWorker[]): Promise<void> {
  await Promise.allSettled(workers.map((worker) => worker.stop()));
}

async function embed(flags: StartFlags, catalog: Catalog, out: string): Promise<EmbedReport> {
  if (flags.rebuild === true) rmSync(out, { recursive: true, force: true });
  return embedCatalog({ ...flags, items: catalog, out });
}
