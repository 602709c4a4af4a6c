/**
 * What a search of Elasticsearch or OpenSearch may say with the edge's key: every member that is understood, shape by shape.
 *
 * A shape is a list of names. `name` takes texts, numbers, words and lists of them; `name=shape` takes an object of that shape too, `name=` one
 * of the shape with its own name, `name=*shape` an object with names of its own, `name=~shape` that or a list. `*=shape`: any other name. `+shape`: all
 * of that shape. `name!=`: must be there. `(a|b)`: one of these texts. `#data` is not looked at, `#index` must be a configured index,
 * `#indices` an object whose names are configured indexes, `#script` an expression (script.ts).
 *
 * What is missing is missing on purpose, as far as it was known: `wrapper`, `template`, `profile`, `pit`, `stats`, stored scripts, models and pipelines by name,
 * vectors that the engine gets elsewhere, runtime fields of the type lookup, scripted_metric, collate.
 */
const HITS = `name from size min_score explain version seq_no_primary_term track_scores sort= _source= stored_fields
  docvalue_fields=field fields=field script_fields=*script_field highlight= collapse=`;

const VALUE = "boost _name";

export const MEMBERS: Readonly<Record<string, string>> = {
  body: `${HITS} track_total_hits timeout terminate_after include_named_queries_score search_after slice= query= post_filter=query knn=knn_search
    retriever= sub_searches=sub_search rank= rescore= suggest= aggs=*agg aggregations=*agg runtime_mappings=*runtime_field
    derived=*runtime_field indices_boost=#indices ext=`,
  count: "query=",
  mget: "docs=document_of_index ids",
  mget_all: "docs=named_document",
  document_of_index: "_index=#index _id _type routing _routing _source= stored_fields version version_type",
  named_document: "+document_of_index _index!=#index",
  terms_enum: "field string size timeout case_insensitive index_filter=query search_after",
  hits: `${HITS} ignore_unmapped`,
  none: "",
  _source: "includes excludes include exclude exclude_vectors",
  field: "field format include_unmapped",
  script_field: "script=#script ignore_failure",
  slice: "field id max",
  collapse: "field inner_hits=hits max_concurrent_group_searches collapse=",
  sub_search: "query=",
  rank: "rrf=rank_rrf",
  rank_rrf: "rank_constant rank_window_size window_size",
  runtime_field: `type=(boolean|composite|date|double|float|geo_point|integer|ip|keyword|long|object|text) script=#script format
    fields=*runtime_field properties=*runtime_field ignore_malformed on_script_error prefilter_field`,
  ext: "armmt=#data ubi= rerank=",
  ubi: "query_id client_id user_id session_id application user_query object_id_field query_attributes=#data",
  rerank: "query_context=",
  query_context: "query_text query_text_path",

  sort: "_script=sort_script _geo_distance=sort_distance *=sort_field",
  sort_field: "order mode missing unmapped_type numeric_type format nested=sort_nested nested_path nested_filter=query",
  sort_nested: "path filter=query max_children nested=sort_nested",
  sort_script: "type script=#script order mode nested=sort_nested nested_path nested_filter=query",
  sort_distance: "order unit mode distance_type ignore_unmapped nested=sort_nested nested_path nested_filter=query *=geo",

  query: `match=*text_field match_phrase=*text_field match_phrase_prefix=*text_field match_bool_prefix=*text_field common=*text_field
    multi_match=text combined_fields=text query_string=text simple_query_string=text match_all=value match_none=value exists= ids= type=type_query
    term=*term prefix=*term wildcard=*term regexp=*term fuzzy=*term span_term=*term terms= terms_set=*terms_set range=*range
    bool= boosting= constant_score= dis_max= function_score= script_score= script=script_query hybrid= pinned= rule= rule_query=rule querqy= sltr=
    nested=joined has_child=joined has_parent=joined parent_id= rank_feature= distance_feature= more_like_this= percolate=
    geo_distance= geo_bounding_box=geo_box geo_polygon=geo_box geo_shape=shapes shape=shapes xy_shape=shapes geo_grid=*grid
    knn= neural=*neural neural_sparse=*sparse sparse_vector= weighted_tokens=*tokens semantic= intervals=*interval
    span_near=span span_or=span span_not=span span_first=span span_containing=span span_within=span span_multi=span span_gap=*none
    field_masking_span=span span_field_masking=span`,
  value: VALUE,
  exists: `field ${VALUE}`,
  type_query: `value ${VALUE}`,
  parent_id: `type id ignore_unmapped ${VALUE}`,
  text_field: `query operator minimum_should_match fuzziness prefix_length max_expansions fuzzy_transpositions fuzzy_rewrite lenient
    zero_terms_query cutoff_frequency low_freq_operator high_freq_operator auto_generate_synonyms_phrase_query analyzer slop rewrite ${VALUE}`,
  text: `+text_field fields type tie_breaker default_field default_operator allow_leading_wildcard analyze_wildcard flags all_fields
    auto_generate_phrase_queries enable_position_increments escape fuzzy_max_expansions fuzzy_prefix_length max_determinized_states
    phrase_slop quote_analyzer quote_field_suffix time_zone split_on_whitespace use_dis_max`,
  term: `value term prefix wildcard regexp rewrite case_insensitive flags flags_value max_determinized_states fuzziness max_expansions
    prefix_length transpositions ${VALUE}`,
  ids: `values type ${VALUE}`,
  terms: `${VALUE} value_type *=lookup`,
  lookup: "index!=#index id type path routing query=",
  terms_set: `terms minimum_should_match minimum_should_match_field minimum_should_match_script=#script ${VALUE}`,
  range: `gte gt lte lt from to include_lower include_upper format time_zone relation ${VALUE}`,
  bool: `must=query should=query filter=query must_not=query minimum_should_match adjust_pure_negative ${VALUE}`,
  boosting: `positive=query negative=query negative_boost ${VALUE}`,
  constant_score: `filter=query query= ${VALUE}`,
  dis_max: `queries=query tie_breaker ${VALUE}`,
  hybrid: `queries=query filter=query pagination_depth ${VALUE}`,
  function_score: `+function functions=function query= boost_mode score_mode max_boost min_score ${VALUE}`,
  function: "filter=query weight script_score= random_score= field_value_factor= gauss=decay linear=decay exp=decay _name",
  random_score: "seed field",
  field_value_factor: "field factor modifier missing",
  decay: "multi_value_mode *=decay_field",
  decay_field: "origin=geo scale offset decay",
  script_score: `query= script=#script min_score ${VALUE}`,
  script_query: `script=#script ${VALUE}`,
  pinned: `ids docs=document organic=query ${VALUE}`,
  document: "_index=#index _id",
  rule: `organic=query ruleset_ids ruleset_id match_criteria=#data ${VALUE}`,
  sltr: `params=#data model featureset active_features ${VALUE}`,
  querqy: `matching_query=querqy_part query_fields boosting_queries= generated=querqy_part minimum_should_match tie_breaker field_boost_model
    multi_match_tie_breaker rewriters=rewriter info_logging=querqy_part ${VALUE}`,
  querqy_part:
    "query similarity_score weight field_boost_factor query_fields fields slop positive_query_similarity_score negative_query_similarity_score " +
    "negative_weight positive_weight full_match=querqy_part bigram=querqy_part trigram=querqy_part tie_breaker id type",
  boosting_queries: "rewritten_queries=querqy_part phrase_boosts=querqy_part",
  rewriter: "name params=#data",
  joined: `path type parent_type score_mode query= inner_hits=hits ignore_unmapped min_children max_children score ${VALUE}`,
  rank_feature: `field saturation=ranked log=ranked sigmoid=ranked linear=ranked ${VALUE}`,
  ranked: "pivot exponent scaling_factor",
  distance_feature: `field origin=geo pivot ${VALUE}`,
  more_like_this: `fields like=like unlike=like docs=like ids like_text max_query_terms min_term_freq min_doc_freq max_doc_freq min_word_length
    max_word_length stop_words analyzer minimum_should_match fail_on_unsupported_field boost_terms include ${VALUE}`,
  like: "_index=#index _id _type doc=#data fields per_field_analyzer=*none routing _routing version version_type",
  percolate: `field document=#data documents=#data index=#index id type routing preference version name ${VALUE}`,
  geo: `lat lon x y type coordinates geometries=geo radius orientation top_left=geo top_right=geo bottom_left=geo bottom_right=geo
    top left bottom right wkt points=geo vertices=geo geohash`,
  geo_distance: `distance distance_type unit optimize_bbox validation_method ignore_unmapped ${VALUE} *=geo`,
  geo_box: `type validation_method ignore_unmapped ${VALUE} *=geo`,
  shapes: `ignore_unmapped ${VALUE} *=shape_field`,
  shape_field: "shape=geo relation strategy indexed_shape=",
  indexed_shape: "index!=#index id type path routing",
  grid: `geohash geotile geohex ${VALUE}`,
  knn_search: `field query_vector query_vector_base64 k num_candidates visit_percentage similarity filter=query rescore_vector=oversample
    inner_hits=hits ${VALUE}`,
  knn: "+knn_search *=vector",
  oversample: "oversample oversample_factor",
  vector: `vector k filter=query max_distance min_score method_parameters=*none rescore=oversample expand_nested_docs ${VALUE}`,
  neural: `query_text query_image query_tokens=*none k filter=query max_distance min_score method_parameters=*none rescore=oversample
    expand_nested_docs semantic_field_search_analyzer ${VALUE}`,
  sparse: `query_text query_tokens=*none max_token_score analyzer method_parameters=sparse_parameters ${VALUE}`,
  sparse_parameters: "k filter=query top_n heap_factor",
  sparse_vector: `field query query_vector=*none prune pruning_config= ${VALUE}`,
  tokens: `tokens=*none pruning_config= ${VALUE}`,
  pruning_config: "tokens_freq_ratio_threshold tokens_weight_threshold only_score_pruned_tokens",
  semantic: `field query inner_hits=hits ${VALUE}`,
  interval: `match=interval_rule prefix=interval_rule wildcard=interval_rule fuzzy=interval_rule regexp=interval_rule range=interval_rule
    any_of=interval_rule all_of=interval_rule ${VALUE}`,
  interval_rule: `query prefix pattern term intervals=interval max_gaps ordered mode analyzer use_field max_expansions fuzziness prefix_length
    transpositions case_insensitive flags gte gt lte lt filter=interval_filter`,
  interval_filter: `after=interval before=interval contained_by=interval containing=interval not_contained_by=interval not_containing=interval
    overlapping=interval not_overlapping=interval`,
  span: `clauses=query match=query include=query exclude=query little=query big=query query= field end slop in_order pre post dist
    collect_payloads ${VALUE}`,

  retriever: "standard= knn=knn_search rrf=fusion linear=fusion rescorer= pinned=pinned_retriever rule=rule_retriever",
  retriever_options: "filter=query min_score _name",
  standard: "+retriever_options query= search_after terminate_after sort= collapse=",
  fusion: "+retriever_options retrievers=fused query fields normalizer rank_constant rank_window_size window_size",
  fused: "+retriever retriever= weight normalizer",
  rescorer: "+retriever_options retriever= rescore=",
  pinned_retriever: "+retriever_options retriever= ids docs=document rank_window_size",
  rule_retriever: "+retriever_options retriever= ruleset_ids match_criteria=#data rank_window_size",

  rescore: "window_size query=rescore_query learning_to_rank=",
  rescore_query: "rescore_query=query query_weight rescore_query_weight score_mode",
  learning_to_rank: "model_id params=#data",

  highlight_options: `type pre_tags post_tags fragment_size number_of_fragments fragment_offset boundary_chars boundary_max_scan
    boundary_scanner boundary_scanner_locale encoder force_source fragmenter highlight_query=query highlight_filter matched_fields
    max_analyzed_offset max_analyzer_offset no_match_size order phrase_limit require_field_match tags_schema use_explicit_order`,
  highlight: "+highlight_options fields=*highlight_options",

  suggest: "text prefix regex *=suggestion",
  suggestion: "text prefix regex term=term_suggester phrase=phrase_suggester completion=completion_suggester",
  term_suggester: `field analyzer size sort suggest_mode max_edits prefix_length min_word_length shard_size max_inspections min_doc_freq
    max_term_freq string_distance lowercase_terms accuracy`,
  phrase_suggester: `+term_suggester gram_size real_word_error_likelihood confidence max_errors separator token_limit force_unigrams
    highlight=suggest_highlight direct_generator=generator smoothing=`,
  suggest_highlight: "pre_tag post_tag",
  generator: "+term_suggester pre_filter post_filter",
  smoothing: "stupid_backoff=smoothed laplace=smoothed linear_interpolation=smoothed",
  smoothed: "discount alpha trigram_lambda bigram_lambda unigram_lambda",
  completion_suggester: "field analyzer size shard_size skip_duplicates fuzzy=completion_options regex=completion_options contexts=#data",
  completion_options: `fuzziness transpositions min_length prefix_length unicode_aware max_determinized_states flags
    edit_distance`,

  agg: `aggs=*agg aggregations=*agg meta=#data filter=query filters= adjacency_matrix=filters top_hits=hits composite= global=none reverse_nested=agg_values
    nested=agg_values children=agg_values parent=agg_values terms=agg_values rare_terms=agg_values multi_terms=
    significant_terms=significant significant_text=significant histogram=agg_values date_histogram=agg_values auto_date_histogram=agg_values
    variable_width_histogram=agg_values range=agg_values date_range=agg_values ip_range=agg_values ip_prefix=agg_values
    geo_distance=agg_values geohash_grid=agg_values geotile_grid=agg_values geohex_grid=agg_values missing=agg_values sampler=agg_values
    diversified_sampler=agg_values random_sampler=agg_values time_series=agg_values categorize_text=agg_values frequent_item_sets=items
    avg=agg_values sum=agg_values min=agg_values max=agg_values value_count=agg_values cardinality=agg_values stats=agg_values
    extended_stats=agg_values string_stats=agg_values matrix_stats=agg_values percentiles=agg_values percentile_ranks=agg_values
    median_absolute_deviation=agg_values boxplot=agg_values rate=agg_values weighted_avg= top_metrics= t_test= geo_bounds=agg_values
    geo_centroid=agg_values cartesian_bounds=agg_values cartesian_centroid=agg_values geo_line=
    avg_bucket=agg_values sum_bucket=agg_values min_bucket=agg_values max_bucket=agg_values stats_bucket=agg_values
    extended_stats_bucket=agg_values percentiles_bucket=agg_values bucket_script=agg_values bucket_selector=agg_values bucket_sort=
    cumulative_sum=agg_values cumulative_cardinality=agg_values derivative=agg_values serial_diff=agg_values normalize=agg_values
    moving_fn=agg_values moving_avg=agg_values moving_percentiles=agg_values change_point=agg_values`,
  agg_values: `field fields path type missing=*none value_type format script=#script size shard_size order=*none min_doc_count shard_min_doc_count
    show_term_doc_count_error include=partition exclude=partition collect_mode execution_hint keyed offset time_zone interval fixed_interval
    calendar_interval minimum_interval buckets initial_buffer extended_bounds=bounds hard_bounds=bounds bounds=geo ranges=agg_range percents values
    hdr=sketch tdigest=sketch compression precision precision_threshold rehash sigma show_distribution mode max_docs_per_value
    max_doc_count probability seed unit origin=geo distance_type is_ipv6 prefix_length append_prefix_length buckets_path=*none gap_policy
    window shift lag method model settings=*none predict minimize similarity_threshold max_unique_tokens max_matched_tokens
    categorization_filters wrap_longitude`,
  bounds: "min max",
  agg_range: "key from to mask",
  sketch: "number_of_significant_value_digits compression execution_hint",
  partition: "partition num_partitions",
  filters: "filters=~query other_bucket other_bucket_key separator keyed",
  composite: "sources=*source size after=*none",
  source: "terms=source_values histogram=source_values date_histogram=source_values geotile_grid=source_values",
  source_values: "+agg_values missing_bucket missing_order",
  multi_terms: "+agg_values terms=agg_values",
  significant: `+agg_values background_filter=query filter_duplicate_text source_fields jlh=heuristic mutual_information=heuristic
    chi_square=heuristic gnd=heuristic percentage=heuristic p_value=heuristic`,
  heuristic: "include_negatives background_is_superset normalize_above",
  weighted_avg: "+agg_values value=agg_values weight=agg_values",
  top_metrics: "+agg_values metrics=agg_values sort=",
  t_test: "a=t_test_side b=t_test_side type",
  t_test_side: "+agg_values filter=query",
  geo_line: "point=agg_values sort=agg_values include_sort sort_order size",
  items: "+agg_values fields=agg_values filter=query minimum_set_size minimum_support",
  bucket_sort: "sort= from size gap_policy",
};

