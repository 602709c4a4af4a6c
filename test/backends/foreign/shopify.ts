/** Requests of Shopify's clients, and what a document can ask beyond the search of a shop. */
import { SHOPIFY } from "../../../src/backends/shopify.ts";
import { type ForeignRequest, post, type Surface } from "./surface.ts";

const PATH = "/api/2026-07/graphql.json";

const ask = (query: string, more: object = {}, search = ""): ForeignRequest => post(PATH, { query, ...more }, { search });

const CARD = `fragment Card on Product { id handle title vendor availableForSale featuredImage { url altText }
  priceRange { minVariantPrice { amount currencyCode } } variants(first: 1) { nodes { id title } } }`;

/** As Hydrogen's skeleton searches. */
const HYDROGEN = `#graphql
  query RegularSearch($country: CountryCode, $endCursor: String, $first: Int, $language: LanguageCode, $last: Int, $term: String!, $startCursor: String)
  @inContext(country: $country, language: $language) {
    articles: search(query: $term, types: [ARTICLE], first: $first) { nodes { ...on Article { __typename handle id title trackingParameters } } }
    pages: search(query: $term, types: [PAGE], first: $first) { nodes { ...on Page { __typename handle id title trackingParameters } } }
    products: search(after: $endCursor, before: $startCursor, first: $first, last: $last, query: $term, sortKey: RELEVANCE, types: [PRODUCT], unavailableProducts: HIDE) {
      nodes { ...on Product { ...Card } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
  ${CARD}`;

const PREDICTIVE = `query PredictiveSearch($country: CountryCode, $language: LanguageCode, $limit: Int!, $limitScope: PredictiveSearchLimitScope!, $term: String!, $types: [PredictiveSearchType!])
  @inContext(country: $country, language: $language) {
    predictiveSearch(limit: $limit, limitScope: $limitScope, query: $term, types: $types) {
      articles { __typename id title handle blog { handle } image { url } trackingParameters }
      collections { __typename id title handle image { url } trackingParameters }
      pages { __typename id title handle trackingParameters }
      products { ...Card }
      queries { __typename text styledText trackingParameters }
    }
  }
  ${CARD}`;

const ORDINARY: readonly ForeignRequest[] = [
  ask(HYDROGEN, { variables: { term: "red", first: 8, country: "CA", language: "EN" } }),
  ask(HYDROGEN, { variables: { term: "red", last: 8, startCursor: "abc" }, operationName: "RegularSearch" }),
  ask(PREDICTIVE, { variables: { term: "re", limit: 10, limitScope: "EACH", types: null } }),
  ask(
    '{ search(query: "red", first: 10, types: PRODUCT, productFilters: [{ available: true }, { price: { min: 1 } }]) { totalCount productFilters { id label values { label count input } } nodes { ... on Product { id } } } }',
  ),
  ask("{ __typename }"),
  ask('query { a: search(query: "red", first: 3) { edges { cursor node { __typename ... on Product { id } } } } }', {
    operationName: null,
    variables: null,
    extensions: {},
  }),
  post(PATH, `{ search(query: "red", first: 10, types: PRODUCT) { nodes { ... on Product { id } } } }`, {
    contentType: "application/graphql",
  }),
];

const SEARCH = 'search(query: "red", first: 3, types: PRODUCT) { nodes { ... on Product { id } } }';

