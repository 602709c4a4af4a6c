/** A search for words in each engine's simplest form, by backend: for those who try an edge without an application. */
type Compose = (index: string, words: string, hits: number) => { readonly path: string; readonly json?: object };

/** None where only an application knows how its searches look. `index` is encoded. */
const USUAL_SEARCHES: Readonly<Record<string, Compose>> = {
  elasticsearch: (index, query, size) => ({
    path: `/${index}/_search`,
    json: { query: { multi_match: { query, fields: ["*"], lenient: true } }, size },
  }),
  solr: (index, q, hits) => ({ path: `/solr/${index}/select?${new URLSearchParams({ q, rows: String(hits), wt: "json" }).toString()}` }),
  algolia: (index, query, hitsPerPage) => ({ path: `/1/indexes/${index}/query`, json: { query, hitsPerPage } }),
  meilisearch: (index, q, limit) => ({ path: `/indexes/${index}/search`, json: { q, limit } }),
  vespa: (_index, query, hits) => ({ path: "/search/", json: { yql: "select * from sources * where userQuery()", query, hits } }),
  shopify: (_index, query, first) => ({
    path: "/api/2025-10/graphql.json",
    json: {
      query: `query ($query: String!) { search(query: $query, first: ${first}, types: PRODUCT) { nodes { ... on Product { id title } } } }`,
      variables: { query },
    },
  }),
};

export function usualSearch(backend: string): Compose | undefined {
  return USUAL_SEARCHES[backend === "opensearch" ? "elasticsearch" : backend];
}
