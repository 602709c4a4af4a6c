/**
 * What stock clients ask beside searches, what an attacker makes of it, and, written by hand from the engines' references, every path that may
 * arrive at an engine with the edge's key.
 */
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";
import { ALGOLIA_SURFACE } from "./algolia.ts";
import { ELASTICSEARCH_SURFACE } from "./elasticsearch.ts";
import { MEILISEARCH_SURFACE } from "./meilisearch.ts";
import { SOLR_SURFACE } from "./solr.ts";
import { TYPESENSE_SURFACE } from "./typesense.ts";
import { VESPA_SURFACE } from "./vespa.ts";

export interface CallSurface {
  readonly surface: Surface;
  /** Each must be answered by the engine, with the edge's key. */
  readonly ordinary: readonly ForeignRequest[];
  /** Each must be refused with the edge's key: nothing may arrive. */
  attacks(marker: string): readonly ForeignRequest[];
  /** `<method> <path>` that may arrive, searches among them. Indexes are products and offers. */
  readonly open: RegExp;
  /** Members and parameters of calls that are words, beside those of searches. */
  readonly texts: ReadonlySet<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
const AGENT = "x-algolia-agent=Algolia%20for%20JavaScript%20(4.27.0)%3B%20Browser%20(lite)";
const form = "application/x-www-form-urlencoded";

const ALGOLIA: CallSurface = {
  surface: ALGOLIA_SURFACE,
  ordinary: [
    get("/1/isalive", AGENT),
    post("/1/indexes/products/facets/brand/query", { facetQuery: "ac", maxFacetHits: 10, params: "query=red&hitsPerPage=20" }),
    post("/1/indexes/products/facets/brand/query", { params: "facetQuery=ac&maxFacetHits=10&query=red" }, { search: `?${AGENT}` }),
    post("/1/indexes/products/facets/categories.lvl0/query", { params: "facetFilters=%5B%5B%22brand%3Aacme%22%5D%5D", facetQuery: "a" }),
    post("/1/indexes/*/objects", { requests: [{ indexName: "products", objectID: "p1", attributesToRetrieve: ["title"] }] }),
    post("/1/indexes/*/objects", { requests: ["products", "offers"].map((indexName) => ({ indexName, objectID: "a/b" })) }),
    post("/1/indexes/*/recommendations", {
      requests: [
        { indexName: "products", model: "related-products", objectID: "p1", threshold: 0, maxRecommendations: 4 },
        { indexName: "products", model: "recommended-for-you", threshold: 0, queryParameters: { userToken: "u-1" } },
        { indexName: "products", model: "trending-items", facetName: "brand", facetValue: "acme", threshold: 0 },
        {
          indexName: "offers",
          model: "bought-together",
          objectID: "p1",
          threshold: 0,
          queryParameters: { filters: "brand:acme", hitsPerPage: 3, clickAnalytics: true },
          fallbackParameters: { filters: "brand:acme" },
        },
      ],
    }),
    get("/1/indexes/products/p-1", "attributesToRetrieve=title,brand"),
    get("/1/indexes/products/123", AGENT),
  ],
  attacks: (marker) => [
    ...["settings", "browse", "query%2F", "synonyms", "rules", "task", "replicas", "__proto__"].map((id) =>
      get(`/1/indexes/products/${id}`, ""),
    ),
    get(`/1/indexes/${marker}/p1`, ""),
    get("/1/indexes/products/..%2f..%2f..%2f1%2fkeys", ""),
    get("/1/indexes/products/%2e%2e", ""),
    get("/1/indexes/products/p1%2fsettings", ""),
    get("/1/indexes", ""),
    get("/1/keys", ""),
    get("/1/logs", ""),
    post("/1/indexes/products/browse", { query: "" }),
    post("/1/indexes/products/batch", { requests: [{ action: "deleteObject", body: { objectID: "p1" } }] }),
    post("/1/indexes/*/batch", { requests: [{ action: "clear", indexName: "products" }] }),
    post("/1/indexes/products/clear", {}),
    post("/1/indexes/products", { title: "new" }),
    post("/1/indexes/products/deleteByQuery", { params: "filters=a:b" }),
    post("/1/indexes/products/operation", { operation: "move", destination: marker }),
    post(`/1/indexes/${marker}/facets/brand/query`, { facetQuery: "a" }),
    post("/1/indexes/products/facets/brand/query", { facetQuery: "a", indexName: marker }),
    post("/1/indexes/products/facets/brand/query", { params: `facetQuery=a&restrictIndices=${marker}` }),
    post("/1/indexes/products/facets/brand/query", { facetQuery: "a" }, { search: `?index=${marker}` }),
    post("/1/indexes/products/facets/..%2f..%2f..%2fkeys/query", { facetQuery: "a" }),
    post("/1/indexes/*/objects", { requests: [{ indexName: marker, objectID: "p1" }] }),
    post("/1/indexes/*/objects", { requests: [{ indexName: ["products", marker], objectID: "p1" }] }),
    post("/1/indexes/*/objects", { requests: [{ indexName: "products", objectID: "p1" }], index: marker }),
    post("/1/indexes/*/objects", `{"requests":[{"indexName":"products","objectID":"1","indexName":"${marker}"}]}`),
    post("/1/indexes/*/objects", `{"requests":[{"indexName":"products","objectID":"1"}],"requests":[{"indexName":"${marker}"}]}`),
    post("/1/indexes/products/objects", { requests: [{ indexName: marker, objectID: "p1" }] }),
    post("/1/indexes/*/recommendations", { requests: [{ indexName: marker, model: "related-products", objectID: "p1" }] }),
    post("/1/indexes/*/recommendations", { requests: [{ indexName: "products", model: marker, objectID: "p1" }] }),
    post("/1/indexes/*/recommendations", {
      requests: [{ indexName: "products", model: "related-products", queryParameters: { index: marker } }],
    }),
  ],
  open: /^(?:GET \/1\/isalive|POST \/1\/indexes\/(?:products|offers)\/query|GET \/1\/indexes\/(?:products|offers)|POST \/1\/indexes\/\*\/(?:queries|objects|recommendations)|POST \/1\/indexes\/(?:products|offers)\/facets\/[^/]+\/query|GET \/1\/indexes\/(?:products|offers)\/[^/]*\d[^/]*)$/,
  texts: words("objectid facetname facetvalue facetquery attributestoretrieve maxfacethits threshold maxrecommendations"),
};

const ELASTICSEARCH: CallSurface = {
  surface: ELASTICSEARCH_SURFACE,
  ordinary: [
    get("/", ""),
    get("/products/_count", "q=red"),
    post("/products/_count", { query: { match: { title: "red" } } }),
    get("/products/_doc/p1", "_source=title&preference=_local"),
    get("/products/_doc/red%20mug", ""),
    get("/products/_source/p1", "_source_includes=title"),
    post("/products/_mget", { ids: ["p1", "p2"] }),
    post("/products/_mget", {
      docs: [
        { _id: "p1", _source: { includes: ["title"] } },
        { _id: "p2", _index: "offers" },
      ],
    }),
    post("/_mget", {
      docs: [
        { _index: "products", _id: "p1" },
        { _index: "offers", _id: "p2", routing: "a" },
      ],
    }),
    post("/products/_terms_enum", { field: "brand", string: "ac", size: 5, case_insensitive: true }),
  ],
  attacks: (marker) => [
    ...[
      "_cat/indices",
      "_nodes",
      "_cluster/state",
      "_security/user",
      "_snapshot",
      "_tasks",
      "_all/_count",
      "_count",
      "_stats",
      "_aliases",
    ].map((path) => get(`/${path}`, "")),
    ...["_settings", "_mapping", "_stats", "_alias", "_segments", "_field_caps", "_doc/_mapping", "_doc/_search", "_source/_settings"].map(
      (path) => get(`/products/${path}`, ""),
    ),
    get("/products/_doc/..%2f..%2f_cat%2findices", ""),
    get("/products/_doc/%2e%2e", ""),
    get(`/${marker}/_doc/p1`, ""),
    get(`/products,${marker}/_doc/p1`, ""),
    get(`/products,${marker}/_count`, ""),
    get(`/${marker}/_count`, ""),
    get("/*/_count", ""),
    get("/products/_doc/p1", "refresh=true"),
    get("/products/_count", `index=${marker}`),
    post("/products/_doc", { title: "new" }),
    post("/products/_doc/p1", { title: "new" }),
    post("/products/_create/p1", { title: "new" }),
    post("/products/_update/p1", { doc: {} }),
    post("/products/_bulk", "{}\n"),
    post("/products/_delete_by_query", { query: {} }),
    post("/products/_refresh", {}),
    post("/products/_pit", {}, { search: "?keep_alive=1m" }),
    post("/products/_search/template", { source: `{"query":{"terms":{"a":{"index":"${marker}","id":"1","path":"x"}}}}` }),
    post("/products/_count", { query: { terms: { a: { index: marker, id: "1", path: "x" } } } }),
    post("/products/_count", { query: { match: { t: "a" } }, indices: marker }),
    post("/products/_count", { query: { more_like_this: { like: [{ _index: marker, _id: "1" }] } } }),
    post("/products/_mget", { docs: [{ _id: "1", _index: marker }] }),
    post("/products/_mget", { docs: [{ _id: "1", index: marker }] }),
    post("/products/_mget", { docs: [{ _id: "1" }] }, { search: `?index=${marker}` }),
    post("/_mget", { docs: [{ _index: marker, _id: "1" }] }),
    post("/_mget", { docs: [{ _id: "1" }] }),
    post("/_mget", { ids: ["1"] }, { search: `?index=${marker}` }),
    post("/_mget", `{"docs":[{"_index":"products","_id":"1","_index":"${marker}"}]}`),
    post("/_mget", `{"docs":[{"_index":"products","_id":"1"}],"docs":[{"_index":"${marker}","_id":"1"}]}`),
    post("/products/_mget", `docs: [{_index: ${marker}, _id: 1}]`, { contentType: "application/yaml" }),
    post("/products/_terms_enum", { field: "a", string: "b", index: marker }),
    post("/products/_terms_enum", { field: "a", index_filter: { terms: { a: { index: marker, id: "1", path: "x" } } } }),
  ],
  open: /^(?:GET|POST|HEAD) (?:\/|\/_msearch|\/_mget|\/(?:products|offers)\/(?:_search|_msearch|_count|_mget|_terms_enum)|\/(?:products|offers)\/(?:_doc|_source)\/[^/_][^/]*|\/(?:products|offers))$/,
  texts: words("_id ids routing _routing stored_fields version version_type string field fields"),
};

const MEILISEARCH: CallSurface = {
  surface: MEILISEARCH_SURFACE,
  ordinary: [
    get("/health", ""),
    get("/version", ""),
    post("/indexes/products/facet-search", {
      facetName: "brand",
      facetQuery: "ac",
      q: "red",
      filter: [["brand = acme"]],
      matchingStrategy: "last",
    }),
    post("/indexes/products/similar", { id: "p1", embedder: "default", limit: 4, filter: "brand = acme" }),
    get("/indexes/products/similar", "id=p1&embedder=default&limit=4"),
    get("/indexes/products/documents/p1", "fields=title"),
  ],
  attacks: (marker) => [
    ...["keys", "stats", "settings", "tasks", "batches", "network", "metrics", "indexes", "experimental-features", "dumps"].map((path) =>
      get(`/${path}`, ""),
    ),
    ...["settings", "stats", "documents", "documents/fetch", "fields", "documents/..%2f..%2f..%2fkeys", "documents/%2e%2e"].map((path) =>
      get(`/indexes/products/${path}`, ""),
    ),
    get(`/indexes/${marker}/documents/p1`, ""),
    get("/indexes/products", ""),
    post("/indexes/products/documents", [{ id: 1 }]),
    post("/indexes/products/documents/delete-batch", [1]),
    post("/indexes/products/documents/fetch", { limit: 1000 }),
    post("/indexes/products/documents/edit", { function: "doc.a = 1" }),
    post("/swap-indexes", [{ indexes: ["products", marker] }]),
    post(`/indexes/${marker}/facet-search`, { facetName: "brand" }),
    post("/indexes/products/facet-search", { facetName: "brand", indexUid: marker }),
    post("/indexes/products/facet-search", { facetName: "brand", filter: `_foreign(${marker}, a = 1)` }),
    post("/indexes/products/facet-search", { facetName: "brand", useNetwork: true, remote: marker }),
    post("/indexes/products/facet-search", { facetName: "brand" }, { search: `?indexUid=${marker}` }),
    post("/indexes/products/similar", { id: "p1", embedder: "default", index: marker }),
    post("/indexes/products/similar", { id: "p1", embedder: "default", filter: [`_foreign( ${marker} , a = 1)`] }),
    get("/indexes/products/documents/p1", `index=${marker}`),
  ],
  open: /^(?:GET \/health|GET \/version|(?:GET|POST) \/indexes\/(?:products|offers)\/(?:search|similar)|POST \/indexes\/(?:products|offers)\/facet-search|POST \/multi-search|GET \/indexes\/(?:products|offers)\/documents\/[^/]*\d[^/]*)$/,
  texts: words("facetName facetQuery exhaustiveFacetCount id embedder fields retrieveVectors offset limit"),
};

const TYPESENSE: CallSurface = {
  surface: TYPESENSE_SURFACE,
  ordinary: [
    get("/health", ""),
    get("/debug", ""),
    get("/collections/products/documents/123", "x-typesense-user-id=u-1"),
    get("/collections/products/documents/p1", "include_fields=title,brand"),
  ],
  attacks: (marker) => [
    ...[
      "keys",
      "collections",
      "aliases",
      "metrics.json",
      "stats.json",
      "operations/snapshot",
      "analytics/rules",
      "presets",
      "stopwords",
    ].map((path) => get(`/${path}`, "")),
    ...["export", "%65xport", "import", "..%2f..%2f..%2fkeys", "%2e%2e", "p1%2f..%2fexport"].map((id) =>
      get(`/collections/products/documents/${id}`, ""),
    ),
    get("/collections/products", ""),
    get("/collections/products/overrides", ""),
    get(`/collections/${marker}/documents/p1`, ""),
    get("/collections/products/documents/p1", `collection=${marker}`),
    get("/collections/products/documents/p1", `include_fields=$${marker}(*)`),
    post("/collections/products/documents", { id: "p1" }),
    post("/collections/products/documents/import", "{}"),
    post("/collections", { name: marker }),
    post("/operations/snapshot", {}),
    post("/keys", {}),
  ],
  open: /^(?:GET \/health|GET \/debug|GET \/collections\/(?:products|offers)\/documents\/(?:search|[^/]*\d[^/]*)|POST \/multi_search)$/,
  texts: words("include_fields exclude_fields"),
};

export const SOLR_CALLS: CallSurface = {
  surface: SOLR_SURFACE,
  ordinary: [
    get("/solr/products/admin/ping", "wt=json&json.nl=flat"),
    // SolrJ.
    get("/solr/products/admin/ping", "wt=javabin&version=2"),
    get("/solr/products/suggest", "suggest=true&suggest.q=re&suggest.dictionary=mySuggester&suggest.count=5&wt=json"),
    get("/solr/products/spell", "spellcheck=true&spellcheck.q=rde&wt=json"),
    get("/solr/products/terms", "terms.fl=brand&terms.prefix=ac&terms.limit=5"),
    get("/solr/products/mlt", "q=id:p1&mlt.fl=title&mlt.mintf=1&rows=4&fl=id,title"),
    get("/solr/products/get", "ids=p1,p2&fl=id,title"),
    get("/solr/products/get", "id=p1"),
  ],
  attacks: (marker) => [
    ...[
      "update",
      "schema",
      "config",
      "admin/luke",
      "admin/file",
      "admin/mbeans",
      "replication",
      "dataimport",
      "export",
      "query",
      "stream",
      "sql",
    ].map((path) => get(`/solr/products/${path}`, "q=*:*")),
    get("/solr/admin/cores", "action=STATUS"),
    get("/solr/admin/collections", "action=LIST"),
    get("/solr/admin/info/system", ""),
    get(`/solr/${marker}/get`, "id=p1"),
    get(`/solr/${marker}/suggest`, "q=a"),
    get("/solr/products/admin/ping", "action=disable"),
    get("/solr/products/admin/ping", `collection=${marker}`),
    get("/solr/products/admin/ping", "qt=/update"),
    get("/solr/products/suggest", "suggest.build=true"),
    get("/solr/products/suggest", "suggest.reload=true"),
    get("/solr/products/suggest", "suggest.buildAll=true"),
    get("/solr/products/spell", "spellcheck.build=true"),
    get("/solr/products/get", `id=p1&collection=${marker}`),
    get("/solr/products/get", `id=p1&shards=${marker}`),
    get("/solr/products/get", `id=p1&fl=x,[subquery]&x.collection=${marker}`),
    get("/solr/products/get", `ids=%24%7B${marker}%7D`),
    get("/solr/products/mlt", `q=*:*&stream.body=${marker}`),
    get("/solr/products/mlt", `q={!join from=a to=b fromIndex=${marker}}x`),
    get("/solr/products/terms", `terms.fl=a&shards=${marker}`),
    get("/solr/products/terms", `terms.fl=a&qt=/${marker}`),
    post("/solr/products/update", "<delete><query>*:*</query></delete>", { contentType: "text/xml" }),
    post("/solr/products/get", `ids=p1&collection=${marker}`, { contentType: form }),
    post("/solr/products/suggest", "suggest.build=true", { contentType: form }),
  ],
  open: /^(?:(?:GET|POST) \/solr\/(?:products|offers)\/select\/?|GET \/solr\/(?:products|offers)\/(?:suggest|spell|terms|mlt|get)|(?:GET|HEAD) \/solr\/(?:products|offers)\/admin\/ping)$/,
  texts: words("id ids"),
};

const VESPA: CallSurface = {
  surface: VESPA_SURFACE,
  ordinary: [
    get("/status.html", ""),
    get("/state/v1/health", ""),
    get("/document/v1/shop/products/docid/p1", "fieldSet=products:title,price"),
    get("/document/v1/shop/products/docid/red%20mug", "fieldSet=%5Bdocument%5D&timeout=2s"),
  ],
  attacks: (marker) => [
    ...[
      "ApplicationStatus",
      "state/v1/config",
      "state/v1/metrics",
      "metrics/v2/values",
      "document/v1/",
      "document/v1/shop/products/docid",
    ].map((path) => get(`/${path}`, "")),
    get("/application/v2/tenant/", ""),
    get(`/document/v1/shop/${marker}/docid/p1`, ""),
    get("/document/v1/shop/products/docid/p1", `fieldSet=${marker}:a`),
    get("/document/v1/shop/products/docid/p1", `cluster=${marker}`),
    get("/document/v1/shop/products/docid/p1", "wantedDocumentCount=1000"),
    get("/document/v1/shop/products/docid/..%2f..%2f..%2f..%2fmetrics", ""),
    get("/document/v1/shop/products/docid/%2e%2e", ""),
    get("/document/v1/%2e%2e/products/docid/p1", ""),
    post("/document/v1/shop/products/docid/p1", { fields: {} }),
    post("/prepareandactivate", {}),
  ],
  open: /^(?:(?:GET|HEAD) \/status\.html|GET \/state\/v1\/health|GET \/document\/v1\/[^/]+\/products\/docid\/[^/]+|(?:GET|POST) \/search\/?)$/,
  texts: words("fieldSet timeout"),
};

export const CALL_SURFACES: readonly (readonly [name: string, calls: CallSurface])[] = [
  ["algolia", ALGOLIA],
  ["elasticsearch", ELASTICSEARCH],
  ["meilisearch", MEILISEARCH],
  ["typesense", TYPESENSE],
  ["solr", SOLR_CALLS],
  ["vespa", VESPA],
];
