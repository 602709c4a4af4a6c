/** `npm start`, top to bottom: vectors, KV, shop, page, two Workers, one search to prove that it works, then waiting for Ctrl-C. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import * as v from "valibot";
import type { FieldOptions } from "../catalog/fields.ts";
import { readCatalog } from "../catalog/file.ts";
import { embedCatalog } from "../embed.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { publishDemoRates } from "./demo-rates.ts";
import { publishLocally } from "../publish.ts";
import {
  loadWrangler,
  LOCAL_HOST,
  LOCAL_STATE,
  readDevVars,
  type RunningWorker,
  startWorker,
  type Vars,
  waitForAnswer,
  type WorkerOptions,
} from "../wrangler.ts";
import { runUntilStopped, STOP_SIGNALS } from "../../runtimes/node/stop.ts";
import { OUTCOME_HEADER } from "../../protocol.ts";
import { UserError } from "../../web.ts";
import { packAhead } from "../private/build.ts";
import { buildDemoPrivate, buildPage, INDEX, stockShop } from "./shop.ts";

export interface StartFlags extends FieldOptions {
  readonly catalog: string;
  readonly port: number;
  readonly shopPort: number;
  readonly imageEncoder: string;
  /** Default: as of armmt embed. */
  readonly textEncoder?: string;
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
  announce(running, (performance.now() - started) / 1000, flags.json === true);
  return stopped;
}

type Running = Omit<Awaited<ReturnType<typeof startAll>>, "workers">;

async function startAll(flags: StartFlags) {
  const home = flags.home === undefined ? join(PACKAGE_ROOT, ".armmt") : resolve(flags.home);
  const stateDir = join(home, "state");
  const pageDir = join(home, "page");
  const packed = join(home, "private");
  const shopConfig = join(PACKAGE_ROOT, "src/demo/wrangler.toml");
  const edgeConfig = join(PACKAGE_ROOT, "wrangler.toml");

  const catalog = readCatalog(flags);
  const wrangler = loadWrangler(); // takes a second or two, while others use the other core
  const out = join(home, "embeddings", catalog.name);
  if (flags.rebuild === true) rmSync(out, { recursive: true, force: true });
  const [embedded] = await Promise.all([
    embedCatalog({ ...flags, items: catalog, out }),
    buildPage(PACKAGE_ROOT, pageDir),
    packAhead(packed),
    wrangler,
  ]);
  const { pictureAspect } = flags;
  await Promise.all([
    publishLocally({ from: embedded.out, catalog: catalog.name, config: edgeConfig, stateDir }, async (namespace) =>
      catalog.source === "drawn" ? publishDemoRates(namespace, catalog.name) : undefined,
    ),
    buildDemoPrivate(packed, embedded.out, { pageDir, catalog, pictureAspect, config: edgeConfig }),
  ]);
  await stockShop({ catalog, pictureAspect, config: shopConfig, stateDir, pageDir });

  const secrets = secretsOf(edgeConfig);
  const shopUrl = `http://${LOCAL_HOST}:${flags.shopPort}`;
  const edgeUrl = `http://${LOCAL_HOST}:${flags.port}`;
  const vars = { ...(await edgeVars(edgeConfig, { shopUrl, catalog: catalog.name })), ...secrets };
  const workers = await startBoth([
    { label: "shop", config: shopConfig, port: flags.shopPort, stateDir, vars: { DEMO_ADMIN_TOKEN: secrets.ADMIN_TOKEN }, assets: pageDir },
    { label: "edge", config: edgeConfig, port: flags.port, stateDir, vars },
  ]);
  try {
    await Promise.all([waitForAnswer(`${shopUrl}/catalog.json`, ANSWER_TIMEOUT_MS), waitForAnswer(`${edgeUrl}/`, ANSWER_TIMEOUT_MS)]);
    return { workers, edgeUrl, shopUrl, stateDir, catalog, embedded, proof: await trySearch(edgeUrl) };
  } catch (error) {
    await stopAll(workers);
    throw error;
  }
}

const indexesSchema = v.looseObject({ [INDEX]: v.looseObject({}) });

/** Both arms re-rank, so that the page's two columns stay the engine's order and the model's. */
const DEMO_EXPERIMENT = { key: "demo", variations: ["armmt", "explore(armmt)"] };

/**
 * Those of .dev.vars, else secrets of this run. The page, which is on this machine only, gets the admin's to ask for explanations; a secret of events
 * makes the page's clicks count.
 */
function secretsOf(config: string): Record<"ADMIN_TOKEN" | "EVENT_SECRET", string> {
  const { ADMIN_TOKEN: admin, EVENT_SECRET: events } = readDevVars(config);
  return { ADMIN_TOKEN: admin || randomText(18), EVENT_SECRET: events || randomText(33) };
}

