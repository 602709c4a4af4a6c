/**
 * Expected failures as values, and the table of every reason for which the edge may leave a search as the engine ordered it.
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

export interface ReasonFacts {
  /** Asked for, or nothing to do: logged as information. Anything else is a warning. */
  readonly expected: boolean;
  /** Follows from the request alone, so the engine's own cache headers are kept. */
  readonly cacheable: boolean;
  /** Recorded as an exposure: the shopper saw a list, or should have seen one. */
  readonly exposed: boolean;
  /** In a browser: the failure is the device's, so the network answers instead and may well re-rank. */
  readonly onDevice: boolean;
  /** `reply`: the engine answered, but not with a list that can be edited. `edge`: a bug, logged as an error. */
  readonly fault?: "reply" | "edge";
  /** For the documentation: one sentence, Markdown. */
  readonly about: string;
}

const REQUEST = { expected: true, cacheable: true, exposed: true, onDevice: false };
const CHOICE = { expected: true, cacheable: false, exposed: true, onDevice: false };
const ENGINE = { expected: false, cacheable: false, exposed: true, onDevice: false };
const REPLY = { ...ENGINE, fault: "reply" as const };
const RANKING = { expected: false, cacheable: false, exposed: true, onDevice: true };

/** The codes are public: they appear in the `x-armmt` header and in exposure records, so a code is never renamed, only added. */
const TABLE = {
  // Asked for, or nothing to do
  off: { ...CHOICE, about: "the request asked for it: `x-armmt: off`" },
  engine_order: { ...CHOICE, about: "the variant serves the order of the engine" },
  switched_off: {
    ...CHOICE,
    about: "a guardrail has switched the variant off ([`armmt guard`](../experiments.md#guardrails)); the search stays in its arm",
  },
  explicit_sort: { ...REQUEST, about: "the shopper sorts by something other than relevance" },
  cursor: { ...REQUEST, about: "`search_after`, scroll, point in time, `cursorMark`" },
  grouped: { ...REQUEST, about: "`collapse`, `distinct` and the like" },
  federated: { ...REQUEST, about: "one list out of several indexes, or out of several texts" },
  redirected: { ...REQUEST, about: "the engine sends the shopper elsewhere" },
  index_excluded: { ...REQUEST, about: "the index has `window = 0`" },
  size_zero: { ...REQUEST, exposed: false, about: "no hits wanted" },
  beyond_window: { ...REQUEST, about: "the page starts at or after W" },
  no_query_text: {
    ...REQUEST,
    about: "no words to rank by, and nothing published for [pages without words](../guide/browse.md) (`browse = true` of the index)",
  },
  too_few_hits: { ...CHOICE, about: "fewer than two hits" },
  request_not_understood: {
    ...REQUEST,
    exposed: false,
    about: "the body is not a search body, and the engine's own error answers; or the fields that are asked for leave out the id",
  },
  // The engine
  engine_unreachable: {
    ...ENGINE,
    onDevice: true,
    about: "no connection, or an answer that broke off, cannot be unpacked, or has no status of HTTP: 502",
  },
  engine_timeout: { ...ENGINE, about: "no reply within `ENGINE_TIMEOUT_MS`: 504" },
  engine_status: {
    ...ENGINE,
    about:
      "the engine answered 4xx or 5xx, or one search of several with an error; passed through. 401, 403, 404, 406, 429 and 503 after one request",
  },
  engine_incomplete: { ...ENGINE, about: "the engine itself says that hits may be missing; its order stays" },
  engine_refused_window: {
    ...ENGINE,
    about:
      "the widened request failed, or did so of late for this search or others of its shape (the log has the engine's own words, without the client's); the shopper's own was sent",
  },
  window_timeout: { ...ENGINE, about: "no reply to the widened request within 60 % of `ENGINE_TIMEOUT_MS`; the shopper's own was sent" },
  window_short: {
    ...ENGINE,
    about: "fewer hits came than the widened request asked for and the engine has; the shopper's own request was sent",
  },
  window_paused: {
    ...ENGINE,
    about: "this engine had no time or no room for its last windows: for a while it gets the shoppers' own requests at once",
  },
  reply_too_large: { ...REPLY, about: "the reply is larger than the edge buffers" },
  reply_encoded: {
    ...REPLY,
    about:
      "the reply is packed in a way that the runtime cannot unpack (zstd, say), although the edge asks for plain ones; passed on packed",
  },
  reply_not_json: { ...REPLY, about: "the reply is broken or truncated JSON" },
  reply_not_search: {
    ...REPLY,
    about: "JSON, but not a search reply; or hits without the `idField` of the configuration (the log names it)",
  },
  duplicate_ids: { ...REPLY, about: "the engine listed one id twice" },
  over_budget: {
    ...RANKING,
    about: "no time left within `RANK_BUDGET_MS`; where that is clear before the engine is asked, it gets the shopper's own request",
  },
  aborted: {
    ...REQUEST,
    cacheable: false,
    exposed: false,
    about: "the client left before the reply: nobody saw it, and nothing is recorded",
  },
  // Item vectors
  store_unavailable: { ...RANKING, about: "KV failed, or is left alone for a while because it failed again and again" },
  store_timeout: { ...RANKING, about: "KV was slower than the budget" },
  nothing_published: { ...RANKING, about: "no item vectors are published for the catalogue" },
  shard_missing: { ...RANKING, about: "a shard of the live set, or its query table, is not in KV" },
  shard_corrupt: { ...RANKING, about: "magic, version, dims or checksum of a shard or of the query table is wrong" },
  no_query_table: {
    ...RANKING,
    about: "the order by meaning is asked for, or a model that this catalogue does not trust, and the live set has no query table",
  },
  no_item_vectors: { ...RANKING, about: "none of the candidates has a vector" },
  // The model
  model_unavailable: { ...RANKING, about: "the session could not be created" },
  model_mismatch: { ...RANKING, about: "manifest, graph, features or shards do not belong together; the log names what differs" },
  model_failed: { ...RANKING, about: "the run was refused" },
  model_trapped: {
    ...RANKING,
    about: "WebAssembly trap, for instance outside of what `armmt build` profiled; this isolate stays on engine order",
  },
  scores_not_finite: { ...RANKING, about: "the model gave NaN or infinity" },
  scores_wrong_count: { ...RANKING, about: "the model gave more or fewer scores than candidates" },
  internal_error: { ...RANKING, fault: "edge", about: "a bug of ours; logged with its stack" },
} as const satisfies Readonly<Record<string, ReasonFacts>>;

/** Why a search was not re-ranked. */
export type BypassReason = keyof typeof TABLE;

export const REASONS: Readonly<Record<BypassReason, ReasonFacts>> = TABLE;

export function isBypassReason(text: string): text is BypassReason {
  return Object.hasOwn(REASONS, text);
}

/** A failure with its public code and a private detail for the log. */
export interface Bypass {
  readonly reason: BypassReason;
  readonly detail: string;
  /** Of an engine that refused one search of several: its words may repeat the client's, so no log has them. */
  readonly refusal?: { readonly status: number; readonly words: string };
}

export function bypass(reason: BypassReason, detail: string): Result<never, Bypass> {
  return err({ reason, detail });
}
