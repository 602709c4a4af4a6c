/** Applications whose engine is Elasticsearch or OpenSearch. */
import type { ApplicationRequest } from "./plans.ts";

const PATH = "/products/_search";
const search = (body: object, params = ""): ApplicationRequest["request"] => ({ method: "POST", path: PATH, search: params, body });
const lines = (path: string, contentType: string, ...all: readonly object[]): ApplicationRequest["request"] => ({
  method: "POST",
  path,
  contentType,
  body: all.map((line) => `${JSON.stringify(line)}\n`).join(""),
});

const MAGENTO = {
  from: 0,
  size: 12,
  stored_fields: "_none_",
  docvalue_fields: ["_id", "_score"],
  sort: [{ _score: { order: "desc" } }],
  query: {
    bool: {
      must: [{ terms: { visibility: ["3", "4"] } }],
      should: [
        { match: { _search: { query: "red mug", boost: 2 } } },
        { match: { name: { query: "red mug", boost: 6, minimum_should_match: "1" } } },
        { match_phrase_prefix: { name: { query: "red mug", boost: 6 } } },
        { match_phrase_prefix: { sku: { query: "red mug", boost: 7 } } },
        { match: { sku: { query: "red mug", boost: 7 } } },
      ],
      minimum_should_match: 1,
    },
  },
  aggregations: {
    price_bucket: { extended_stats: { field: "price_0_1" } },
    category_bucket: { terms: { field: "category_ids", size: 10_000 } },
  },
};
const COUNTED = "?track_total_hits=true";
const MAGENTO_SOURCE =
  "magento/magento2 app/code/Magento/Elasticsearch/ElasticAdapter/SearchAdapter/Query/Builder.php, app/code/Magento/Elasticsearch/SearchAdapter/Query/Builder/MatchQuery.php, app/code/Magento/OpenSearch/SearchAdapter/Mapper.php, app/code/Magento/CatalogSearch/etc/search_request.xml";

/** Of Shopware: one word in one field. */
const token = (field: string, word: string, ranking: number) => ({
  bool: {
    should: [
      { match: { [`${field}.search`]: { query: word, boost: 5 * ranking, fuzziness: 0 } } },
      { match_phrase_prefix: { [`${field}.search`]: { query: word, boost: 4 * ranking, slop: 3, max_expansions: 10 } } },
      { match: { [`${field}.search`]: { query: word, boost: 3 * ranking, fuzziness: "auto" } } },
      { match: { [`${field}.ngram`]: { query: word, boost: 2 * ranking } } },
    ],
  },
});
const LANGUAGE = "2fbb5fe2e29a4d70aa5854ce7ce3e20b";
const shopware = (...words: readonly string[]) => ({
  from: 0,
  size: 24,
  timeout: "5s",
  sort: [{ _score: { order: "desc" } }],
  query: {
    bool: {
      must: [
        {
          bool: {
            // The whole text stands behind its words.
            must: [...new Set([...words, words.join(" ")])].map((word) => ({
              bool: {
                should: [
                  token(`name.${LANGUAGE}`, word, 700),
                  { nested: { path: "manufacturer", query: token(`manufacturer.name.${LANGUAGE}`, word, 500) } },
                  token("productNumber", word, 1000),
                ],
              },
            })),
          },
        },
      ],
      filter: [
        {
          bool: {
            must: [
              { term: { active: true } },
              { nested: { path: "visibilities", query: { range: { "visibilities.visibility": { gte: 20 } } } } },
            ],
          },
        },
      ],
    },
  },
});
const SHOPWARE_PARAMS = "?track_total_hits=true&search_type=query_then_fetch";
const SHOPWARE_GROUPS = {
  collapse: { field: "displayGroup" },
  aggregations: { "total-count": { cardinality: { field: "displayGroup" } } },
};
const SHOPWARE_SOURCE =
  "shopware/shopware src/Elasticsearch/Product/ProductSearchQueryBuilder.php, src/Elasticsearch/TokenQueryBuilder.php, src/Elasticsearch/Framework/DataAbstractionLayer/ElasticsearchEntitySearcher.php, src/Core/Content/Product/SalesChannel/Listing/ProductListingLoader.php";

