/** Elasticsearch and OpenSearch: what their clients and documentation send, and where their engines read names. */
import { ELASTICSEARCH } from "../../../src/backends/elasticsearch.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/products/_search";
const search = (body: unknown): ForeignRequest => post(PATH, body, { index: "products" });
const query = (clause: object): ForeignRequest => search({ query: clause });
const url = (params: string | Record<string, string>): ForeignRequest => get(PATH, params, "products");
const lines = (...all: readonly object[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join("");
const multi = (index: string | undefined, ...all: readonly object[]): ForeignRequest => ({
  path: index === undefined ? "/_msearch" : `/${index}/_msearch`,
  index,
  method: "POST",
  search: "",
  body: lines(...all),
  contentType: "application/x-ndjson",
});

const RED = { match: { title: "red" } };
const agg = (body: object): ForeignRequest => search({ query: RED, size: 20, aggs: { a: body } });

const ordinary: readonly ForeignRequest[] = [
  // Searchkit's API client.
  multi(
    undefined,
    { index: "products" },
    {
      aggs: {
        brand: { terms: { field: "brand.keyword", size: 20 } },
        price_bucket: { range: { field: "price", ranges: [{ to: 10 }, { from: 10, to: 20, key: "b" }] } },
      },
      query: {
        bool: {
          filter: [
            { bool: { should: [{ term: { "brand.keyword": "acme" } }, { term: { "brand.keyword": { value: "x" } } }] } },
            { range: { price: { gte: 1, lte: 5 } } },
          ],
          must: {
            bool: {
              should: [
                {
                  bool: {
                    should: [
                      { multi_match: { query: "red", fields: ["title^3", "body"], fuzziness: "AUTO:4,8" } },
                      { multi_match: { query: "red", fields: ["title"], type: "bool_prefix" } },
                    ],
                  },
                },
                { multi_match: { query: "red", type: "phrase", fields: ["title"] } },
              ],
            },
          },
        },
      },
      size: 10,
      from: 0,
      _source: { includes: ["title", "price"] },
      highlight: {
        fields: { title: { number_of_fragments: 0 } },
        pre_tags: ["<ais-highlight-0000000000>"],
        post_tags: ["</ais-highlight-0000000000/>"],
      },
    },
    { index: "offers" },
    {
      query: { match_all: {} },
      size: 0,
      aggs: {
        t: {
          filter: { term: { a: true } },
          aggs: { n: { nested: { path: "f" }, aggs: { k: { terms: { field: "f.k", include: ".*", order: { _count: "desc" } } } } } },
        },
      },
    },
  ),
  multi(
    "products",
    { preference: "x", routing: "a", ignore_unavailable: true, expand_wildcards: ["open"], search_type: "dfs_query_then_fetch" },
    { query: RED },
    {},
    { query: RED, from: 2, size: 3 },
  ),
  multi("products", { index: ["offers"], request_cache: true, ccs_minimize_roundtrips: false }, { query: RED }),
  // Search UI's connector.
  search({
    query: {
      bool: {
        filter: [{ bool: { must: [{ term: { visible: "true" } }] } }],
        must: [
          {
            bool: {
              minimum_should_match: 1,
              should: [
                { multi_match: { query: "red", fields: ["title"], type: "best_fields", operator: "and" } },
                { multi_match: { query: "red", fields: ["title"], type: "cross_fields" } },
                { multi_match: { query: "red", type: "phrase_prefix", fields: ["title"] } },
              ],
            },
          },
        ],
      },
    },
    post_filter: { bool: { must: [{ range: { price: { from: 1, to: 10 } } }] } },
    aggs: {
      facet_bucket_all: {
        filter: { bool: {} },
        aggs: {
          states: { terms: { field: "states.keyword", size: 30 } },
          price: { filters: { filters: { "0 - 5": { range: { price: { lt: 5 } } }, rest: { match_all: {} } } } },
        },
      },
    },
    sort: "_score",
    size: 20,
    track_total_hits: true,
  }),
  // Searchkick.
  search({
    query: {
      bool: {
        must: {
          dis_max: {
            queries: [
              {
                multi_match: {
                  query: "red",
                  fields: ["name.word_start"],
                  analyzer: "searchkick_search",
                  operator: "and",
                  type: "most_fields",
                  fuzziness: 1,
                  prefix_length: 0,
                  max_expansions: 3,
                  fuzzy_transpositions: true,
                  boost: 10,
                },
              },
            ],
          },
        },
        should: {
          function_score: {
            boost_mode: "replace",
            query: { match: { "conversions.query": "red" } },
            functions: [{ field_value_factor: { field: "conversions.count", modifier: "log1p", missing: 1 } }],
          },
        },
      },
    },
    timeout: "11000ms",
    _source: false,
    size: 10000,
    suggest: { text: "red", name: { phrase: { field: "name.suggest" } } },
    aggs: { store: { terms: { field: "store", size: 1000 } } },
    indices_boost: [{ products: 2 }],
  }),
  search({
    query: {
      script_score: {
        query: { bool: { filter: { exists: { field: "v" } } } },
        script: { source: "cosineSimilarity(params.query_vector, 'v') + 1.0", params: { query_vector: [0.1, 0.2] } },
      },
    },
    size: 5,
  }),
  // ElasticPress.
  search({
    from: 0,
    size: 10,
    sort: [{ _score: { order: "desc" } }],
    query: {
      function_score: {
        query: {
          bool: {
            should: [
              { multi_match: { query: "red", type: "phrase", fields: ["post_title^1", "terms.category.name^27"], boost: 3 } },
              { multi_match: { query: "red", fields: ["post_title"], operator: "and", boost: 1, fuzziness: "auto" } },
            ],
          },
        },
        functions: [{ exp: { post_date_gmt: { scale: "14d", decay: 0.25, offset: "7d" } } }, { weight: 0.001 }],
        score_mode: "avg",
        boost_mode: "sum",
      },
    },
    post_filter: {
      bool: { must: [{ terms: { "post_type.raw": ["post", "product"] } }, { bool: { must_not: [{ terms: { "meta.x.raw": ["1"] } }] } }] },
    },
    aggs: {
      terms: {
        filter: { bool: { must: [{ terms: { post_type: ["post"] } }] } },
        aggs: { category: { terms: { size: 10000, field: "terms.category.facet" } } },
      },
    },
    highlight: {
      type: "plain",
      encoder: "html",
      pre_tags: [""],
      post_tags: [""],
      fields: { post_title: { number_of_fragments: 0, no_match_size: 9999 } },
    },
    track_total_hits: true,
    min_score: 0.01,
  }),
  // Magento.
  search({
    from: 0,
    size: 12,
    stored_fields: "_none_",
    docvalue_fields: ["_id", "_score"],
    sort: [{ _score: { order: "desc" } }],
    track_total_hits: 2147483647,
    query: {
      bool: {
        must: [{ terms: { visibility: ["3", "4"] } }],
        should: [
          { match: { sku: { query: "red", boost: 6 } } },
          { match_phrase_prefix: { name: { query: "red", boost: 1, analyzer: "sku" } } },
        ],
        minimum_should_match: 1,
      },
    },
    aggregations: {
      price_bucket: { extended_stats: { field: "price_0_1" } },
      manufacturer_bucket: { terms: { field: "manufacturer", size: 500 } },
    },
  }),
  // elasticsearch-dsl.
  search({
    query: {
      bool: { filter: [{ terms: { tags: ["a"] } }], must_not: [{ match: { description: "beta" } }], must: [{ match: { title: "red" } }] },
    },
    aggs: { per_tag: { terms: { field: "tags" }, aggs: { max_lines: { max: { field: "lines" } } } } },
    highlight: { fields: { title: { fragment_size: 50 } } },
  }),
  url({
    q: "red shoes",
    from: "10",
    size: "5",
    pretty: "true",
    _source_includes: "title",
    track_total_hits: "true",
    typed_keys: "true",
    rest_total_hits_as_int: "true",
  }),
  url({
    q: "title:red",
    sort: "_score",
    filter_path: "hits.hits._source,took",
    preference: "_local",
    default_operator: "AND",
    request_cache: "true",
  }),
  {
    ...search({
      query: RED,
      ext: { ubi: { query_id: "q", client_id: "c", user_query: "red", query_attributes: { a: { b: 1 } } }, armmt: { history: ["p1"] } },
    }),
    contentType: "application/vnd.elasticsearch+json; compatible-with=8",
  },
  { ...search({ query: RED }), contentType: "application/json; charset=UTF-8" },
  // The documentation of queries.
  query({
    bool: {
      must: [
        { combined_fields: { query: "a", fields: ["t"], operator: "or" } },
        { match_bool_prefix: { t: "a b" } },
        { match_phrase: { t: { query: "a", slop: 2 } } },
      ],
      should: [
        { query_string: { query: "(a) OR (b)", default_field: "c", allow_leading_wildcard: false, fields: ["a^5"] } },
        { simple_query_string: { query: "+a", fields: ["a"], flags: "OR|AND" } },
      ],
      boost: 1.2,
    },
  }),
  query({
    boosting: { positive: { term: { t: "a" } }, negative: { prefix: { t: { value: "b", case_insensitive: true } } }, negative_boost: 0.5 },
  }),
  query({
    constant_score: {
      filter: {
        bool: {
          filter: [
            { wildcard: { u: { value: "k*y", rewrite: "constant_score_blended" } } },
            { regexp: { u: { value: "k.*", flags: "ALL", max_determinized_states: 10000 } } },
            { fuzzy: { u: { value: "ki", fuzziness: "AUTO" } } },
            { ids: { values: ["1", "4"] } },
            { terms_set: { c: { terms: ["a"], minimum_should_match_field: "r" } } },
          ],
        },
      },
      boost: 1.2,
    },
  }),
  query({ terms: { id: { index: "offers", id: "2", path: "color", routing: "x" } } }),
  query({
    dis_max: {
      queries: [
        {
          nested: {
            path: "o",
            query: { bool: { must: [RED] } },
            score_mode: "avg",
            inner_hits: { size: 1, _source: ["a"], highlight: { fields: { "o.t": {} } } },
          },
        },
        { has_child: { type: "c", query: { match_all: {} }, max_children: 10, inner_hits: {} } },
        { has_parent: { parent_type: "p", query: RED } },
        { parent_id: { type: "c", id: "1" } },
      ],
      tie_breaker: 0.7,
    },
  }),
  query({
    more_like_this: {
      fields: ["title"],
      like: ["text", { _index: "products", _id: "1" }, { doc: { title: "x", any: { y: 1 } } }],
      min_term_freq: 1,
      max_query_terms: 12,
    },
  }),
  query({
    function_score: {
      query: RED,
      functions: [
        { filter: { match: { t: "b" } }, random_score: { seed: 10, field: "_seq_no" }, weight: 23 },
        { gauss: { loc: { origin: { lat: 1, lon: 2 }, scale: "2km", offset: 0 }, multi_value_mode: "avg" } },
        {
          script_score: {
            script: { source: "Math.log(2 + doc['likes'].value) * params['f'] / (doc['n'].size() > 0 ? 2 : 3)", params: { f: 2 } },
          },
        },
      ],
      max_boost: 42,
      score_mode: "max",
    },
  }),
  query({
    bool: {
      should: [
        { rank_feature: { field: "pagerank", saturation: { pivot: 8 } } },
        { rank_feature: { field: "u", log: { scaling_factor: 4 } } },
        { distance_feature: { field: "l", pivot: "1000m", origin: [-71.3, 41.15] } },
      ],
      filter: [
        { geo_distance: { distance: "200km", "pin.location": { lat: 40, lon: -70 } } },
        { geo_bounding_box: { loc: { top_left: { lat: 40.7, lon: -74.1 }, bottom_right: "40.01,-71.12" } } },
        {
          geo_shape: {
            l: {
              shape: {
                type: "polygon",
                coordinates: [
                  [
                    [0, 0],
                    [1, 0],
                    [1, 1],
                    [0, 0],
                  ],
                ],
              },
              relation: "within",
            },
          },
        },
      ],
    },
  }),
  query({ pinned: { ids: ["1"], organic: RED } }),
  query({ pinned: { docs: [{ _index: "products", _id: "1" }], organic: RED } }),
  query({ rule: { match_criteria: { user_query: "red" }, ruleset_ids: ["my"], organic: RED } }),
  query({
    intervals: {
      t: {
        all_of: {
          ordered: true,
          intervals: [
            { match: { query: "a", max_gaps: 0, filter: { not_containing: { match: { query: "x" } } } } },
            { any_of: { intervals: [{ prefix: { prefix: "b" } }] } },
          ],
        },
      },
    },
  }),
  query({
    span_near: {
      clauses: [
        { span_term: { f: "a" } },
        { span_multi: { match: { prefix: { u: { value: "k" } } } } },
        { span_or: { clauses: [{ span_term: { f: { value: "b" } } }] } },
      ],
      slop: 12,
      in_order: false,
    },
  }),
  query({ percolate: { field: "query", document: { message: "x", index: "y" } } }),
  search({
    query: RED,
    sort: { _script: { type: "number", script: { source: "params.ids.indexOf(doc['sku'].value)", params: { ids: ["a", "b"] } } } },
  }),
  query({ script: { script: "doc['amount'].value < 10 && doc['n'].value == params.x" } }),
  // Vectors.
  search({ query: RED, knn: { field: "v", query_vector: [1, 2], k: 5, num_candidates: 50, filter: { term: { a: 1 } }, boost: 0.9 } }),
  query({ knn: { field: "v", query_vector: [1, 2], num_candidates: 50 } }),
  query({ knn: { v: { vector: [1, 2], k: 3, filter: RED, method_parameters: { ef_search: 100 } } } }),
  query({
    hybrid: {
      queries: [RED, { neural: { p: { query_text: "a", k: 5 } } }, { neural_sparse: { e: { query_tokens: { hi: 4.3 } } } }],
      pagination_depth: 50,
    },
  }),
  query({
    bool: {
      should: [
        { semantic: { field: "s", query: "a" } },
        { sparse_vector: { field: "m", query_vector: { dragon: 0.5 }, prune: true, pruning_config: { tokens_freq_ratio_threshold: 5 } } },
      ],
    },
  }),
  search({
    retriever: {
      rrf: {
        retrievers: [{ standard: { query: RED } }, { knn: { field: "v", query_vector: [1], k: 1, num_candidates: 2 } }],
        rank_window_size: 50,
        rank_constant: 20,
      },
    },
  }),
  search({ retriever: { linear: { retrievers: [{ retriever: { standard: { query: RED } }, weight: 2, normalizer: "minmax" }] } } }),
  // Everything around the query.
  search({
    query: RED,
    rescore: { window_size: 50, query: { rescore_query: { match_phrase: { m: { query: "x", slop: 2 } } }, query_weight: 0.7 } },
    explain: true,
    version: true,
    seq_no_primary_term: true,
    terminate_after: 5,
  }),
  search({
    query: RED,
    collapse: {
      field: "u",
      inner_hits: [{ name: "l", size: 3, sort: [{ d: "desc" }], collapse: { field: "x" } }],
      max_concurrent_group_searches: 4,
    },
    sort: [
      { price: { order: "asc", nested: { path: "o", filter: { term: { a: 1 } } }, missing: "_last" } },
      { _geo_distance: { loc: [-70, 40], unit: "km" } },
      "_score",
    ],
  }),
  search({
    query: RED,
    sort: {
      _script: {
        type: "number",
        script: { lang: "painless", source: "doc['f'].value * params.factor", params: { factor: 1.1 } },
        order: "asc",
      },
    },
    search_after: [1, "a"],
    track_scores: true,
  }),
  search({
    query: RED,
    fields: ["a", { field: "d", format: "epoch_millis" }],
    docvalue_fields: [{ field: "x" }],
    script_fields: { t: { script: { source: "doc['p'].value * 2" } } },
    runtime_mappings: { day: { type: "keyword", script: { source: "emit(doc['d'].value)" } } },
    _source: ["a", "b.*"],
  }),
  search({
    suggest: {
      text: "tring",
      s: { term: { field: "m", suggest_mode: "always" } },
      p: {
        text: "x",
        phrase: {
          field: "t",
          size: 1,
          direct_generator: [{ field: "t", suggest_mode: "always", min_word_length: 1 }],
          highlight: { pre_tag: "<em>", post_tag: "</em>" },
        },
      },
      c: { prefix: "nir", completion: { field: "s", fuzzy: { fuzziness: 2 }, contexts: { place: ["cafe", { context: "x", boost: 2 }] } } },
    },
  }),
  search({
    query: RED,
    highlight: {
      order: "score",
      highlight_query: { bool: { must: RED } },
      fields: [{ title: { type: "fvh", matched_fields: ["a"], highlight_query: RED } }],
    },
  }),
  // The documentation of aggregations.
  agg({
    date_histogram: { field: "d", calendar_interval: "month", format: "yyyy", extended_bounds: { min: "2014", max: "2015" } },
    aggs: {
      s: { sum: { field: "p" } },
      m: { moving_fn: { buckets_path: "s", window: 10, script: "MovingFunctions.unweightedAvg(values)" } },
      b: { bucket_script: { buckets_path: { a: "s", c: "_count" }, script: "params.a / params.c * 100" } },
      t: { bucket_sort: { sort: [{ s: { order: "desc" } }], size: 3 } },
    },
    meta: { any: { thing: 1 } },
  }),
  agg({
    composite: {
      size: 5,
      sources: [{ d: { date_histogram: { field: "t", calendar_interval: "1d" } } }, { p: { terms: { field: "p", missing_bucket: true } } }],
      after: { d: 1, p: "x" },
    },
    aggs: { h: { top_hits: { size: 1, sort: [{ d: { order: "desc" } }], _source: { includes: ["d"] } } } },
  }),
  agg({ significant_text: { field: "c", background_filter: RED, filter_duplicate_text: true, gnd: {} } }),
  agg({ adjacency_matrix: { filters: { a: RED, b: { terms: { x: [1] } } } } }),
  agg({ filters: { other_bucket_key: "rest", filters: [RED, { term: { a: 1 } }] } }),
  agg({ weighted_avg: { value: { field: "g" }, weight: { field: "w", missing: 3 } } }),
  agg({ percentiles: { field: "t", percents: [95, 99], hdr: { number_of_significant_value_digits: 3 } } }),
  agg({ top_metrics: { metrics: [{ field: "m" }, { field: "i" }], sort: { s: "desc" }, size: 3 } }),
  agg({ multi_terms: { terms: [{ field: "g" }, { field: "p", missing: "x" }], order: { _key: "asc" } } }),
];

/** Headers of a multi-search, beside a body that is one. */
const headers = (marker: string): readonly object[] => [
  { index: "products", indices: [marker] },
  { indices: marker },
  { index: ["products", marker] },
  { index: `products,${marker}` },
  { index: marker },
  { index: `<${marker}-{now/d}>` },
  { index: `${marker}:products` },
  { index: `${marker}*` },
  { index: "products", project_routing: marker },
  { index: "products", search_pipeline: marker },
  { index: "products", types: { a: marker } },
  { index: "products", preference: { index: marker } },
  { Index: marker, index: "products" },
];

const attacks = (marker: string): readonly ForeignRequest[] => [
  ...headers(marker).map((header) => multi(undefined, header, { query: RED })),
  ...headers(marker).map((header) => multi("products", { index: "products" }, { query: RED }, header, { query: RED })),
  { ...multi("products"), body: `{"index":"products","indic\\u0065s":["${marker}"]}\n{}\n` },
  { ...multi("products"), body: `\n{"index":"${marker}"}\n{"query":{"match_all":{}}}\n` },
  { ...multi("products"), body: `{"index":"products"}\r\n{}\r\n{"index":"${marker}"}\r{}\n` },
  { ...multi("products"), body: `{"index":"products"}{"index":"${marker}"}\n{}\n` },
  { ...multi("products"), body: `{"index":"products" /* */,"index":"${marker}"}\n{}\n` },
  { ...multi("products"), body: `{"index":"products"}\n{"query":{"terms":{"a":{"index":"${marker}","id":"1","path":"b"}}}}\n` },
  { ...multi("products", { index: "products" }, {}), search: `?index=${marker}` },
  { ...multi("products", { index: "products" }, {}), search: `?search_pipeline=${marker}` },
  ...[
    `index=${marker}`,
    `pretty;index=${marker}`,
    `q=red;index=${marker}`,
    `source={"query":{"terms":{"a":{"index":"${marker}"}}}}&source_content_type=application/json`,
    `search_pipeline=${marker}`,
    `stats=${marker}`,
    `scroll=1m&scroll_id=${marker}`,
    `project_routing=${marker}`,
    `wait_for_checkpoints=${marker}`,
  ].map((params) => ({ ...search({ query: RED }), search: `?${params}` })),
  search({ query: RED, pit: { id: marker } }),
  search({ query: RED, search_pipeline: marker }),
  search({ query: RED, search_pipeline: { request_processors: [{ ml_inference: { model_id: marker } }] } }),
  search({ query: RED, stats: [marker] }),
  search({
    query: RED,
    runtime_mappings: { x: { type: "lookup", target_index: marker, input_field: "a", target_field: "_id", fetch_fields: ["email"] } },
    fields: ["x"],
  }),
  search({ query: RED, ext: { generative_qa_parameters: { llm_model: marker } } }),
  search({ query: RED, ext: { ubi: { store: marker } } }),
  search({ query: RED, suggest: { a: { text: "x", phrase: { field: "t", collate: { query: { id: marker } } } } } }),
  search({ query: RED, rescore: { query: { rescore_query: { terms: { u: { index: marker, id: "1", path: "x" } } } } } }),
  search({ query: RED, rescore: { script: { script: { id: marker } } } }),
  search({ knn: { field: "v", k: 1, num_candidates: 2, query_vector_builder: { text_embedding: { model_id: marker, model_text: "x" } } } }),
  search({ knn: { field: "v", k: 1, num_candidates: 2, query_vector_builder: { lookup: { index: marker, id: "1", path: "v" } } } }),
  search({ knn: { field: "v", query_vector: [1], filter: { terms: { u: { index: marker, id: "1", path: "x" } } } } }),
  search({
    retriever: {
      text_similarity_reranker: { retriever: { standard: { query: RED } }, inference_id: marker, field: "t", inference_text: "x" },
    },
  }),
  search({ retriever: { rrf: { retrievers: [{ standard: { query: { percolate: { field: "q", index: marker, id: "1" } } } }] } } }),
  search({ script_fields: { x: { script: { id: marker } } } }),
  search({ script_fields: { x: { script: { source: `for (int i = 0; i < 1000000; i++) {} '${marker}'` } } } }),
  search({ sort: { _script: { type: "number", script: { stored: marker } } } }),
  search({ query: RED, post_filter: { terms: { u: { index: marker, id: "1", path: "x" } } } }),
  search({ query: RED, collapse: { field: "u", inner_hits: { script_fields: { x: { script: { id: marker } } } } } }),
  search({ query: RED, highlight: { fields: { t: { highlight_query: { more_like_this: { like: { _index: marker, _id: "1" } } } } } } }),
  search({ query: RED, highlight: { fields: { t: { type: "semantic", options: { model_id: marker } } } } }),
  ...[
    { terms: { u: { index: marker, id: "1", path: "x" } } },
    { bool: { filter: [{ bool: { must_not: { terms: { u: { index: marker, id: "1", path: "x" } } } } }] } },
    { more_like_this: { fields: ["t"], like: [{ _index: marker, _id: "1" }], unlike: [] } },
    { more_like_this: { fields: ["t"], like: "x", unlike: { _index: marker, _id: "1" } } },
    { geo_shape: { l: { indexed_shape: { index: marker, id: "1", path: "x" }, relation: "within" } } },
    { shape: { l: { indexed_shape: { index: marker, id: "1" } } } },
    { percolate: { field: "q", index: marker, id: "1" } },
    { pinned: { docs: [{ _index: marker, _id: "1" }], organic: RED } },
    { wrapper: { query: btoa(JSON.stringify({ terms: { u: { index: marker, id: "1", path: "x" } } })) } },
    { template: { id: marker } },
    { agentic: { query_text: "x", agent_id: marker } },
    { neural: { v: { query_text: "x", model_id: marker, k: 5 } } },
    { neural_sparse: { v: { query_text: "x", model_id: marker } } },
    { sparse_vector: { field: "v", inference_id: marker, query: "x" } },
    { text_expansion: { v: { model_id: marker, model_text: "x" } } },
    { script: { script: { id: marker } } },
    { script_score: { query: RED, script: { id: marker } } },
    { function_score: { script_score: { script: { id: marker } } } },
    { function_score: { functions: [{ filter: { terms: { u: { index: marker, id: "1", path: "x" } } }, weight: 2 }] } },
    { sltr: { model: "m", store: marker } },
    { nested: { path: "o", query: { terms: { u: { index: marker, id: "1", path: "x" } } } } },
    { has_child: { type: "c", query: RED, inner_hits: { highlight: { highlight_query: { percolate: { index: marker } } } } } },
    { intervals: { t: { match: { query: "x", filter: { script: { id: marker } } } } } },
    { span_multi: { match: { wrapper: { query: btoa(`{"term":{"a":"${marker}"}}`) } } } },
    { terms_set: { c: { terms: ["a"], minimum_should_match_script: { id: marker } } } },
  ].map(query),
  ...[
    { filter: { terms: { u: { index: marker, id: "1", path: "x" } } } },
    { filters: { filters: [{ terms: { u: { index: marker, id: "1", path: "x" } } }] } },
    { filters: { filters: { a: { more_like_this: { like: { _index: marker } } } } } },
    { adjacency_matrix: { filters: { a: { percolate: { index: marker } } } } },
    { significant_terms: { field: "t", background_filter: { terms: { u: { index: marker, id: "1", path: "x" } } } } },
    { scripted_metric: { init_script: marker, map_script: "", combine_script: "", reduce_script: "" } },
    { inference: { model_id: marker, buckets_path: {} } },
    { terms: { field: "a" }, aggs: { b: { bucket_script: { buckets_path: "x", script: { id: marker } } } } },
    { top_hits: { script_fields: { x: { script: { id: marker } } } } },
    { t_test: { a: { field: "x", filter: { terms: { u: { index: marker, id: "1", path: "x" } } } }, b: { field: "y" } } },
    { terms: { field: "a", script: { id: marker } } },
  ].map(agg),
  { ...search({ query: RED }), body: `{"query":{"match":{"t":"x"}},"query":{"terms":{"u":{"index":"${marker}","id":"1","path":"x"}}}}` },
  { ...search({ query: RED }), body: `{query:{terms:{u:{index:'${marker}',id:1,path:x}}}}` },
  { ...search({ query: RED }), body: `{"query":{"terms":{"u":{"index":"products","index":"${marker}","id":"1","path":"x"}}}}` },
  { ...search({ query: RED }), body: `query:\n  terms:\n    u:\n      index: ${marker}\n`, contentType: "application/yaml" },
];

/** Objects whose names are fields, or whose values the engine takes for data. */
const FIELDS: ReadonlySet<string> = new Set(
  `match match_phrase match_phrase_prefix match_bool_prefix term terms prefix wildcard regexp fuzzy span_term terms_set range geo_distance
  geo_bounding_box geo_shape gauss linear exp sort _geo_distance fields order after buckets_path aggs aggregations suggest meta params intervals
  filters sources knn neural neural_sparse query_tokens tokens query_vector method_parameters settings runtime_mappings script_fields`.split(
    /\s+/,
  ),
);
const DATA: ReadonlySet<string> = new Set(
  "meta params document doc contexts match_criteria query_attributes armmt learning_to_rank".split(" "),
);
const NAMES: ReadonlySet<string> = new Set(
  `index indices _index target_index model_id inference_id agent_id search_pipeline pipeline id stored store project_routing pit stats scroll_id
  source query_vector_builder llm_model init_script`.split(/\s+/),
);

export const ELASTICSEARCH_SURFACE: Surface = {
  indexes: new Map([
    ["products", {}],
    ["offers", {}],
  ]),
  definition: ELASTICSEARCH,
  ordinary,
  attacks,
  isText(path) {
    const keys = path.filter((key) => !/^\d+$/.test(key));
    const last = keys.at(-1) ?? "";
    if (keys.some((key) => DATA.has(key))) return true;
    // A script that is one text does nothing.
    if (last === "source" && keys.length > 1) return true;
    // Of a document.
    if (last === "id" && !keys.some((key) => /script|template|pit|collate/.test(key))) return true;
    // The aggregation, which names a field.
    if (last === "stats" && keys.length > 1) return true;
    return !NAMES.has(last) || FIELDS.has(keys.at(-2) ?? "");
  },
};
