/** Requests of Meilisearch's clients, and where its engine reads names of indexes, remotes and models. */
import { MEILISEARCH } from "../../../src/backends/meilisearch.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/indexes/products/search";
const MULTI = "/multi-search";

const one = (body: unknown, search = ""): ForeignRequest => post(PATH, body, { index: "products", search });
const several = (queries: readonly unknown[], more: object = {}, search = ""): ForeignRequest =>
  post(MULTI, { queries, ...more }, { search });

/** As instant-meilisearch sends it. */
const INSTANT = {
  indexUid: "products",
  q: "red",
  facets: ["brand", "price"],
  attributesToHighlight: ["*"],
  highlightPreTag: "__ais-highlight__",
  highlightPostTag: "__/ais-highlight__",
  filter: [['"brand"="acme"']],
  limit: 21,
  offset: 0,
};

/** All members of a search in Meilisearch's reference that name nothing outside of the index. */
const RARE = {
  q: "red",
  vector: [0.1, 0.2],
  hybrid: { embedder: "default", semanticRatio: 0.5 },
  offset: 0,
  limit: 20,
  attributesToRetrieve: ["*"],
  retrieveVectors: false,
  attributesToCrop: ["title:10"],
  cropLength: 10,
  attributesToHighlight: ["title"],
  showMatchesPosition: true,
  showRankingScore: true,
  showRankingScoreDetails: true,
  filter: ["price > 1", ["a = 1"]],
  sort: ["price:asc"],
  distinct: "sku",
  facets: ["brand"],
  highlightPreTag: "<em>",
  highlightPostTag: "</em>",
  cropMarker: "…",
  matchingStrategy: "last",
  attributesToSearchOn: ["title"],
  rankingScoreThreshold: 0.1,
  locales: ["eng"],
};

const ORDINARY: readonly ForeignRequest[] = [
  one({ q: "red" }),
  one({}),
  one(""),
  one(RARE),
  one({ q: null, page: 2, hitsPerPage: 10, filter: null, sort: [] }),
  get(PATH, "q=red&limit=5&offset=0&filter=brand%20%3D%20acme&facets=brand&sort=price:asc", "products"),
  get(
    PATH,
    "q=red&hybridEmbedder=default&hybridSemanticRatio=0.5&vector=0.1,0.2&page=1&hitsPerPage=5&showRankingScore=true&rankingScoreThreshold=0.2&locales=eng&attributesToSearchOn=title",
    "products",
  ),
  several([INSTANT, { ...INSTANT, limit: 0, facets: ["brand"] }, { indexUid: "offers", q: "red", page: 1, hitsPerPage: 3 }]),
  several(
    [
      { indexUid: "products", q: "red", federationOptions: { weight: 0.5 } },
      { indexUid: "offers", q: "red", federationOptions: { weight: 1 } },
    ],
    {
      federation: { limit: 5, offset: 0, facetsByIndex: { products: ["brand"], offers: null }, mergeFacets: { maxValuesPerFacet: 10 } },
    },
  ),
  several([{ indexUid: "products", q: "red", federationOptions: { queryPosition: 0 } }], { federation: {} }),
];

function attacks(marker: string): readonly ForeignRequest[] {
  const found = { indexUid: "products", q: "red" };
  return [
    post(`/indexes/${marker}/search`, { q: "red" }, { index: marker }),
    get(`/indexes/${marker}/search`, "q=red", marker),
    post(`/indexes/products,${marker}/search`, { q: "red" }, { index: `products,${marker}` }),
    ...[marker, [marker], { a: marker }, `products,${marker}`].map((indexUid) => several([{ ...found, indexUid }])),
    ...[
      "indexUid",
      "index",
      "index_uid",
      "indexes",
      "remote",
      "url",
      "federationOptions",
      "chat",
      "media",
      "personalize",
      "useNetwork",
      "apiKey",
      "remotes",
      "network",
      "facetName",
      "facetQuery",
      "embedder",
      "exhaustiveFacetCount",
      "foreign",
      "join",
      "id",
    ].flatMap((name) =>
      [marker, { remote: marker, indexUid: marker }].flatMap((value) => [
        one({ q: "red", [name]: value }),
        several([{ ...found, [name]: value }].map((query) => (name === "indexUid" ? { ...query, q: "x" } : query))),
        several([found], { [name]: value }),
        get(PATH, `q=red&${name}=${encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value))}`, "products"),
        several([found], { federation: { [name]: value } }),
        several([{ ...found, federationOptions: { [name]: value } }], { federation: {} }),
      ]),
    ),
    several([{ ...found, federationOptions: { weight: 1, remote: `http://${marker}` } }], { federation: {} }),
    several([found], { federation: { facetsByIndex: { [marker]: ["brand"] } } }),
    several([found], { federation: { facetsByIndex: { products: [], [marker]: null } } }),
    several([found], { federation: { distinct: { indexUid: marker } } }),
    several([found], { federation: { mergeFacets: { indexUid: marker } } }),
    one({ q: "red", hybrid: { embedder: "default", url: marker } }),
    one({ q: "red", hybrid: { embedder: { source: "rest", url: marker } } }),
    one({ q: "red", queries: [{ indexUid: marker }] }),
    one({ q: "red" }, `?indexUid=${marker}`),
    several([found], {}, `?indexUid=${marker}`),
    several([found], {}, `?queries=${encodeURIComponent(JSON.stringify([{ indexUid: marker }]))}`),
    post(MULTI, `{"queries":[{"indexUid":"products","indexUid":"${marker}"}]}`),
    post(MULTI, `{"queries":[{"indexUid":"${marker}","indexUid":"products"}]}`),
    post(MULTI, `{"queries":[{"indexUid":"products"}],"queries":[{"indexUid":"${marker}"}]}`),
    post(MULTI, `[{"indexUid":"${marker}"}]`),
    post(MULTI, `{"queries":{"indexUid":"${marker}"}}`),
  ];
}

const TEXTS: ReadonlySet<string> = new Set([...Object.keys(RARE), "hybridEmbedder", "indexUid_"]);

export const MEILISEARCH_SURFACE: Surface = {
  indexes: new Map([
    ["products", {}],
    ["offers", {}],
  ]),
  definition: MEILISEARCH,
  ordinary: ORDINARY,
  attacks,
  isText: (path) => {
    const [first = "", second] = path.filter((key) => !/^\d+$/.test(key) && key !== "queries");
    if (first === "federation") return second === "distinct" && path.length === 2;
    if (first === "hybrid") return second === "embedder" && path.at(-1) === "embedder";
    return TEXTS.has(first) && second === undefined;
  },
};
