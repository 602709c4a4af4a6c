/** Applications whose engine is Typesense. */
import type { ApplicationRequest } from "./plans.ts";

const MULTI = "/multi_search";
const PATH = "/collections/products/documents/search";

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
    source: "laravel/scout src/Engines/TypesenseEngine.php; typesense/typesense-php src/ApiCall.php",
    what: "a page of models",
    request: {
      method: "GET",
      path: PATH,
      search:
        "?q=red+mug&query_by=title&filter_by=shop_id%3A%3D3&per_page=15&page=1&highlight_start_tag=%3Cmark%3E&highlight_end_tag=%3C%2Fmark%3E&snippet_threshold=30&exhaustive_search=false&use_cache=false&cache_ttl=60&prioritize_exact_match=true&enable_overrides=true&highlight_affix_num_tokens=4",
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "typesense-js",
    source: "typesense/typesense-js src/Typesense/SearchOnlyDocuments.ts",
    what: "a search of one collection",
    request: { method: "GET", path: PATH, search: "?q=red%20mug&query_by=title,embedding&per_page=20&exclude_fields=embedding" },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Ghost",
    source: "magicpages/ghost-typesense packages/search-ui/src/search.js",
    what: "the search of a theme",
    request: {
      method: "GET",
      path: PATH,
      search:
        "?q=red&query_by=title%2Cexcerpt%2Cplaintext&query_by_weights=5%2C3%2C4&highlight_full_fields=title%2Cexcerpt%2Cplaintext&highlight_affix_num_tokens=30&include_fields=id%2Ctitle%2Curl%2Cexcerpt%2Cplaintext%2Cpublished_at&num_typos=0&prefix=true&per_page=20&drop_tokens_threshold=0&enable_nested_fields=true&prioritize_exact_match=true&sort_by=_text_match%3Adesc%2Cpublished_at%3Adesc",
    },
    words: "red",
    outcome: "applied",
  },
  {
    application: "Magento 2",
    source: "run-as-root/Typesense-Magento-2 view/frontend/web/js/autocomplete.js",
    what: "autocomplete of products, categories and suggestions",
    request: {
      method: "POST",
      path: MULTI,
      search: "?x-typesense-api-key=k",
      body: {
        searches: [
          { collection: "products", q: "red mug", query_by: "name,sku,description", per_page: 6 },
          { collection: "categories", q: "red mug", query_by: "name", per_page: 4 },
          { collection: "suggestions", q: "red mug", query_by: "q", per_page: 5 },
        ],
      },
    },
    words: "red mug",
    outcome: "applied",
    others: ["applied", "applied"],
  },
  {
    application: "Magento 2",
    source: "run-as-root/Typesense-Magento-2 view/frontend/web/js/instant-search.js",
    what: "a search page",
    request: {
      method: "GET",
      path: PATH,
      search:
        "?q=red%20mug&query_by=name%2Csku%2Cdescription&per_page=24&page=2&facet_by=color%2Cprice&max_facet_values=20&filter_by=color%3A%5Bred%5D",
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "TypesenseBundle for Symfony",
    source: "acseo/TypesenseBundle src/Finder/TypesenseQuery.php, src/Client/CollectionClient.php",
    what: "a search of one collection",
    request: { method: "GET", path: PATH, search: "?q=red+mug&query_by=name&num_typos=2&per_page=10&page=2" },
    words: "red mug",
    outcome: "applied",
  },
];
