/**
 * ONE search request, top to bottom: plan → variant → engine → item vectors → model → order → page → record. Read this first.
 *
 * Everything outside comes in through `SearchDeps`. Whatever fails on the way, the shopper gets the engine's own answer in the engine's
 * own order, and the reason stands in the `x-armmt` header, the counters, the log and the exposure record.
 */
import type { EngineRequest, SearchPlan, SearchReply } from "./backends/backend.ts";
import type { EngineReply } from "./backends/engine.ts";
import { assignVariant } from "./experiment/assign.ts";
import { MAX_HISTORY } from "./ranking/features.ts";
import type { WindowRequest } from "./ranking/window.ts";
import { pagePlaces, windowRequest } from "./ranking/window.ts";
import type { Bypass, BypassReason, Result } from "./result.ts";
import { bypass, err, ok } from "./result.ts";
import type { Arm, Search, SearchDeps, SearchRequest, Served } from "./search/contract.ts";
import { recordExposure } from "./search/exposure.ts";
import { internalError, rankInTime } from "./search/rank.ts";
import { respond } from "./search/respond.ts";

const RERANKED_VARIANT = "armmt";

export async function search(request: SearchRequest, deps: SearchDeps): Promise<Response> {
  const startedAt = deps.now();
  const plan = deps.backend.plan(deps.index, request);
  const arm = chooseArm(request, plan, deps);
  const one: Search = { request, deps, plan, arm, history: historyOf(request, plan), startedAt };

  const served = await serve(one);

  deps.counters.countSearch(arm.variant, "bypass" in served.outcome ? served.outcome.bypass.reason : "applied");
  if ("bypass" in served.outcome) logBypass(one, served, served.outcome.bypass);
  request.afterReply(recordExposure(one, served));
  return respond(one, served);
}

/** The same unit gets the same variant on every isolate; a search without a unit is in no experiment. */
function chooseArm({ headers, forcedVariant }: SearchRequest, plan: SearchPlan, deps: SearchDeps): Arm {
  const unit = headers.get("x-armmt-user") || headers.get("x-armmt-session") || plan.ubi.clientId;
  if (forcedVariant !== undefined) return { variant: forcedVariant, isInExperiment: false, unit };
  const assigned = unit === undefined || deps.experiment === undefined ? undefined : assignVariant(deps.experiment, unit);
  return { variant: assigned?.variant ?? deps.defaultVariant, isInExperiment: assigned !== undefined, unit };
}

/** What the shopper looked at, from the header or else the body; it is kept nowhere. An id that cannot be decoded is left out. */
function historyOf(request: SearchRequest, plan: SearchPlan): readonly string[] {
  const header = request.headers.get("x-armmt-history");
  const ids = header === null ? plan.history : header.split(",").flatMap(decodeId);
  return [...new Set(ids)].slice(0, MAX_HISTORY);
}

function decodeId(text: string): readonly string[] {
  try {
    const id = decodeURIComponent(text.trim());
    return id === "" ? [] : [id];
  } catch {
    return [];
  }
}

async function serve(one: Search): Promise<Served> {
  const wanted = chooseWindow(one);
  if (!wanted.ok) return serveOwn(one, wanted.error);
  try {
    return await serveRanked(one, wanted.value);
  } catch (cause) {
    return serveOwn(one, internalError(cause));
  }
}

/** What to ask the engine for, or why to leave the search alone. Reasons that both variants share come first: their counts compare. */
function chooseWindow({ request, deps, plan, arm }: Search): Result<WindowRequest, Bypass> {
  if (request.headers.get("x-armmt")?.trim().toLowerCase() === "off") return bypass("off", "Asked for by the client");
  if (plan.bypass !== undefined) return err(plan.bypass);
  const wanted = windowRequest(plan, deps.window);
  if (wanted === undefined) return bypass("beyond_window", `The page begins after ${plan.offset} hits`);
  if (arm.variant !== RERANKED_VARIANT) return bypass("engine_order", `The variant is ${arm.variant}`);
  const scorer = deps.scorer();
  return scorer.ok ? ok(wanted) : scorer;
}

