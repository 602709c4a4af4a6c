/** Requests of Elasticsearch and OpenSearch: shape → what the edge does with it. Both engines answer all of them, unless `only` says which. */
import { createRandom } from "../../src/demo/catalogue/random.ts";
import { type Dialect, type Shape, withSortedMember } from "./judge.ts";

export type Engine = "opensearch" | "elasticsearch-7" | "elasticsearch-9";

export interface EngineShape extends Shape {
  /** Default: all. */
  readonly only?: readonly Engine[];
}

export const ELASTICSEARCH: Dialect = {
  mask: (body) => withSortedMember(body.replaceAll(/"took" ?: ?\d+/g, '"took":0'), "aggregations"),
  hits: ["hits", "hits"],
  several: { path: "_msearch", replies: "responses" },
  window: (shape, size) => {
    const [path = "", query = ""] = shape.path.split("?");
    const params = new URLSearchParams(query.replaceAll(";", "&"));
    params.set("from", "0");
    params.set("size", String(Math.min(size, windowIn(shape.body))));
    const body = PINNED_DOWN[shape.label] ?? shape.body;
    return { ...shape, path: `${path}?${params.toString()}`, ...(body !== undefined && { body }) };
  },
};

/** Of a rescorer, which refuses larger pages. */
function windowIn(body: string | undefined): number {
  if (body?.includes('"rescorer"') !== true) return Number.POSITIVE_INFINITY;
  return Number(/"window_size":(\d+)/.exec(body)?.[1] ?? 10);
}

const WORDS = { match: { title: "red mug" } };

/** Label → query: the words are found, and the list is re-ranked. */
const QUERIES: Readonly<Record<string, object>> = {
  match: WORDS,
  "match with options": { match: { title: { query: "red mug", operator: "or", fuzziness: "AUTO", boost: 2 } } },
  match_phrase: { match_phrase: { title: { query: "red mug", slop: 3 } } },
  match_phrase_prefix: { match_phrase_prefix: { title: "mu" } },
  match_bool_prefix: { match_bool_prefix: { title: "red mu" } },
  multi_match: { multi_match: { query: "red mug", fields: ["title^3", "category"], type: "best_fields", tie_breaker: 0.3 } },
  "multi_match cross_fields": {
    multi_match: { query: "red mug", fields: ["title", "category"], type: "cross_fields", minimum_should_match: "1" },
  },
  "multi_match bool_prefix": { multi_match: { query: "red mu", type: "bool_prefix", fields: ["title", "category"] } },
  combined_fields: { combined_fields: { query: "red mug", fields: ["title", "category"] } },
  query_string: { query_string: { query: "red mug", default_field: "title" } },
  "query_string with fields": { query_string: { query: "red OR mug", fields: ["title^2", "category"] } },
  simple_query_string: { simple_query_string: { query: "red mug", fields: ["title"] } },
  "bool must": { bool: { must: [WORDS] } },
  "bool must and filters": {
    bool: {
      must: WORDS,
      filter: [
        { term: { in_stock: true } },
        { terms: { "category.raw": ["mug", "bag", "lamp"] } },
        { range: { price: { gte: 1, lte: 900 } } },
        { exists: { field: "rating" } },
      ],
      must_not: [{ ids: { values: ["nothing"] } }],
      should: [{ term: { "category.raw": { value: "mug", boost: 2 } } }],
      minimum_should_match: 0,
      boost: 1.2,
    },
  },
  "bool should": {
    bool: {
      should: [
        { match: { title: "red mug" } },
        { prefix: { "title.raw": "Red" } },
        { wildcard: { "title.raw": { value: "*ed*" } } },
        { fuzzy: { title: "mugg" } },
      ],
    },
  },
  dis_max: { dis_max: { queries: [WORDS, { match: { category: "red mug" } }], tie_breaker: 0.7 } },
  boosting: { boosting: { positive: WORDS, negative: { term: { in_stock: false } }, negative_boost: 0.5 } },
  constant_score: { constant_score: { filter: WORDS, boost: 1.2 } },
  "function_score field_value_factor": {
    function_score: { query: WORDS, field_value_factor: { field: "popularity", modifier: "log1p", factor: 0.1, missing: 1 } },
  },
  "function_score functions": {
    function_score: {
      query: WORDS,
      functions: [
        { filter: { term: { in_stock: true } }, weight: 2 },
        { gauss: { price: { origin: 20, scale: 30 } } },
        { random_score: { seed: 7, field: "_seq_no" } },
      ],
      score_mode: "sum",
      boost_mode: "multiply",
      max_boost: 10,
    },
  },
  "nested beside words": {
    bool: { must: [WORDS], filter: [{ nested: { path: "offers", query: { term: { "offers.seller": "north" } }, ignore_unmapped: true } }] },
  },
  "geo filter": { bool: { must: [WORDS], filter: [{ geo_distance: { distance: "900km", place: { lat: 50, lon: 8 } } }] } },
  distance_feature: { bool: { must: [WORDS], should: [{ distance_feature: { field: "created", pivot: "30d", origin: "2026-11-15" } }] } },
};