/** Parameters of a search in the URL. */
export const SEARCH_PARAMS: ReadonlySet<string> = new Set(
  `q df analyzer analyze_wildcard default_operator lenient from size sort track_scores track_total_hits terminate_after timeout explain version
  seq_no_primary_term min_score stored_fields docvalue_fields _source _source_includes _source_excludes _source_include _source_exclude
  _source_exclude_vectors search_type preference routing request_cache allow_partial_search_results batched_reduce_size
  ccs_minimize_roundtrips pre_filter_shard_size max_concurrent_shard_requests ignore_unavailable allow_no_indices ignore_throttled
  expand_wildcards suggest_field suggest_mode suggest_size suggest_text typed_keys rest_total_hits_as_int force_synthetic_source
  include_named_queries_score cancel_after_time_interval phase_took filter_path format pretty human`.split(/\s+/),
);

/** Parameters of a document by its id, of a count and the like: engines themselves refuse those that are not for the call. */
export const CALL_PARAMS: ReadonlySet<string> = new Set([...SEARCH_PARAMS, "realtime", "version_type"]);

/** Parameters of a multi-search in the URL. */
export const MULTI_PARAMS: ReadonlySet<string> = new Set(
  `search_type routing max_concurrent_searches max_concurrent_shard_requests pre_filter_shard_size ccs_minimize_roundtrips ignore_unavailable
  allow_no_indices ignore_throttled expand_wildcards typed_keys rest_total_hits_as_int include_named_queries_score cancel_after_time_interval
  phase_took filter_path format pretty human`.split(/\s+/),
);

/** Members of a multi-search's header, besides `index`. */
export const HEADER_MEMBERS: ReadonlySet<string> = new Set(
  `preference routing search_type searchType request_cache requestCache ignore_unavailable ignoreUnavailable allow_no_indices allowNoIndices
  ignore_throttled ignoreThrottled expand_wildcards expandWildcards allow_partial_search_results ccs_minimize_roundtrips
  ccsMinimizeRoundtrips max_concurrent_shard_requests cancel_after_time_interval cancelAfterTimeInterval phase_took`.split(/\s+/),
);
