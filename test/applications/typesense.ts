/** Applications whose engine is Typesense. */
import type { ApplicationRequest } from "./plans.ts";

const MULTI = "/multi_search";
const PATH = "/collections/products/documents/search";
const HIGHLIGHT = { highlight_start_tag: "<mark>", highlight_end_tag: "</mark>" };

export const TYPESENSE_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "typesense-instantsearch-adapter",
    source: "typesense/typesense-instantsearch-adapter src/SearchRequestAdapter.js",
    what: "a search page with a refined facet",
    request: {
      method: "POST",
      path: MULTI,
      search: "?x-typesense-api-key=k",
      contentType: "text/plain",
      body: {
        searches: [
          {
            query_by: "title,brand",
            collection: "products",
            q: "red mug",
            facet_by: "brand,price",
            filter_by: "brand:=[`acme`]",
            max_facet_values: 10,
            page: 1,
            per_page: 12,
            highlight_full_fields: "title,brand",
          },
          {
            query_by: "title,brand",
            collection: "products",
            q: "red mug",
            facet_by: "brand",
            filter_by: "",
            max_facet_values: 10,
            page: 1,
            per_page: 0,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["size_zero"],
  },
  {
    application: "typesense-instantsearch-adapter",
    source: "typesense/typesense-instantsearch-adapter README.md, additionalSearchParameters",
    what: "in stock first, and a limit of hits",
    request: {
      method: "POST",
      path: MULTI,
      body: {
        searches: [
          {
            query_by: "title",
            collection: "products",
            q: "red mug",
            sort_by: "_eval(in_stock:true):desc,_text_match:desc",
            page: 1,
            per_page: 12,
            limit_hits: 60,
          },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "typesense-instantsearch-adapter",
    source: "typesense/typesense-instantsearch-adapter src/SearchRequestAdapter.js",
    what: "sorted by price",
    request: {
      method: "POST",
      path: MULTI,
      body: { searches: [{ query_by: "title", collection: "products", q: "red mug", sort_by: "price:asc", page: 1, per_page: 12 }] },
    },
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "typesense-instantsearch-adapter",
    source: "typesense/typesense-instantsearch-adapter src/SearchRequestAdapter.js",
    what: "before anything is typed",
    request: {
      method: "POST",
      path: MULTI,
      body: { searches: [{ query_by: "title", collection: "products", q: "*", page: 1, per_page: 12 }] },
    },
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Laravel Scout",
    source: "laravel/scout src/Engines/TypesenseEngine.php",
    what: "a page of models",
    request: {
      method: "GET",
      path: PATH,
      search:
        "?q=red+mug&query_by=title&filter_by=shop_id%3A%3D3&per_page=15&page=1&highlight_start_tag=%3Cmark%3E&highlight_end_tag=%3C%2Fmark%3E&snippet_threshold=30&exhaustive_search=0&use_cache=0&cache_ttl=60&prioritize_exact_match=1&enable_overrides=1&highlight_affix_num_tokens=4",
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "typesense-js",
    source: "typesense/typesense-js src/Typesense/Documents.ts",
    what: "a search of one collection",
    request: { method: "GET", path: PATH, search: "?q=red%20mug&query_by=title,embedding&per_page=20&exclude_fields=embedding" },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Ghost",
    source: "magicpages/ghost-typesense packages/search-ui",
    what: "the search of a theme",
    request: {
      method: "GET",
      path: PATH,
      search:
        "?q=red&query_by=title%2Cexcerpt%2Cplaintext&highlight_fields=title%2Cexcerpt%2Cplaintext&highlight_full_fields=title&typo_tokens_threshold=5&num_typos=2&prefix=true&per_page=20",
    },
    words: "red",
    outcome: "applied",
  },
  {
    application: "Magento 2",
    source: "run-as-root/Typesense-Magento-2 view/frontend/web/js",
    what: "autocomplete of products and categories",
    request: {
      method: "POST",
      path: MULTI,
      search: "?x-typesense-api-key=k",
      body: {
        searches: [
          { collection: "products", q: "red mug", query_by: "name,sku", per_page: 6, ...HIGHLIGHT },
          { collection: "products", q: "red mug", query_by: "name", group_by: "category", per_page: 3 },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["grouped"],
  },
  {
    application: "TypesenseBundle for Symfony",
    source: "acseo/TypesenseBundle src/Finder/CollectionFinder.php",
    what: "a search of one collection",
    request: { method: "GET", path: PATH, search: "?q=red+mug&query_by=name&num_typos=2&per_page=10&page=2" },
    words: "red mug",
    outcome: "applied",
  },
];
