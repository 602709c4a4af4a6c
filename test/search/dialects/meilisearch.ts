/** Meilisearch: `search` and `multi-search`, federated or not. */
import { cut, type EngineStandIn, get, listOf, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

type Body = Readonly<Record<string, unknown>>;

/** Hits of a page and the numbers that go with it. */
function page(body: Body, items: readonly StandInItem[], hitOf: (item: StandInItem, position: number) => object): object {
  const isNumbered = body["page"] !== undefined || body["hitsPerPage"] !== undefined;
  const limit = numberOf(isNumbered ? body["hitsPerPage"] : body["limit"], 20);
  const number = numberOf(body["page"], 1);
  const offset = isNumbered ? (number - 1) * limit : numberOf(body["offset"], 0);
  const hits = cut(items, offset, limit).map((item, i) => hitOf(item, offset + i));
  const numbers = isNumbered
    ? { hitsPerPage: limit, page: number, totalPages: limit === 0 ? 0 : Math.ceil(items.length / limit), totalHits: items.length }
    : { limit, offset, estimatedTotalHits: items.length };
  return { hits, ...("q" in body && { query: body["q"] }), processingTimeMs: 1, ...numbers };
}

/** The engine has a new one for each search. */
const REQUEST_UID = "0199f3a0-7c1e-7d1c-a5a5-3c1f6d0e4b21";

function searchReply(body: Body, items: readonly StandInItem[]): object {
  const hitOf = (item: StandInItem, position: number): object => ({
    ...item,
    ...(String(body["attributesToRetrieve"]).includes("_geo") && { _geo: { lat: 0, lng: 0 } }),
    ...("attributesToHighlight" in body && { _formatted: { title: `<em>${item.title}</em>` } }),
    ...(body["showMatchesPosition"] === true && { _matchesPosition: {} }),
    ...(body["showRankingScore"] === true && { _rankingScore: 1 - position / 100 }),
    ...(body["showRankingScoreDetails"] === true && { _rankingScoreDetails: {} }),
  });
  return {
    ...page({ ...body, q: body["q"] ?? "" }, items, hitOf),
    ...("facets" in body && { facetDistribution: { brand: { acme: items.length } }, facetStats: {} }),
    ...(body["showPerformanceDetails"] === true && { performanceDetails: {} }),
    requestUid: REQUEST_UID,
    ...("hybrid" in body && { semanticHitCount: 0 }),
  };
}

const federatedHit = (item: StandInItem, position: number): object => ({
  ...item,
  _federation: { indexUid: "movies", queriesPosition: 0, weightedRankingScore: 1 - position / 100 },
});

const metadataOf = ({ indexUid }: Body): object => ({ queryUid: REQUEST_UID, indexUid, primaryKey: "id" });

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === "/health") return Response.json({ status: "available" });
  const body = request.method === "POST" ? objectOf(await request.json()) : Object.fromEntries(url.searchParams);
  if (url.pathname !== "/multi-search") return Response.json(searchReply(body, items));
  const queries = listOf(body["queries"]).map(objectOf);
  if (body["federation"] === undefined) {
    return Response.json({ results: queries.map((query) => ({ indexUid: query["indexUid"], ...searchReply(query, items) })) });
  }
  const federation = objectOf(body["federation"]);
  const facets = Object.keys(objectOf(federation["facetsByIndex"] ?? {}));
  const facetsByIndex = Object.fromEntries(facets.map((name) => [name, { distribution: {}, stats: {} }]));
  return Response.json({
    ...page(federation, items, federatedHit),
    ...(facets.length > 0 && (federation["mergeFacets"] === undefined ? { facetsByIndex } : { facetDistribution: {}, facetStats: {} })),
    requestUid: REQUEST_UID,
    ...(request.headers.get("meili-include-metadata") === "true" && { metadata: queries.map(metadataOf) }),
  });
}

function readSearch(part: unknown) {
  const { hits, ...rest } = objectOf(part);
  return { ids: listOf(hits).map((hit) => String(objectOf(hit)["id"])), rest };
}

const PATH = "/indexes/movies/search";
const query = (q: string, more: object = {}) => ({ indexUid: "movies", q, ...more });
const numbered = (offset: number, limit: number) => ({ page: offset / limit + 1, hitsPerPage: limit });

export const meilisearch: EngineStandIn = {
  title: "Meilisearch",
  backend: "meilisearch",
  index: "movies",
  pages: [
    { name: "offset, limit", ask: (q, { offset, limit }) => post(PATH, { q, offset, limit }) },
    { name: "page, hitsPerPage", ask: (q, { offset, limit }) => post(PATH, { q, ...numbered(offset, limit) }) },
    { name: "?offset, ?limit", ask: (q, { offset, limit }) => get(PATH, { q, offset, limit }) },
    { name: "?page, ?hitsPerPage", ask: (q, { offset, limit }) => get(PATH, { q, ...numbered(offset, limit) }) },
    { name: "multi-search", ask: (q, page_) => post("/multi-search", { queries: [query(q, page_)] }) },
    {
      name: "multi-search, page",
      ask: (q, { offset, limit }) => post("/multi-search", { queries: [query(q, numbered(offset, limit))] }),
    },
    { name: "federation", ask: (q, page_) => post("/multi-search", { federation: page_, queries: [query(q)] }) },
  ],
  answer,
  read(reply) {
    const { results } = objectOf(reply);
    return results === undefined ? [readSearch(reply)] : listOf(results).map(readSearch);
  },
  cases: [
    { feature: "search", title: "`search`", ask: post(PATH, { q: "red" }), outcomes: ["applied"] },
    {
      feature: "multi-search",
      title: "`multi-search`",
      ask: post("/multi-search", { queries: [query("red"), query("blue", { limit: 3 }), query("red", { sort: ["price:asc"] })] }),
      outcomes: ["applied", "applied", "explicit_sort"],
    },
    {
      feature: "multi-search",
      title: "`federation`, one text",
      ask: post("/multi-search", { federation: {}, queries: [query("red", { filter: "a = 1" }), query("red")] }),
      outcomes: ["applied"],
    },
    {
      feature: "multi-search",
      title: "`federation`, several texts",
      ask: post("/multi-search", { federation: { limit: 5 }, queries: [query("red"), query("blue")] }),
      outcomes: ["federated"],
    },
    { feature: "facets", title: "`facets`", ask: post(PATH, { q: "red", facets: ["brand"] }), outcomes: ["applied"] },
    {
      feature: "highlighting",
      title: "`attributesToHighlight`",
      ask: post(PATH, { q: "red", attributesToHighlight: ["title"], showRankingScore: true }),
      outcomes: ["applied"],
    },
    { feature: "sort", title: "`sort`", ask: post(PATH, { q: "red", sort: ["price:asc"] }), outcomes: ["explicit_sort"] },
    { feature: "grouping", title: "`distinct`", ask: post(PATH, { q: "red", distinct: "sku" }), outcomes: ["grouped"] },
    { feature: "no hits", title: "`limit: 0`", ask: post(PATH, { q: "red", limit: 0 }), outcomes: ["size_zero"] },
  ],
};
