/** Which searches of a reply to a widened request are whole, and what the shopper's own reply says of those that are not. */
import type { EngineRequest, RequestReply, SearchPlan, SearchReply } from "../backends/dialect.ts";
import type { EngineReply } from "../backends/engine.ts";
import { type Bypass, REASONS, type Result } from "../result.ts";
import { isFinal } from "./ask.ts";
import type { Batch, Search } from "./contract.ts";
import { engineWords } from "./engine-words.ts";
import { WINDOW_SHARE } from "./windows.ts";

/** A widened search from whose part no page must be cut. */
export interface Shortfall {
  /** Its position in the request. */
  readonly at: number;
  readonly size: number;
  readonly why: Bypass;
  /** Where its part could be read. */
  readonly window: SearchReply | undefined;
}

/** Hits that a widened search should have: those that the engine counts, or without a count those of the shopper's page. */
function expectedHits({ total }: SearchReply, size: number, { offset, limit, isCursored }: SearchPlan): number {
  // The shopper's own page, which may be the last.
  if (isCursored || (offset === 0 && limit === size)) return 0;
  return Math.min(size, total ?? offset + limit);
}

/**
 * The widened searches that came refused, unreadable, incomplete, or shorter than they should be. Without a total, a list that ends within the
 * shopper's page is compared with their own until the engine has been right several times.
 */
export function findShortfalls(batch: Batch, reply: RequestReply, sizes: readonly (number | undefined)[]): readonly Shortfall[] {
  return sizes.flatMap((size, at) => {
    const read = reply.searches[at];
    if (size === undefined || read === undefined) return [];
    const why = read.ok ? shortfallOf(batch, read.value, size, at) : refusalOf(batch, read.error);
    return why === undefined ? [] : { at, size, why, window: read.ok ? read.value : undefined };
  });
}

function shortfallOf({ searches, deps }: Batch, reply: SearchReply, size: number, at: number): Bypass | undefined {
  const { hits, total, bypass: own } = reply;
  if (own?.reason === "engine_incomplete") return own;
  // A redirect, say, has no hits.
  if (own !== undefined || hits.length >= expectedHits(reply, size, searches[at]!.plan)) return undefined;
  if (total === undefined && !deps.windows.isDoubted()) return undefined;
  const counted = total === undefined ? "" : `, and the engine counts ${total}`;
  return { reason: "window_short", detail: `${hits.length} hits came of ${size}${counted}: set window to no more than the engine gives` };
}

/** `undefined` where the engine would say the same of the shopper's own search. */
function refusalOf({ plan }: Batch, error: Bypass): Bypass | undefined {
  const { refusal } = error;
  if (refusal === undefined) return error;
  return isFinal(refusal.status) ? undefined : windowRefused(error.detail, refusal.words, plan.own);
}

export function windowRefused(detail: string, words: string, request: EngineRequest): Bypass {
  const said = engineWords(words, request);
  return { reason: "engine_refused_window", detail: said === "" ? detail : `${detail}: ${said}` };
}

/** Learns from what the engine says of the shopper's own search, which was sent because its window fell short. */
export function compareWithOwn({ searches, deps }: Batch, { at, size, why, window }: Shortfall, own: Result<SearchReply, Bypass>): void {
  const { windows } = deps;
  const search = searches[at]!;
  const asked = [search];
  if (why.reason === "window_short" && window !== undefined) {
    if (!own.ok) return;
    const { hits, total } = window;
    const isShort =
      hits.length < expectedHits(window, size, search.plan) &&
      (total !== undefined || own.value.hits.length > Math.max(0, hits.length - search.plan.offset));
    windows.wasShort(isShort);
    if (isShort) windows.memory.failed(asked, why, true);
  } else if (!own.ok && own.error.reason === "engine_status") windows.memory.failedAnyhow(asked, why);
  else windows.memory.failed(asked, why, true);
}

/** As above, where the whole request failed with `status`, or without one. `own`: the reply to the shopper's own request. */
export function learnFromFailure(
  { deps }: Batch,
  widened: readonly Search[],
  { why, status }: Failure,
  own: { readonly status: number; readonly ms: number },
): void {
  const { windows, engineTimeoutMs } = deps;
  const isRefused = REASONS[why.reason].fault === "reply" || (status !== undefined && !OF_GATEWAYS.has(status));
  // An engine that fails the shopper's own request too says nothing of windows.
  if (own.status >= 300) {
    if (isRefused && own.status < 500 && !isFinal(own.status)) windows.memory.failedAnyhow(widened, why);
    return;
  }
  if (isRefused) return windows.memory.failed(widened, why, true);
  // Where both are slow, engine or thread are busy, whatever is asked for.
  if (why.reason === "window_timeout" && own.ms * 2 > engineTimeoutMs * WINDOW_SHARE) return;
  windows.failed();
  windows.memory.failed(widened, why, false);
}

/** Statuses of what stands before an engine that is too busy. */
const OF_GATEWAYS: ReadonlySet<number> = new Set([502, 504]);

/** Of a whole request for windows. */
export interface Failure {
  readonly why: Bypass;
  readonly status: number | undefined;
}

/** `reply`: what the engine answered, where it did. */
export function failureOf({ plan }: Batch, { reason, detail }: Bypass, reply: EngineReply | undefined): Failure {
  if (REASONS[reason].fault === "reply") return { why: { reason, detail }, status: reply?.status };
  if (reason === "engine_timeout") return { why: { reason: "window_timeout", detail }, status: undefined };
  const words = reply === undefined ? "" : new TextDecoder().decode(reply.body.subarray(0, MAX_WORDS));
  return { why: windowRefused(detail, words, plan.own), status: reply?.status };
}

const MAX_WORDS = 4000;