/** Members beside the query under which the list is still re-ranked. */
const BESIDE: Readonly<Record<string, object>> = {
  nothing: {},
  "from and size": { from: 5, size: 7 },
  "size over the window": { size: 80 },
  "page across the window": { from: 45, size: 10 },
  "terms aggregation": {
    aggs: { categories: { terms: { field: "category.raw", size: 5 }, aggs: { price: { avg: { field: "price" } } } } },
  },
  aggregations: {
    aggregations: {
      prices: { histogram: { field: "price", interval: 50 } },
      red: { filter: { match: { title: "red" } }, aggs: { top: { top_hits: { size: 1, _source: ["title"] } } } },
      dear: { filters: { filters: { yes: { range: { price: { gt: 50 } } }, no: { range: { price: { lte: 50 } } } } } },
      all: { global: {}, aggs: { stats: { stats: { field: "price" } } } },
      offers: { nested: { path: "offers" }, aggs: { sellers: { terms: { field: "offers.seller" } } } },
    },
  },
  post_filter: { post_filter: { term: { in_stock: true } } },
  highlight: { highlight: { pre_tags: ["<em>"], post_tags: ["</em>"], fields: { title: { number_of_fragments: 0 } } } },
  "_source false": { _source: false },
  "_source list": { _source: ["title", "price"] },
  "_source includes": { _source: { includes: ["title"], excludes: ["price"] } },
  fields: { fields: ["title", { field: "created", format: "year" }], _source: false },
  docvalue_fields: { docvalue_fields: ["price"] },
  track_total_hits: { track_total_hits: true },
  "track_total_hits off": { track_total_hits: false },
  "track_total_hits bound": { track_total_hits: 10 },
  min_score: { min_score: 0.1 },
  timeout: { timeout: "5s" },
  version: { version: true, seq_no_primary_term: true },
  explain: { explain: true, size: 3 },
  "sort by score": { sort: ["_score"] },
  "sort by score, as an object": { sort: [{ _score: "desc" }] },
  "sort by score, in words": { sort: { _score: { order: "DESC" } } },
  "sort by score, then price": { sort: ["_score", { price: "asc" }] },
  "sort by score, then by the index": { sort: [{ _score: {} }, "_doc"], size: 5 },
  "numbers as text": { from: "5", size: "7" },
  "numbers with a point": { from: 2.5, size: "4.0" },
  "a window of its own": { size: 50 },
  rescore: {
    rescore: {
      window_size: 60,
      query: { rescore_query: { match_phrase: { title: "red mug" } }, query_weight: 0.7, rescore_query_weight: 1.2 },
    },
  },
  suggest: { suggest: { spelling: { text: "redd mugg", term: { field: "title" } } } },
  indices_boost: { indices_boost: [{ products: 1.3 }] },
};

