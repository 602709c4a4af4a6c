/**
 * The demo's service worker: re-ranking on the device, with the whole shop behind it, so that the page works without a network. A shop with
 * its own service worker would write one like it.
 *
 * Network first. The shop in here (search engine, products, drawn pictures) answers when the network does not.
 */
import { CACHE_PREFIX, runWorker, type WorkerScope } from "../runtimes/browser/service-worker.ts";
import { createShopHandler } from "./shop.ts";

declare const self: WorkerScope;

/** Listed in files.json where the shop sells another catalogue than the drawn one. */
const CATALOG_FILE = "shop/catalog.json";
/** After this time without an answer the page counts as offline. */
const NETWORK_TIMEOUT_MS = 4000;
/** Most recently seen pictures that are kept, for catalogues whose pictures are files. */
const MAX_PICTURES = 500;

const scope = new URL(self.registration.scope);
const SHELL: readonly string[] = [scope.pathname, "/page.css", "/page.js"];
const SHELL_CACHE = `${CACHE_PREFIX}-page:${scope.pathname}`;
const PICTURE_CACHE = `${CACHE_PREFIX}-pictures:${scope.pathname}`;

runWorker(self, (device) => {
  const answerAsShop = createShopHandler();
  const readCatalog = async (): Promise<string | null> => {
    const content = await device.readFile(CATALOG_FILE);
    return content === undefined ? null : new TextDecoder().decode(content);
  };
  const askShop = (request: Request): Promise<Response> => answerAsShop(request, { SHOP: { get: readCatalog } });

  async function keep(request: Request, response: Response): Promise<void> {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" || !response.ok) return;
    if (SHELL.includes(pathname)) await (await caches.open(SHELL_CACHE)).put(pathname, response.clone());
    // Drawn pictures need no cache: they are drawn again.
    else if (request.destination === "image" && (await device.readFile(CATALOG_FILE)) !== undefined) {
      const cache = await caches.open(PICTURE_CACHE);
      await cache.put(request, response.clone());
      const keys = await cache.keys();
      await Promise.all(keys.slice(0, -MAX_PICTURES).map((key) => cache.delete(key)));
    }
  }

  async function serveOffline(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    // The page does not depend on the query string.
    const kept = SHELL.includes(pathname)
      ? await caches.match(pathname, { cacheName: SHELL_CACHE })
      : await caches.match(request, { cacheName: PICTURE_CACHE });
    return kept ?? askShop(new Request(request.url));
  }

  return {
    async prepare() {
      const cache = await caches.open(SHELL_CACHE);
      await Promise.all(
        SHELL.map(async (path) => {
          const response = await fetch(path, { cache: "no-cache" });
          if (!response.ok) throw new Error(`Cannot keep ${path} for later: it answers with status ${response.status}`);
          await cache.put(path, response);
        }),
      );
    },

    async fetchEngine(url, init) {
      const network = await fromNetwork(new Request(url, init));
      if (network !== undefined) return { response: network, source: "network" };
      return { response: await askShop(new Request(url, init)), source: "device" };
    },

    async serve(request) {
      // Other methods may change something: they go to the network only.
      if (request.method !== "GET" && !new URL(request.url).pathname.endsWith("/_search")) return fetch(request);
      const network = await fromNetwork(request.clone());
      if (network === undefined) return request.method === "GET" ? serveOffline(request) : askShop(request);
      await keep(request, network).catch((cause: unknown) => console.warn(`Cannot keep ${request.url}: ${String(cause)}`));
      return network;
    },
  };
});

/** Undefined without an answer, or with a gateway's error (502 to 504). */
async function fromNetwork(request: Request): Promise<Response | undefined> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(NETWORK_TIMEOUT_MS)]);
  try {
    // A navigation's request takes no signal; a plain request for the page gets the same answer.
    const response = await (request.mode === "navigate"
      ? fetch(request.url, { headers: request.headers, redirect: "manual", signal })
      : fetch(request, { signal }));
    return response.status >= 502 && response.status <= 504 ? undefined : response;
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    return undefined;
  }
}
