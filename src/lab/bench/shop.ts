/** Everything around one edge: engine, stores with the published catalogues, the edge itself in a workerd of its own, a connection to it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelManifest } from "../../inference/manifest.ts";
import { parseManifest } from "../../inference/manifest.ts";
import { publishCatalogue } from "./catalogue.ts";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { catalogOf, DRAWN_ITEMS, edgeVars } from "./edge.ts";
import { createQueries, productAt, productsOf } from "./products.ts";
import type { StandIn, Stores } from "./stand-ins.ts";
import { startEngine, startStores } from "./stand-ins.ts";
import type { RunningWorkerd, Vars } from "./workerd.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";
import { UserError } from "../../web.ts";

export interface Surroundings {
  readonly engine: StandIn;
  readonly stores: Stores;
  readonly vars: Vars;
  readonly nextQuery: () => string;
}

export interface Shop extends Surroundings {
  readonly edge: RunningWorkerd;
  readonly client: Client;
  /** Item ids that a shopper has looked at. */
  readonly history: readonly string[];
}

const HISTORY_PLACES = [3, 333, 1033, 1733, 2133] as const;

export function readManifest(): ModelManifest {
  const json: unknown = JSON.parse(readFileSync(new URL("../../../model/manifest.json", import.meta.url), "utf8"));
  const manifest = parseManifest(json);
  if (!manifest.ok) throw new UserError(manifest.error.detail);
  return manifest.value;
}

/** Engine and stores, with every catalogue of the indexes published; both end with `work`. */
export async function withSurroundings<T>(indexes: readonly Index[], work: (around: Surroundings) => Promise<T>): Promise<T> {
  const engine = await startEngine();
  try {
    const stores = await startStores();
    try {
      const manifest = readManifest();
      for (const items of new Set(indexes.map((index) => index.items ?? DRAWN_ITEMS))) {
        await publishCatalogue(stores.kv, catalogOf({ window: 0, items }), { products: productsOf(items), manifest });
      }
      return await work({ engine, stores, vars: edgeVars(engine.address, indexes), nextQuery: createQueries() });
    } finally {
      stores.stop();
    }
  } finally {
    engine.stop();
  }
}

/** The edge in the middle of it, serving; with V8's heap limited to `heapMb` where that is given. */
export async function withShop<T>(bench: Bench, indexes: readonly Index[], work: (shop: Shop) => Promise<T>, heapMb?: number): Promise<T> {
  const bundle = await bench.bundle("edge");
  return withSurroundings(indexes, async (around) => {
    const config = writeWorkerdConfig(join(bench.folder, `edge-${around.engine.address.replace(":", "-")}`), bundle, {
      vars: around.vars,
      stores: around.stores.address,
      heapMb,
    });
    const edge = await startWorkerd(config);
    const client = createClient(edge.url);
    try {
      return await work({ ...around, edge, client, history: HISTORY_PLACES.map((place) => productAt(place).id) });
    } finally {
      client.close();
      edge.stop();
    }
  });
}