/** Members for which the engine's order stays. */
const LEFT: Readonly<Record<string, readonly [outcome: string, body: object]>> = {
  "sort by price": ["explicit_sort", { query: WORDS, sort: [{ price: "asc" }] }],
  "sort by price, then score": ["explicit_sort", { query: WORDS, sort: [{ price: "asc" }, "_score"] }],
  "sort by price of one score": [
    "explicit_sort",
    { query: { constant_score: { filter: WORDS } }, sort: ["_score", { price: "asc" }], track_total_hits: true },
  ],
  "sort by score, ascending": ["explicit_sort", { query: WORDS, sort: [{ _score: "asc" }] }],
  "sort by distance": ["explicit_sort", { query: WORDS, sort: [{ _geo_distance: { place: { lat: 50, lon: 8 }, order: "asc" } }] }],
  search_after: ["cursor", { query: WORDS, sort: [{ price: "asc" }, { "title.raw": "asc" }], search_after: [10, "A"] }],
  collapse: ["grouped", { query: WORDS, collapse: { field: "category.raw", inner_hits: { name: "more", size: 2 } } }],
  "size 0": ["size_zero", { query: WORDS, size: 0, aggs: { c: { terms: { field: "category.raw" } } } }],
  match_all: ["no_query_text", { query: { match_all: {} } }],
  match_none: ["no_query_text", { query: { match_none: {} } }],
  "no query": ["no_query_text", { size: 5 }],
  "an empty body": ["no_query_text", {}],
  "filters only": ["no_query_text", { query: { bool: { filter: [{ term: { "category.raw": "mug" } }] } } }],
  "a term": ["no_query_text", { query: { term: { "category.raw": "mug" } } }],
  "beyond the window": ["beyond_window", { query: WORDS, from: 60, size: 5 }],
  "no hits": ["too_few_hits", { query: { match: { title: "xyzzy" } } }],
  "hits without ids": ["request_not_understood", { query: WORDS, stored_fields: ["_none_"], docvalue_fields: ["price"] }],
  "a query without a field": ["engine_status", { query: { match: {} } }],
};

