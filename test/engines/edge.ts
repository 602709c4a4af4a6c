/** The edge as a server in Node, in front of a real engine, with the model of the package and the catalogue published. */
import { createMemoryKv, publishCatalogue } from "../../src/lab/harness/catalogue.ts";
import { serve } from "../../src/runtimes/node/node.ts";
import { err, ok } from "../../src/result.ts";
import { PRODUCTS } from "./shop.ts";

export const WINDOW = 50;

export interface RunningEdge {
  readonly url: string;
  stop(): Promise<void>;
}

/** `index`: more options of the index "products"; `others` have them too. */
export async function startEdge(
  backend: string,
  engineUrl: string,
  index: object = {},
  others: readonly string[] = [],
): Promise<RunningEdge> {
  const kv = createMemoryKv();
  await publishCatalogue(kv, "products", PRODUCTS);
  const server = await serve({
    // Time is not under test here.
    env: {
      INDEXES: {
        ...Object.fromEntries(others.map((name) => [name, { backend, url: engineUrl, window: WINDOW, catalog: "products", ...index }])),
        products: { backend, url: engineUrl, window: WINDOW, ...index },
        // Vespa's requests name no index, so there can be one.
        ...(backend !== "vespa" && { offers: { backend, url: engineUrl, window: WINDOW, catalog: "products" } }),
      },
      RANK_BUDGET_MS: 9000,
      ENGINE_TIMEOUT_MS: 20_000,
    },
    port: 0,
    provider: "wasm",
    kv,
    sinks: { write: async () => ok(true), writeEvents: async () => err("This edge takes no events") },
    log: () => undefined,
  });
  return { url: server.url, stop: async () => void (await server.stop()) };
}
