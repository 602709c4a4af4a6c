/** The edge in front of a real engine, as a server in Node or in workerd, with the model of the package and the catalogue published. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorker } from "../../src/lab/harness/bundle.ts";
import { createMemoryKv, publishCatalogue } from "../../src/lab/harness/catalogue.ts";
import { serve } from "../../src/runtimes/node/node.ts";
import { err, ok } from "../../src/result.ts";
import { runBundle } from "../harness/running.ts";
import { PRODUCTS } from "./shop.ts";

export const WINDOW = 50;

export interface RunningEdge {
  readonly url: string;
  stop(): Promise<void>;
}

/** Time is not under test here. `index`: more options of the index "products"; `others` have them too. */
function variables(backend: string, url: string, index: object, others: readonly string[] = []) {
  return {
    INDEXES: {
      ...Object.fromEntries(others.map((name) => [name, { backend, url, window: WINDOW, catalog: "products", ...index }])),
      products: { backend, url, window: WINDOW, ...index },
      // Vespa's requests name no index, so there can be one.
      ...(backend !== "vespa" && { offers: { backend, url, window: WINDOW, catalog: "products" } }),
    },
    RANK_BUDGET_MS: 9000,
    ENGINE_TIMEOUT_MS: 20_000,
  };
}

/** In this process. `keys`: what else stands in KV. */
export async function startEdge(
  backend: string,
  engineUrl: string,
  index: object = {},
  others: readonly string[] = [],
  keys: ReadonlyMap<string, string> = new Map(),
): Promise<RunningEdge> {
  const kv = createMemoryKv();
  for (const [key, value] of keys) await kv.put(key, value);
  await publishCatalogue(kv, "products", PRODUCTS);
  const server = await serve({
    env: variables(backend, engineUrl, index, others),
    port: 0,
    provider: "wasm",
    kv,
    sinks: { write: async () => ok(true), writeEvents: async () => err("This edge takes no events") },
    log: () => undefined,
  });
  return { url: server.url, stop: async () => void (await server.stop()) };
}

/** The Worker as it would be deployed, in workerd. */
export async function startWorkerdEdge(backend: string, engineUrl: string, index: object = {}): Promise<RunningEdge> {
  const folder = mkdtempSync(join(tmpdir(), "armmt-engines-"));
  try {
    const bundle = await bundleWorker(fileURLToPath(new URL("../../wrangler.toml", import.meta.url)), folder);
    const worker = await runBundle(bundle, { ...variables(backend, engineUrl, index), DEFAULT_VARIANT: "armmt" });
    await publishCatalogue(await worker.embeddings(), "products", PRODUCTS);
    return { url: worker.url, stop: () => worker.stop() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
