/** One edge with everything around it: engine and stores in processes of their own, the published catalogue, and a connection. */
import { join } from "node:path";
import * as v from "valibot";
import { assignVariant } from "../../experiment/assign.ts";
import { publishCatalogue } from "../harness/catalogue.ts";
import { type RunningWorkerd, startWorkerd, type Vars, writeWorkerdConfig } from "../harness/workerd.ts";
import { type Client, createClient } from "./client.ts";
import { createQueries, products } from "./engine.ts";
import type { Bench } from "./run.ts";
import { startStandIn, startStores } from "./stand-in.ts";
import { UserError } from "../../web.ts";
import { STATUS_PATH } from "../../protocol.ts";

/** Hits that are re-ranked, as wrangler.toml sets it. */
export const WINDOW = 100;

/** Hits that a shopper sees. */
export const PAGE_SIZE = 20;

export const CATALOG = "bench";

const ADMIN_TOKEN = "bench-only-not-a-secret";
const EXPERIMENT = { key: "bench", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 } as const;

/** The index of the edge whose window is `window`. */
export const searchPath = (window: number): string => `/window-${window}/_search`;

/** One index per window. `engine` is host:port. */
export function edgeVars(engine: string, windows: readonly number[]): Vars {
  const index = { backend: "elasticsearch", url: `http://${engine}`, catalog: CATALOG };
  return {
    INDEXES: Object.fromEntries(windows.map((window) => [`window-${window}`, { ...index, window }])),
    EXPERIMENTS: [{ ...EXPERIMENT, variations: [...EXPERIMENT.variations], weights: [...EXPERIMENT.weights] }],
    // Time is measured, not cut off.
    RANK_BUDGET_MS: 5000,
    ENGINE_TIMEOUT_MS: 10_000,
    ADMIN_TOKEN,
  };
}

/** A unit that the experiment assigns to the variant. */
export function unitOf(variant: (typeof EXPERIMENT.variations)[number]): string {
  for (let n = 0; ; n++) {
    const unit = `bench-${n}`;
    if (assignVariant(EXPERIMENT, { id: unit })?.variant === variant) return unit;
  }
}

/** Throws a UserError unless the answer's outcome begins with `expected`. */
export function requireOutcome(answer: Awaited<ReturnType<Client["ask"]>>, expected: string): void {
  if (answer.status === 200 && answer.armmt.startsWith(expected)) return;
  const found = answer.armmt === "" ? answer.body.toString("utf8").slice(0, 300) : answer.armmt;
  throw new UserError(`The edge answered ${answer.status} "${found}", the bench expected "${expected}"; see the edge's log above`);
}

const statusSchema = v.object({ searches: v.record(v.string(), v.record(v.string(), v.number())) });

/** Outcome → searches of the variant "armmt" since the edge started. */
export async function countOutcomes(client: Client): Promise<Readonly<Record<string, number>>> {
  const answer = await client.ask(STATUS_PATH, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  return v.parse(statusSchema, JSON.parse(answer.body.toString("utf8"))).searches["armmt"] ?? {};
}

/** A running edge, in either runtime. */
export type Edge = ReturnType<typeof connect>;

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** Engine and stores, with the catalogue published; both end with the part. */
export async function openSurroundings(bench: Bench, windows: readonly number[], engineMs = 0) {
  const engine = await startStandIn("engine", { delayMs: engineMs });
  bench.defer(engine.stop);
  const stores = await startStores();
  bench.defer(stores.stop);
  await publishCatalogue(stores.kv, CATALOG, products());
  return { engine, stores, vars: edgeVars(engine.address, windows), nextQuery: createQueries() };
}

/** With the edge in workerd until the part ends, its V8 heap limited if `heapMb` is given. `onLog`: default shows problems. */
export async function openShop(bench: Bench, windows: readonly number[], heapMb?: number, onLog?: (line: string) => void) {
  const bundle = await bench.bundle("edge");
  const around = await openSurroundings(bench, windows);
  const { vars, stores } = around;
  const config = writeWorkerdConfig(join(bench.folder, "edge"), bundle, { vars, stores: stores.address, heapMb });
  return { ...around, edge: connect(bench, await startWorkerd(config, onLog)) };
}

export function connect(bench: Bench, { url, pid, stop }: Omit<RunningWorkerd, "spawnedAt">) {
  bench.defer(stop);
  const client = createClient(url);
  bench.defer(client.close);
  return { url, pid, client, stop };
}
