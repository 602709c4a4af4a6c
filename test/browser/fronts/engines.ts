/**
 * Engines for stock front ends: they find, filter, count and sort the drawn catalogue, and answer in the words of the stand-ins that are
 * checked against real engines (test/search/dialects). No code of ours is in them.
 */
import { createHash } from "node:crypto";
import { drawCatalogue, type DrawnProduct } from "../../../src/demo/catalogue/catalogue.ts";
import { algolia } from "../../search/dialects/algolia.ts";
import { elasticsearch } from "../../search/dialects/elasticsearch.ts";
import { meilisearch } from "../../search/dialects/meilisearch.ts";
import { type EngineStandIn, listOf, numberOf, objectOf, post } from "../../search/dialects/stand-in.ts";
import { typesense } from "../../search/dialects/typesense.ts";

export const PRODUCTS: readonly DrawnProduct[] = drawCatalogue().slice(0, 1200);

type Members = Readonly<Record<string, unknown>>;

/** One search, as every engine understands it. */
interface Asked {
  readonly index: string;
  readonly text: string;
  /** Field → values, of which one must hold. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** `price:asc` or `price:desc`; by popularity without. */
  readonly order?: string | undefined;
}

/** Of every index whose name says so. */
const OFFERS = /offers/;

const wordsOf = (text: string): readonly string[] => text.toLowerCase().split(/\W+/).filter(Boolean);

/** Every word of the text begins one of the product's. */
function matches({ title, category }: DrawnProduct, text: string): boolean {
  const words = wordsOf(`${title} ${category}`);
  return wordsOf(text).every((asked) => words.some((word) => word.startsWith(asked)));
}

function find({ index, text, filters, order }: Asked): readonly DrawnProduct[] {
  const found = PRODUCTS.filter(
    (product, n) =>
      (!OFFERS.test(index) || n % 3 === 0) &&
      matches(product, text) &&
      [...filters].every(([field, values]) => values.includes(String(Reflect.get(product, field)))),
  );
  const sign = order === "price:desc" ? -1 : 1;
  return found.toSorted((a, b) =>
    order === undefined ? b.popularity - a.popularity || a.id.localeCompare(b.id) : sign * (a.price - b.price) || a.id.localeCompare(b.id),
  );
}

