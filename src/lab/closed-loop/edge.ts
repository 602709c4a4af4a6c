/** A simulated shop on this machine: its engine in this process, and the Worker in workerd, with a KV and a D1 that the commands read. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import * as v from "valibot";
import { openLocalDatabase } from "../../cli/report/database.ts";
import { type Namespace, openLocalNamespace } from "../../cli/publish/namespace.ts";
import { LOCAL_HOST, startWorker, type Vars } from "../../cli/wrangler.ts";
import type { DrawnProduct } from "../../demo/catalogue/catalogue.ts";
import { SYNONYMS } from "../../demo/catalogue/synonyms.ts";
import { createEngine } from "../../demo/engine.ts";
import type { Experiment } from "../../experiment/assign.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { EXPERIMENTS_KEY } from "../../search/live-experiments.ts";
import { sleep, UserError } from "../../web.ts";

/** The catalogue, and the index that searches it; the engine knows no other. */
export const CATALOG = "shop";
export const INDEX = "products";
/** Candidates of a list; what a page shows is less. */
export const WINDOW = 40;
export const ADMIN_TOKEN = "of-a-simulated-shop-on-this-machine";

const BINDINGS = { kv: "EMBEDDINGS", d1: "EVENTS" } as const;
/** Records are written after the replies. */
const SETTLE_MS = 2000;

export type Story = Readonly<Record<"home" | "config" | "state", string>>;

export interface ShopServer {
  readonly url: string;
  stop(): void;
}

export function placesOf(home: string): Story {
  return { home, config: join(home, "wrangler.toml"), state: join(home, "state") };
}

/** The engine behind the edge, as Elasticsearch answers. */
export async function startShop(products: readonly DrawnProduct[]): Promise<ShopServer> {
  const engine = createEngine(products, SYNONYMS);
  const server = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://shop");
      const body: unknown = bytes.length === 0 ? undefined : JSON.parse(bytes.toString("utf8"));
      const { status, body: reply } = engine.search(pathname.split("/")[1] ?? "", body, searchParams);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, LOCAL_HOST, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The shop's engine has no port");
  return { url: `http://${LOCAL_HOST}:${address.port}`, stop: () => void server.close() };
}

/** What the edge and the commands are configured by. Time is not in question here, so budgets are wide. */
function varsOf(engineUrl: string) {
  return {
    ENGINE_TIMEOUT_MS: 10_000,
    RANK_BUDGET_MS: 5000,
    SHARD_CACHE_BYTES: 33_554_432,
    DEFAULT_VARIANT: "armmt",
    STOREFRONT_URL: engineUrl,
    LIVE_MODELS: true,
    LIVE_EXPERIMENTS: true,
    INDEXES: { [INDEX]: { backend: "elasticsearch", url: engineUrl, window: WINDOW, catalog: CATALOG } },
    EXPERIMENTS: [],
  } satisfies Vars;
}

const lines = (values: object): string[] => Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);

/** The shop's own wrangler.toml: the commands find bindings, indexes and settings by it. */
export function writeConfig({ home, config }: Story, engineUrl: string): void {
  mkdirSync(home, { recursive: true });
  const { INDEXES, EXPERIMENTS, ...plain } = varsOf(engineUrl);
  const text = [
    `name = "closed-loop"`,
    `compatibility_date = "2026-06-15"`,
    `[[kv_namespaces]]\nbinding = "${BINDINGS.kv}"\nid = "armmt-embeddings"`,
    `[[d1_databases]]\nbinding = "${BINDINGS.d1}"\ndatabase_name = "armmt-events"\ndatabase_id = "armmt-events"`,
    "[vars]",
    ...lines({ ...plain, EXPERIMENTS }),
    `[vars.INDEXES.${INDEX}]`,
    ...lines(INDEXES[INDEX]),
  ];
  writeFileSync(config, `${text.join("\n")}\n`);
}

/** The Worker of this project, as `wrangler dev` runs it, until `work` has ended and its records are in D1. */
export async function withEdge<T>({ state }: Story, engineUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const worker = await startWorker({
    label: "edge",
    config: join(PACKAGE_ROOT, "wrangler.toml"),
    port,
    stateDir: state,
    vars: { ...varsOf(engineUrl), ADMIN_TOKEN, EVENT_SECRET: "of-a-simulated-shop-on-this-machine-only" },
  });
  try {
    const result = await work(worker.url);
    await sleep(SETTLE_MS);
    return result;
  } finally {
    await worker.stop();
  }
}

/** Experiments in KV, as running edges read them. */
export function putExperiments(story: Story, experiments: readonly Experiment[]): Promise<void> {
  return withKv(story, (kv) => kv.put([{ key: EXPERIMENTS_KEY, value: JSON.stringify(experiments) }]));
}

/** JSON; empty where there are none. */
export function readExperiments(story: Story): Promise<string> {
  return withKv(story, async (kv) => (await kv.get(EXPERIMENTS_KEY)) ?? "");
}

async function withKv<T>({ config, state }: Story, work: (kv: Namespace) => Promise<T>): Promise<T> {
  const namespace = await openLocalNamespace({ config, binding: BINDINGS.kv, stateDir: state });
  try {
    return await work(namespace);
  } finally {
    await namespace.close();
  }
}

/** Removes the log of simulated shoppers of one seed, who come again: a part of the story that was interrupted is told anew. */
export async function forgetSeed({ config, state }: Story, seed: number): Promise<void> {
  const database = await openLocalDatabase({ config, binding: BINDINGS.d1, stateDir: state });
  try {
    for (const table of ["ubi_queries", "ubi_events"]) {
      const known = await database.all(`SELECT name FROM sqlite_master WHERE name = '${table}'`); // oxlint-disable-line no-await-in-loop
      if (known.length > 0) await database.all(`DELETE FROM ${table} WHERE query_id LIKE 'sim-${seed}-%'`); // oxlint-disable-line no-await-in-loop
    }
  } finally {
    await database.close();
  }
}

const outcomesSchema = v.array(v.object({ variant: v.string(), bypass: v.nullable(v.string()), searches: v.number() }));

/** How the searches of one seed went, by arm. */
export async function countOutcomes({ config, state }: Story, seed: number) {
  const database = await openLocalDatabase({ config, binding: BINDINGS.d1, stateDir: state });
  try {
    const rows = await database.all(
      `SELECT variant, bypass, COUNT(*) AS searches FROM ubi_queries WHERE query_id LIKE 'sim-${seed}-%' GROUP BY variant, bypass`,
    );
    return v.parse(outcomesSchema, rows);
  } finally {
    await database.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, LOCAL_HOST, resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new UserError("No free port on this machine");
  return address.port;
}
