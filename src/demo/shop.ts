/**
 * The shop of a catalogue, and its routes: searches as Elasticsearch answers them, products, pictures drawn on request, and the page's
 * `/catalog.json`. The catalogue is the drawn one, or another that `armmt start --catalog` has stored in KV.
 */
import * as v from "valibot";
import { drawCatalogue, type Product, productSchema } from "./catalogue/catalogue.ts";
import { drawPicture } from "./drawing/picture.ts";
import { SYNONYMS } from "./catalogue/synonyms.ts";
import { createEngine } from "./engine.ts";
import { unparsable } from "./query.ts";

/** KV key of a catalogue that replaces the drawn one. */
export const CATALOG_KEY = "catalog";

const CatalogSchema = v.object({
  name: v.string(),
  note: v.exactOptional(v.string()),
  exampleQueries: v.exactOptional(v.array(v.string())),
  /** Width over height at which the page shows pictures, such as 0.75; square if absent. */
  pictureAspect: v.exactOptional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(10))),
  products: v.pipe(v.array(productSchema), v.minLength(1, "the list is empty")),
});

/** The value of CATALOG_KEY, as JSON. */
export type ShopCatalog = v.InferOutput<typeof CatalogSchema>;

type Shop = ReturnType<typeof shopOf>;

/** `draw`: the SVG of a product's picture; undefined where pictures are files. */
function shopOf(catalog: ShopCatalog, draw?: (id: string) => string | undefined) {
  const { name, note, pictureAspect, products } = catalog;
  const categories = [...Map.groupBy(products, ({ category }) => category)]
    .map(([category, group]) => ({ name: category, count: group.length }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const exampleQueries = catalog.exampleQueries ?? categories.slice(0, 6).map((category) => category.name.toLowerCase());
  return {
    name,
    note,
    exampleQueries,
    pictureAspect,
    categories,
    products: new Map<string, Product>(products.map((product) => [product.id, product])),
    /** URL paths of all pictures. */
    images: new Set(products.map((product) => product.image)),
    engine: createEngine(products, SYNONYMS),
    draw,
  };
}

async function openShop(kv: ShopEnv["SHOP"]): Promise<Shop> {
  const text = (await kv?.get(CATALOG_KEY, "text")) ?? undefined;
  if (text !== undefined) return shopOf(parseCatalog(text));
  const drawn = drawCatalogue();
  const byId = new Map(drawn.map((product) => [product.id, product]));
  const catalog: ShopCatalog = {
    name: "drawn catalogue",
    note: `${drawn.length.toLocaleString("en")} invented products with drawn pictures`,
    exampleQueries: ["red mug", "striped cushion", "elegant bag", "black sneaker", "retro lamp", "floral dress", "round sunglasses"],
    products: drawn.map((product) => {
      const { look: _, id, title, ...rest } = product;
      return { id, title, ...rest };
    }),
  };
  return shopOf(catalog, (id) => {
    const product = byId.get(id);
    return product && drawPicture(product);
  });
}

/** Throws an error that names the field where KV holds anything but a catalogue. */
function parseCatalog(text: string): ShopCatalog {
  const fix = "write it again with armmt start --catalog";
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`Cannot read the catalogue in KV, key "${CATALOG_KEY}": it is not JSON; ${fix}`, { cause });
  }
  const parsed = v.safeParse(CatalogSchema, content);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(
    `Cannot read the catalogue in KV, key "${CATALOG_KEY}", at ${v.getDotPath(issue) ?? "its top"}: ${issue.message}; ${fix}`,
  );
}

export interface ShopEnv {
  /** Workers KV; may hold another catalogue than the drawn one. */
  readonly SHOP?: { get(key: string, type: "text"): Promise<string | null> };
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

const elastic = ({ status, body }: { readonly status: number; readonly body: unknown }): Response =>
  json(body, status, { "x-elastic-product": "Elasticsearch" });

const refuse = (status: number, message: string, headers?: Readonly<Record<string, string>>): Response =>
  json({ error: { message } }, status, headers);

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

async function search(shop: Shop, index: string, request: Request): Promise<Response> {
  const text = request.method === "POST" ? await request.text() : "";
  let body: unknown;
  try {
    body = text.trim() === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    return elastic(unparsable(`The request body is not JSON: ${textOf(cause)}; send an object such as {"query":{"match_all":{}}}`));
  }
  return elastic(shop.engine.search(index, body, new URL(request.url).searchParams));
}

/** Pairs of lines: the index, and the search. */
async function searchSeveral(shop: Shop, request: Request): Promise<Response> {
  const lines = (await request.text()).trimEnd().split("\n");
  try {
    const parsed = v.parse(
      v.array(v.record(v.string(), v.unknown())),
      lines.map((line): unknown => JSON.parse(line)),
    );
    const responses = parsed.flatMap((header, n) => {
      if (n % 2 === 1) return [];
      const { status, body } = shop.engine.search(String(header["index"]), parsed[n + 1], new URLSearchParams());
      return [{ ...Object(body), status }];
    });
    return elastic({ status: 200, body: { took: 1, responses } });
  } catch (cause) {
    return elastic(
      unparsable(`The request body is not lines of JSON: ${textOf(cause)}; send {"index":"products"} and a search, each in a line`),
    );
  }
}

async function read(shop: Shop, path: string, request: Request, env: ShopEnv): Promise<Response> {
  if (path === "/catalog.json") {
    const { name, note, products, pictureAspect, categories, exampleQueries } = shop;
    // JSON leaves out what is undefined.
    const catalog = { name, note, count: products.size, pictureAspect, categories, exampleQueries, explainToken: env.DEMO_ADMIN_TOKEN };
    return json(catalog, 200, { "cache-control": "no-store" });
  }
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

/** Create one per isolate: it opens the shop with the first request, because KV cannot be read earlier, and keeps it. */
export function createShopHandler(): (request: Request, env: ShopEnv) => Promise<Response> {
  let open: Shop | undefined;
  return async (request, env) => {
    const { pathname } = new URL(request.url);
    let path: string;
    try {
      path = decodeURIComponent(pathname);
    } catch {
      return refuse(400, `The path ${pathname} is not valid percent-encoding`);
    }
    const index = /^\/([^/]+)\/_search\/?$/.exec(path)?.[1];
    const isSeveral = path === "/_msearch";
    const methods = index !== undefined || isSeveral ? ["GET", "HEAD", "POST"] : ["GET", "HEAD"];
    if (!methods.includes(request.method)) {
      return refuse(405, `${request.method} is not allowed on ${path}; use ${methods.join(" or ")}`, { allow: methods.join(", ") });
    }
    try {
      // Concurrent first requests may build it twice: a promise must not cross requests in workerd.
      open ??= await openShop(env.SHOP);
    } catch (cause) {
      return refuse(500, textOf(cause));
    }
    if (isSeveral) return searchSeveral(open, request);
    return index === undefined ? read(open, path, request, env) : search(open, index, request);
  };
}
