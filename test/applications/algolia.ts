/** Applications whose engine is Algolia. */
import type { ApplicationRequest } from "./plans.ts";

const QUERIES = "/1/indexes/*/queries";
const AGENT =
  "?x-algolia-agent=Algolia%20for%20JavaScript%20(5.65.0)%3B%20Search%20(5.65.0)%3B%20Browser&x-algolia-api-key=k&x-algolia-application-id=APP";
const TAGS = "highlightPreTag=__ais-highlight__&highlightPostTag=__%2Fais-highlight__";

export const ALGOLIA_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "InstantSearch.js, algoliasearch v4",
    source:
      "algolia/instantsearch packages/algoliasearch-helper/src/requestBuilder.js; algolia/algoliasearch-client-javascript, version 4, packages/client-search/src/methods/client/multipleQueries.ts, packages/client-search/src/createSearchClient.ts",
    what: "a search page with a refined facet",
    request: {
      method: "POST",
      path: QUERIES,
      search: AGENT,
      contentType: "application/x-www-form-urlencoded",
      body: {
        requests: [
          {
            indexName: "products",
            params: `clickAnalytics=true&facetFilters=%5B%5B%22brand%3AHP%22%5D%5D&facets=%5B%22brand%22%2C%22price%22%5D&${TAGS}&hitsPerPage=20&maxValuesPerFacet=10&page=0&query=red%20mug&userToken=anonymous-1`,
          },
          {
            indexName: "products",
            params: `analytics=false&clickAnalytics=false&facets=brand&${TAGS}&hitsPerPage=0&maxValuesPerFacet=10&page=0&query=red%20mug&userToken=anonymous-1`,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["size_zero"],
  },
  {
    application: "InstantSearch.js, algoliasearch v5",
    source: "algolia/algoliasearch-client-javascript packages/client-search/src/searchClient.ts",
    what: "a search page",
    request: {
      method: "POST",
      path: QUERIES,
      search: AGENT,
      contentType: "text/plain",
      body: {
        requests: [
          {
            indexName: "products",
            query: "red mug",
            facets: ["brand"],
            highlightPostTag: "__/ais-highlight__",
            highlightPreTag: "__ais-highlight__",
            hitsPerPage: 20,
            maxValuesPerFacet: 10,
            page: 1,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "InstantSearch.js, algoliasearch v5",
    source:
      "algolia/instantsearch packages/algoliasearch-helper/src/algoliasearch.helper.js; algolia/algoliasearch-client-javascript packages/client-search/src/searchClient.ts",
    what: "values of a facet",
    request: {
      method: "POST",
      path: QUERIES,
      search: AGENT,
      contentType: "text/plain",
      body: {
        requests: [
          {
            type: "facet",
            facet: "brand",
            indexName: "products",
            facetQuery: "ac",
            maxFacetHits: 10,
            query: "red",
            hitsPerPage: 20,
            page: 0,
          },
        ],
      },
    },
    words: undefined,
    outcome: "size_zero",
  },
  {
    application: "InstantSearch.js, algoliasearch v5",
    source: "algolia/instantsearch packages/algoliasearch-helper/src/requestBuilder.js",
    what: "the page before anything is typed",
    request: {
      method: "POST",
      path: QUERIES,
      search: AGENT,
      contentType: "text/plain",
      body: { requests: [{ indexName: "products", query: "", hitsPerPage: 20, page: 0 }] },
    },
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Autocomplete",
    source:
      "algolia/autocomplete packages/autocomplete-preset-algolia/src/search/fetchAlgoliaResults.ts; algolia/algoliasearch-client-javascript packages/client-search/src/searchClient.ts",
    what: "an index while typing",
    request: {
      method: "POST",
      path: QUERIES,
      search: AGENT,
      body: {
        requests: [
          {
            indexName: "products",
            query: "mu",
            hitsPerPage: 5,
            highlightPreTag: "__aa-highlight__",
            highlightPostTag: "__/aa-highlight__",
            clickAnalytics: true,
          },
        ],
      },
    },
    words: "mu",
    outcome: "applied",
  },
  {
    application: "Laravel Scout",
    source: "laravel/scout src/Engines/AlgoliaEngine.php; algolia/algoliasearch-client-php src/SearchIndex.php",
    what: "a page of models",
    request: {
      method: "POST",
      path: "/1/indexes/products/query",
      body: { numericFilters: ["shop_id=3"], hitsPerPage: 15, page: 0, query: "red mug" },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Laravel Scout",
    source: "laravel/scout src/Engines/AlgoliaEngine.php; algolia/algoliasearch-client-php src/SearchIndex.php",
    what: "all models, with the index's own page",
    request: { method: "POST", path: "/1/indexes/products/query", body: { query: "red mug" } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento 2",
    source: "algolia/algoliasearch-magento-2 Service/Product/BackendSearch.php, Service/AlgoliaConnector.php",
    what: "a search of the server",
    request: {
      method: "POST",
      path: QUERIES,
      body: {
        requests: [
          {
            indexName: "products",
            query: "red mug",
            hitsPerPage: 9,
            attributesToRetrieve: "objectID",
            attributesToHighlight: "",
            attributesToSnippet: "",
            numericFilters: ["visibility_search=1"],
            removeWordsIfNoResults: "allOptional",
            analyticsTags: "backend-search",
            facets: ["categories.level0", "price.EUR.default"],
            maxValuesPerFacet: 100,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "REST API, GET",
    source: "unverified: https://www.algolia.com/doc/rest-api/search/",
    what: "a search by GET",
    request: { method: "GET", path: "/1/indexes/products", search: "?query=red%20mug&hitsPerPage=24&page=2" },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "algoliasearch, long keys",
    source: "algolia/algoliasearch-client-javascript, version 3, src/AlgoliaSearchCore.js",
    what: "a key of more than 500 characters, in the body",
    request: {
      method: "POST",
      path: QUERIES,
      body: { requests: [{ indexName: "products", params: "query=red%20mug&hitsPerPage=20" }], apiKey: "secured" },
    },
    words: "red mug",
    outcome: "applied",
  },
];
