/** Applications whose engine is Elasticsearch or OpenSearch. */
import type { ApplicationRequest } from "./plans.ts";

const PATH = "/products/_search";
const search = (body: object, params = ""): ApplicationRequest["request"] => ({ method: "POST", path: PATH, search: params, body });
const lines = (...all: readonly object[]): ApplicationRequest["request"] => ({
  method: "POST",
  path: "/_msearch",
  contentType: "application/x-ndjson",
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
        { match_phrase_prefix: { name: { query: "red mug", boost: 6, analyzer: "sku_prefix_search" } } },
        { match: { sku: { query: "red mug", boost: 7 } } },
      ],
      minimum_should_match: 1,
    },
  },
  aggregations: {
    price_bucket: { extended_stats: { field: "price_0_1" } },
    category_bucket: { terms: { field: "category_ids", size: 10_000 } },
  },
  track_total_hits: 2_147_483_647,
};
const MAGENTO_SOURCE = "magento/magento2 app/code/Magento/Elasticsearch/ElasticAdapter/SearchAdapter/Query/Builder.php";

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
  track_total_hits: true,
  _source: false,
  query: {
    bool: {
      must: [
        {
          bool: {
            must: words.map((word) => ({
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
const SHOPWARE_SOURCE = "shopware/shopware src/Elasticsearch/TokenQueryBuilder.php";

const ELASTICPRESS = {
  from: 0,
  size: 10,
  sort: [{ _score: { order: "desc" } }],
  query: {
    function_score: {
      query: {
        bool: {
          should: [
            { multi_match: { query: "red mug", type: "phrase", fields: ["post_title^1", "post_excerpt^1"], boost: 3 } },
            { multi_match: { query: "red mug", fields: ["post_title^1"], operator: "and", boost: 1, fuzziness: "auto" } },
            {
              multi_match: {
                query: "red mug",
                type: "cross_fields",
                fields: ["post_title^1"],
                boost: 1,
                analyzer: "standard",
                tie_breaker: 0.5,
                operator: "and",
              },
            },
          ],
        },
      },
      functions: [{ exp: { post_date_gmt: { scale: "14d", decay: 0.25, offset: "7d" } } }, { weight: 0.001 }],
      score_mode: "avg",
      boost_mode: "sum",
    },
  },
  post_filter: { bool: { must: [{ terms: { "post_type.raw": ["product"] } }, { terms: { post_status: ["publish"] } }] } },
  aggs: {
    terms: {
      filter: { bool: { must: [{ terms: { post_type: ["product"] } }] } },
      aggs: { product_cat: { terms: { size: 10_000, field: "terms.product_cat.slug" } } },
    },
  },
  track_total_hits: true,
};
const ELASTICPRESS_SOURCE = "10up/ElasticPress includes/classes/Feature/Search/Search.php";

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
const searchkickOf = (query: object, more: object = {}) => ({ query, timeout: "11000ms", _source: false, size: 24, from: 0, ...more });
const SEARCHKICK_SOURCE = "ankane/searchkick lib/searchkick/query.rb";

const SEARCHKIT_SOURCE = "searchkit/searchkit packages/searchkit/src/transformRequest.ts";
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
                  { multi_match: { query, fields: ["title^3", "body"], type: "bool_prefix" } },
                ],
              },
            },
            { multi_match: { query, type: "phrase", fields: ["title^6", "body^2"] } },
          ],
        },
      },
    },
  },
});

