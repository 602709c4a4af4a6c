/**
 * The shop of a catalogue: the drawn one, or another that `armmt start --catalog` has stored in KV. Built once per isolate, with the first
 * request, because KV cannot be read earlier.
 */
import * as v from "valibot";
import { drawCatalogue, type DrawnProduct, type Product } from "./catalogue/catalogue.ts";
import { drawPicture } from "./drawing/picture.ts";
import { createEngine } from "./engine.ts";

/** The part of Workers KV that the shop uses. */
export interface ShopKv {
  get(key: string, type: "text"): Promise<string | null>;
}

/** KV key of a catalogue that replaces the drawn one. */
export const CATALOG_KEY = "catalog";

/** Number of categories that serve as example queries where the catalogue names none. */
const EXAMPLE_COUNT = 6;

const ProductSchema = v.object({
  id: v.pipe(v.string(), v.minLength(1)),
  title: v.string(),
  category: v.string(),
  price: v.exactOptional(v.number()),
  rating: v.exactOptional(v.number()),
  ratingCount: v.exactOptional(v.number()),
  popularity: v.exactOptional(v.number()),
  inStock: v.exactOptional(v.boolean()),
  createdAt: v.exactOptional(v.string()),
  image: v.string(),
});

const CatalogSchema = v.object({
  name: v.string(),
  note: v.exactOptional(v.string()),
  exampleQueries: v.exactOptional(v.array(v.string())),
  /** Width over height at which the page shows pictures, such as 0.75; square if absent. */
  pictureAspect: v.exactOptional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(10))),
  products: v.pipe(v.array(ProductSchema), v.minLength(1, "the list is empty")),
});

/** The value of CATALOG_KEY, as JSON. */
export type ShopCatalog = v.InferOutput<typeof CatalogSchema>;

export type Shop = ReturnType<typeof openShop>;

function countCategories(products: readonly Product[]): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { category } of products) counts.set(category, (counts.get(category) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** `draw`: the SVG of a product's picture; undefined where pictures are files. */
function openShop(catalog: ShopCatalog, draw?: (id: string) => string | undefined) {
  const { name, note, pictureAspect, products } = catalog;
  const categories = countCategories(products);
  const exampleQueries = catalog.exampleQueries ?? categories.slice(0, EXAMPLE_COUNT).map((category) => category.name.toLowerCase());
  return {
    name,
    note,
    exampleQueries,
    pictureAspect,
    categories,
    products: new Map<string, Product>(products.map((product) => [product.id, product])),
    /** URL paths of all pictures. */
    images: new Set(products.map((product) => product.image)),
    engine: createEngine(products),
    draw,
  };
}

/** A drawn product without its look. */
function listed(product: DrawnProduct): Product {
  const { id, title, category, price, rating, ratingCount, popularity, inStock, createdAt, image } = product;
  return { id, title, category, price, rating, ratingCount, popularity, inStock, createdAt, image };
}

function openDrawnShop(): Shop {
  const drawn = drawCatalogue();
  const byId = new Map(drawn.map((product) => [product.id, product]));
  const catalog: ShopCatalog = {
    name: "drawn catalogue",
    note: `${drawn.length.toLocaleString("en")} invented products with drawn pictures`,
    exampleQueries: ["red mug", "striped cushion", "elegant bag", "black sneaker", "retro lamp", "floral dress", "round sunglasses"],
    products: drawn.map(listed),
  };
  return openShop(catalog, (id) => {
    const product = byId.get(id);
    return product && drawPicture(product);
  });
}

/** Throws an error that names the field where KV holds anything but a catalogue. */
function parseCatalog(text: string): ShopCatalog {
  const fix = "write it again with armmt start --catalog";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`Cannot read the catalogue in KV, key "${CATALOG_KEY}": it is not JSON; ${fix}`, { cause });
  }
  const parsed = v.safeParse(CatalogSchema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(
    `Cannot read the catalogue in KV, key "${CATALOG_KEY}", at ${v.getDotPath(issue) ?? "its top"}: ${issue.message}; ${fix}`,
  );
}

/** Opens the shop once per isolate. Concurrent first requests may build it twice: a promise must not cross requests in workerd. */
export function createShopKeeper(): (kv: ShopKv | undefined) => Promise<Shop> {
  let open: Shop | undefined;
  return async (kv) => {
    if (open !== undefined) return open;
    const text = (await kv?.get(CATALOG_KEY, "text")) ?? undefined;
    open ??= text === undefined ? openDrawnShop() : openShop(parseCatalog(text));
    return open;
  };
}
