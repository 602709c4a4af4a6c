/** How each engine is asked for pages without words: for the contract of such pages, the engines that run in tests, and the matrix of the documentation. */
import type { Page } from "../../../src/testing.ts";
import { type Ask, get, post } from "./stand-in.ts";

export interface BrowseAsks {
  /** As in the matrix, with the engine's own parameters. */
  readonly title: string;
  /** The field of the category, as the dialect reads it. */
  readonly field: string;
  readonly category: (page: Page) => Ask;
  /** The same category, in another way of writing, or refined by what names no value. */
  readonly same: readonly Ask[];
  /** The category and a brand. */
  readonly refined: Ask;
  readonly home: (page: Page) => Ask;
  readonly sorted: readonly Ask[];
  /** Lists without words that are no page: like an item, near a place, ids that somebody chose. */
  readonly others: readonly Ask[];
}

const ES = "/products/_search";
const elastic = (body: object): Ask => post(ES, { size: 5, ...body });
const bool = (filter: readonly object[], more: object = {}) => ({ bool: { filter, ...more } });
const term = (field: string, value: string) => ({ term: { [field]: value } });
const MUGS = term("category.keyword", "Mugs");

const ALGOLIA = "/1/indexes/products/query";
const algolia = (body: object): Ask => post(ALGOLIA, { query: "", hitsPerPage: 5, ...body });

const TYPESENSE = "/collections/products/documents/search";
const typesense = (params: Readonly<Record<string, string | number>>): Ask =>
  get(TYPESENSE, { q: "*", query_by: "title", per_page: 5, ...params });

const MEILI = "/indexes/movies/search";
const meili = (body: object): Ask => post(MEILI, { limit: 5, ...body });

const SOLR = "/solr/products/select";
const solr = (params: Readonly<Record<string, string | number>>): Ask => get(SOLR, { q: "*:*", rows: 5, ...params });

const VESPA = "/search/";
const select = (where: string, more = ""): string => `select * from products where ${where}${more}`;
const vespa = (yql: string, more: Readonly<Record<string, string | number>> = {}): Ask => get(VESPA, { yql, hits: 5, ...more });

const PLAIN = "/v1/search";
const plain = (params: Readonly<Record<string, string | number>>): Ask => get(PLAIN, { size: 5, page: 1, ...params });

