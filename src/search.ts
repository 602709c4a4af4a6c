/**
 * ONE search request, top to bottom: plan → variant → engine → item vectors → model → order → page → token → record. Read this first.
 *
 * A request is one search, or several that travel together: each has its own variant, order, page and record; the engine is asked once.
 * Dependencies come in through `SearchDeps`. Once the engine has answered, no exception reaches the shopper: whatever fails, they get the
 * engine's own answer in the engine's own order, and the reason is in the `x-armmt` header, the counters, the log and the exposure record.
 */
import type { RequestPlan, RequestReply, SearchReply } from "./backends/dialect.ts";
import type { EngineReply } from "./backends/engine.ts";
import { pageIndices } from "./ranking/window.ts";
import { type Bypass, err, ok, type Result } from "./result.ts";
import { admit } from "./search/admission.ts";
import { arrange, internalError } from "./search/arrange.ts";
import { ask, chooseWindows, isFinal, isWidened as isWidenedBy, readReply, statusFailure, widenedOf } from "./search/ask.ts";
import type { Batch, BatchResult, Search, SearchDeps, SearchRequest, SearchResult } from "./search/contract.ts";
import { openBatch, openPlainly } from "./search/open.ts";
import { countSearches, recordExposures } from "./search/record.ts";
import { respond } from "./search/respond.ts";
import { forRules, rule, ruledArrangement } from "./search/rules.ts";
import { edited, leave, none, untouched, type WindowDecision } from "./search/results.ts";
import { compareWithOwn, failureOf, findShortfalls, learnFromFailure, type Shortfall } from "./search/shortfall.ts";
import { handOutTokens } from "./search/tokens.ts";
import { WINDOW_SHARE } from "./search/windows.ts";

export async function search(request: SearchRequest, plan: RequestPlan, deps: SearchDeps): Promise<Response> {
  const opened = await openSafely(request, plan, deps);
  if (!opened.ok) return respondUnopened(openPlainly(request, plan, deps), opened.error);
  const batch = opened.value;
  const served = await serve(batch);
  try {
    const issued = await handOutTokens(batch, served);
    const response = respond(batch, served, issued);
    countSearches(batch, served);
    request.afterReply(recordExposures(batch, served, issued));
    return response;
  } catch (cause) {
    return respondInEngineOrder(batch, served, internalError(cause));
  }
}

async function openSafely(...args: Parameters<typeof openBatch>): Promise<Result<Batch, Bypass>> {
  try {
    return ok(await openBatch(...args));
  } catch (cause) {
    return err(internalError(cause));
  }
}

/** The engine's answer to searches without variants and ids: counted, but there is nothing to record. */
async function respondUnopened(batch: Batch, fault: Bypass): Promise<Response> {
  const served = await serveOwn(
    batch,
    batch.searches.map(() => fault),
  );
  const response = respond({ ...batch, request: { ...batch.request, isExplained: false } }, served, []);
  try {
    countSearches(batch, served);
    for (const _ of batch.searches) batch.deps.counters.countExposure("failed");
  } catch {
    // Counters that fail must not hold the reply.
  }
  return response;
}

/** After a fault in one of the steps above: the engine's answer without tokens and explanation. */
async function respondInEngineOrder(batch: Batch, served: BatchResult, fault: Bypass): Promise<Response> {
  const isWidened = served.kind === "edited" && served.isWidened;
  const own = served.kind === "none" ? served : await serveEngineOrder(batch, served.reply, isWidened, fault);
  const response = respond({ ...batch, request: { ...batch.request, isExplained: false } }, own, []);
  try {
    batch.request.afterReply(recordExposures(batch, own));
    countSearches(batch, own);
  } catch {
    // Counters that fail must not hold the reply.
  }
  return response;
}

/** Never rejects. Exported for the warm-up, which cannot make a Response. */
export async function serve(batch: Batch): Promise<BatchResult> {
  const served = await serveAnyhow(batch);
  // Nobody sees it.
  if (batch.request.signal?.aborted !== true || served.kind === "none") return served;
  batch.request.afterReply(served.reply.rest?.cancel() ?? Promise.resolve());
  return none(batch, { reason: "aborted", detail: "The client left before the reply" });
}

async function serveAnyhow(batch: Batch): Promise<BatchResult> {
  try {
    const admission = admit(batch, chooseWindows(batch.searches));
    const { decisions, begins } = admission;
    try {
      let left = decisions;
      if (begins !== undefined) {
        const askedAt = batch.deps.clock();
        if (!(await begins)) left = withoutModel(batch, decisions);
        batch.waited.listsMs = batch.deps.clock() - askedAt;
      }
      if (!left.some((decision) => decision.ok)) return await serveOwn(batch, reasonsOf(left, WAITED));
      return await serveRanked(batch, left);
    } finally {
      admission.leave();
    }
  } catch (cause) {
    const fault = internalError(cause);
    return serveOwn(
      batch,
      batch.searches.map(() => fault),
    );
  }
}

