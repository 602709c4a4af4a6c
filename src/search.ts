/**
 * ONE search request, top to bottom: plan → variant → engine → item vectors → model → order → page → token → record. Read this first.
 *
 * A request is one search, or several that travel together: each has its own variant, order, page and record; the engine is asked once.
 * Dependencies come in through `SearchDeps`. Once the engine has answered, no exception reaches the shopper: whatever fails, they get the
 * engine's own answer in the engine's own order, and the reason is in the `x-armmt` header, the counters, the log and the exposure record.
 */
import type { RequestPlan, SearchReply } from "./backends/dialect.ts";
import type { EngineReply } from "./backends/engine.ts";
import { pageIndices } from "./ranking/window.ts";
import { type Bypass, err, ok, REASONS, type Result } from "./result.ts";
import { admit } from "./search/admission.ts";
import { arrange, internalError } from "./search/arrange.ts";
import { ask, chooseWindows, readReply, statusFailure } from "./search/ask.ts";
import type { Batch, BatchResult, Search, SearchDeps, SearchRequest, SearchResult } from "./search/contract.ts";
import { openBatch, openPlainly } from "./search/open.ts";
import { countSearches, recordExposures } from "./search/record.ts";
import { respond } from "./search/respond.ts";
import { edited, leave, none, untouched, type WindowDecision } from "./search/results.ts";
import { checkWindows, compareWithOwn, type Widened } from "./search/shortfall.ts";
import { handOutTokens } from "./search/tokens.ts";
import { WINDOW_SHARE } from "./search/windows.ts";

