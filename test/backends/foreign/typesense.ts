/** Requests of Typesense's clients, and where its engine reads names of collections, keys, models and stored things. */
import { TYPESENSE } from "../../../src/backends/typesense.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/collections/products/documents/search";
const MULTI = "/multi_search";

const one = (params: string | Readonly<Record<string, string>>): ForeignRequest => get(PATH, params, "products");
const several = (searches: readonly unknown[], more: object = {}, search = ""): ForeignRequest =>
  post(MULTI, { searches, ...more }, { search });

/** As typesense-instantsearch-adapter sends it. */
const ADAPTER = {
  query_by: "title,brand",
  collection: "products",
  q: "red",
  facet_by: "brand,price",
  filter_by: "brand:=[`acme`]",
  sort_by: "",
  highlight_full_fields: "title,brand",
  max_facet_values: 10,
  page: 1,
  per_page: 20,
};

/** All parameters of a search in Typesense's reference that name nothing outside of the collection. */
const RARE = {
  q: "red shoes",
  query_by: "title",
  query_by_weights: "1",
  text_match_type: "max_score",
  prefix: "true",
  infix: "off",
  pre_segmented_query: "false",
  filter_by: "price:>10 && tags:![a, b]",
  max_filter_by_candidates: 4,
  enable_lazy_filter: "true",
  validate_field_names: "false",
  sort_by: "_text_match:desc,price:asc",
  facet_by: "brand",
  facet_query: "brand:a",
  facet_query_num_typos: 2,
  facet_return_parent: "brand.name",
  facet_sample_percent: 100,
  facet_sample_threshold: 0,
  facet_strategy: "exhaustive",
  max_facet_values: 10,
  include_fields: "title,id",
  exclude_fields: "embedding",
  enable_highlight_v1: "false",
  highlight_fields: "title",
  highlight_full_fields: "title",
  highlight_affix_num_tokens: 4,
  highlight_start_tag: "<b>",
  highlight_end_tag: "</b>",
  snippet_threshold: 30,
  limit_hits: 500,
  search_cutoff_ms: 100,
  max_candidates: 4,
  exhaustive_search: "false",
  num_typos: "2",
  min_len_1typo: 4,
  min_len_2typo: 7,
  split_join_tokens: "fallback",
  typo_tokens_threshold: 1,
  drop_tokens_threshold: 1,
  drop_tokens_mode: "right_to_left",
  enable_typos_for_numerical_tokens: "true",
  enable_typos_for_alpha_numerical_tokens: "true",
  synonym_num_typos: 0,
  synonym_prefix: "false",
  enable_synonyms: "true",
  demote_synonym_match: "true",
  pinned_hits: "1:1",
  hidden_hits: "3",
  enable_overrides: "true",
  override_tags: "a",
  filter_curated_hits: "false",
  prioritize_exact_match: "true",
  prioritize_token_position: "false",
  prioritize_num_matching_fields: "true",
  vector_query: "embedding:([], k: 200)",
  remote_embedding_timeout_ms: 5000,
  remote_embedding_num_tries: 1,
  rerank_hybrid_matches: "true",
  use_cache: "true",
  cache_ttl: 60,
  enable_analytics: "true",
  analytics_tag: "web",
};

const ORDINARY: readonly ForeignRequest[] = [
  one({ q: "red", query_by: "title" }),
  one(Object.fromEntries(Object.entries(RARE).map(([name, value]) => [name, String(value)]))),
  one({ q: "red", query_by: "title", group_by: "brand", group_limit: "3", group_missing_values: "true", group_max_candidates: "100" }),
  one({
    q: "red",
    query_by: "title",
    filter_by: "$offers(price:>10) && brand:=`$acme(x)`",
    include_fields: "$offers(price, strategy: nest),title",
  }),
  several(
    [
      ADAPTER,
      { ...ADAPTER, per_page: 0, facet_by: "brand", max_facet_values: 100, facet_query: "brand:ac" },
      { collection: "offers", q: "red", query_by: "title" },
    ],
    {},
    "?x-typesense-api-key=client&use_cache=true",
  ),
  several([{ collection: "products", ...RARE }]),
  several([{ q: "red" }, { q: "blue", sort_by: "price:asc" }], {}, "?collection=products&query_by=title&x-typesense-user-id=u1"),
  several(
    [
      { collection: "products", q: "red", query_by: "title" },
      { collection: "offers", q: "red", query_by: "title" },
    ],
    { union: true },
    "?per_page=5",
  ),
  several(
    [{ collection: "products", q: "*", sort_by: "price:asc", filter_by: "$offers(id:*)" }],
    { limit_multi_searches: 50 },
    "?limit_multi_searches=50",
  ),
];

/** Lists of fields, in which a reference to another collection can stand anywhere. */
const FIELDS: readonly string[] = [
  "sort_by",
  "facet_by",
  "group_by",
  "query_by",
  "include_fields",
  "exclude_fields",
  "highlight_fields",
  "highlight_full_fields",
  "facet_return_parent",
];