function attacks(marker: string): readonly ForeignRequest[] {
  const fields = [
    `customer(customerAccessToken: "${marker}") { email orders(first: 9) { nodes { id } } }`,
    `cart(id: "gid://shopify/Cart/${marker}") { id buyerIdentity { email } }`,
    `metaobjects(type: "${marker}", first: 9) { nodes { fields { key value } } }`,
    `metaobject(handle: { type: "${marker}", handle: "x" }) { id }`,
    `node(id: "gid://shopify/Cart/${marker}") { id }`,
    `nodes(ids: ["gid://shopify/Cart/${marker}"]) { id }`,
    `page(handle: "${marker}") { body }`,
    `blog(handle: "${marker}") { title }`,
    `menu(handle: "${marker}") { title }`,
    `urlRedirects(first: 1, query: "${marker}") { nodes { target } }`,
    `locations(first: 1, near: "${marker}") { nodes { name } }`,
    `sitemap(type: ${marker}) { pagesCount { count } }`,
    `__type(name: "${marker}") { name }`,
  ];
  return [
    ...fields.flatMap((field) => [
      ask(`{ ${field} }`),
      ask(`{ ${SEARCH} ${field} }`),
      ask(`{ ${SEARCH} search2: ${field} }`),
      ask(`{ search: ${field} }`),
      ask(`query A { ${SEARCH} } query B { ${field} }`, { operationName: "A" }),
      ask(`{ ${SEARCH} ... on QueryRoot { ${field} } }`),
      ask(`{ ${SEARCH} ... @include(if: true) { ... { ${field} } } }`),
      ask(`{ ...F } fragment F on QueryRoot { ${SEARCH} ...G } fragment G on QueryRoot { ${field} }`),
      ask(`query($yes: Boolean = false) { ${SEARCH} ... @skip(if: $yes) { ${field} } }`),
      post(PATH, `{ ${SEARCH} ${field} }`, { contentType: "application/graphql" }),
      post(PATH, { query: `{ ${SEARCH} }`, extensions: { persistedQuery: { sha256Hash: marker } } }),
      post(PATH, [{ query: `{ ${SEARCH} }` }, { query: `{ ${field} }` }]),
      post(PATH, `{"query":${JSON.stringify(`{ ${SEARCH} }`)},"query":${JSON.stringify(`{ ${field} }`)}}`),
      post(PATH, { query: `{ ${SEARCH} }`, variables: {}, [marker]: 1 }),
      post(PATH, `query=${encodeURIComponent(`{ ${field} }`)}`, { contentType: "application/x-www-form-urlencoded" }),
    ]),
    ask(`mutation { customerAccessTokenCreate(input: { email: "${marker}", password: "x" }) { customerAccessToken { accessToken } } }`),
    ask(`query A { ${SEARCH} } mutation B { cartCreate(input: { note: "${marker}" }) { cart { id } } }`, { operationName: "A" }),
    ask(`subscription { ${SEARCH.replace("red", marker)} }`),
    ask(`{ ${SEARCH} }`, {}, `?query=${encodeURIComponent(`{ shop { name } ${marker} }`)}`),
    ask(`{ ${SEARCH} }`, {}, `?operationName=${marker}`),
    ask(`{ ${SEARCH} }`, { id: marker }),
    ask(`{ ${SEARCH} }`, { documentId: marker }),
    ask(`{ ${SEARCH} }`, { queryId: marker }),
    ask(`{ ${SEARCH} }`, { extensions: { persistedQuery: { version: 1, sha256Hash: marker } } }),
    ask(`{ ${SEARCH} }`, { extensions: { other: marker } }),
    // From a product to everything that hangs on it.
    ...[
      'metafield(namespace: "x", key: "M") { reference { ... on Metaobject { fields { value } } } }',
      'metafields(identifiers: [{ namespace: "x", key: "M" }]) { value }',
    ].map((below) =>
      ask(
        `{ search(query: "red", first: 3, types: PRODUCT) { nodes { ... on Product { id ${below.replace("M", "a")} } } } customer(customerAccessToken: "${marker}") { id } }`,
      ),
    ),
    post(`/api/2026-07/graphql.json/${marker}`, { query: `{ ${SEARCH} }` }),
    post(`/api/${marker}/graphql.json`, { query: `{ ${SEARCH} }` }),
    post(`/admin/api/2026-07/graphql.json`, { query: `{ ${marker} }` }),
  ];
}

export const SHOPIFY_SURFACE: Surface = {
  indexes: new Map([["products", {}]]),
  definition: SHOPIFY,
  ordinary: ORDINARY,
  attacks,
  // Fields of mutations stay where they are, so only the words of a search and names of variables can hold it.
  isText: (path) => path[0] === "variables" || path[0] === "operationName",
};
