/** Two shops for each front end, in pages that Chromium opens: the stock page at its engine, and the guide's page at the edge in workerd. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { BrowserContext } from "playwright-core";
import { bundleWorker } from "../../../src/lab/harness/bundle.ts";
import { publishCatalogue } from "../../../src/lab/harness/catalogue.ts";
import { listen, listenAsTap, type Listening } from "../../clients/servers.ts";
import { runBundle } from "../../harness/running.ts";
import { type Answer, type EngineName, PRODUCTS } from "./engines.ts";
import type { Front } from "./fronts.ts";
import { guidedPage, stockPage } from "./guide.ts";

export const PLACES = ["engine", "edge"] as const;
export type Place = (typeof PLACES)[number];

export const WINDOW = 20;
const CATALOG = "fronts";
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGES = fileURLToPath(new URL("pages/", import.meta.url));

const ENGINE_HOSTS = /^https:\/\/([\w-]+\.)*(search\.shop\.example|algolia\.net|algolianet\.com|algolia\.io)\//;

/** Index → its engine and options. */
const INDEXES: Readonly<Record<string, { readonly engine: EngineName; readonly window?: number; readonly idField?: string }>> = {
  goods: { engine: "algolia" },
  goods_offers: { engine: "algolia" },
  goods_price_asc: { engine: "algolia", window: 0 },
  wares: { engine: "meilisearch" },
  wares_offers: { engine: "meilisearch" },
  articles: { engine: "typesense" },
  articles_offers: { engine: "typesense" },
  stock: { engine: "elasticsearch" },
  // That of examples/.
  products: { engine: "elasticsearch" },
  stock_offers: { engine: "elasticsearch" },
  shop: { engine: "shopify", idField: "handle" },
};

/** Delays of the replies that are still to come, the next one first: a page that types fast gets its answers in the wrong order. */
export class Lag {
  #delaysMs: number[] = [];

  set(delaysMs: readonly number[]): void {
    this.#delaysMs = [...delaysMs];
  }

