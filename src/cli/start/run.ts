/**
 * `npm start`, top to bottom: vectors, KV, shop, page, two Workers, one search to prove that it works, then waiting for Ctrl-C.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Catalog } from "../catalog/file.ts";
import { readCatalog } from "../catalog/file.ts";
import { embedCatalog, type EmbedReport } from "../embed.ts";
import { ROOT } from "../embed/encoder.ts";
import { publishLocally } from "../publish.ts";
import { edgeVars } from "./edge-vars.ts";
import type { StartFlags } from "./flags.ts";
import { buildPage } from "./page.ts";
import { buildDemoPrivate, packRuntimes } from "./private.ts";
import { requireFreePort } from "./ports.ts";
import { LOCAL_HOST } from "../wrangler.ts";
import { announce, type Running, trySearch } from "./ready.ts";
import { stockShop } from "./shop.ts";
import { runUntilStopped, STOP_SIGNALS } from "../../runtimes/node/stop.ts";
import { loadWrangler, type RunningWorker, startWorker, waitForAnswer, type WorkerOptions } from "../wrangler.ts";
import { UserError } from "../../web.ts";

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
  const home = flags.home === undefined ? join(ROOT, ".armmt") : resolve(flags.home);
  const stateDir = join(home, "state");
  const pageDir = join(home, "page");
  const shopConfig = join(ROOT, "src/demo/wrangler.toml");
  const edgeConfig = join(ROOT, "wrangler.toml");

  const catalog = readCatalog(flags);
  const wrangler = loadWrangler(); // takes a second or two, while others use the other core
  const [embedded] = await Promise.all([
    embed(flags, catalog, join(home, "embeddings", catalog.name)),
    buildPage(ROOT, pageDir),
    packRuntimes(home),
    wrangler,
  ]);
  const { pictureAspect } = flags;
  await Promise.all([
    publishLocally({ from: embedded.out, catalog: catalog.name, stateDir }),
    buildDemoPrivate({ home, pageDir, catalog, pictureAspect, from: embedded.out, edgeConfig }),
  ]);
  await stockShop({ catalog, pictureAspect, config: shopConfig, stateDir, pageDir });

  const token = randomBytes(18).toString("base64url");
  const shopUrl = `http://${LOCAL_HOST}:${flags.shopPort}`;
  const edgeUrl = `http://${LOCAL_HOST}:${flags.port}`;
  const vars = await edgeVars({ config: edgeConfig, shopUrl, catalog: catalog.name, token });
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

/** Both run, or none. */
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