const randomText = (bytes: number): string => randomBytes(bytes).toString("base64url");

/** The vars of the edge's wrangler.toml, with the demo's addresses, catalogue and experiment. */
async function edgeVars(config: string, { shopUrl, catalog }: Record<"shopUrl" | "catalog", string>): Promise<Vars> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const parsed = v.safeParse(indexesSchema, readConfig({ config }).vars["INDEXES"]);
  if (!parsed.success) throw new UserError(`${config} has no [vars.INDEXES.${INDEX}]; the demo searches that index, put it back`);
  const indexes = { ...parsed.output, [INDEX]: { ...parsed.output[INDEX], url: shopUrl, catalog } };
  return { INDEXES: indexes, STOREFRONT_URL: shopUrl, EXPERIMENTS: [DEMO_EXPERIMENT] };
}

/** Checked before anything slow begins. Throws a UserError that names the port and the flag to change it. */
async function requireFreePort(port: number, flag: string): Promise<void> {
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    const server = createServer().once("error", settle);
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

const stopAll = (workers: readonly RunningWorker[]) => Promise.allSettled(workers.map((worker) => worker.stop()));

const examplesSchema = v.object({ exampleQueries: v.array(v.string()) });
const replySchema = v.object({ hits: v.object({ hits: v.array(v.unknown()) }) });

/** Searches for the shop's first example. Throws where the reply is not a list; a bypass is one, its header says why. */
export async function trySearch(edgeUrl: string) {
  const examples = v.parse(examplesSchema, await (await fetch(`${edgeUrl}/catalog.json`)).json());
  const query = examples.exampleQueries[0] ?? "";
  const response = await fetch(`${edgeUrl}/products/_search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: searchBody(query),
  });
  const text = await response.text();
  if (!response.ok) throw new UserError(`A search for "${query}" failed with status ${response.status}: ${text.slice(0, 300)}`);
  const reply = v.parse(replySchema, JSON.parse(text));
  return { query, header: response.headers.get(OUTCOME_HEADER) ?? `(no ${OUTCOME_HEADER} header)`, hits: reply.hits.hits.length };
}

const searchBody = (query: string): string =>
  JSON.stringify({ query: { multi_match: { query, fields: ["title^2", "category"] } }, size: 3 });

function reportCommand(stateDir: string): string {
  const where = stateDir === resolve(PACKAGE_ROOT, LOCAL_STATE) ? "" : ` --persist-to ${stateDir}`;
  return `npm run armmt -- report ${DEMO_EXPERIMENT.key} --local${where}`;
}

/** One line of JSON with `json`, a small table for people otherwise. */
function announce({ edgeUrl, shopUrl, stateDir, catalog, embedded, proof }: Running, seconds: number, json: boolean): void {
  const manifest: unknown = JSON.parse(readFileSync(join(PACKAGE_ROOT, "model/manifest.json"), "utf8"));
  const { version: model } = v.parse(v.object({ version: v.string() }), manifest);
  const items = catalog.items.length;
  if (json) {
    const facts = { edge: edgeUrl, shop: shopUrl, catalog: catalog.name, source: catalog.source, items, set: embedded.version, model };
    process.stdout.write(`${JSON.stringify({ ...facts, report: reportCommand(stateDir), proof, seconds: Number(seconds.toFixed(2)) })}\n`);
    return;
  }
  const report = reportCommand(stateDir);
  const address = edgeUrl.replace("127.0.0.1", "localhost");
  const source = catalog.source === "drawn" ? "drawn" : catalog.name;
  const rows = [
    ["Page", `${address}/`],
    ["Private", `${address}/private/  the same, re-ranked on this device`],
    ["Edge", `${edgeUrl}  the Worker, in workerd`],
    ["Shop", `${shopUrl}  search engine and pictures, in workerd`],
    ["Catalogue", `${source}, ${items.toLocaleString("en")} products, vectors ${embedded.version}`],
    ["Model", model],
    ["Report", `${report}  what the page's searches and clicks say`],
    ["Search", `"${proof.query}" answers with x-armmt: ${proof.header}`],
  ];
  const lines = rows.map(([name = "", text]) => `  ${name.padEnd(11)}${text}`).join("\n");
  const curl = `curl -si ${address}/products/_search -H 'content-type: application/json' \\\n    -d '${searchBody(proof.query).replaceAll("'", "'\\''")}'`;
  process.stdout.write(`\nReady after ${seconds.toFixed(1)} s\n\n${lines}\n\nTry it:\n  ${curl}\n\nCtrl-C stops both.\n`);
  if (!proof.header.startsWith("applied")) process.stderr.write(`\nSearches pass through in the engine's order: ${proof.header}\n`);
}