/** `earlier`: searches whose windows fell short in a first reply; the decisions leave them alone now. */
async function serveRanked(batch: Batch, decisions: readonly WindowDecision[], earlier: readonly Shortfall[] = []): Promise<BatchResult> {
  const sizes = decisions.map((decision) => (decision.ok && decision.value.isWidened ? decision.value.size : undefined));
  const isWidened = sizes.some((size) => size !== undefined);
  const reply = await ask(batch, batch.plan.widen(sizes), isWidened ? WINDOW_SHARE : 1);
  if (!reply.ok) return isWidened ? serveAfterFailure(batch, decisions, earlier, reply.error) : none(batch, reply.error);
  try {
    const read = readReply(batch, reply.value);
    if (!read.ok) {
      if (!isWidened || isFinal(reply.value.status)) return passOn(batch, decisions, reply.value, read.error);
      batch.request.afterReply(reply.value.rest?.cancel() ?? Promise.resolve());
      return await serveAfterFailure(batch, decisions, earlier, read.error, reply.value);
    }
    const { searches } = read.value;
    const shortfalls = findShortfalls(batch, read.value, sizes);
    if (shortfalls.length > 0) return await serveWithout(batch, decisions, earlier, shortfalls);
    learnFrom(batch, earlier, searches);
    if (isWidened) windowsSucceeded(batch, decisions);
    const results = await Promise.all(
      batch.searches.map((current, i) => orderPage(current, batch.waited.listsMs, decisions[i], searches[i], sizes[i] !== undefined)),
    );
    if (results.every(({ page }) => page === undefined)) return untouched(batch, reply.value, results);
    return edited(batch, reply.value, { results, body: read.value.assemble(results.map(({ page }) => page?.indices)), isWidened });
  } catch (cause) {
    return serveEngineOrder(batch, reply.value, isWidened, internalError(cause));
  }
}

function windowsSucceeded({ deps: { windows }, searches }: Batch, decisions: readonly WindowDecision[]): void {
  const widened = widenedOf(searches, decisions);
  windows.succeeded();
  for (const one of widened) windows.memory.succeeded([one]);
  if (widened.length > 1) windows.memory.succeeded(widened);
}

/** Some windows fell short. The other searches of the request keep theirs: those are asked for once more, where there is time. */
async function serveWithout(
  batch: Batch,
  decisions: readonly WindowDecision[],
  earlier: readonly Shortfall[],
  shortfalls: readonly Shortfall[],
): Promise<BatchResult> {
  const left = [...decisions];
  for (const { at, why } of shortfalls) left[at] = err(why);
  const { clock, engineTimeoutMs } = batch.deps;
  const isInTime = clock() - batch.begunAt < (engineTimeoutMs * WINDOW_SHARE) / 2;
  if (earlier.length === 0 && isInTime && left.some(isWidenedBy)) return serveRanked(batch, left, shortfalls);
  return serveOwnInstead(batch, reasonsOf(left, shortfalls[0]!.why), [...earlier, ...shortfalls]);
}

/** The order of one search and the page that is cut from it. */
async function orderPage(
  current: Search,
  waitedMs: number,
  decision: WindowDecision | undefined,
  read: Result<SearchReply, Bypass> | undefined,
  isWidened: boolean,
): Promise<SearchResult> {
  const { plan, index, assignment } = current;
  if (decision === undefined || read === undefined)
    return leave({ reason: "internal_error", detail: "Searches and replies differ in number" });
  if (!decision.ok) return leave(reasonOf(decision.error, errorIn(read)));
  if (!read.ok) return leave(read.error);
  const { hits } = read.value;
  const left = decision.value.unranked ?? read.value.bypass;
  const ranked = left === undefined ? await arrange(current, hits.slice(0, index.window), waitedMs) : err(left);
  const ruled = current.rules === undefined ? undefined : await rule(current, read.value, ranked);
  const arranged =
    ranked.ok && ruled !== undefined
      ? ok(
          ruledArrangement(
            ranked.value,
            ruled,
            hits.map(({ isPinned }) => isPinned),
          ),
        )
      : ranked;
  if (!arranged.ok && !isWidened && (ruled === undefined || ruled.applied.length === 0)) return { ...leave(arranged.error), ruled };
  // Without an order the page is the engine's own, cut from the wider reply.
  const order = arranged.ok ? arranged.value.order : (ruled?.order ?? []);
  const isWhole = isWidened && !plan.isCursored;
  const { offset, limit } = isWhole ? plan : { offset: 0, limit: hits.length };
  const dropped = ruled === undefined ? 0 : Math.min(hits.length, index.window) - ruled.order.length;
  const indices = pageIndices(order, hits.length - dropped, { offset, limit });
  const page = { hits, indices, firstRank: isWhole ? 0 : plan.offset, queryId: read.value.queryId };
  if (!arranged.ok) return { outcome: { bypass: arranged.error }, page, ruled };

  const { ranking, teams, propensities, shadow } = arranged.value;
  const end = offset + indices.length;
  const notes = { teams: teams?.slice(offset, end), propensities: propensities?.slice(offset, end), shadow };
  if (shadow === undefined) return { outcome: { ranking }, page, notes, ruled };
  return { outcome: { bypass: { reason: "engine_order", detail: `The variant is ${assignment.variant}` } }, page, notes, ruled };
}

