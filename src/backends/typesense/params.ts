/**
 * Parameters of a search that Typesense's API reference names, and the collections that they join. `enable_nested_fields` is one of a collection:
 * the search of ghost-typesense sends it, and the engine does not read it there.
 *
 * Not in the table, because they name what the engine keeps beside the collection, or ask a model that costs money: `preset`, `stopwords`, `synonym_sets`,
 * `voice_query`, personalization, conversations and natural language; and a key of a single search.
 */
import { anything, type Check, createCheck, plain, type Rule, rulesOf } from "../allowed.ts";
import { type Call, documentIn, inUrl, ofClients } from "../calls.ts";
import type { DialectOptions, Refusal } from "../dialect.ts";
import type { Param } from "../json/request.ts";

const WORDS = `q query_by query_by_weights text_match_type prefix infix pre_segmented_query rank_tokens_by
  filter_by max_filter_by_candidates enable_lazy_filter validate_field_names
  sort_by facet_by facet_query facet_query_num_typos facet_return_parent facet_sample_percent facet_sample_threshold facet_sample_slope
  facet_strategy max_facet_values
  group_by group_limit group_missing_values group_max_candidates diversity_lambda
  page per_page offset limit limit_hits
  include_fields exclude_fields
  highlight_fields highlight_full_fields highlight_affix_num_tokens highlight_start_tag highlight_end_tag snippet_threshold enable_highlight_v1
  num_typos min_len_1typo min_len_2typo split_join_tokens typo_tokens_threshold drop_tokens_threshold drop_tokens_mode
  enable_typos_for_numerical_tokens enable_typos_for_alpha_numerical_tokens max_extra_prefix max_extra_suffix
  synonym_num_typos synonym_prefix enable_synonyms demote_synonym_match
  pinned_hits hidden_hits enable_overrides enable_curations override_tags curation_tags filter_curated_hits
  prioritize_exact_match prioritize_token_position prioritize_num_matching_fields exhaustive_search max_candidates search_cutoff_ms
  use_cache cache_ttl enable_analytics analytics_tag
  vector_query rerank_hybrid_matches remote_embedding_timeout_ms remote_embedding_num_tries
  collection x-typesense-user-id
  enable_nested_fields`;

/** The engine makes a text of each. */
const scalar: Rule = (given) => (Array.isArray(given.value) ? "is a list" : plain(given));

const isOff: Rule = ({ value }) => (value === false || value === "false" ? undefined : "asks a model");

const flag: Rule = ({ value }) => (["true", "false"].includes(String(value)) ? undefined : "is neither true nor false");

const count: Rule = ({ value }) => (/^\d{1,9}$/.test(String(value)) ? undefined : "is no number");

export interface Checks {
  /** Of the members beside a list of searches. */
  readonly around: Check;
  readonly search: Check;
}

/** What clients may ask of each collection. */
export function createChecks(options: ReadonlyMap<string, DialectOptions>): Checks {
  const words = [...rulesOf(WORDS).keys()].map((name) => [name, scalar] as const);
  const special = { conversation: isOff, nl_query: isOff, limit_multi_searches: count };
  const around = { searches: anything, union: flag, remove_duplicates: flag, limit_multi_searches: count };
  return {
    around: createCheck(options, rulesOf("", around)),
    search: createCheck(options, new Map([...words, ...Object.entries(special)])),
  };
}

/** Names of fields: no join (`$brands(name)`). */
const fieldNames: Rule = ({ value }) => (/^[\w.,* -]*$/.test(String(value)) ? undefined : "is no list of fields");

/** What pages ask beside searches. */
export function typesenseCalls(options: ReadonlyMap<string, DialectOptions>): readonly Call[] {
  const nothing = createCheck(options, new Map());
  const document = createCheck(options, rulesOf("", { include_fields: fieldNames, exclude_fields: fieldNames }));
  return [
    { methods: ["GET"], path: "/health", own: inUrl(nothing) },
    { methods: ["GET"], path: "/debug", own: inUrl(nothing), isShops: true },
    // Before the documents, of which one could have that id.
    ...ofClients(`GET /collections/:index/documents/export`),
    { methods: ["GET"], path: "/collections/:index/documents/:id", own: documentIn(document) },
    { methods: ["GET"], path: "/collections/:index", isShops: true },
  ];
}

/** The engine makes a character of any three that begin with `%`: of `%y4` a dollar. */
export function unreadableIn(url: readonly Param[]): string | undefined {
  const param = url.find(({ raw }) => /%(?![\da-f]{2})/i.test(raw));
  return param && `${param.key.slice(0, 64)} has a % that begins no escape (write %25)`;
}

/** Lists of fields, of which some take `$brands(name)`. */
const FIELDS: ReadonlySet<string> = new Set([
  "sort_by",
  "facet_by",
  "facet_return_parent",
  "group_by",
  "query_by",
  "include_fields",
  "exclude_fields",
  "highlight_fields",
  "highlight_full_fields",
]);

/**
 * A join reads another collection without a check of the key: with the edge's key, only those in `own`. The engine begins a join at a dollar, in a
 * filter only where an expression begins, and takes everything up to the next parenthesis for the collection.
 */
export function strangerIn(
  given: readonly { readonly key: string; readonly value: string }[],
  own: ReadonlySet<string>,
): Refusal | undefined {
  for (const { key, value } of given) {
    const isFilter = key === "filter_by";
    if (!isFilter && key !== "facet_query" && !FIELDS.has(key)) continue;
    for (let at = value.indexOf("$"); at !== -1; at = value.indexOf("$", at + 1)) {
      if (isFilter && !beginsExpression(value, at)) continue;
      // The value of a facet may hold one.
      if (key === "facet_query" && value.slice(0, at).trim() !== "") break;
      const end = value.indexOf("(", at);
      // A dollar in the value of an `_eval()`.
      if (end === -1 && key === "sort_by") break;
      const name = value.slice(at + 1, end === -1 ? undefined : end).trim();
      if (!own.has(name)) return stranger(name);
      at = end;
    }
  }
  return undefined;
}

function stranger(name: string): Refusal {
  const message = `The request joins [${name.slice(0, 64)}]: add that collection to INDEXES of this edge too, with window = 0 if it is not searched itself`;
  return { status: 404, type: "not_found", message };
}

/** After nothing, or after what ends an expression; there may be spaces and a `!` between. */
function beginsExpression(filter: string, dollar: number): boolean {
  let at = dollar - 1;
  while (filter[at] === " " || filter[at] === "!" || filter[at] === "\t" || filter[at] === "\n") at--;
  return at < 0 || "(){}]&|".includes(filter[at]!);
}