/** Parameters of the URL → outcome. */
const PARAMS: Readonly<Record<string, string>> = {
  "q=title:red": "applied",
  "q=red+mug&df=title&default_operator=AND": "applied",
  "q=red&df=title&size=3&from=2": "applied",
  "q=red&df=title&_source=title,price": "applied",
  "q=red&df=title&_source_includes=title&_source_excludes=price": "applied",
  "q=red&df=title&sort=_score:desc": "applied",
  "q=red&df=title&sort=price:asc": "explicit_sort",
  "q=red&df=title&track_total_hits=true": "applied",
  "q=red&df=title&preference=_local&request_cache=true": "applied",
  "q=red&df=title&search_type=dfs_query_then_fetch": "applied",
  "q=red&df=title&typed_keys=true&rest_total_hits_as_int=true": "applied",
  "q=red&df=title&explain=true&version=true&size=2": "applied",
  "q=red&df=title&lenient=true&analyze_wildcard=true&analyzer=standard": "applied",
  "q=red&df=title&routing=a": "applied",
  "q=red&df=title&ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open": "applied",
  "q=red&df=title&timeout=5s&terminate_after=100000&batched_reduce_size=512": "applied",
  "q=lamp&df=title&terminate_after=100000&from=7&size=5": "applied",
  "q=price:asc&q=red&df=title": "applied",
  "q=red&df=title&sort=_score&sort=price:asc": "explicit_sort",
  "q=red&df=title&sort=price:asc&sort=_score": "applied",
  "q=red&df=title&size=3&size=6": "applied",
  "q=red&df=title;size=3;from=2": "applied",
  "q=red&df=title&sort=": "applied",
  "q=red&df=title&sort=_score:DESC": "applied",
  "q=red&df=title&sort=_score:ASC&size=4": "applied",
  "q=red&df=title&sort=_score:asc": "explicit_sort",
  "q=red&df=title&sort=_score,price:asc": "applied",
  "q=red&df=title&sort=price:asc,_score": "explicit_sort",
  "q=red&df=title&format=JSON": "applied",
  "q=red&df=title&format=": "applied",
  "q=red&df=title&format=json&format=yaml&filter_path=hits": "request_not_understood",
  "q=red&df=title&size=%2B3": "applied",
  "q=red&df=title&size=003": "applied",
  "q=red&df=title&size=": "request_not_understood",
  "q=red&df=title&size=3.0": "request_not_understood",
  "q=red%zz&df=title": "request_not_understood",
  "q=": "no_query_text",
  "q=*": "no_query_text",
  "q=*:*": "no_query_text",
  "q=title:red+AND+category:mug": "applied",
  "q=-title:red&size=2": "no_query_text",
  "q=price:[1+TO+20]": "no_query_text",
  "q=_id:p0007": "no_query_text",
  "q=red&df=title&filter_path=hits.hits._id": "applied",
  "q=red&df=title&filter_path=hits.hits._id,hits.hits._score,hits.total": "applied",
  "q=red&df=title&filter_path=hits.hits._source": "applied",
  "q=red&df=title&filter_path=hits.hits.": "request_not_understood",
  "q=red&df=title&filter_path=hits.hits.sort": "engine_refused_window",
  "q=red&df=title&filter_path=took,hits.hits._source.title,hits.total.value": "applied",
  "q=red&df=title&filter_path=-_shards,-hits.hits._score": "applied",
  "q=red&df=title&filter_path=-hits.hits._source&size=4": "applied",
  "q=red&df=title&filter_path=hits.hits._id&from=48&size=5": "applied",
  "q=red&df=title&filter_path=hits.total": "size_zero",
  "q=red&df=title&filter_path=-hits.hits._id": "applied",
  "q=red&df=title&filter_path=**._id": "request_not_understood",
  "q=xyzzy&df=title&filter_path=hits.hits._id": "too_few_hits",
  "q=xyzzy&df=title&filter_path=hits.hits,took": "too_few_hits",
  "q=striped+tote&df=title&default_operator=AND&filter_path=hits.hits._id&from=40": "any",
  "q=red&df=title&pretty": "applied",
  "q=red&df=title&human&error_trace=false": "applied",
  "size=0": "size_zero",
  "": "no_query_text",
};

function search(label: string, body: object, outcome: string, only?: readonly Engine[]): EngineShape {
  return { label, path: "/products/_search", body: JSON.stringify(body), outcome, ...(only !== undefined && { only }) };
}

const PIN = { ids: { values: ["p0846", "p0051", "p0999"] } };

/** Label → query with pins by a boost; whatever the model says, they stay where the engine has them. */
const PINNED: Readonly<Record<string, object>> = {
  constant_score: { bool: { must: [WORDS], should: [{ constant_score: { filter: PIN, boost: 1e6 } }] } },
  ids: { bool: { must: [WORDS], should: [{ ids: { ...PIN.ids, boost: 1e6 } }] } },
  "ids beside the words": { dis_max: { queries: [WORDS, { ids: { ...PIN.ids, boost: 1e6 } }] } },
  terms: { bool: { must: WORDS, should: { terms: { _id: PIN.ids.values, boost: 5000 } } } },
  "a weight": { function_score: { query: WORDS, functions: [{ filter: PIN, weight: 1e5 }] } },
  "a weight that is added": {
    function_score: { query: WORDS, functions: [{ filter: { term: { _id: "p0846" } }, weight: 1e5 }], boost_mode: "sum" },
  },
  "a named one": { bool: { must: [WORDS], should: [{ ids: { ...PIN.ids, boost: 1e6, _name: "top" } }] } },
};