/** By the stand-in's title. */
export const BROWSE_ASKS: Readonly<Record<string, BrowseAsks>> = {
  "Elasticsearch, OpenSearch": {
    title: "`match_all` or nothing but filters",
    field: "category",
    category: ({ offset, limit }) => post(ES, { query: bool([MUGS]), from: offset, size: limit }),
    same: [
      elastic({ query: { bool: { must: [{ terms: { category: ["mugs"] } }] } } }),
      elastic({ query: { bool: { must: { match_all: {} }, filter: MUGS } } }),
      elastic({ query: { match_all: {} }, post_filter: MUGS }),
      elastic({ query: { constant_score: { filter: MUGS } } }),
      elastic({ query: { function_score: { query: bool([MUGS]), field_value_factor: { field: "popularity" } } } }),
      elastic({ query: bool([MUGS, { range: { price: { lte: 50 } } }, { exists: { field: "price" } }]) }),
      elastic({ query: bool([MUGS], { must_not: [term("state", "hidden")] }) }),
      elastic({ query: bool([{ bool: { should: [MUGS], minimum_should_match: 1 } }]) }),
      elastic({ query: bool([{ nested: { path: "category", query: MUGS } }]) }),
      elastic({ query: bool([MUGS]), sort: ["_score"] }),
    ],
    refined: elastic({ query: bool([MUGS, term("brand", "acme")]) }),
    home: ({ offset, limit }) => post(ES, { query: { match_all: {} }, from: offset, size: limit }),
    sorted: [
      elastic({ query: bool([MUGS]), sort: [{ price: "asc" }] }),
      elastic({ query: bool([MUGS]), sort: [{ price: { order: "desc" } }, "_score"] }),
    ],
    others: [
      elastic({ query: { ids: { values: ["item-1"] } } }),
      elastic({ query: bool([{ terms: { _id: ["item-1", "item-2"] } }]) }),
      elastic({ query: { more_like_this: { fields: ["title"], like: [{ _id: "item-1" }] } } }),
      elastic({ knn: { field: "picture", query_vector: [1, 0], k: 10, num_candidates: 20 } }),
      elastic({ query: { script_score: { query: { match_all: {} }, script: { source: "cosineSimilarity(params.q, 'picture') + 1" } } } }),
      elastic({ query: { match_none: {} } }),
    ],
  },
  Algolia: {
    title: "no `query`, `filters` or `facetFilters`",
    field: "category",
    category: ({ offset, limit }) => algolia({ filters: 'category:"Mugs"', page: offset / limit, hitsPerPage: limit }),
    same: [
      algolia({ facetFilters: [["category:mugs"]] }),
      algolia({ facetFilters: ["category:Mugs"], numericFilters: ["price<50"] }),
      algolia({ filters: "category:Mugs AND price < 50" }),
      algolia({ filters: "category:Mugs AND NOT state:hidden", optionalFilters: ["brand:acme"] }),
      post(ALGOLIA, { params: "query=&hitsPerPage=5&filters=category%3AMugs" }),
      post("/1/indexes/*/queries", { requests: [{ indexName: "products", filters: "category:Mugs", hitsPerPage: 5 }] }),
    ],
    refined: algolia({ filters: "category:Mugs AND brand:acme" }),
    home: ({ offset, limit }) => algolia({ page: offset / limit, hitsPerPage: limit }),
    sorted: [algolia({ filters: "category:Mugs", ranking: ["asc(price)", "custom"] })],
    others: [
      algolia({ filters: "objectID:item-1 OR objectID:item-2" }),
      algolia({ similarQuery: "red mug" }),
      algolia({ filters: "category:Mugs", aroundLatLng: "48.1,11.5" }),
    ],
  },
  Typesense: {
    title: "`q=*`, `filter_by`",
    field: "category",
    category: ({ offset, limit }) => typesense({ filter_by: "category:=Mugs", offset, limit }),
    same: [
      typesense({ filter_by: "category:=[`mugs`] && price:<50" }),
      typesense({ filter_by: "category:Mugs", sort_by: "_text_match:desc" }),
      get(TYPESENSE, { q: "", query_by: "title", per_page: 5, filter_by: "category:=Mugs" }),
      post("/multi_search", { searches: [{ collection: "products", q: "*", filter_by: "category:=Mugs", per_page: 5 }] }),
    ],
    refined: typesense({ filter_by: "category:=Mugs && brand:=acme" }),
    home: ({ offset, limit }) => typesense({ offset, limit }),
    sorted: [typesense({ filter_by: "category:=Mugs", sort_by: "price:asc" })],
    others: [typesense({ filter_by: "id:=[item-1,item-2]" }), typesense({ vector_query: "picture:([1, 0], k:10)" })],
  },
  Meilisearch: {
    title: "no `q`, `filter`",
    field: "category",
    category: ({ offset, limit }) => meili({ q: "", filter: "category = Mugs", offset, limit }),
    same: [
      meili({ filter: ["category = 'mugs'"] }),
      meili({ q: null, filter: [["category = Mugs"], "price < 50"] }),
      meili({ q: " ", filter: "category IN [Mugs] AND price < 50" }),
      get(MEILI, { filter: 'category = "Mugs"', limit: 5 }),
      post("/multi-search", { queries: [{ indexUid: "movies", filter: "category = Mugs", limit: 5 }] }),
    ],
    refined: meili({ filter: "category = Mugs AND brand = acme" }),
    home: ({ offset, limit }) => meili({ offset, limit }),
    sorted: [meili({ filter: "category = Mugs", sort: ["price:asc"] })],
    others: [meili({ filter: "id IN [item-1, item-2]" }), meili({ vector: [1, 0], hybrid: { embedder: "pictures", semanticRatio: 1 } })],
  },
  Solr: {
    title: "`q=*:*`, `fq`",
    field: "category",
    category: ({ offset, limit }) => solr({ fq: "category:Mugs", start: offset, rows: limit }),
    same: [
      solr({ fq: '{!tag=cat}category:"mugs"' }),
      solr({ fq: "{!term f=category}Mugs" }),
      solr({ fq: "category:Mugs AND price:[* TO 50]", sort: "score desc" }),
      solr({ q: "*", fq: "category:(Mugs)" }),
      get(SOLR, { rows: 5, fq: "category:Mugs", defType: "edismax", "q.alt": "*:*", bf: "popularity" }),
    ],
    refined: { path: `${SOLR}?q=*:*&rows=5&fq=category:Mugs&fq=brand:acme`, init: {} },
    home: ({ offset, limit }) => solr({ start: offset, rows: limit }),
    sorted: [solr({ fq: "category:Mugs", sort: "price asc" })],
    others: [solr({ fq: "id:(item-1 OR item-2)" }), solr({ q: "{!func}price" }), solr({ fq: "{!terms f=id}item-1,item-2" })],
  },
  Vespa: {
    title: "`where` without words",
    field: "category",
    category: ({ offset, limit }) => vespa(select('category contains ({filter: true}"Mugs")'), { offset, hits: limit }),
    same: [vespa(select('category in ("mugs")')), vespa(select('true and category in ("Mugs") and price < 50'))],
    refined: vespa(select('category in ("Mugs") and brand in ("acme")')),
    home: ({ offset, limit }) => vespa(select("true"), { offset, hits: limit }),
    sorted: [vespa(select('category in ("Mugs")', " order by price asc")), vespa(select('category in ("Mugs")'), { sorting: "+price" })],
    others: [
      vespa(select("{targetHits: 10}nearestNeighbor(picture, q)"), { "input.query(q)": "[1,0]" }),
      vespa(select('id in ("item-1")')),
    ],
  },
  "Generic JSON": {
    title: "none of the `query` parameters, those of `filters`",
    field: "category",
    category: ({ offset, limit }) => plain({ category: "Mugs", page: offset / limit + 1, size: limit }),
    same: [plain({ category: "mugs", q: " " })],
    refined: plain({ category: "Mugs", brand: "acme" }),
    home: ({ offset, limit }) => plain({ page: offset / limit + 1, size: limit }),
    sorted: [plain({ category: "Mugs", sort: "price" })],
    others: [],
  },
};