/** The shopper's own request and the engine's own reply. */
async function serveOwn(one: Search, left: Bypass): Promise<Served> {
  const reply = await ask(one, one.plan.own);
  return reply.ok ? untouched(reply.value, left) : { kind: "none", outcome: { bypass: reply.error } };
}

async function serveRanked(one: Search, wanted: WindowRequest): Promise<Served> {
  const { plan, deps } = one;
  const reply = await ask(one, wanted.isWidened ? plan.widen(wanted.size) : plan.own);
  if (!reply.ok) return wanted.isWidened ? serveAfterRefusal(one, reply.error) : { kind: "none", outcome: { bypass: reply.error } };
  const read = readReply(one, reply.value);
  if (!read.ok) {
    if (!wanted.isWidened) return untouched(reply.value, read.error);
    one.request.afterReply(reply.value.rest?.cancel() ?? Promise.resolve());
    return serveAfterRefusal(one, read.error);
  }

  const { hits } = read.value;
  const ranking = await rankInTime(one, hits.slice(0, deps.window));
  if (!ranking.ok && !wanted.isWidened) return untouched(reply.value, ranking.error);
  // Without an order the page is the engine's own, cut from the wider reply.
  const order = ranking.ok ? ranking.value.order : [];
  const places = pagePlaces(order, hits.length, wanted.isWidened ? plan : { offset: 0, limit: hits.length });
  const outcome = ranking.ok ? { ranking: ranking.value } : { bypass: ranking.error };
  return { kind: "edited", outcome, reply: reply.value, body: read.value.assemble(places), hits, places };
}

/** The wider request came to nothing, which may be its own fault: the shopper's own gets its chance, while there is time. */
async function serveAfterRefusal(one: Search, failed: Bypass): Promise<Served> {
  if (failed.reason === "engine_timeout") return { kind: "none", outcome: { bypass: failed } };
  const isFaultOfReply = failed.reason.startsWith("reply_") || failed.reason === "duplicate_ids";
  return serveOwn(one, isFaultOfReply ? failed : { reason: "engine_refused_window", detail: failed.detail });
}

function ask({ request, deps, startedAt }: Search, engineRequest: EngineRequest): Promise<Result<EngineReply, Bypass>> {
  return deps.engine.send(engineRequest, request.headers, startedAt + deps.engineTimeoutMs - deps.now());
}

function readReply({ deps, plan }: Search, reply: EngineReply): Result<SearchReply, Bypass> {
  if (!isSuccess(reply.status)) return bypass("engine_status", `The engine answered ${reply.status}`);
  if (reply.rest !== undefined) return bypass("reply_too_large", `The reply is longer than ${reply.body.length} bytes`);
  return deps.backend.parseReply(reply.body, plan);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function untouched(reply: EngineReply, left: Bypass): Served {
  // An error of the engine says more than why we would have left its order, unless that error is what we left the request to.
  const isExpected = isSuccess(reply.status) || left.reason === "request_not_understood";
  const reason: Bypass = isExpected ? left : { reason: "engine_status", detail: `The engine answered ${reply.status}` };
  return { kind: "untouched", outcome: { bypass: reason }, reply };
}

/** Reasons that are no fault: asked for, or nothing to do. */
const EXPECTED: ReadonlySet<BypassReason> = new Set<BypassReason>([
  "off",
  "engine_order",
  "explicit_sort",
  "cursor",
  "grouped",
  "size_zero",
  "beyond_window",
  "no_query_text",
  "too_few_hits",
  "request_not_understood",
]);

/** Never silent: one line per bypass. Neither what the shopper typed nor who it was goes into a log. */
function logBypass({ deps, arm }: Search, served: Served, { reason, detail }: Bypass): void {
  const level = reason === "internal_error" ? "error" : EXPECTED.has(reason) ? "info" : "warn";
  const status = served.kind === "none" ? undefined : served.reply.status;
  deps.log({ level, event: "bypass", index: deps.index, variant: arm.variant, reason, detail, status });
}
