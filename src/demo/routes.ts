/** The shop's routes: searches as Elasticsearch answers them, products, pictures drawn on request, and the page's `/catalog.json`. */
import { errorBody, unparsable } from "./dialect.ts";
import { createShopKeeper, type Shop, type ShopKv } from "./shop.ts";

export interface ShopEnv {
  /** May hold another catalogue than the drawn one. */
  readonly SHOP?: ShopKv;
  /** Static files, when started with `--assets`: the pictures of such a catalogue. */
  readonly ASSETS?: { fetch(request: Request): Promise<Response> };
  /** Lets the page request explanations. Only for demos: everybody who opens the page has it. */
  readonly DEMO_ADMIN_TOKEN?: string;
}

/** Answers `/` where the page's files are missing: Workers Static Assets serves them before it asks the Worker. */
const NO_PAGE = "This shop runs without its page. `npm start` starts it with the page, behind the edge Worker.\n";

/** Pictures and products change only between runs of the shop. */
const CACHEABLE = { "cache-control": "public, max-age=3600" };

function json(body: unknown, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

function elastic(status: number, body: unknown): Response {
  return json(body, status, { "x-elastic-product": "Elasticsearch" });
}

function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return json({ error: { message } }, status, headers);
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function search(shop: Shop, index: string, request: Request): Promise<Response> {
  const text = request.method === "POST" ? await request.text() : "";
  let body: unknown;
  try {
    body = text.trim() === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    const error = unparsable(`The request body is not JSON: ${textOf(cause)}; send an object such as {"query":{"match_all":{}}}`);
    return elastic(error.status, errorBody(error));
  }
  const reply = shop.engine.search(index, body, new URL(request.url).searchParams);
  return elastic(reply.status, reply.body);
}

function describe(shop: Shop, explainToken: string | undefined): Response {
  const { name, note, pictureAspect, categories, exampleQueries } = shop;
  // JSON leaves out what is undefined.
  const catalog = { name, note, count: shop.products.size, pictureAspect, categories, exampleQueries, explainToken };
  return json(catalog, 200, { "cache-control": "no-store" });
}

async function read(shop: Shop, path: string, request: Request, env: ShopEnv): Promise<Response> {
  if (path === "/catalog.json") return describe(shop, env.DEMO_ADMIN_TOKEN);
  if (path === "/") return new Response(NO_PAGE, { headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache" } });
  const productId = /^\/products\/(.+)\.json$/.exec(path)?.[1];
  if (productId !== undefined) {
    const product = shop.products.get(productId);
    return product === undefined ? refuse(404, `No product "${productId}" in ${shop.name}`) : json(product, 200, CACHEABLE);
  }
  const drawnId = shop.draw && /^\/images\/(.+)\.svg$/.exec(path)?.[1];
  if (drawnId !== undefined) {
    const svg = shop.draw?.(drawnId);
    return svg === undefined
      ? refuse(404, `No picture of "${drawnId}": ${shop.name} has no such product`)
      : new Response(svg, { headers: { "content-type": "image/svg+xml", ...CACHEABLE } });
  }
  // Of the catalogue's folder, only pictures of known products are served.
  const isPicture = shop.images.has(path) || shop.images.has(new URL(request.url).pathname);
  if (env.ASSETS !== undefined && isPicture) return env.ASSETS.fetch(request);
  return refuse(404, `Nothing at ${path}; the shop has /catalog.json, /products/<id>.json, its pictures, and POST /products/_search`);
}

/** Create one per isolate: it keeps the shop open between requests. */
export function createShopHandler(): (request: Request, env: ShopEnv) => Promise<Response> {
  const keepShop = createShopKeeper();
  return async (request, env) => {
    const { pathname } = new URL(request.url);
    let path: string;
    try {
      path = decodeURIComponent(pathname);
    } catch {
      return refuse(400, `The path ${pathname} is not valid percent-encoding`);
    }
    const index = /^\/([^/]+)\/_search\/?$/.exec(path)?.[1];
    const methods = index === undefined ? ["GET", "HEAD"] : ["GET", "HEAD", "POST"];
    if (!methods.includes(request.method)) {
      return refuse(405, `${request.method} is not allowed on ${path}; use ${methods.join(" or ")}`, { allow: methods.join(", ") });
    }
    let shop: Shop;
    try {
      shop = await keepShop(env.SHOP);
    } catch (cause) {
      return refuse(500, textOf(cause));
    }
    return index === undefined ? read(shop, path, request, env) : search(shop, index, request);
  };
}