const elasticpress = (...fields: readonly string[]) => ({
  from: 0,
  size: 10,
  sort: [{ _score: { order: "desc" } }],
  query: {
    function_score: {
      query: {
        bool: {
          should: [
            {
              bool: {
                must: [
                  {
                    bool: {
                      should: [
                        { multi_match: { query: "red mug", type: "phrase", fields, boost: 3 } },
                        { multi_match: { query: "red mug", fields, operator: "and", boost: 1, fuzziness: "auto" } },
                        {
                          multi_match: {
                            query: "red mug",
                            type: "cross_fields",
                            fields,
                            boost: 1,
                            analyzer: "standard",
                            tie_breaker: 0.5,
                            operator: "and",
                          },
                        },
                      ],
                    },
                  },
                ],
                filter: [{ match: { "post_type.raw": "product" } }],
              },
            },
          ],
        },
      },
      functions: [{ exp: { post_date_gmt: { scale: "14d", decay: 0.25, offset: "7d" } } }, { weight: 0.001 }],
      score_mode: "sum",
      boost_mode: "multiply",
    },
  },
  post_filter: { bool: { must: [{ terms: { "post_type.raw": ["product"] } }, { terms: { post_status: ["publish"] } }] } },
  aggs: {
    terms: {
      filter: { bool: { must: [{ terms: { post_type: ["product"] } }] } },
      aggs: { product_cat: { terms: { size: 10_000, field: "terms.product_cat.slug" } } },
    },
  },
});
const ELASTICPRESS_SOURCE =
  "10up/ElasticPress includes/classes/SearchAlgorithm/Version_400.php, includes/classes/Feature/Search/Search.php, includes/classes/Feature/Search/Weighting.php";

/** One field of Searchkick, in its usual two analyses and with one letter wrong. */
const searchkick = (query: string) => {
  const shared = { query, boost: 10, operator: "and" };
  const fuzzy = { fuzziness: 1, prefix_length: 0, max_expansions: 3, fuzzy_transpositions: true, boost: 1 };
  return [
    { match: { "name.analyzed": { ...shared, analyzer: "searchkick_search" } } },
    { match: { "name.analyzed": { ...shared, analyzer: "searchkick_search2" } } },
    { match: { "name.analyzed": { ...shared, ...fuzzy, analyzer: "searchkick_search" } } },
    { match: { "name.analyzed": { ...shared, ...fuzzy, analyzer: "searchkick_search2" } } },
  ];
};
const searchkickWords = { bool: { should: [{ dis_max: { queries: searchkick("red mug") } }] } };
const searchkickOf = (query: object, more: object = {}) => ({ query, timeout: "11000ms", _source: false, size: 24, ...more });
const SEARCHKICK_SOURCE = "ankane/searchkick lib/searchkick/query.rb";

const SEARCHKIT_SOURCE = "searchkit/searchkit packages/searchkit/src/transformRequest.ts, packages/searchkit/src/Transporter.ts";
const searchkit = (query: string) => ({
  query: {
    bool: {
      filter: [{ bool: { should: [{ term: { "brand.keyword": "acme" } }] } }],
      must: {
        bool: {
          should: [
            {
              bool: {
                should: [
                  { multi_match: { query, fields: ["title^3", "body"], fuzziness: "AUTO:4,8" } },
                  { multi_match: { query, fields: ["title^1.5", "body"], type: "bool_prefix" } },
                ],
              },
            },
            { multi_match: { query, type: "phrase", fields: ["title^6", "body"] } },
          ],
        },
      },
    },
  },
});

const SEARCHKIT_NEIGHBOURS = {
  filter: [],
  field: "vector",
  k: 10,
  num_candidates: 50,
  query_vector_builder: { text_embedding: { model_id: "minilm", model_text: "red mug" } },
};

const SEARCH_UI_SOURCE =
  "elastic/search-ui packages/search-ui-elasticsearch-connector/src/queryBuilders/SearchQueryBuilder.ts, packages/search-ui-elasticsearch-connector/src/transporter/ApiClientTransporter.ts";
