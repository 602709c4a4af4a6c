/** Applications whose engine is Meilisearch. */
import type { ApplicationRequest } from "./plans.ts";

const PATH = "/indexes/products/search";
const MULTI = "/multi-search";
const HIGHLIGHT = { highlightPreTag: "__ais-highlight__", highlightPostTag: "__/ais-highlight__" };

export const MEILISEARCH_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "instant-meilisearch",
    source: "meilisearch/meilisearch-js-plugins packages/instant-meilisearch/src/adapter/search-request-adapter/search-params-adapter.ts",
    what: "a search page with a refined facet",
    request: {
      method: "POST",
      path: MULTI,
      body: {
        queries: [
          {
            indexUid: "products",
            q: "red mug",
            facets: ["brand"],
            attributesToHighlight: ["*"],
            ...HIGHLIGHT,
            limit: 21,
            offset: 0,
            filter: ['"brand"="acme"'],
          },
          {
            indexUid: "products",
            q: "red mug",
            facets: ["brand"],
            attributesToHighlight: ["*"],
            ...HIGHLIGHT,
            limit: 1,
            offset: 0,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["applied"],
  },
  {
    application: "instant-meilisearch",
    source: "meilisearch/meilisearch-js-plugins packages/instant-meilisearch/src/adapter/search-request-adapter/search-params-adapter.ts",
    what: "finite pagination, sorted",
    request: {
      method: "POST",
      path: MULTI,
      body: {
        queries: [
          { indexUid: "products", q: "red mug", attributesToHighlight: ["*"], ...HIGHLIGHT, hitsPerPage: 20, page: 2, sort: ["price:asc"] },
        ],
      },
    },
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Laravel Scout",
    source: "laravel/scout src/Engines/MeilisearchEngine.php",
    what: "a page of models",
    request: {
      method: "POST",
      path: PATH,
      body: { q: "red mug", filter: 'shop_id=3 AND status="live"', hitsPerPage: 15, page: 2 },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Laravel Scout",
    source: "laravel/scout src/Engines/MeilisearchEngine.php",
    what: "some attributes",
    request: { method: "POST", path: PATH, body: { q: "red mug", hitsPerPage: 15, attributesToRetrieve: ["id", "title"] } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Medusa",
    source: "rokmohar/medusa-plugin-meilisearch src/modules/meilisearch/services/meilisearch.ts",
    what: "products",
    request: { method: "POST", path: PATH, body: { q: "red mug", limit: 12, offset: 12, filter: "status = published" } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Medusa",
    source:
      "rokmohar/medusa-plugin-meilisearch src/api/store/meilisearch/products-hits/route.ts, src/modules/meilisearch/utils/embedder.ts",
    what: "hybrid",
    request: {
      method: "POST",
      path: PATH,
      body: { q: "red mug", limit: 12, offset: 0, hybrid: { embedder: "default", semanticRatio: 0.5 } },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento 2",
    source: "walkwizus/magento2-module-meilisearch src/module-meilisearch-frontend/view/frontend/web/js/service/disjunctive-search.js",
    what: "a search page with a refined facet",
    request: {
      method: "POST",
      path: MULTI,
      body: {
        queries: [
          {
            indexUid: "products",
            q: "red mug",
            filter: [["color = 12"]],
            facets: ["color", "price"],
            page: 1,
            hitsPerPage: 12,
            sort: ["position:asc"],
          },
          { indexUid: "products", q: "red mug", facets: ["color"], filter: null, hitsPerPage: 12, page: 1 },
        ],
      },
    },
    words: "red mug",
    outcome: "explicit_sort",
    others: ["applied"],
  },
  {
    application: "Magento 2",
    source: "walkwizus/magento2-module-meilisearch src/module-meilisearch-frontend/view/frontend/web/js/components/autocomplete.js",
    what: "autocomplete",
    request: { method: "POST", path: MULTI, body: { queries: [{ indexUid: "products", q: "red mug", limit: 5 }] } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento 2",
    source: "walkwizus/magento2-module-meilisearch src/module-meilisearch-frontend/view/frontend/web/js/components/search.js",
    what: "sorted, as the shop's default order asks",
    request: {
      method: "POST",
      path: PATH,
      body: { q: "red mug", filter: [], facets: ["color", "price"], sort: ["position:asc"], page: 1, hitsPerPage: 12 },
    },
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Sylius",
    source: "Setono/sylius-meilisearch-plugin src/Engine/SearchEngine.php, src/Meilisearch/Query/MultiSearchBuilder.php",
    what: "a search page with disjunctive facets",
    request: {
      method: "POST",
      path: MULTI,
      body: {
        queries: [
          { indexUid: "products", q: "red mug", filter: ["brand = acme"], facets: ["brand"], hitsPerPage: 30, page: 1 },
          { indexUid: "products", q: "red mug", facets: ["brand"], filter: [], limit: 1 },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["applied"],
  },
  {
    application: "WordPress",
    source: "meilisearch/meilisearch-wordpress src/js/instant-meilisearch.js",
    what: "the instant search of a theme",
    request: {
      method: "POST",
      path: MULTI,
      body: { queries: [{ indexUid: "products", q: "red mug", attributesToHighlight: ["*"], ...HIGHLIGHT, limit: 21, offset: 0 }] },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "meilisearch-js",
    source: "meilisearch/meilisearch-js src/indexes.ts",
    what: "searchGet()",
    request: { method: "GET", path: PATH, search: "?q=red+mug&limit=20&attributesToRetrieve=id%2Ctitle&filter=price+%3C+10" },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "meilisearch-js",
    source: "meilisearch/meilisearch-js src/indexes.ts",
    what: "without what is excluded",
    request: { method: "POST", path: PATH, body: { q: "red mug -handle" } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "meilisearch-js",
    source: "meilisearch/meilisearch-js src/indexes.ts",
    what: "browsing",
    request: { method: "POST", path: PATH, body: { q: "", filter: "category = mugs", limit: 20 } },
    words: undefined,
    outcome: "no_query_text",
  },
];