function attacks(marker: string): readonly ForeignRequest[] {
  const found = { collection: "products", q: "red", query_by: "title" };
  const joins = [
    `$${marker}(price:>1)`,
    `$${marker} (price:>1)`,
    `id:1 && $${marker}(a:1)`,
    `id:1 ||$${marker}(a:1)`,
    `(!$${marker}(a:1))`,
    `$offers($${marker}(a:1))`,
    `$offers(id:1 && !  $${marker}(a:1))`,
    `id:=\`a\` && $${marker}(a:1)`,
    `a:[1,2]$${marker}(a:1)`,
    `a.{b:1}$${marker}(a:1)`,
    `$a$${marker}(a:1)`,
    `$ ${marker}(price:asc)`,
  ];
  const fields = [`title,$${marker}(*)`, `$offers(id,$${marker}(id))`, `_eval($${marker}(a:1)):desc`, `_eval([($${marker}(a:1)):3]):desc`];
  const joined = [
    ...joins.map((value) => ["filter_by", value] as const),
    ...FIELDS.flatMap((name) => [...joins, ...fields].map((value) => [name, value] as const)),
    ...FIELDS.filter((name) => name !== "sort_by").map((name) => [name, `$${marker}.price`] as const),
    ["facet_query", `$${marker}(a:b)`] as const,
  ];
  return [
    get(`/collections/${marker}/documents/search`, "q=red&query_by=title", marker),
    get(`/collections/products,${marker}/documents/search`, "q=red&query_by=title", `products,${marker}`),
    one({ q: "red", query_by: "title", collection: marker }),
    one(`collection=products&collection=${marker}&q=red`),
    several([{ ...found, collection: marker }]),
    several([found], {}, `?collection=${marker}`),
    several([{ q: "red" }], { collection: marker }),
    several([{ ...found, collection: [marker] }]),
    ...joined.flatMap(([name, value]) => [
      one({ q: "red", query_by: "title", [name]: value }),
      several([{ ...found, [name]: value }]),
      several([found], {}, `?${new URLSearchParams({ [name]: value }).toString()}`),
    ]),
    // Each half begins no join of its own.
    several([{ ...found, filter_by: `a:1 && $${marker}(a:1)` }], {}, "?filter_by=a:1"),
    ...[
      "preset",
      "x-typesense-api-key",
      "conversation_model_id",
      "conversation_id",
      "nl_model_id",
      "voice_query",
      "stopwords",
      "synonym_sets",
      "curation_sets",
      "personalization_user_id",
      "personalization_model_id",
      "personalization_type",
      "personalization_user_field",
      "personalization_item_field",
      "conversation",
      "nl_query",
      "nl_query_prompt_cache_ttl",
      "embedder",
      "remote_url",
      "model_config",
      "searches",
      "index",
      "alias",
      "collections",
      "COLLECTION",
      "collection_name",
    ]
      .flatMap((name) => [
        one({ q: "red", query_by: "title", [name]: marker }),
        several([{ ...found, [name]: marker }]),
        several([found], { [name]: marker }),
        several([found], {}, `?${name}=${marker}`),
        several([found], { union: true, [name]: [marker] }),
      ])
      .filter(({ search }) => !search.startsWith("?x-typesense-api-key")),
    one(`q=red&x-typesense-api-key=${marker}`),
    several([found], {}, `?x-typesense-api-key=${marker}`),
    several([found], { union: marker }),
    post(MULTI, `{"searches":[{"collection":"products","collection":"${marker}"}]}`),
    post(MULTI, `{"searches":[{"collection":"${marker}","collection":"products"}]}`),
    post(MULTI, `{"searches":[{"collection":"products"}],"searches":[{"collection":"${marker}"}]}`),
    post(MULTI, `[{"collection":"${marker}"}]`),
    post(MULTI, `{"searches":[[{"collection":"${marker}"}]]}`),
    several([{ ...found, filter_by: { a: `$${marker}(a:1)` } }]),
  ];
}

const TEXTS: ReadonlySet<string> = new Set(Object.keys({ ...RARE, group_by: 1, "x-typesense-user-id": 1 }));

export const TYPESENSE_SURFACE: Surface = {
  indexes: new Map([
    ["products", {}],
    ["offers", {}],
  ]),
  definition: TYPESENSE,
  ordinary: ORDINARY,
  attacks,
  isText: (path, value, marker) => {
    const [name = ""] = path.filter((key) => !/^\d+$/.test(key) && key !== "searches");
    if (name === "filter_by") return !/(?:^|[(){}\]&|])[\s!]*\$/.test(value);
    if (name === "sort_by") return !/\$[^]*\(/.test(value);
    if (name === "facet_query") return !value.trim().startsWith("$");
    return TEXTS.has(name) && !(FIELDS.includes(name) && new RegExp(`\\$[^(]*${marker}`, "i").test(value));
  },
};