const NEW: readonly Engine[] = ["elasticsearch-9"];
const NEAR = { field: "vector", query_vector: [1, 0.5, 0.2] };

/** Members of Elasticsearch 9 → outcome. */
const VECTORS: Readonly<Record<string, readonly [outcome: string, body: object]>> = {
  "knn beside the query": ["applied", { query: WORDS, knn: NEAR }],
  "knn with aggregations": ["applied", { query: WORDS, knn: NEAR, size: 5, aggs: { c: { terms: { field: "category.raw" } } } }],
  "knn, page 2": ["applied", { query: WORDS, knn: NEAR, from: 5, size: 5 }],
  "knn, size as text": ["applied", { query: WORDS, knn: NEAR, size: "7" }],
  "two knn": ["applied", { query: WORDS, knn: [NEAR, { ...NEAR, k: 3 }], size: 4 }],
  "knn in the query": ["applied", { query: { bool: { should: [WORDS, { knn: NEAR }] } }, size: 6 }],
  "knn in the query, few candidates": [
    "applied",
    { query: { bool: { should: [WORDS, { knn: { ...NEAR, num_candidates: 5 } }] } }, size: 8 },
  ],
  "knn in an aggregation": ["applied", { query: WORDS, aggs: { near: { filter: { knn: NEAR } } } }],
  "knn in a post_filter": ["any", { query: WORDS, post_filter: { knn: { ...NEAR, num_candidates: 200 } }, size: 5 }],
  "knn alone": ["no_query_text", { knn: NEAR }],
  "knn with fewer candidates than the page": ["engine_status", { query: WORDS, knn: { ...NEAR, num_candidates: 5 } }],
  "knn with k": ["applied", { query: WORDS, knn: { ...NEAR, k: 20, num_candidates: 30 }, size: 5 }],
  "a standard retriever": ["applied", { retriever: { standard: { query: WORDS } } }],
  "a standard retriever, page 2": ["applied", { retriever: { standard: { query: WORDS } }, from: 5, size: 5 }],
  "a standard retriever with a filter": ["applied", { retriever: { standard: { query: WORDS, filter: { term: { in_stock: true } } } } }],
  "a standard retriever with a sort": ["explicit_sort", { retriever: { standard: { query: WORDS, sort: [{ price: "asc" }] } } }],
  "a standard retriever by score": ["applied", { retriever: { standard: { query: WORDS, sort: ["_score", { price: "asc" }] } } }],
  "a standard retriever with a collapse": ["grouped", { retriever: { standard: { query: WORDS, collapse: { field: "category.raw" } } } }],
  "a knn retriever": ["no_query_text", { retriever: { knn: { ...NEAR, k: 20, num_candidates: 30 } } }],
  "a rescorer": ["applied", rescorer(15)],
  "a rescorer with a page": ["applied", { ...rescorer(15), size: 5 }],
  "a rescorer, page 2": ["applied", { ...rescorer(15), from: 10, size: 10 }],
  "a rescorer, page 3": ["beyond_window", { ...rescorer(15), from: 20, size: 10 }],
  "a rescorer with a page over its window": ["request_not_understood", { ...rescorer(15), size: 20 }],
  "a rescorer with a window over the edge's": ["applied", { ...rescorer(80), size: 20 }],
  "a rescorer's default": ["applied", rescorer(undefined)],
};

function rescorer(window: number | undefined): object {
  const query = { rescore_query: { match_phrase: { title: "red mug" } } };
  const rescore = window === undefined ? { query } : { window_size: window, query };
  return { retriever: { rescorer: { retriever: { standard: { query: WORDS } }, rescore } } };
}

/** Label → the same search without figures that follow the page, for its window. */
const PINNED_DOWN: Readonly<Record<string, string>> = {
  "knn in the query": JSON.stringify({ query: { bool: { should: [WORDS, { knn: { ...NEAR, k: 6 } }] } } }),
};

