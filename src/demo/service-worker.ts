/**
 * The demo's service worker: private re-ranking (../private/) with the whole shop behind it, so that the page works without a network.
 *
 * The one file of the demo's own server side that knows the product: a shop with a worker of its own would write one like it.
 * Network first, so that online everything is the shop's; the shop in here (search engine, products, drawn pictures) stands in when the
 * network does not answer.
 */
import { CACHE_PREFIX, runWorker, type WorkerScope } from "../runtimes/browser/service-worker.ts";
import { createShopHandler } from "./routes.ts";

declare const self: WorkerScope;

/** In the listing, when the shop sells another catalogue than the drawn one. */
const CATALOG_FILE = "shop/catalog.json";
/** A network that is there and does not answer is no network. */
const NETWORK_TIMEOUT_MS = 4000;
/** Of catalogues whose pictures are files: as many as were seen last. */
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
    // Drawn pictures are drawn again.
    else if (request.destination === "image" && (await device.readFile(CATALOG_FILE)) !== undefined)
      await keepPicture(request, response.clone());
  }

  async function serveOffline(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    // The page is the same whatever it is asked.
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
      // What changes something, or is for another method, is the network's alone.
      if (request.method !== "GET" && !new URL(request.url).pathname.endsWith("/_search")) return fetch(request);
      const network = await fromNetwork(request.clone());
      if (network === undefined) return request.method === "GET" ? serveOffline(request) : askShop(request);
      await keep(request, network).catch((cause: unknown) => console.warn(`Cannot keep ${request.url}: ${String(cause)}`));
      return network;
    },
  };
});

/** Undefined where nobody answers, or only somebody who says that nobody does. */
async function fromNetwork(request: Request): Promise<Response | undefined> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(NETWORK_TIMEOUT_MS)]);
  try {
    // A navigation cannot be given a signal; asked for as a page, it is the same.
    const response = await (request.mode === "navigate"
      ? fetch(request.url, { headers: request.headers, redirect: "manual", signal })
      : fetch(request, { signal }));
    return response.status >= 502 && response.status <= 504 ? undefined : response;
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    return undefined;
  }
}

async function keepPicture(request: Request, response: Response): Promise<void> {
  const cache = await caches.open(PICTURE_CACHE);
  await cache.put(request, response);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, -MAX_PICTURES).map((key) => cache.delete(key)));
}
