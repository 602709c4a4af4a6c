/** Algolia: `query` by POST and by GET, and several by `queries`. */
import { type Ask, cut, type EngineStandIn, get, listOf, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

type Params = Readonly<Record<string, unknown>>;

/** `paginationLimitedTo` and `hitsPerPage` of the index's settings. */
const REACHABLE = 1000;
const PAGE_SIZE = 20;

/** Members of one of several searches that are no parameters. */
const ABOUT_SEARCH = new Set(["params", "indexName", "type"]);

const encode = (params: Params): string =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value))}`)
    .join("&");

/** Parameters of a search, and the text that repeats them. */
function paramsOf(request: Params): { readonly asked: Params; readonly echo: string } {
  const text = typeof request["params"] === "string" ? request["params"] : "";
  const members = Object.fromEntries(Object.entries(request).filter(([name]) => !ABOUT_SEARCH.has(name)));
  const asked = { ...Object.fromEntries(new URLSearchParams(text)), ...members };
  return { asked, echo: [text, encode(members)].filter((one) => one !== "").join("&") };
}

function searchReply(request: Params, items: readonly StandInItem[]): object {
  const { asked, echo } = paramsOf(request);
  const isRange = asked["offset"] !== undefined;
  const size = numberOf(isRange ? asked["length"] : asked["hitsPerPage"], PAGE_SIZE);
  const page = numberOf(asked["page"], 0);
  const offset = isRange ? numberOf(asked["offset"], 0) : page * size;
  const isExplained = ["true", "1"].includes(String(asked["getRankingInfo"]));
  // A rule that a word of the query triggers.
  const isRuled = String(asked["query"]).includes("bestseller");
  const hits = cut(items, offset, size).map(({ id, title, price }, i) => ({
    title,
    price,
    objectID: id,
    _highlightResult: {
      title: { value: `<em>${title}</em>`, matchLevel: "full", fullyHighlighted: false, matchedWords: [String(asked["query"])] },
    },
    ...(isExplained && { _rankingInfo: { nbTypos: 0, userScore: 100 - offset - i, ...(isRuled && offset + i < 2 && { promoted: true }) } }),
  }));
  const reachable = Math.min(items.length, REACHABLE);
  const numbers = isRange
    ? { nbHits: items.length, offset, length: size }
    : { nbHits: items.length, page, nbPages: size === 0 ? 0 : Math.ceil(reachable / size), hitsPerPage: size };
  return {
    hits,
    ...numbers,
    ...("facets" in asked && {
      facets: { brand: { acme: items.length } },
      facets_stats: { price: { min: 10, max: 54, avg: 32, sum: 1440 } },
    }),
    exhaustiveFacetsCount: true,
    exhaustiveNbHits: true,
    exhaustive: { facetsCount: true, nbHits: true, typo: true },
    query: asked["query"] ?? "",
    params: echo,
    ...("indexName" in request && { index: request["indexName"] }),
    ...(isExplained && isRuled && { appliedRules: [{ objectID: "rule-1" }] }),
    ...(isExplained && {
      serverUsed: "c1-1",
      indexUsed: "products",
      parsedQuery: asked["query"] ?? "",
      timeoutCounts: false,
      timeoutHits: false,
    }),
    ...(String(asked["clickAnalytics"]) === "true" && { queryID: "0123456789abcdef" }),
    renderingContent: {},
    processingTimeMS: 1,
    processingTimingsMS: { total: 1 },
  };
}

const facetReply = (): object => ({
  facetHits: [{ value: "acme", highlighted: "<em>ac</em>me", count: 45 }],
  exhaustiveFacetsCount: true,
  processingTimeMS: 1,
});

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const url = new URL(request.url);
  const path = decodeURIComponent(url.pathname);
  const about = /^x-algolia-/i;
  if (request.method === "GET") {
    return Response.json(searchReply(Object.fromEntries([...url.searchParams].filter(([name]) => !about.test(name))), items));
  }
  // Whatever the content type says: browsers send text/plain.
  const text = await request.text();
  const body = text === "" ? {} : objectOf(JSON.parse(text));
  if (path.endsWith("/query")) return Response.json(searchReply(body, items));
  if (path !== "/1/indexes/*/queries") return Response.json({ message: "Path not found", status: 404 }, { status: 404 });
  const results = listOf(body["requests"]).map((one) => {
    const asked = objectOf(one);
    return asked["type"] === "facet" ? facetReply() : searchReply(asked, items);
  });
  return Response.json({ results });
}

function readSearch(part: unknown) {
  const { hits = [], ...rest } = objectOf(part);
  return { ids: listOf(hits).map((hit) => String(objectOf(hit)["objectID"])), rest };
}

const PATH = "/1/indexes/products/query";
const QUERIES = "/1/indexes/*/queries";
const search = (query: string, more: object = {}): Ask => post(PATH, { query, ...more });
const one = (query: string, more: object = {}) => ({ indexName: "products", query, ...more });
const numbered = (offset: number, limit: number) => ({ page: offset / limit, hitsPerPage: limit });

export const algolia: EngineStandIn = {
  title: "Algolia",
  backend: "algolia",
  index: "products",
  pages: [
    { name: "page, hitsPerPage", ask: (query, { offset, limit }) => search(query, numbered(offset, limit)) },
    { name: "offset, length", ask: (query, { offset, limit }) => search(query, { offset, length: limit }) },
    {
      name: "params",
      ask: (query, { offset, limit }) => post(PATH, { params: encode({ query, facets: ["brand"], ...numbered(offset, limit) }) }),
    },
    { name: "?page, ?hitsPerPage", ask: (query, { offset, limit }) => get("/1/indexes/products", { query, ...numbered(offset, limit) }) },
    {
      name: "queries",
      ask: (query, { offset, limit }) => post(QUERIES, { requests: [one(query, numbered(offset, limit))], strategy: "none" }),
    },
  ],
  answer,
  read(reply) {
    const { results } = objectOf(reply);
    return results === undefined ? [readSearch(reply)] : listOf(results).map(readSearch);
  },
  cases: [
    { feature: "search", title: "`query`", ask: search("red", { hitsPerPage: 12, clickAnalytics: true }), outcomes: ["applied"] },
    { feature: "search", title: "`query` without `hitsPerPage`", ask: search("red"), outcomes: ["applied"] },
    { feature: "search", title: "no text", ask: search("", { hitsPerPage: 12 }), outcomes: ["no_query_text"] },
    {
      feature: "multi-search",
      title: "`queries`",
      ask: post(QUERIES, {
        requests: [
          one("red", { hitsPerPage: 7, page: 1 }),
          { indexName: "products", params: "query=blue&hitsPerPage=3&facets=%5B%22brand%22%5D" },
          one("red", { hitsPerPage: 0, facets: ["brand"] }),
          { indexName: "products", type: "facet", facet: "brand", facetQuery: "ac" },
        ],
      }),
      outcomes: ["applied", "applied", "size_zero", "size_zero"],
    },
    {
      feature: "multi-search",
      title: "`strategy: stopIfEnoughMatches`",
      ask: post(QUERIES, { requests: [one("red"), one("blue")], strategy: "stopIfEnoughMatches" }),
      outcomes: ["request_not_understood", "request_not_understood"],
    },
    { feature: "facets", title: "`facets`", ask: search("red", { facets: ["brand"], hitsPerPage: 9 }), outcomes: ["applied"] },
    {
      feature: "highlighting",
      title: "`attributesToHighlight`",
      ask: search("red", { attributesToHighlight: ["title"], hitsPerPage: 9 }),
      outcomes: ["applied"],
    },
    { feature: "sort", title: "`ranking`", ask: search("red", { ranking: ["desc(price)", "typo"] }), outcomes: ["explicit_sort"] },
    { feature: "grouping", title: "`distinct: 2`", ask: search("red", { distinct: 2 }), outcomes: ["grouped"] },
    {
      feature: "pinned hits",
      title: "promoted by a rule",
      ask: search("red bestseller", { hitsPerPage: 12 }),
      outcomes: ["applied"],
      pinned: [0, 1],
    },
    {
      feature: "pinned hits",
      title: "with `getRankingInfo`",
      ask: search("red bestseller", { getRankingInfo: true, hitsPerPage: 12 }),
      outcomes: ["applied"],
      pinned: [0, 1],
    },
    { feature: "no hits", title: "`hitsPerPage: 0`", ask: search("red", { hitsPerPage: 0 }), outcomes: ["size_zero"] },
  ],
};