const searchUi = (more: object) => ({
  query: {
    bool: {
      filter: [{ bool: { filter: [{ term: { visible: "true" } }] } }],
      must: [
        {
          bool: {
            minimum_should_match: 1,
            should: ["best_fields", "cross_fields", "phrase", "phrase_prefix"].map((type) => ({
              multi_match: { query: "red mug", fields: ["title^3", "brand"], type, ...(type === "best_fields" && { operator: "and" }) },
            })),
          },
        },
      ],
    },
  },
  _source: { includes: ["title", "brand"] },
  aggs: { facet_bucket_all: { aggs: { brand: { terms: { field: "brand.keyword", size: 30 } } }, filter: { bool: { must: [] } } } },
  from: 0,
  size: 20,
  ...more,
});

const SPRYKER_SOURCE =
  "spryker/catalog src/Spryker/Client/Catalog/Plugin/Elasticsearch/Query/CatalogSearchQueryPlugin.php; spryker/spryker-core Bundles/SearchElasticsearch/src/Spryker/Client/SearchElasticsearch/Plugin/QueryExpander";
const spryker = (first: object, more: object = {}, filter: readonly object[] = []) => ({
  query: {
    bool: {
      must: [
        first,
        { match: { type: "product_abstract" } },
        { match: { store: "DE" } },
        { match: { locale: "de_DE" } },
        { match: { "is-active": true } },
      ],
      ...(filter.length > 0 && { filter }),
    },
  },
  _source: ["search-result-data"],
  from: 0,
  size: 12,
  aggs: { "string-facet": { nested: { path: "string-facet" }, aggs: { name: { terms: { field: "string-facet.facet-name" } } } } },
  ...more,
});
const SPRYKER_WORDS = {
  multi_match: { fields: ["full-text", "full-text-boosted^3"], query: "red mug", type: "cross_fields", fuzziness: "AUTO" },
};

const HAYSTACK_SOURCE =
  "deepset-ai/haystack-core-integrations integrations/elasticsearch/src/haystack_integrations/document_stores/elasticsearch/document_store.py";

const VENDURE_SOURCE =
  "vendure-ecommerce/vendure packages/elasticsearch-plugin/src/build-elastic-body.ts, packages/elasticsearch-plugin/src/options.ts";
const VENDURE = {
  query: {
    bool: {
      filter: [{ term: { channelId: 1 } }, { term: { languageCode: "en" } }, { term: { enabled: true } }],
      must: [
        {
          multi_match: {
            query: "red mug",
            fuzziness: "AUTO",
            type: "best_fields",
            fields: ["productName^5", "productVariantName^5", "description^1", "sku^1"],
          },
        },
      ],
    },
  },
  sort: [],
  from: 0,
  size: 10,
  track_total_hits: 10_000,
};