const inUrl = (body: object): string => `source=${encodeURIComponent(JSON.stringify(body))}&source_content_type=application/json`;

/** Whole requests, which the edge reads as the engines do. */
const READINGS: readonly (readonly [
  path: string,
  body: string | undefined,
  outcome: string,
  headers?: Readonly<Record<string, string>>,
])[] = [
  ["_search?sort=_score", JSON.stringify({ query: WORDS, sort: [{ price: "asc" }] }), "explicit_sort"],
  ["_search?sort=price:asc", JSON.stringify({ query: WORDS, sort: ["_score"] }), "applied"],
  ["_search?q=title:lamp", JSON.stringify({ query: WORDS }), "applied"],
  ["_search?q=*", JSON.stringify({ query: WORDS }), "no_query_text"],
  ["_search?q=", JSON.stringify({ query: WORDS }), "no_query_text"],
  ["_search?size=3", JSON.stringify({ query: WORDS, size: 7, from: 2 }), "applied"],
  [`_search?${inUrl({ query: WORDS, size: 4 })}`, undefined, "applied"],
  [`_search?${inUrl({ query: WORDS, size: 4 })}&from=3`, undefined, "applied"],
  ["_search", `\ufeff${JSON.stringify({ query: WORDS })}`, "applied"],
  ["_search", `{"query":{"m\\u0061tch":{"title":"red \\u006dug"}},"siz\\u0065":3}`, "applied"],
  ["_search", JSON.stringify({ query: WORDS }), "applied", { "content-type": "APPLICATION/JSON; charset=ISO-8859-1" }],
  ["_search", JSON.stringify({ query: WORDS }), "applied", { "content-type": "application/x-ndjson" }],
  ["_search", JSON.stringify({ query: WORDS }), "applied", { accept: "text/html, */*;q=0.8" }],
  ["_search?filter_path=hits.total", JSON.stringify({ query: WORDS }), "request_not_understood", { accept: "application/yaml" }],
  ["_search?format=json", JSON.stringify({ query: WORDS }), "applied", { accept: "application/yaml" }],
  ["_search", "", "no_query_text", { "content-type": "application/json" }],
];

export const SHAPES: readonly EngineShape[] = [
  ...Object.entries(PINNED).map(([label, query]) => search(`pins by ${label}`, { query, size: 12 }, "applied")),
  ...Object.entries(PINNED).map(([label, query]) => search(`pins by ${label}, the whole window`, { query, size: 50 }, "applied")),
  ...Object.entries(VECTORS).map(([label, [outcome, body]]) => search(label, body, outcome, NEW)),
  ...READINGS.map(([path, body, outcome, headers]): EngineShape => ({
    label: `${path} ${body ?? ""} ${JSON.stringify(headers ?? {})}`,
    path: `/products/${path}`,
    outcome,
    ...(body !== undefined && { body }),
    ...(headers !== undefined && { headers }),
  })),
  ...Object.entries(QUERIES).map(([label, query]) => search(label, { query }, "applied")),
  ...Object.entries(QUERIES).map(([label, query]) =>
    search(`${label}, page 3`, { query, from: 20, size: 10, track_total_hits: true }, "applied"),
  ),
  ...Object.entries(BESIDE).map(([label, beside]) => search(`match, ${label}`, { query: WORDS, ...beside }, "applied")),
  ...Object.entries(BESIDE).map(([label, beside]) =>
    search(`bool, ${label}`, { ...beside, query: { bool: { must: [WORDS], filter: [{ term: { in_stock: true } }] } } }, "applied"),
  ),
  ...Object.entries(LEFT).map(([label, [outcome, body]]) => search(label, body, outcome)),
  ...Object.entries(PARAMS).map(([params, outcome]): EngineShape => ({
    label: `?${params}`,
    path: `/products/_search?${params}`,
    outcome,
  })),
];