/** Value → products with it, the most frequent first. */
function count(products: readonly DrawnProduct[], field: string, prefix = ""): readonly (readonly [value: string, count: number])[] {
  return [...Map.groupBy(products, (product) => String(Reflect.get(product, field)))]
    .map(([value, { length }]) => [value, length] as const)
    .filter(([value]) => value.startsWith(prefix.toLowerCase()))
    .toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** A list, or its JSON or its parts with commas, as parameters carry it. */
function valuesOf(value: unknown): readonly string[] {
  if (typeof value !== "string") return value === undefined ? [] : listOf(value).flat(2).map(String);
  const parsed: unknown = value.startsWith("[") ? JSON.parse(value) : value.split(",");
  return listOf(parsed).flat(2).map(String);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Pairs of field and value, of which those of one field are alternatives. */
const filtersOf = (pairs: readonly (readonly [field: string, value: string])[]): ReadonlyMap<string, readonly string[]> =>
  new Map([...Map.groupBy(pairs, ([field]) => field)].map(([field, group]) => [field, group.map(([, value]) => value)]));

const BASE = "http://engine.test";

/** The stand-in's own answer to one search. */
async function answerOf(standIn: EngineStandIn, path: string, body: Members, products: readonly DrawnProduct[]): Promise<Members> {
  const { init } = post(path, body);
  return objectOf(await (await standIn.answer(new Request(`${BASE}${path}`, init), products)).json());
}

const firstOf = (reply: Members): Members => objectOf(listOf(reply["results"])[0]);

const PRICE_REPLICA = /_price_(asc|desc)$/;

async function searchAlgolia(one: Members): Promise<Members> {
  const asked = { ...Object.fromEntries(new URLSearchParams(textOf(one["params"]))), ...one };
  const index = textOf(one["indexName"]);
  const pairs = valuesOf(asked["facetFilters"]).map((filter) => [filter.split(":")[0]!, filter.slice(filter.indexOf(":") + 1)] as const);
  const direction = PRICE_REPLICA.exec(index)?.[1];
  const products = find({
    index,
    text: textOf(asked["query"]),
    filters: filtersOf(pairs),
    order: direction === undefined ? undefined : `price:${direction}`,
  });
  if (one["type"] === "facet") return algoliaFacet(products, textOf(one["facet"] ?? one["facetName"]), textOf(asked["facetQuery"]));
  const reply = firstOf(await answerOf(algolia, "/1/indexes/*/queries", { requests: [one] }, products));
  const facets = valuesOf(asked["facets"]).map((field) => [field, Object.fromEntries(count(products, field))]);
  return {
    ...reply,
    ...(facets.length > 0 && { facets: Object.fromEntries(facets), facets_stats: {} }),
    ...(asked["clickAnalytics"] !== undefined && { queryID: queryIdOf(one) }),
  };
}

/** 32 hexadecimal digits, others for each search. */
const queryIdOf = (one: Members): string => createHash("md5").update(JSON.stringify(one)).digest("hex");

const algoliaFacet = (products: readonly DrawnProduct[], field: string, prefix: string): Members => ({
  facetHits: count(products, field, prefix)
    .slice(0, 10)
    .map(([value, n]) => ({ value, highlighted: value, count: n })),
  exhaustiveFacetsCount: true,
  processingTimeMS: 1,
});

async function answerAlgolia(request: Request): Promise<Response> {
  const path = decodeURIComponent(new URL(request.url).pathname);
  const body = objectOf(JSON.parse((await request.text()) || "{}"));
  const [, index, facet] = /^\/1\/indexes\/([^/]+)\/facets\/([^/]+)\/query$/.exec(path) ?? [];
  if (index !== undefined) return Response.json(await searchAlgolia({ ...body, indexName: index, type: "facet", facet }));
  if (path === "/1/events") return Response.json({ status: 200, message: "OK" });
  if (path !== "/1/indexes/*/queries") return Response.json({ message: `No ${path}`, status: 404 }, { status: 404 });
  return Response.json({ results: await Promise.all(listOf(body["requests"]).map((one) => searchAlgolia(objectOf(one)))) });
}

function askMeilisearch(index: string, body: Members): Asked {
  const filter = JSON.stringify(body["filter"] ?? []);
  const pairs = [...filter.matchAll(/(\w+)(?:\\")? ?= ?\\"(.*?)\\"/g)].map(([, field = "", value = ""]) => [field, value] as const);
  return { index, text: textOf(body["q"] ?? body["query"]), filters: filtersOf(pairs), order: valuesOf(body["sort"])[0] };
}

async function searchMeilisearch(index: string, body: Members): Promise<Members> {
  const products = find(askMeilisearch(index, body));
  const reply = await answerOf(meilisearch, `/indexes/${index}/search`, body, products);
  const facets = valuesOf(body["facets"]).map((field) => [field, Object.fromEntries(count(products, field))]);
  return { indexUid: index, ...reply, ...("facets" in body && { facetDistribution: Object.fromEntries(facets) }) };
}

async function answerMeilisearch(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const body = objectOf(JSON.parse((await request.text()) || "{}"));
  const [, index, kind] = /^\/indexes\/([^/]+)\/(search|facet-search)$/.exec(path) ?? [];
  if (index !== undefined && kind === "facet-search") {
    const values = count(find(askMeilisearch(index, body)), textOf(body["facetName"]), textOf(body["facetQuery"]));
    return Response.json({
      facetHits: values.map(([value, n]) => ({ value, count: n })),
      facetQuery: body["facetQuery"],
      processingTimeMs: 1,
    });
  }
  if (index !== undefined) return Response.json(await searchMeilisearch(index, body));
  if (path !== "/multi-search") return Response.json({ message: `No ${path}`, code: "not_found" }, { status: 404 });
  const queries = listOf(body["queries"]).map(objectOf);
  return Response.json({ results: await Promise.all(queries.map((query) => searchMeilisearch(textOf(query["indexUid"]), query))) });
}

async function searchTypesense(one: Members): Promise<Members> {
  const index = textOf(one["collection"]);
  const pairs = [...textOf(one["filter_by"]).matchAll(/(\w+):=? ?\[?([^\]&]*)\]?/g)].flatMap(([, field = "", values = ""]) =>
    values.split(",").map((value) => [field, value.replaceAll("`", "").trim()] as const),
  );
  const text = textOf(one["q"]);
  const order = textOf(one["sort_by"]);
  const products = find({ index, text: text === "*" ? "" : text, filters: filtersOf(pairs), order: order === "" ? undefined : order });
  const reply = firstOf(await answerOf(typesense, "/multi_search", { searches: [one] }, products));
  const [, prefix = ""] = textOf(one["facet_query"]).split(":");
  const counts = valuesOf(one["facet_by"])
    .filter((field) => field !== "")
    .map((field) => ({
      counts: count(products, field, prefix).map(([value, n]) => ({ count: n, highlighted: value, value })),
      field_name: field,
      sampled: false,
      stats: { total_values: count(products, field, prefix).length },
    }));
  return { ...reply, facet_counts: counts };
}

async function answerTypesense(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const common = Object.fromEntries(searchParams);
  const [, index] = /^\/collections\/([^/]+)\/documents\/search$/.exec(pathname) ?? [];
  if (index !== undefined) return Response.json(await searchTypesense({ ...common, collection: index }));
  if (pathname !== "/multi_search") return Response.json({ message: `No ${pathname}` }, { status: 404 });
  const searches = listOf(objectOf(JSON.parse(await request.text()))["searches"]).map(objectOf);
  return Response.json({ results: await Promise.all(searches.map((one) => searchTypesense({ ...one, ...common }))) });
}

/** Every value of a member called `name`, at any depth. */
function allOf(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === name ? [inner] : allOf(inner, name)));
}

/** The terms of filters: one of a field's must hold. */
const termsOf = (...filters: readonly unknown[]): readonly (readonly [string, string])[] =>
  filters
    .flatMap((filter) => allOf(filter, "term"))
    .flatMap((term) => Object.entries(objectOf(term)).map(([field, value]) => [field, String(value)] as const));

function aggregationsOf(aggs: unknown, asked: Asked, terms: readonly (readonly [string, string])[]): Members {
  return Object.fromEntries(
    Object.entries(objectOf(aggs ?? {})).map(([name, given]) => {
      const { terms: wanted, filter, aggs: inner } = objectOf(given);
      const within = { ...asked, filters: filtersOf([...terms, ...termsOf(filter)]) };
      if (wanted === undefined)
        return [name, { doc_count: find(within).length, ...aggregationsOf(inner, within, [...terms, ...termsOf(filter)]) }];
      const { field, size, include } = objectOf(wanted);
      const pattern = typeof include === "string" ? new RegExp(`^(?:${include})$`) : /^/;
      const buckets = count(find(within), textOf(field))
        .filter(([value]) => pattern.test(value))
        .slice(0, numberOf(size, 10));
      return [
        name,
        { doc_count_error_upper_bound: 0, sum_other_doc_count: 0, buckets: buckets.map(([key, n]) => ({ key, doc_count: n })) },
      ];
    }),
  );
}

async function searchElastic(index: string, body: Members): Promise<Members> {
  const text = textOf(allOf(body["query"], "multi_match").map((one) => objectOf(one)["query"])[0]);
  const [first] = Array.isArray(body["sort"]) ? body["sort"] : [body["sort"]];
  const [field, direction] = typeof first === "object" && first !== null ? Object.entries(first)[0]! : [];
  const order = field === "price" ? `price:${textOf(direction)}` : undefined;
  const asked = { index, text, order };
  const terms = termsOf(body["query"]);
  const products = find({ ...asked, filters: filtersOf([...terms, ...termsOf(body["post_filter"])]) });
  const reply = await answerOf(elasticsearch, `/${index}/_search`, body, products);
  const aggregations = aggregationsOf(body["aggs"], { ...asked, filters: new Map() }, terms);
  return { ...reply, ...("aggs" in body && { aggregations }) };
}

async function answerElastic(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const headers = { "x-elastic-product": "Elasticsearch" };
  const text = await request.text();
  const [, index] = /^\/([^/]+)\/_search$/.exec(path) ?? [];
  if (index !== undefined) return Response.json(await searchElastic(index, objectOf(JSON.parse(text))), { headers });
  if (path !== "/_msearch") return Response.json({ error: { type: "no_such_path", reason: path }, status: 404 }, { status: 404, headers });
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => objectOf(JSON.parse(line)));
  const pairs = lines.flatMap((line, n) => (n % 2 === 0 ? [[textOf(line["index"]), lines[n + 1]!] as const] : []));
  const responses = await Promise.all(pairs.map(async ([name, body]) => ({ ...(await searchElastic(name, body)), status: 200 })));
  return Response.json({ took: 1, responses }, { headers });
}

/** The documents of pages/hydrogen.js: one search with its filters, by its variables. */
async function answerShopify(request: Request): Promise<Response> {
  const { variables } = objectOf(await request.json());
  const { query, first, after, filters, sortKey, reverse } = objectOf(variables);
  const pairs = listOf(filters ?? []).map((filter) => ["category", textOf(objectOf(filter)["productType"])] as const);
  const order = sortKey === "PRICE" ? `price:${reverse === true ? "desc" : "asc"}` : undefined;
  const asked = { index: "shop", text: textOf(query), order };
  const products = find({ ...asked, filters: filtersOf(pairs) });
  const offset = typeof after === "string" ? Number(atob(after)) : 0;
  const end = offset + numberOf(first, 10);
  const nodes = products
    .slice(offset, end)
    .map(({ id, title, price }) => ({ id: `gid://shopify/Product/${id.slice(1)}`, handle: id, title, price }));
  const values = count(find({ ...asked, filters: new Map() }), "category").map(([label, n]) => ({
    label,
    count: n,
    input: JSON.stringify({ productType: label }),
  }));
  const search = {
    totalCount: products.length,
    pageInfo: { hasNextPage: end < products.length, endCursor: btoa(String(Math.min(end, products.length))) },
    productFilters: [{ id: "filter.p.product_type", label: "Product type", values }],
    nodes,
  };
  return Response.json({ data: { search }, extensions: { cost: { requestedQueryCost: 4 } } });
}

export type Answer = (request: Request) => Promise<Response>;

/** Name of the engine in the edge's configuration → its answers. */
export const STAND_INS = {
  algolia: answerAlgolia,
  meilisearch: answerMeilisearch,
  typesense: answerTypesense,
  elasticsearch: answerElastic,
  shopify: answerShopify,
} as const satisfies Readonly<Record<string, Answer>>;

export type EngineName = keyof typeof STAND_INS;