export const ELASTICSEARCH_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "quick search by relevance",
    request: search(MAGENTO, COUNTED),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento",
    source: "magento/magento2 app/code/Magento/Elasticsearch/SearchAdapter/Query/Builder/Sort/EntityId.php",
    what: "quick search by relevance, then by id",
    request: search(
      {
        ...MAGENTO,
        sort: [
          { _score: { order: "desc" } },
          { _script: { type: "number", script: { lang: "painless", source: "Long.parseLong(doc['_id'].value)" }, order: "desc" } },
        ],
      },
      COUNTED,
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "by price",
    request: search({ ...MAGENTO, sort: [{ price_0_1: { order: "asc" } }] }, COUNTED),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "a category",
    request: search(
      { ...MAGENTO, query: { bool: { must: [{ terms: { category_ids: ["4"] } }, { terms: { visibility: ["2", "4"] } }] } } },
      COUNTED,
    ),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Shopware 6",
    source: SHOPWARE_SOURCE,
    what: "the search page: variants of a product are one hit",
    request: search({ ...shopware("red", "mug"), ...SHOPWARE_GROUPS }, SHOPWARE_PARAMS),
    words: "red mug",
    outcome: "grouped",
  },
  {
    application: "Shopware 6",
    source: SHOPWARE_SOURCE,
    what: "a search of one word, by a shop that takes the groups out",
    request: search(shopware("mug"), SHOPWARE_PARAMS),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "Shopware 6",
    source: SHOPWARE_SOURCE,
    what: "a search of two words, by a shop that takes the groups out",
    request: search(shopware("red", "mug"), SHOPWARE_PARAMS),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "ElasticPress",
    source: ELASTICPRESS_SOURCE,
    what: "a search",
    request: search(elasticpress("post_title^1", "post_excerpt^1")),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "ElasticPress",
    source: "10up/ElasticPress includes/classes/Feature/SearchOrdering/SearchOrdering.php",
    what: "custom results at the top",
    request: search(elasticpress("post_title^1", "post_excerpt^1", "terms.ep_custom_result.name^9999")),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkick",
    source: SEARCHKICK_SOURCE,
    what: "a search",
    request: search(searchkickOf({ bool: { must: searchkickWords, filter: [{ term: { store_id: { value: 3 } } }] } }, { from: 24 })),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkick",
    source: SEARCHKICK_SOURCE,
    what: "conversions and boost_where",
    request: search(
      searchkickOf({
        function_score: {
          functions: [{ filter: [{ term: { featured: { value: true } } }], weight: 1000 }],
          query: {
            bool: {
              must: searchkickWords,
              should: [
                {
                  nested: {
                    path: "conversions",
                    score_mode: "sum",
                    query: {
                      function_score: {
                        boost_mode: "replace",
                        query: { match: { "conversions.query": "red mug" } },
                        field_value_factor: { field: "conversions.count" },
                      },
                    },
                  },
                },
              ],
            },
          },
          score_mode: "sum",
        },
      }),
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkick",
    source: SEARCHKICK_SOURCE,
    what: "a search, with its fields left open",
    request: search(
      searchkickOf({
        bool: {
          should: [
            {
              dis_max: {
                queries: ["searchkick_search", "searchkick_search2"].map((analyzer) => ({
                  multi_match: { query: "red mug", boost: 10, operator: "and", analyzer, fields: ["*.analyzed"], type: "best_fields" },
                })),
              },
            },
          ],
        },
      }),
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkick",
    source: SEARCHKICK_SOURCE,
    what: "search of everything",
    request: search(searchkickOf({ match_all: {} })),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Searchkit",
    source: SEARCHKIT_SOURCE,
    what: "a search and the facet that is refined",
    request: lines(
      "/_msearch",
      "application/json",
      { index: "products" },
      {
        aggs: { brand: { terms: { field: "brand.keyword", size: 20 } } },
        ...searchkit("red mug"),
        size: 20,
        from: 0,
        _source: { includes: ["title", "brand"] },
      },
      { index: "products" },
      {
        aggs: { brand: { terms: { field: "brand.keyword", size: 20 } } },
        ...searchkit("red mug"),
        size: 0,
        from: 0,
        _source: { includes: ["title", "brand"] },
      },
    ),
    words: "red mug",
    outcome: "applied",
    others: ["size_zero"],
  },
  {
    application: "Searchkit",
    source: "searchkit/searchkit packages/searchkit/src/transformRequest.ts, packages/searchkit/src/___tests___/functional/hooks.test.ts",
    what: "with neighbours of a vector",
    request: lines(
      "/_msearch",
      "application/json",
      { index: "products" },
      {
        aggs: {},
        ...searchkit("red mug"),
        knn: { field: "vector", query_vector: [-5, 9, -12], k: 10, num_candidates: 100 },
        size: 20,
        from: 0,
        _source: { includes: ["title"] },
      },
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkit",
    source: SEARCHKIT_SOURCE,
    what: "with neighbours of what a model makes of the words",
    request: lines(
      "/_msearch",
      "application/json",
      { index: "products" },
      {
        aggs: {},
        ...searchkit("red mug"),
        knn: SEARCHKIT_NEIGHBOURS,
        rank: { rrf: { window_size: 20 } },
        size: 20,
        from: 0,
        _source: { includes: ["title"] },
      },
    ),
    words: undefined,
    outcome: "refused",
  },
  {
    application: "Searchkit",
    source: SEARCHKIT_SOURCE,
    what: "neighbours of what a model makes of the words, only",
    request: lines(
      "/_msearch",
      "application/json",
      { index: "products" },
      { aggs: {}, knn: SEARCHKIT_NEIGHBOURS, size: 20, from: 0, _source: { includes: ["title"] } },
    ),
    words: undefined,
    outcome: "refused",
  },
  {
    application: "Elastic Search UI",
    source: SEARCH_UI_SOURCE,
    what: "a search",
    request: search(searchUi({ sort: "_score", highlight: { fields: { title: {} } } })),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Elastic Search UI",
    source: SEARCH_UI_SOURCE,
    what: "sorted",
    request: search(searchUi({ sort: { price: "asc" } })),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "ReactiveSearch",
    source:
      "appbaseio/reactivesearch packages/native/src/components/search/DataSearch.js; appbaseio/reactivecore src/actions/query.js (msearch)",
    what: "a result list",
    request: lines(
      "/products/_msearch",
      "application/x-ndjson",
      { preference: "results" },
      {
        query: {
          bool: {
            must: [
              {
                bool: {
                  should: [
                    { multi_match: { query: "red mug", fields: ["title^3", "brand"], type: "best_fields", operator: "or", fuzziness: 0 } },
                    { multi_match: { query: "red mug", fields: ["title^3", "brand"], type: "phrase_prefix", operator: "or" } },
                  ],
                  minimum_should_match: "1",
                },
              },
            ],
          },
        },
        size: 10,
        from: 0,
        _source: { includes: ["*"], excludes: [] },
        track_total_hits: true,
      },
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Spryker",
    source: SPRYKER_SOURCE,
    what: "a search",
    request: search(spryker(SPRYKER_WORDS, { suggest: { text: "red mug" } })),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Spryker",
    source: SPRYKER_SOURCE,
    what: "sorted by name",
    request: search(spryker(SPRYKER_WORDS, { sort: [{ "string-sort.name": { order: "asc", mode: "min" } }] })),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Spryker",
    source: SPRYKER_SOURCE,
    what: "a category",
    request: search(spryker({ match_all: {} }, {}, [{ term: { "category.all-parents": 5 } }])),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Sylius (BitBag)",
    source:
      "BitBagCommerce/SyliusElasticsearchPlugin src/QueryBuilder/SiteWideProductsQueryBuilder.php, src/QueryBuilder/ContainsNameQueryBuilder.php, src/Controller/RequestDataHandler/ShopProductsSortDataHandler.php",
    what: "a site-wide search, newest last as it begins",
    request: search({
      query: {
        bool: {
          must: [
            { term: { enabled: { value: true, boost: 1 } } },
            { terms: { "channels.keyword": ["web"] } },
            { multi_match: { query: "red mug", fuzziness: "AUTO", fields: ["name_en_us", "description_en_us", "code"] } },
          ],
        },
      },
      sort: [{ product_created_at: { order: "asc", unmapped_type: "keyword" } }],
      from: 0,
      size: 9,
    }),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Haystack",
    source: HAYSTACK_SOURCE,
    what: "BM25 retriever",
    request: search({
      from: 0,
      size: 10,
      query: {
        bool: {
          must: [{ multi_match: { query: "red mug", fuzziness: "AUTO", type: "most_fields", operator: "OR" } }],
          filter: { bool: { must: [{ term: { "meta.brand": "acme" } }] } },
        },
      },
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Haystack",
    source: HAYSTACK_SOURCE,
    what: "embedding retriever",
    request: search({ from: 0, knn: { field: "embedding", query_vector: [0.1, 0.2], k: 10, num_candidates: 100 } }),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "django-haystack",
    source: "django-haystack/django-haystack haystack/backends/elasticsearch7_backend.py",
    what: "a query string",
    request: search(
      {
        query: {
          bool: {
            must: {
              query_string: {
                default_field: "text",
                default_operator: "AND",
                query: "(red AND mug)",
                analyze_wildcard: true,
                fuzziness: "AUTO",
              },
            },
            filter: { terms: { django_ct: ["shop.product"] } },
          },
        },
        from: 0,
        size: 20,
      },
      "?_source=true",
    ),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "elasticsearch-dsl",
    source: "elastic/elasticsearch-dsl-py README",
    what: "a search with an aggregation",
    request: search({
      query: {
        bool: {
          filter: [{ term: { category: "search" } }],
          must: [{ match: { title: "red mug" } }],
          must_not: [{ match: { description: "beta" } }],
        },
      },
      aggs: { per_tag: { terms: { field: "tags" }, aggs: { max_lines: { max: { field: "lines" } } } } },
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Vendure",
    source: VENDURE_SOURCE,
    what: "a search of variants",
    request: search(VENDURE),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Vendure",
    source: VENDURE_SOURCE,
    what: "a search of products (groupByProduct)",
    request: search({ ...VENDURE, collapse: { field: "productId" } }),
    words: "red mug",
    outcome: "grouped",
  },
];