const SEARCH_UI_SOURCE = "elastic/search-ui packages/search-ui-elasticsearch-connector/src/queryBuilders/SearchQueryBuilder.ts";
const searchUi = (more: object) => ({
  query: {
    bool: {
      filter: [{ term: { visible: "true" } }],
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
  aggs: { facet_bucket_all: { aggs: { brand: { terms: { field: "brand.keyword", size: 30 } } }, filter: { bool: { must: [] } } } },
  from: 0,
  size: 20,
  ...more,
});

const SPRYKER_SOURCE = "spryker/spryker-core Bundles/Catalog/src/Spryker/Client/Catalog/Model/Query/AbstractCatalogSearchQuery.php";
const spryker = (must: readonly object[], more: object = {}) => ({
  query: { bool: { must, filter: [{ term: { type: "product_abstract" } }, { term: { store: "DE" } }, { term: { locale: "de_DE" } }] } },
  _source: ["search-result-data"],
  from: 0,
  size: 12,
  aggs: { "string-facet": { nested: { path: "string-facet" }, aggs: { name: { terms: { field: "string-facet.facet-name" } } } } },
  ...more,
});
const SPRYKER_WORDS = { multi_match: { fields: ["full-text", "full-text-boosted^3"], query: "red mug", type: "cross_fields" } };

const HAYSTACK_SOURCE = "deepset-ai/haystack-core-integrations integrations/elasticsearch document_store.py";

export const ELASTICSEARCH_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "quick search by relevance",
    request: search(MAGENTO),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento",
    source: "magento/magento2 app/code/Magento/Elasticsearch/SearchAdapter/Query/Builder/Sort/EntityId.php",
    what: "quick search by relevance, then by id",
    request: search({
      ...MAGENTO,
      sort: [
        { _score: { order: "desc" } },
        { _script: { type: "number", script: { lang: "painless", source: "Long.parseLong(doc['_id'].value)" }, order: "desc" } },
      ],
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "by price",
    request: search({ ...MAGENTO, sort: [{ price_0_1: { order: "asc" } }] }),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Magento",
    source: MAGENTO_SOURCE,
    what: "a category",
    request: search({ ...MAGENTO, query: { bool: { must: [{ terms: { category_ids: ["4"] } }, { terms: { visibility: ["2", "4"] } }] } } }),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Shopware 6",
    source: SHOPWARE_SOURCE,
    what: "a search of two words",
    request: search(shopware("red", "mug")),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Shopware 6",
    source: SHOPWARE_SOURCE,
    what: "a search of one word",
    request: search(shopware("mug")),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "Shopware 6",
    source: "shopware/shopware src/Elasticsearch/Framework/DataAbstractionLayer/ElasticsearchEntitySearcher.php",
    what: "variants grouped by displayGroup",
    request: search({ ...shopware("red", "mug"), collapse: { field: "displayGroup", inner_hits: { name: "inner", explain: false } } }),
    words: "red mug",
    outcome: "grouped",
  },
  {
    application: "ElasticPress",
    source: ELASTICPRESS_SOURCE,
    what: "a search",
    request: search(ELASTICPRESS),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "ElasticPress",
    source: ELASTICPRESS_SOURCE,
    what: "custom results at the top",
    request: search({
      ...ELASTICPRESS,
      query: {
        function_score: {
          ...ELASTICPRESS.query.function_score,
          functions: [{ filter: { term: { post_id: 7 } }, weight: 100_000 }, ...ELASTICPRESS.query.function_score.functions],
        },
      },
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Searchkick",
    source: SEARCHKICK_SOURCE,
    what: "a search",
    request: search(
      searchkickOf({ bool: { must: { dis_max: { queries: searchkick("red mug") } }, filter: [{ term: { store_id: { value: 3 } } }] } }),
    ),
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
          functions: [{ filter: { term: { featured: { value: true } } }, weight: 1000 }],
          query: {
            bool: {
              must: { dis_max: { queries: searchkick("red mug") } },
              should: {
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
      { index: "products" },
      {
        aggs: { brand: { terms: { field: "brand.keyword", size: 20 } } },
        ...searchkit("red mug"),
        size: 20,
        from: 0,
        _source: { includes: ["title", "brand"] },
      },
      { index: "products" },
      { aggs: { brand: { terms: { field: "brand.keyword", size: 20 } } }, ...searchkit("red mug"), size: 0, from: 0 },
    ),
    words: "red mug",
    outcome: "applied",
    others: ["size_zero"],
  },
  {
    application: "Searchkit",
    source: "searchkit/searchkit docs: semantic search (hooks.getKnnQuery)",
    what: "with neighbours, without k",
    request: lines(
      { index: "products" },
      { ...searchkit("red mug"), knn: { field: "vector", query_vector: [0.1, 0.2], num_candidates: 30 }, size: 20, from: 0 },
    ),
    words: "red mug",
    outcome: "applied",
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
    source: "appbaseio/reactivesearch packages/web/src/components/search/DataSearch.jsx",
    what: "a result list",
    request: lines(
      { preference: "results", index: "products" },
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
    request: search(spryker([SPRYKER_WORDS])),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Spryker",
    source: SPRYKER_SOURCE,
    what: "sorted by name",
    request: search(spryker([SPRYKER_WORDS], { sort: [{ "string-sort.name": { order: "asc", mode: "min" } }] })),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "Spryker",
    source: SPRYKER_SOURCE,
    what: "a category",
    request: search(spryker([{ term: { "category.all-parents": 5 } }])),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "Sylius (BitBag)",
    source: "BitBagCommerce/SyliusElasticsearchPlugin src/QueryBuilder/SearchProductsQueryBuilder.php",
    what: "a site-wide search",
    request: search({
      query: {
        bool: {
          must: [
            { multi_match: { query: "red mug", fuzziness: "AUTO", fields: ["name_en_us", "description_en_us", "code"] } },
            { term: { enabled: { value: true, boost: 1 } } },
            { terms: { channels: ["web"] } },
          ],
        },
      },
      from: 0,
      size: 9,
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Haystack",
    source: HAYSTACK_SOURCE,
    what: "BM25 retriever",
    request: search({
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
    request: search({ knn: { field: "embedding", query_vector: [0.1, 0.2], k: 10, num_candidates: 100 } }),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "django-haystack",
    source: "django-haystack/django-haystack haystack/backends/elasticsearch7_backend.py",
    what: "a query string",
    request: search({
      query: {
        bool: {
          must: { query_string: { default_field: "text", default_operator: "AND", query: "(red AND mug)", analyze_wildcard: true } },
          filter: { terms: { django_ct: ["shop.product"] } },
        },
      },
      from: 0,
      size: 20,
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "elasticsearch-dsl",
    source: "elastic/elasticsearch-dsl-py docs: search_dsl",
    what: "a search by tags",
    request: search({
      query: {
        bool: {
          filter: [{ terms: { tags: ["a"] } }],
          must: [{ match: { title: "red mug" } }],
          must_not: [{ match: { description: "beta" } }],
        },
      },
      highlight: { fields: { title: { fragment_size: 50 } } },
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Vendure",
    source: "vendure-ecommerce/vendure packages/elasticsearch-plugin/src/build-elastic-body.ts",
    what: "a search",
    request: search({
      query: {
        bool: {
          filter: [{ term: { channelId: 1 } }, { term: { enabled: true } }],
          must: [
            {
              multi_match: {
                query: "red mug",
                fuzziness: "AUTO",
                type: "best_fields",
                fields: ["productName^1", "description^1", "sku^1"],
              },
            },
          ],
        },
      },
      sort: [],
      from: 0,
      size: 10,
      track_total_hits: true,
    }),
    words: "red mug",
    outcome: "applied",
  },
];
