/** Requests of Algolia's clients, and where its engine reads names of indexes, keys and stored things. */
import { ALGOLIA } from "../../../src/backends/algolia.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/1/indexes/products/query";
const QUERIES = "/1/indexes/*/queries";
const AGENT = "x-algolia-agent=Algolia%20for%20JavaScript%20(5.65.0)%3B%20Lite%20(5.65.0)%3B%20Browser";

const one = (body: unknown, search = ""): ForeignRequest => post(PATH, body, { index: "products", search });
const several = (requests: readonly unknown[], more: object = {}, search = ""): ForeignRequest =>
  post(QUERIES, { requests, ...more }, { index: "*", search });

/** As algoliasearch 4 writes parameters. */
const text = (params: Readonly<Record<string, unknown>>): string =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value))}`)
    .join("&");

const INSTANT_SEARCH = {
  query: "red",
  hitsPerPage: 20,
  page: 0,
  maxValuesPerFacet: 10,
  facets: ["brand", "price"],
  facetFilters: [["brand:acme", "brand:other"]],
  numericFilters: ["price>=10"],
  tagFilters: "",
  highlightPreTag: "__ais-highlight__",
  highlightPostTag: "__/ais-highlight__",
  clickAnalytics: true,
  analytics: true,
  analyticsTags: ["web"],
  userToken: "anonymous-1",
};

/** All parameters of a search in Algolia's reference that name nothing outside of the index. */
const RARE = {
  query: "red shoes",
  similarQuery: "red",
  advancedSyntax: true,
  advancedSyntaxFeatures: ["exactPhrase"],
  allowTyposOnNumericTokens: false,
  alternativesAsExact: ["ignorePlurals"],
  aroundLatLng: "40.71,-74.01",
  aroundLatLngViaIP: true,
  aroundPrecision: 10,
  aroundRadius: "all",
  attributeCriteriaComputedByMinProximity: true,
  attributesToHighlight: ["title"],
  attributesToRetrieve: ["*"],
  attributesToSnippet: ["title:10"],
  decompoundQuery: true,
  disableExactOnAttributes: ["title"],
  disableTypoToleranceOnAttributes: ["sku"],
  distinct: 1,
  enableABTest: false,
  enablePersonalization: true,
  enableReRanking: false,
  enableRules: true,
  exactOnSingleWordQuery: "word",
  facetingAfterDistinct: true,
  filters: "brand:acme AND price > 10",
  getRankingInfo: true,
  ignorePlurals: ["en"],
  insideBoundingBox: [[47.3, 0.49, 47.2, 0.55]],
  insidePolygon: [[47.3, 0.49, 47.2, 0.55, 46.9, 0.4]],
  keepDiacriticsOnCharacters: "øé",
  length: 12,
  offset: 0,
  maxFacetHits: 10,
  minimumAroundRadius: 1000,
  minProximity: 1,
  minWordSizefor1Typo: 4,
  minWordSizefor2Typos: 8,
  mode: "neuralSearch",
  semanticSearch: { eventSources: null },
  naturalLanguages: ["fr"],
  numericFilters: [["price>1"]],
  optionalFilters: ["brand:acme<score=2>"],
  optionalWords: ["blue"],
  percentileComputation: true,
  personalizationImpact: 100,
  queryLanguages: ["en"],
  queryType: "prefixLast",
  ranking: ["typo", "custom"],
  customRanking: ["desc(popularity)"],
  reRankingApplyFilter: ["brand:acme"],
  relevancyStrictness: 90,
  removeStopWords: true,
  removeWordsIfNoResults: "lastWords",
  renderingContent: { facetOrdering: { facets: { order: ["brand"] } } },
  replaceSynonymsInHighlight: false,
  responseFields: ["*"],
  restrictHighlightAndSnippetArrays: false,
  restrictSearchableAttributes: ["title"],
  ruleContexts: ["front"],
  snippetEllipsisText: "…",
  sortFacetValuesBy: "count",
  sumOrFiltersScores: true,
  synonyms: true,
  typoTolerance: "min",
  userToken: "u1",
};

const ORDINARY: readonly ForeignRequest[] = [
  one({ query: "red", hitsPerPage: 12 }, `?${AGENT}`),
  one(RARE),
  one({ params: text(INSTANT_SEARCH) }, `?${AGENT}&x-algolia-api-key=client&x-algolia-application-id=APP`),
  one({ params: text({ facets: ["brand"] }), hitsPerPage: 5, query: "blue" }),
  one({ query: "red", extensions: { queryCategorization: { enableCategoriesRetrieval: true, enableAutoFiltering: true } } }),
  one("{}"),
  one(""),
  get("/1/indexes/products", text({ query: "red", hitsPerPage: 3, facets: ["brand"] }), "products"),
  get("/1/indexes/products", `query=red&${AGENT}`, "products"),
  several(
    [
      { indexName: "products", ...INSTANT_SEARCH },
      { indexName: "products", params: text({ ...INSTANT_SEARCH, hitsPerPage: 0, facets: "brand", clickAnalytics: false }) },
      { indexName: "offers", type: "default", query: "red", hitsPerPage: 4 },
      { indexName: "products", type: "facet", facet: "brand", facetQuery: "ac", maxFacetHits: 10, params: "query=red" },
    ],
    { strategy: "none" },
    `?${AGENT}`,
  ),
  several(
    [
      { indexName: "products", query: "red" },
      { indexName: "offers", query: "red" },
    ],
    { strategy: "stopIfEnoughMatches" },
  ),
  // Autocomplete.
  several([
    { indexName: "products", query: "re", params: text({ hitsPerPage: 5, highlightPreTag: "__aa-highlight__", clickAnalytics: true }) },
  ]),
];

function attacks(marker: string): readonly ForeignRequest[] {
  const found = { indexName: "products", query: "red" };
  const secured = btoa(`0123456789abcdefrestrictIndices=${marker}`);
  return [
    post(`/1/indexes/${marker}/query`, { query: "red" }, { index: marker }),
    get(`/1/indexes/${marker}`, "query=red", marker),
    post(`/1/indexes/products,${marker}/query`, { query: "red" }, { index: `products,${marker}` }),
    post("/1/indexes/*/query", { query: "red", indexName: marker }, { index: "*" }),
    post(`/1/indexes/${marker}/queries`, { requests: [found] }, { index: marker }),
    ...[marker, [marker], ["products", marker], { a: marker }, `products,${marker}`].map((indexName) =>
      several([found, { indexName, query: "red" }]),
    ),
    ...[
      "index",
      "indexName",
      "indexname",
      "index_name",
      "indexUsed",
      "indices",
      "restrictIndices",
      "replica",
      "replicas",
      "primary",
      "apiKey",
      "apikey",
      "x-algolia-api-key",
      "X-Algolia-API-Key",
      "key",
      "securedApiKey",
      "source",
      "model",
      "compositionID",
      "facetFilterIndex",
      "fallbackParameters",
      "recommendIndex",
      "cursor",
      "validUntil",
    ].flatMap((name) => [
      one({ query: "red", [name]: marker }),
      several([{ ...found, [name]: marker }]),
      several([found], { [name]: marker }),
      one({ params: `query=red&${name}=${marker}` }),
      several([{ ...found, params: `hitsPerPage=2&${name}=${marker}` }]),
      get("/1/indexes/products", `query=red&${name}=${marker}`, "products"),
      one({ query: "red" }, `?${name}=${marker}`),
      several([found], {}, `?${name}=${marker}`),
    ]),
    one({ query: "red", params: { indexName: marker } }),
    one({ query: "red", params: `params=${encodeURIComponent(`indexName=${marker}`)}` }),
    one({ query: "red", params: [`indexName=${marker}`] }),
    one({ params: `query=red&body=${marker}&x-algolia-api-key=${secured}` }),
    one({ query: "red", apiKey: secured }),
    one({ query: "red" }, `?x-algolia-api-key=${secured}`),
    one(`[{"indexName":"${marker}"}]`),
    one(`{"query":"red","requests":[{"indexName":"${marker}"}]}`),
    several([{ ...found, requests: [{ indexName: marker }] }]),
    several([{ ...found, searches: [{ index: marker }] }]),
    post(QUERIES, `{"requests":[{"indexName":"products"}],"requests":[{"indexName":"${marker}"}]}`, { index: "*" }),
    post(QUERIES, `{"requests":[{"indexName":"products","indexName":"${marker}"}]}`, { index: "*" }),
    post(QUERIES, `{"requests":[{"indexName":"${marker}","indexName":"products"}]}`, { index: "*" }),
    post(QUERIES, `{"queries":[{"indexName":"${marker}"}],"requests":[{"indexName":"products"}]}`, { index: "*" }),
    several([found], { fallback: [{ indexName: marker }] }),
    several([found], { strategy: marker }),
    several([{ ...found, type: marker }]),
    one({ query: "red", extensions: { queryCategorization: { model: marker } } }),
    one({ query: "red", renderingContent: { redirect: { url: `https://${marker}` }, index: marker } }),
    one({ query: "red", semanticSearch: { index: marker } }),
  ];
}

/** Words, and names inside of the searched index. */
const TEXTS: ReadonlySet<string> = new Set(
  Object.keys({
    ...RARE,
    ...INSTANT_SEARCH,
    facet: 1,
    facetQuery: 1,
    "x-algolia-agent": 1,
    "x-algolia-application-id": 1,
    "x-algolia-usertoken": 1,
    "x-algolia-user-id": 1,
  }).map((name) => name.toLowerCase()),
);

export const ALGOLIA_SURFACE: Surface = {
  indexes: new Map([
    ["products", { pageSize: 20 }],
    ["offers", {}],
  ]),
  definition: ALGOLIA,
  ordinary: ORDINARY,
  attacks,
  isText: (path, value) => {
    const [first = ""] = path.filter((key) => !/^\d+$/.test(key) && key !== "requests");
    if (first !== "params") return TEXTS.has(first.toLowerCase()) && first !== "renderingContent" && first !== "semanticSearch";
    return [...new URLSearchParams(value)].every(([name]) => TEXTS.has(name.toLowerCase()));
  },
};