/** The widened request failed, perhaps because it was widened: the shopper's own is sent. `reply`: what the engine answered, if anything. */
async function serveAfterFailure(
  batch: Batch,
  decisions: readonly WindowDecision[],
  earlier: readonly Shortfall[],
  failed: Bypass,
  reply?: EngineReply,
): Promise<BatchResult> {
  if (failed.reason === "aborted") return none(batch, failed);
  const failure = failureOf(batch, failed, reply);
  return serveOwnInstead(batch, reasonsOf(decisions, failure.why), earlier, (own) =>
    learnFromFailure(batch, widenedOf(batch.searches, decisions), failure, own),
  );
}

/** The engine's answer to the windows is its answer to the shopper. */
function passOn(batch: Batch, decisions: readonly WindowDecision[], reply: EngineReply, failed: Bypass): BatchResult {
  const { windows } = batch.deps;
  const widened = widenedOf(batch.searches, decisions);
  if (widened.length > 0 && (reply.status === 429 || reply.status === 503)) {
    windows.failed();
    windows.memory.failed(widened, failureOf(batch, failed, reply).why, true);
  }
  return leftAlone(batch, reply, reasonsOf(decisions, failed));
}

/** The shopper's own request has its own share of the time. */
async function serveOwnInstead(
  batch: Batch,
  reasons: readonly Bypass[],
  shortfalls: readonly Shortfall[],
  learn?: (own: { readonly status: number; readonly ms: number }) => void,
): Promise<BatchResult> {
  const { clock } = batch.deps;
  const askedAt = clock();
  const own = await ask(batch, batch.plan.own);
  if (!own.ok) return none(batch, own.error);
  learn?.({ status: own.value.status, ms: clock() - askedAt });
  if (shortfalls.length > 0) {
    const read = readReply(batch, own.value);
    if (read.ok) learnFrom(batch, shortfalls, read.value.searches);
  }
  return leftAlone(batch, own.value, reasons);
}

/** `own`: what the engine says of the shopper's own searches. */
function learnFrom(batch: Batch, shortfalls: readonly Shortfall[], own: RequestReply["searches"]): void {
  for (const shortfall of shortfalls) {
    const said = own[shortfall.at];
    if (said !== undefined) compareWithOwn(batch, shortfall, said);
  }
}

/** After a bug: `reply` if it answers the shopper's own request, else that request is sent. */
async function serveEngineOrder(batch: Batch, reply: EngineReply, isWidened: boolean, fault: Bypass): Promise<BatchResult> {
  const reasons = batch.searches.map(() => fault);
  return isWidened ? serveOwn(batch, reasons) : leftAlone(batch, reply, reasons);
}

/** The shopper's own request and the engine's own reply. */
async function serveOwn(batch: Batch, reasons: readonly Bypass[]): Promise<BatchResult> {
  const { own } = batch.plan;
  const reply = await ask(batch, own, 1, own.method === "GET" && !batch.request.isExplained);
  return reply.ok ? leftAlone(batch, reply.value, reasons) : none(batch, reply.error);
}

function leftAlone(batch: Batch, reply: EngineReply, reasons: readonly Bypass[]): BatchResult {
  const failure = statusFailure(reply);
  const parts = failure === undefined && batch.plan.isMulti && reasons.some(isRefused) ? readReply(batch, reply) : undefined;
  const results = reasons.map((given, i) =>
    leave(reasonOf(given, failure ?? (parts?.ok === true ? errorIn(parts.value.searches[i]) : undefined))),
  );
  return untouched(batch, reply, results);
}

/** An error of the engine says more than why its order was left alone, unless that error is the expected answer. */
function reasonOf(given: Bypass, error: Bypass | undefined): Bypass {
  return given.reason === "request_not_understood" ? given : (error ?? given);
}

function errorIn(part: Result<SearchReply, Bypass> | undefined): Bypass | undefined {
  return part?.ok === false && part.error.reason === "engine_status" ? part.error : undefined;
}

/** The engine may refuse the shopper's own search as well. */
const isRefused = ({ reason }: Bypass): boolean => reason === "engine_refused_window";

const WAITED: Bypass = { reason: "over_budget", detail: "The budget was over before the engine could be asked for the window" };

/** Rules hold, whoever had no time to order the list. */
function withoutModel({ searches }: Batch, decisions: readonly WindowDecision[]): readonly WindowDecision[] {
  return decisions.map((decision, i) =>
    decision.ok && decision.value.unranked === undefined ? forRules(searches[i]!, WAITED, () => decision) : decision,
  );
}

/** One per search: its own where it was to be left alone, else `reason`. */
function reasonsOf(decisions: readonly WindowDecision[], reason: Bypass): readonly Bypass[] {
  return decisions.map((decision) => (decision.ok ? reason : decision.error));
}
