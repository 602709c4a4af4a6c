/** Front ends on Shopify's Storefront API. */
import type { ApplicationRequest } from "./plans.ts";

const PATH = "/api/2026-07/graphql.json";

/** Of the skeleton: articles, pages and products in one document. */
const HYDROGEN = `query RegularSearch($country: CountryCode $endCursor: String $first: Int $language: LanguageCode $last: Int $term: String! $startCursor: String)
  @inContext(country: $country, language: $language) {
    articles: search(query: $term, types: [ARTICLE], first: $first) { nodes { ...on Article { id title } } }
    pages: search(query: $term, types: [PAGE], first: $first) { nodes { ...on Page { id title } } }
    products: search(after: $endCursor, before: $startCursor, first: $first, last: $last, query: $term, sortKey: RELEVANCE, types: [PRODUCT], unavailableProducts: HIDE) {
      nodes { ...on Product { __typename handle id title } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;
const PREDICTIVE = `query PredictiveSearch($country: CountryCode $language: LanguageCode $limit: Int! $limitScope: PredictiveSearchLimitScope! $term: String! $types: [PredictiveSearchType!])
  @inContext(country: $country, language: $language) {
    predictiveSearch(limit: $limit, limitScope: $limitScope, query: $term, types: $types) {
      articles { __typename id title handle trackingParameters } collections { __typename id title handle trackingParameters }
      pages { __typename id title handle trackingParameters } products { __typename id title handle trackingParameters }
      queries { __typename text styledText trackingParameters }
    }
  }`;

export const SHOPIFY_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "Hydrogen",
    source: "Shopify/hydrogen templates/skeleton/app/routes/search.tsx",
    what: "the search page",
    request: {
      method: "POST",
      path: PATH,
      body: { query: HYDROGEN, variables: { term: "red mug", first: 8, country: "CA", language: "EN" } },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Hydrogen",
    source: "Shopify/hydrogen templates/skeleton/app/routes/search.tsx",
    what: "its next page",
    request: { method: "POST", path: PATH, body: { query: HYDROGEN, variables: { term: "red mug", first: 8, endCursor: "eyJ" } } },
    words: "red mug",
    outcome: "cursor",
  },
  {
    application: "Hydrogen",
    source: "Shopify/hydrogen templates/skeleton/app/routes/search.tsx",
    what: "while typing",
    request: { method: "POST", path: PATH, body: { query: PREDICTIVE, variables: { limit: 5, limitScope: "EACH", term: "red" } } },
    words: "red",
    outcome: "applied",
  },
  {
    application: "Next.js Commerce",
    source: "vercel/commerce lib/shopify/queries/product.ts",
    what: "products by a query, which is no search",
    request: {
      method: "POST",
      path: PATH,
      body: {
        query:
          "query getProducts($sortKey: ProductSortKeys, $reverse: Boolean, $query: String) { products(sortKey: $sortKey, reverse: $reverse, query: $query, first: 100) { edges { node { id handle } } } }",
        variables: { query: "red mug" },
      },
    },
    words: undefined,
    outcome: "refused",
  },
];
