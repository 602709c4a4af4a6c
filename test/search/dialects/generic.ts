/** Engines without a dialect of their own: a plain one with numbered pages, one with tokens, and commercetools' product search. */
import { type Ask, cut, type EngineStandIn, get, listOf, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

type Body = Readonly<Record<string, unknown>>;

const PATH = "/v1/search";

async function answerPlain(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const url = new URL(request.url);
  const body: Body = request.method === "POST" ? objectOf(await request.json()) : Object.fromEntries(url.searchParams);
  const size = numberOf(body["size"], 20);
  const page = numberOf(body["page"], 1);
  const offset = (page - 1) * size;
  const promoted = body["promotions"] === "on" ? 2 : 0;
  const found = cut(items, offset, size).map(({ id, title, price }, i) => ({
    sku: id,
    relevance: { score: 50 - offset - i },
    document: { title: body["highlight"] === "true" ? `<b>${title}</b>` : title, price },
    ...(promoted > 0 && { isPromoted: offset + i < promoted }),
  }));
  return Response.json({
    query: body["q"],
    paging: {
      page,
      size: String(size),
      shown: found.length,
      pages: size === 0 ? 0 : Math.ceil(items.length / size),
      total: items.length,
    },
    results: { items: found },
    ...(body["facets"] !== undefined && { facets: { brand: { acme: items.length } } }),
  });
}

export const generic: EngineStandIn = {
  title: "Generic JSON",
  backend: "generic",
  index: "products",
  config: {
    idField: "sku",
    pageSize: 20,
    generic: {
      path: PATH,
      methods: ["GET", "POST"],
      query: "q",
      page: "page",
      limit: "size",
      hits: "results.items",
      score: "relevance.score",
      pinned: "isPromoted",
      leaveAlone: { explicit_sort: [{ name: "sort", unless: ["relevance"] }], grouped: ["group"], cursor: ["after"] },
      echo: { page: "paging.page", limit: "paging.size", count: "paging.shown", pages: "paging.pages", total: "paging.total" },
    },
  },
  pages: [
    { name: "a numbered page in the URL", ask: (q, { offset, limit }) => get(PATH, { q, page: offset / limit + 1, size: limit }) },
    { name: "or in the body", ask: (q, { offset, limit }) => post(PATH, { q, page: offset / limit + 1, size: limit }) },
  ],
  answer: answerPlain,
  read(reply) {
    const { results, ...rest } = objectOf(reply);
    const { items, ...more } = objectOf(results);
    return [{ ids: listOf(items).map((item) => String(objectOf(item)["sku"])), rest: { ...rest, ...more } }];
  },
  cases: [
    { feature: "search", title: "`GET`", ask: get(PATH, { q: "red", sort: "relevance" }), outcomes: ["applied"] },
    { feature: "search", title: "`POST`", ask: post(PATH, { q: "red", size: 7 }), outcomes: ["applied"] },
    { feature: "facets", title: "whatever is there", ask: get(PATH, { q: "red", facets: "brand" }), outcomes: ["applied"] },
    { feature: "highlighting", title: "in a hit", ask: get(PATH, { q: "red", highlight: "true" }), outcomes: ["applied"] },
    { feature: "sort", title: "`leaveAlone`", ask: get(PATH, { q: "red", sort: "price" }), outcomes: ["explicit_sort"] },
    { feature: "grouping", title: "`leaveAlone`", ask: post(PATH, { q: "red", group: { by: "sku" } }), outcomes: ["grouped"] },
    { feature: "pinned hits", title: "`pinned`", ask: get(PATH, { q: "red", promotions: "on" }), outcomes: ["applied"], pinned: [0, 1] },
    { feature: "cursor", title: "`leaveAlone`", ask: get(PATH, { q: "red", after: "x" }), outcomes: ["cursor"] },
    { feature: "no hits", title: "`limit` 0", ask: get(PATH, { q: "red", size: 0 }), outcomes: ["size_zero"] },
  ],
};

const RETAIL = "/v2/catalogs/default_catalog/placements/default_search:search";

/** Google's search for retail: a page leads to the next by a token. */
async function answerRetail(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const body = objectOf(await request.json());
  const size = numberOf(body["pageSize"], 20);
  const { pageToken } = body;
  const offset = typeof pageToken === "string" ? Number(atob(pageToken)) : numberOf(body["offset"], 0);
  const end = offset + size;
  return Response.json({
    results: cut(items, offset, size).map(({ id, title }) => ({ id, product: { name: `products/${id}`, title } })),
    totalSize: items.length,
    attributionToken: "0BnxPMQ0",
    ...(end < items.length && { nextPageToken: btoa(String(end)) }),
  });
}

export const retail: EngineStandIn = {
  title: "Google Retail, as generic JSON",
  backend: "generic",
  index: "products",
  config: {
    pageSize: 20,
    generic: {
      path: RETAIL,
      methods: ["POST"],
      query: "query",
      offset: "offset",
      limit: "pageSize",
      hits: "results",
      cursor: "nextPageToken",
      leaveAlone: { explicit_sort: ["orderBy"], cursor: ["pageToken"] },
      echo: { total: "totalSize" },
    },
  },
  pages: [],
  walk: {
    first: (query, limit) => post(RETAIL, { query, pageSize: limit }),
    next(reply) {
      const { nextPageToken: pageToken, results } = objectOf(reply);
      return pageToken === undefined ? undefined : post(RETAIL, { query: "red velvet sofa", pageSize: listOf(results).length, pageToken });
    },
  },
  answer: answerRetail,
  read(reply) {
    const { results, nextPageToken: _, ...rest } = objectOf(reply);
    return [{ ids: listOf(results).map((result) => String(objectOf(result)["id"])), rest }];
  },
  cases: [
    { feature: "search", title: "`search`", ask: post(RETAIL, { query: "red", pageSize: 10 }), outcomes: ["applied"] },
    { feature: "sort", title: "`orderBy`", ask: post(RETAIL, { query: "red", orderBy: "price" }), outcomes: ["explicit_sort"] },
    { feature: "cursor", title: "`pageToken`", ask: post(RETAIL, { query: "red", pageToken: btoa("20") }), outcomes: ["cursor"] },
    { feature: "no hits", title: "`pageSize: 0`", ask: post(RETAIL, { query: "red", pageSize: 0 }), outcomes: ["size_zero"] },
  ],
};

const PRODUCTS = "/shop/products/search";

const fullText = (value: string) => ({ fullText: { field: "name", language: "en", value } });
const inStock = { exact: { field: "variants.availability.isOnStock", value: true } };
const search = (query: object, more: object = {}): Ask => post(PRODUCTS, { query, ...more });

async function answerProducts(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const body = objectOf(await request.json());
  const offset = numberOf(body["offset"], 0);
  const limit = numberOf(body["limit"], 20);
  if (limit > 100) return Response.json({ statusCode: 400, message: "Malformed parameter: limit", errors: [] }, { status: 400 });
  return Response.json({
    total: items.length,
    offset,
    limit,
    facets: body["facets"] === undefined ? [] : [{ name: "brands", buckets: [{ key: "acme", count: items.length }] }],
    results: cut(items, offset, limit).map(({ id, title }) => ({
      id,
      ...("productProjectionParameters" in body && { productProjection: { id, version: 1, name: { en: title } } }),
    })),
  });
}

export const commercetools: EngineStandIn = {
  title: "commercetools, as generic JSON",
  backend: "generic",
  index: "products",
  config: {
    pageSize: 20,
    generic: {
      path: PRODUCTS,
      methods: ["POST"],
      query: ["query.fullText.value", "query.and.*.fullText.value"],
      offset: "offset",
      limit: "limit",
      maxLimit: 100,
      hits: "results",
      leaveAlone: { explicit_sort: ["sort"] },
      echo: { offset: "offset", limit: "limit" },
    },
  },
  pages: [{ name: "offset, limit", ask: (text, page) => search(fullText(text), page) }],
  answer: answerProducts,
  read(reply) {
    const { results, ...rest } = objectOf(reply);
    return [{ ids: listOf(results).map((result) => String(objectOf(result)["id"])), rest }];
  },
  cases: [
    { feature: "search", title: "`fullText`", ask: search(fullText("red")), outcomes: ["applied"] },
    {
      feature: "search",
      title: "`fullText` in `and`",
      ask: search({ and: [inStock, fullText("red")] }, { productProjectionParameters: {} }),
      outcomes: ["applied"],
    },
    {
      feature: "facets",
      title: "`facets`",
      ask: search(fullText("red"), { facets: [{ distinct: { name: "brands", field: "variants.attributes.brand" } }] }),
      outcomes: ["applied"],
    },
    {
      feature: "sort",
      title: "`sort`",
      ask: search(fullText("red"), { sort: [{ field: "variants.prices.centAmount", order: "asc" }] }),
      outcomes: ["explicit_sort"],
    },
    { feature: "no hits", title: "`limit: 0`", ask: search(fullText("red"), { limit: 0 }), outcomes: ["size_zero"] },
  ],
};
