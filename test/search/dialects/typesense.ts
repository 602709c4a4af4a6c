/** Typesense: a search of a collection and `multi_search`, with one list for each search or one for all (`union`). */
import { cut, type EngineStandIn, get, listOf, objectOf, post, type ReadSearch, type StandInItem } from "./stand-in.ts";

type Params = Readonly<Record<string, string>>;

const MAX_PER_PAGE = 250;

/** All parameters are text, and those of the URL win. */
function merged(url: Params, body: object): Params {
  return { ...Object.fromEntries(Object.entries(body).map(([key, value]) => [key, String(value)])), ...url };
}

interface Page {
  readonly page: number;
  readonly perPage: number;
  readonly offset: number;
  readonly isOffset: boolean;
}

function pageOf(params: Params): Page {
  const perPage = Number(params["per_page"] ?? params["limit"] ?? 10);
  const page = Number(params["page"] ?? 0);
  const offset = Number(params["offset"] ?? 0);
  const isOffset = page === 0 && offset !== 0;
  return { page, perPage, offset: isOffset ? offset : (Math.max(page, 1) - 1) * perPage, isOffset };
}

function hitOf({ id, title, price }: StandInItem, position: number, params: Params): object {
  const pins = params["pinned_hits"]?.split(",").map((pin) => Number(pin.split(":")[1]) - 1) ?? [];
  const snippet = `<mark>${title}</mark>`;
  const isHighlighted = params["highlight_fields"] === "title";
  return {
    ...(pins.includes(position) && { curated: true }),
    document: { id, price, title },
    highlight: isHighlighted ? { title: { matched_tokens: ["item"], snippet } } : {},
    highlights: isHighlighted ? [{ field: "title", matched_tokens: ["item"], snippet }] : [],
    ...(!pins.includes(position) && { text_match: 2 ** 59 - 1024 * position, text_match_info: { fields_matched: 1 } }),
  };
}

/** The engine completes the last word when it answers the first page. */
const completed = (q: string | undefined, { offset }: Page): string => `${q ?? ""}${offset === 0 ? "s" : ""}`;

/** All fields are in its schema, but for one of this name. */
const UNKNOWN_FIELD = /(?:^|[\s,(!&|])nothing(?:$|[\s,:)])/;

/** Why the engine refuses a search. */
function refusalOf(params: Params): { readonly code: number; readonly error: string } | undefined {
  for (const name of ["page", "per_page", "offset", "limit"]) {
    if (!/^ ?\d+$/.test(params[name] ?? "0")) return { code: 400, error: `Parameter \`${name}\` must be an unsigned integer.` };
  }
  if (params["q"] === undefined) return { code: 400, error: "Parameter `q` is required." };
  if (params["query_by"] === undefined && params["q"] !== "*") return { code: 400, error: "No search fields specified for the query." };
  for (const name of ["query_by", "filter_by", "sort_by", "facet_by"]) {
    if (UNKNOWN_FIELD.test(params[name] ?? "")) return { code: 404, error: "Could not find a field named `nothing` in the schema." };
  }
  const { page, perPage } = pageOf(params);
  if (perPage > MAX_PER_PAGE) return { code: 422, error: `Only upto ${MAX_PER_PAGE} hits can be fetched per page.` };
  const most = Number(params["limit_hits"] ?? Infinity);
  return Math.max(page, 1) * perPage > most ? { code: 422, error: `Only upto ${most} hits can be fetched.` } : undefined;
}

function searchReply(params: Params, items: readonly StandInItem[]): object {
  const page = pageOf(params);
  const hits = cut(items, page.offset, page.perPage).map((item, i) => hitOf(item, page.offset + i, params));
  const isGrouped = params["group_by"] !== undefined;
  const count = { count: items.length, highlighted: "acme", value: "acme" };
  return {
    facet_counts: params["facet_by"] === undefined ? [] : [{ counts: [count], field_name: "brand", sampled: false, stats: {} }],
    found: items.length,
    ...(isGrouped ? { grouped_hits: hits.map((hit, i) => ({ found: 1, group_key: [i], hits: [hit] })) } : { hits }),
    ...(page.isOffset && { offset: page.offset }),
    out_of: 1000,
    ...(!page.isOffset && { page: Math.max(page.page, 1) }),
    request_params: { collection_name: "products", first_q: completed(params["q"], page), per_page: page.perPage, q: params["q"] },
    search_cutoff: false,
    search_time_ms: 1,
  };
}

