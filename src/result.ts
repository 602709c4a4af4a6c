/**
 * Expected failures as values, and the list of every reason for which the edge may leave a search as the engine ordered it.
 *
 * Not for bugs or bad deployments: those throw at start.
 */

export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}

/**
 * Why a search was not re-ranked. The codes are public: they stand in the `x-armmt` response header and in exposure records, so a
 * code is never renamed, only added.
 */
export type BypassReason =
  // Asked for, or nothing to do
  | "off" // request header `x-armmt: off`
  | "engine_order" // the variant serves the order of the engine; the code does not name the variant
  | "explicit_sort"
  | "cursor" // search_after, scroll, point in time
  | "grouped" // collapse and the like
  | "federated" // one list out of several indexes or several queries
  | "redirected" // the engine sends the shopper elsewhere
  | "index_excluded" // the configuration passes this index on
  | "size_zero"
  | "beyond_window" // offset >= W
  | "no_query_text"
  | "too_few_hits" // fewer than two candidates
  | "request_not_understood" // the engine's own error is the best answer
  // The engine
  | "engine_unreachable"
  | "engine_timeout"
  | "engine_status" // not 2xx
  | "engine_incomplete" // the engine itself says that hits may be missing
  | "engine_refused_window" // the widened request failed, the shopper's own was sent
  | "reply_too_large"
  | "reply_not_json"
  | "reply_not_search"
  | "duplicate_ids"
  | "over_budget" // no time left to rank
  // Item vectors
  | "store_unavailable"
  | "store_timeout"
  | "nothing_published"
  | "shard_missing"
  | "shard_corrupt" // magic, version, dims or checksum
  | "no_item_vectors" // none of the candidates is known, or none has a vector
  // The model
  | "model_unavailable" // the session could not be created
  | "model_mismatch" // manifest against graph, shards or feature list
  | "model_failed" // the run was refused
  | "model_trapped" // wasm trap: the runtime is dead until the isolate is replaced
  | "scores_not_finite"
  | "scores_wrong_count"
  | "internal_error"; // a bug: logged with its stack

/** A failure with its public code and a private detail for the log. */
export interface Bypass {
  readonly reason: BypassReason;
  readonly detail: string;
}

export function bypass(reason: BypassReason, detail: string): Result<never, Bypass> {
  return err({ reason, detail });
}