export async function search(request: SearchRequest, plan: RequestPlan, deps: SearchDeps): Promise<Response> {
  const opened = await openSafely(request, plan, deps);
  if (!opened.ok) return respondUnopened(openPlainly(request, plan, deps), opened.error);
  const batch = opened.value;
  const served = await serve(batch);
  try {
    const response = respond(batch, served, await handOutTokens(batch, served));
    countSearches(batch, served);
    request.afterReply(recordExposures(batch, served));
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
      if (!decisions.some((decision) => decision.ok)) return await serveOwn(batch, reasonsOf(decisions, WAITED));
      if (begins !== undefined && !(await begins)) return await serveOwn(batch, reasonsOf(decisions, WAITED));
      return await serveRanked(batch, decisions);
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

async function serveRanked(batch: Batch, decisions: readonly WindowDecision[]): Promise<BatchResult> {
  const sizes = decisions.map((decision) => (decision.ok && decision.value.isWidened ? decision.value.size : undefined));
  const isWidened = sizes.some((size) => size !== undefined);
  const reply = isWidened ? await ask(batch, batch.plan.widen(sizes), WINDOW_SHARE) : await ask(batch, batch.plan.own);
  if (!reply.ok) return isWidened ? serveAfterRefusal(batch, decisions, reply.error) : none(batch, reply.error);
  try {
    const read = readReply(batch, reply.value, sizes);
    const whole = read.ok ? checkWindows(batch, { reply: read.value, sizes }) : read;
    if (whole.ok) {
      const { searches } = whole.value;
      if (isWidened) batch.deps.windows.succeeded();
      const results = await Promise.all(
        batch.searches.map((current, i) => orderPage(current, decisions[i], searches[i], sizes[i] !== undefined)),
      );
      if (results.every(({ page }) => page === undefined)) return untouched(batch, reply.value, results);
      return edited(batch, reply.value, { results, body: whole.value.assemble(results.map(({ page }) => page?.indices)), isWidened });
    }
    if (!isWidened) return leftAlone(batch, reply.value, reasonsOf(decisions, whole.error));
    batch.request.afterReply(reply.value.rest?.cancel() ?? Promise.resolve());
    return await serveAfterRefusal(batch, decisions, whole.error, read.ok ? { reply: read.value, sizes } : undefined);
  } catch (cause) {
    return serveEngineOrder(batch, reply.value, isWidened, internalError(cause));
  }
}

/** The order of one search and the page that is cut from it. */
async function orderPage(
  current: Search,
  decision: WindowDecision | undefined,
  read: Result<SearchReply, Bypass> | undefined,
  isWidened: boolean,
): Promise<SearchResult> {
  const { plan, index, assignment } = current;
  if (decision === undefined || read === undefined)
    return leave({ reason: "internal_error", detail: "Searches and replies differ in number" });
  if (!decision.ok) return leave(decision.error);
  if (!read.ok) return leave(read.error);
  const { hits } = read.value;
  const arranged = read.value.bypass === undefined ? await arrange(current, hits.slice(0, index.window)) : err(read.value.bypass);
  if (!arranged.ok && !isWidened) return leave(arranged.error);
  // Without an order the page is the engine's own, cut from the wider reply.
  const order = arranged.ok ? arranged.value.order : [];
  const isWhole = isWidened && !plan.isCursored;
  const { offset, limit } = isWhole ? plan : { offset: 0, limit: hits.length };
  const indices = pageIndices(order, hits.length, { offset, limit });
  const page = { hits, indices, firstRank: isWhole ? 0 : plan.offset };
  if (!arranged.ok) return { outcome: { bypass: arranged.error }, page };

  const { ranking, teams, propensities, shadow } = arranged.value;
  const end = offset + indices.length;
  const notes = { teams: teams?.slice(offset, end), propensities: propensities?.slice(offset, end), shadow };
  if (shadow === undefined) return { outcome: { ranking }, page, notes };
  return { outcome: { bypass: { reason: "engine_order", detail: `The variant is ${assignment.variant}` } }, page, notes };
}

/** The widened request failed, perhaps because it was widened: the shopper's own is sent. `widened`: its reply, where it could be read. */
async function serveAfterRefusal(
  batch: Batch,
  decisions: readonly WindowDecision[],
  failed: Bypass,
  widened?: Widened,
): Promise<BatchResult> {
  if (failed.reason === "aborted") return none(batch, failed);
  const { clock } = batch.deps;
  const askedAt = clock();
  const own = await ask(batch, batch.plan.own);
  if (!own.ok) return none(batch, own.error);
  // An engine that fails the shopper's own request too says nothing of windows.
  if (statusFailure(own.value) === undefined) compareWithOwn(batch, failed, { reply: own.value, ms: clock() - askedAt }, widened);
  return leftAlone(batch, own.value, reasonsOf(decisions, windowReason(failed, widened)));
}

function windowReason({ reason, detail }: Bypass, widened: Widened | undefined): Bypass {
  if (widened !== undefined || REASONS[reason].fault === "reply") return { reason, detail };
  return { reason: reason === "engine_timeout" ? "window_timeout" : "engine_refused_window", detail };
}

/** After a bug: `reply` if it answers the shopper's own request, else that request is sent. */
async function serveEngineOrder(batch: Batch, reply: EngineReply, isWidened: boolean, fault: Bypass): Promise<BatchResult> {
  const reasons = batch.searches.map(() => fault);
  return isWidened ? serveOwn(batch, reasons) : leftAlone(batch, reply, reasons);
}

/** The shopper's own request and the engine's own reply. */
async function serveOwn(batch: Batch, reasons: readonly Bypass[]): Promise<BatchResult> {
  const reply = await ask(batch, batch.plan.own);
  return reply.ok ? leftAlone(batch, reply.value, reasons) : none(batch, reply.error);
}

function leftAlone(batch: Batch, reply: EngineReply, reasons: readonly Bypass[]): BatchResult {
  const failure = statusFailure(reply);
  // An error of the engine says more than why its order was left alone, unless that error is the expected answer.
  const results = reasons.map((given) => leave(given.reason === "request_not_understood" ? given : (failure ?? given)));
  return untouched(batch, reply, results);
}

const WAITED: Bypass = { reason: "over_budget", detail: "The budget was over before the engine could be asked for the window" };

/** One per search: its own where it was to be left alone, else `reason`. */
function reasonsOf(decisions: readonly WindowDecision[], reason: Bypass): readonly Bypass[] {
  return decisions.map((decision) => (decision.ok ? reason : decision.error));
}