/** Pages are in the URL only. Every second hit is the second search's. */
function unionReply(url: Params, searches: readonly object[], items: readonly StandInItem[]): object {
  const page = pageOf(url);
  const hits = cut(items, page.offset, page.perPage).map((item, i) => ({
    collection: "products",
    ...hitOf(item, page.offset + i, url),
    search_index: (page.offset + i) % searches.length,
  }));
  return {
    found: items.length,
    hits,
    out_of: 1000,
    page: page.page,
    search_cutoff: false,
    search_time_ms: 1,
    union_request_params: searches.map((search, i) => {
      const q = merged(url, search)["q"];
      const first = hits.some(({ search_index }) => search_index === i) && { first_q: completed(q, page) };
      return { collection_name: "products", ...first, found: items.length, per_page: page.perPage, q };
    }),
  };
}

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/health") return Response.json({ ok: true });
  // It unescapes values, and no names.
  const names =
    request.url
      .split("?")[1]
      ?.split("&")
      .map((pair) => pair.split("=")[0]) ?? [];
  const url = Object.fromEntries([...searchParams].filter(([name]) => names.includes(name)));
  if (pathname !== "/multi_search") {
    const refused = refusalOf(url);
    return refused === undefined
      ? Response.json(searchReply(url, items))
      : Response.json({ message: refused.error }, { status: refused.code });
  }
  const body = objectOf(await request.json());
  const searches = listOf(body["searches"]).map(objectOf);
  if (searches.length === 0) return Response.json({ message: "Embedded params parsing error." }, { status: 500 });
  if (body["union"] === true) return Response.json(unionReply(url, searches, items));
  const results = searches.map((search) => merged(url, search)).map((params) => refusalOf(params) ?? searchReply(params, items));
  return Response.json({ results });
}

function readSearch(part: unknown): ReadSearch {
  const { hits, ...rest } = objectOf(part);
  return { ids: listOf(hits ?? []).map((hit) => String(objectOf(objectOf(hit)["document"])["id"])), rest };
}

const PATH = "/collections/products/documents/search";
const query = (q: string, more: object = {}) => ({ collection: "products", q, query_by: "title", ...more });
const numbered = (offset: number, limit: number) => ({ page: offset / limit + 1, per_page: limit });
const search = (more: Readonly<Record<string, string | number>> = {}) => get(PATH, { q: "red", query_by: "title", ...more });
const withUrl = (params: Readonly<Record<string, string | number>>, body: object) => post(get("/multi_search", params).path, body);

export const typesense: EngineStandIn = {
  title: "Typesense",
  backend: "typesense",
  index: "products",
  pages: [
    { name: "page, per_page", ask: (q, { offset, limit }) => get(PATH, { q, query_by: "title", ...numbered(offset, limit) }) },
    { name: "offset, limit", ask: (q, { offset, limit }) => get(PATH, { q, query_by: "title", offset, limit }) },
    { name: "multi_search", ask: (q, { offset, limit }) => post("/multi_search", { searches: [query(q, numbered(offset, limit))] }) },
    { name: "multi_search, offset", ask: (q, page) => post("/multi_search", { searches: [query(q, page)] }) },
    {
      name: "multi_search, pages in the URL",
      ask: (q, { offset, limit }) => withUrl(numbered(offset, limit), { searches: [query(q, { page: 7, per_page: 3 })] }),
    },
    {
      name: "union",
      ask: (q, { offset, limit }) =>
        withUrl(numbered(offset, limit), { searches: [query(q), query(q, { filter_by: "a:1" })], union: true }),
    },
    { name: "union, offset", ask: (q, { offset, limit }) => withUrl({ offset, limit }, { searches: [query(q), query(q)], union: true }) },
  ],
  answer,
  read(reply) {
    const { results } = objectOf(reply);
    return results === undefined ? [readSearch(reply)] : listOf(results).map(readSearch);
  },
  cases: [
    { feature: "search", title: "`documents/search`", ask: search(), outcomes: ["applied"] },
    {
      feature: "multi-search",
      title: "`multi_search`",
      ask: post("/multi_search", {
        searches: [query("red"), query("blue", { per_page: 3, page: 2 }), query("red", { sort_by: "price:asc" }), query("*")],
      }),
      outcomes: ["applied", "applied", "explicit_sort", "no_query_text"],
    },
    {
      feature: "multi-search",
      title: "`multi_search`, common parameters in the URL",
      ask: withUrl({ q: "red", per_page: 4 }, { searches: [query("blue"), query("blue", { per_page: 8, group_by: "brand" })] }),
      outcomes: ["applied", "grouped"],
    },
    {
      feature: "multi-search",
      title: "`union`, one text",
      ask: post("/multi_search", { union: true, searches: [query("red", { filter_by: "a:1" }), query("red")] }),
      outcomes: ["applied"],
    },
    {
      feature: "multi-search",
      title: "`union`, several texts",
      ask: post("/multi_search", { union: true, searches: [query("red"), query("blue")] }),
      outcomes: ["federated"],
    },
    { feature: "facets", title: "`facet_by`", ask: search({ facet_by: "brand" }), outcomes: ["applied"] },
    { feature: "highlighting", title: "`highlight_fields`", ask: search({ highlight_fields: "title" }), outcomes: ["applied"] },
    { feature: "sort", title: "`sort_by`", ask: search({ sort_by: "price:asc" }), outcomes: ["explicit_sort"] },
    { feature: "sort", title: "`sort_by=_text_match:desc`", ask: search({ sort_by: "_text_match:desc,price:asc" }), outcomes: ["applied"] },
    { feature: "grouping", title: "`group_by`", ask: search({ group_by: "brand" }), outcomes: ["grouped"] },
    { feature: "pinned hits", title: "`curated`", ask: search({ pinned_hits: "a:1,b:3" }), outcomes: ["applied"], pinned: [0, 2] },
    { feature: "no hits", title: "`per_page: 0`", ask: search({ per_page: 0 }), outcomes: ["size_zero"] },
  ],
};