/** `count` requests, the same in every run: a query, a page and one more member. Only paging and sorting decide the outcome, which is left open. */
export function randomShapes(count: number, seed: string): readonly EngineShape[] {
  const random = createRandom(seed);
  const texts = ["red mug", "black bag", "striped cushion", "retro lamp", "watch", "floral dress", "blue", "ceramic vase", "wood chair"];
  const beside = [
    ...Object.values(BESIDE),
    ...Object.values(BESIDE),
    { sort: [{ price: "asc" }] },
    { collapse: { field: "category.raw" } },
  ];
  return Array.from({ length: count }, (_, i) => {
    const query: unknown = JSON.parse(JSON.stringify(random.pick(Object.values(QUERIES))).replaceAll("red mug", random.pick(texts)));
    const page = random.pick([
      {},
      { from: 0 },
      { from: 5, size: 3 },
      { size: 1 },
      { from: 20, size: 10 },
      { from: 45, size: 30 },
      { from: 60 },
      { size: 70 },
    ]);
    return search(`random ${i}`, { query, ...random.pick(beside), ...page }, "any");
  });
}

/** Bodies of `_msearch`: header and body lines → the outcomes of its searches. */
const SEVERAL: readonly (readonly [outcome: string, ...lines: object[]])[] = [
  ["applied", {}, { query: WORDS }],
  ["applied", { index: "products" }, { query: WORDS, size: 3 }],
  ["applied, explicit_sort", {}, { query: WORDS }, {}, { query: WORDS, sort: [{ price: "asc" }], size: 2 }],
  [
    "size_zero, applied",
    {},
    { query: WORDS, size: 0, aggs: { c: { terms: { field: "category.raw" } } } },
    { index: "products" },
    { query: WORDS, from: 5, size: 5 },
  ],
  [
    "applied, applied",
    { preference: "a" },
    { query: WORDS },
    { search_type: "query_then_fetch" },
    { query: { match: { title: "blue bag" } }, from: 10 },
  ],
  ["applied", { index: ["products"], ignore_unavailable: true, allow_no_indices: true, expand_wildcards: "open" }, { query: WORDS }],
  ["applied", { index: "products", routing: "a", request_cache: true }, { query: WORDS }],
  [
    "applied, engine_status, applied",
    {},
    { query: WORDS },
    {},
    { query: WORDS, aggs: { a: { terms: { field: "title" } } } },
    {},
    { query: WORDS, size: 2 },
  ],
  ["applied, applied", {}, { query: WORDS, size: "3" }, {}, { query: WORDS, sort: ["_score", { price: "asc" }] }],
];

const LINE = `${JSON.stringify({ query: WORDS })}\n`;

/** Bodies that need not be pairs of lines → outcome. */
const LINES: readonly (readonly [body: string, outcome: string, only?: readonly Engine[]])[] = [
  [`\n{}\n${LINE}`, "applied", ["opensearch", "elasticsearch-7"]],
  [`{}\n${LINE}\n`, "applied"],
  [`{}\r\n${LINE}\r\n${LINE}`, "applied, applied"],
  [`  \n${LINE}`, "applied"],
  [`{}\n${LINE}{"index":"secret"}\n`, "applied"],
];

const NDJSON = { "content-type": "application/x-ndjson" };

export const MULTI: readonly EngineShape[] = [
  ...LINES.map(([body, outcome, only]): EngineShape => ({
    label: `_msearch ${JSON.stringify(body)}`,
    path: "/products/_msearch",
    body,
    headers: NDJSON,
    outcome,
    ...(only !== undefined && { only }),
  })),
  ...SEVERAL.flatMap(([outcome, ...lines]) => {
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const headers = NDJSON;
    return [
      { label: `_msearch ${JSON.stringify(lines)}`, path: "/products/_msearch", body, headers, outcome },
      {
        label: `_msearch with parameters ${JSON.stringify(lines)}`,
        path: "/products/_msearch?max_concurrent_searches=2&typed_keys=true",
        body,
        headers,
        outcome,
      },
    ];
  }),
];