  async wait(): Promise<void> {
    const delayMs = this.#delaysMs.shift() ?? 0;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** Algolia's clients give up after two seconds: not on a busy machine. */
const PATIENCE = "timeouts: { connect: 30_000, read: 30_000, write: 30_000 }";

const patient = (source: string): string =>
  source.replace('("SHOP", "search-key");', `("SHOP", "search-key", { ${PATIENCE} });`).replace("  hosts: [", `  ${PATIENCE},\n  hosts: [`);

/** The address as the guide writes it, for a server that has no certificate. */
const localised = (source: string, { url, port }: Listening): string =>
  patient(source)
    .replaceAll('"edge.shop.example", port: 443, protocol: "https"', `"127.0.0.1", port: ${port}, protocol: "http"`)
    .replaceAll('"edge.shop.example", accept: "read", protocol: "https"', `"127.0.0.1:${port}", accept: "read", protocol: "http"`)
    .replaceAll('{ url: "edge.shop.example" }', `{ url: "127.0.0.1:${port}", protocol: "http" }`)
    .replaceAll("https://edge.shop.example", url)
    .replaceAll("edge.shop.example/v1", `127.0.0.1:${port}/v1`);

/** `algolia-5@edge.js` and so on, in one build, so that what they share is bundled once. */
async function bundlePages({ fronts, edgePages = [] }: Stock, edge: Listening): Promise<ReadonlyMap<string, Uint8Array>> {
  const sources: Readonly<Record<Place, (page: string) => string>> = {
    engine: (page) => patient(stockPage(page)),
    edge: (page) => localised(edgePages.includes(page) ? stockPage(page) : guidedPage(page), edge),
  };
  const pages: Plugin = {
    name: "pages",
    setup(at) {
      at.onResolve({ filter: /^(engine|edge):/ }, ({ path }) => ({ path, namespace: "page" }));
      at.onLoad({ filter: /.*/, namespace: "page" }, ({ path }) => {
        const [place, page = ""] = path.split(":");
        return { contents: sources[place === "edge" ? "edge" : "engine"](page), loader: "jsx", resolveDir: PAGES };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [...fronts.flatMap(({ page }) => PLACES.map((place) => [place, page])), ...edgePages.map((page) => ["edge", page])].map(
      ([place = "", page = ""]) => ({ in: `${place}:${page}`, out: `${basename(page)}@${place}` }),
    ),
    bundle: true,
    splitting: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
    outdir: "/",
    plugins: [pages],
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"><main id="shop">
<div id="box"></div><div id="panel"></div><div id="count"></div><div id="sort"></div><div id="facet"></div><div id="hits"></div><div id="pages"></div><div id="offers"></div>
</main>`;

export interface Stock {
  readonly fronts: readonly Front[];
  /** More of pages/, which ask the edge as they are. */
  readonly edgePages?: readonly string[];
  /** Of every engine of these front ends. */
  readonly answers: Readonly<Partial<Record<EngineName, Answer>>>;
  /** More options of each index at the edge. */
  readonly options?: object;
}

export interface Shops {
  /** Ends in a slash. */
  readonly addressOf: (front: Pick<Front, "page">, place: Place) => string;
  /** Everything that a page asked of the edge. */
  readonly edge: Listening;
  /** Everything that the edge asked of its engines. */
  readonly engines: ReadonlyMap<string, Listening>;
  readonly lag: Lag;
  /** Answers the engine's own hosts, which the stock pages ask. */
  answerAsEngine(context: BrowserContext, front: Front): Promise<void>;
  stop(): Promise<void>;
}

export async function openShops(stock: Stock): Promise<Shops> {
  const { answers, options: more = {} } = stock;
  const folder = mkdtempSync(join(tmpdir(), "armmt-fronts-"));
  const lag = new Lag();
  const engines = new Map<string, Listening>();
  for (const [backend, answer] of Object.entries(answers)) engines.set(backend, await listen(answer)); // oxlint-disable-line no-await-in-loop
  const indexes = Object.entries(INDEXES).flatMap(([index, { engine, ...options }]) => {
    const url = engines.get(engine)?.url;
    return url === undefined ? [] : [[index, { backend: engine, url, window: WINDOW, catalog: CATALOG, ...options, ...more }] as const];
  });
  let bundles: ReadonlyMap<string, Uint8Array> = new Map();
  const server = createServer(({ url = "/" }, reply) => {
    const [, name = ""] = new URL(url, "http://page").pathname.split("/");
    const script = bundles.get(`/${name}`);
    if (script !== undefined) reply.setHeader("content-type", "text/javascript").end(script);
    else reply.setHeader("content-type", "text/html").end(`${HTML}<script type="module" src="/${name}.js"></script>`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const worker = await runBundle(await bundleWorker(join(ROOT, "wrangler.toml"), folder), {
    INDEXES: Object.fromEntries(indexes),
    RANK_BUDGET_MS: 8000,
    ENGINE_TIMEOUT_MS: 20_000,
    DEFAULT_VARIANT: "armmt",
    ALLOW_ORIGINS: [origin],
    EVENT_SECRET: "for the front ends of this test only",
  });
  await publishCatalogue(await worker.embeddings(), CATALOG, PRODUCTS);
  const edge = await listenAsTap(
    () => worker.url,
    async ({ method }) => (method === "OPTIONS" ? undefined : lag.wait()),
  );
  bundles = await bundlePages(stock, edge);
  return {
    addressOf: ({ page }, place) => `${origin}/${basename(page)}@${place}/`,
    edge,
    engines,
    lag,
    async answerAsEngine(context, { engine }) {
      await context.route(ENGINE_HOSTS, async (route) => {
        const asked = route.request();
        const body = asked.postDataBuffer();
        const type = await asked.headerValue("content-type");
        const request = new Request(asked.url(), {
          method: asked.method(),
          headers: type === null ? {} : { "content-type": type },
          ...(body !== null && { body: Uint8Array.from(body) }),
        });
        const reply = (await answers[engine]?.(request)) ?? Response.error();
        await lag.wait();
        // A page that is closed or has moved on takes no answer.
        await route
          .fulfill({
            status: reply.status,
            headers: { ...Object.fromEntries(reply.headers), "access-control-allow-origin": "*" },
            body: Buffer.from(await reply.arrayBuffer()),
          })
          .catch(() => undefined);
      });
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await Promise.all([edge.close(), worker.stop(), ...[...engines.values()].map((engine) => engine.close())]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
