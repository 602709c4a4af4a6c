/**
 * ONE search request, top to bottom: plan → variant → engine → item vectors → model → order → page → token → record. Read this first.
 *
 * A request is one search, or several that travel together: each has its own variant, order, page and record; the engine is asked once.
 * Everything outside comes in through `SearchDeps`. Whatever fails on the way, the shopper gets the engine's own answer in the engine's
 * own order, and the reason stands in the `x-armmt` header, the counters, the log and the exposure record.
 */
import type { EngineRequest, RequestPlan, RequestReply, SearchPlan, SearchReply } from "./backends/dialect.ts";
import type { EngineReply } from "./backends/engine.ts";
import { chooseVariant } from "./experiment/assign.ts";
import type { Assignment, Attributes, Experiment } from "./experiment/assign.ts";
import { isBot } from "./experiment/bots.ts";
import { parseTreatment, rankersOf } from "./experiment/treatment.ts";
import { MAX_HISTORY } from "./ranking/features.ts";
import type { WindowRequest } from "./ranking/window.ts";
import { pagePlaces, windowRequest } from "./ranking/window.ts";
import type { Bypass, BypassReason, Result } from "./result.ts";
import { bypass, err, ok } from "./result.ts";
import type { Arm, Batch, EdgeDeps, SearchResult, IndexDeps, Search, SearchDeps, SearchRequest, BatchResult } from "./search/contract.ts";
import { arrange, treatmentOf } from "./search/arrange.ts";
import { recordExposures } from "./search/exposure.ts";
import { internalError } from "./search/rank.ts";
import { respond } from "./search/respond.ts";
import { handOutTokens } from "./search/tokens.ts";

/** A run of the model cannot be interrupted: a request with a hundred searches must not occupy the isolate. */
const MAX_RERANKED = 16;

export async function search(request: SearchRequest, plan: RequestPlan, deps: SearchDeps): Promise<Response> {
  const startedAt = deps.now();
  const experiments = await deps.experiments(request.afterReply);
  const searches = await Promise.all(
    plan.searches.map((one, i) => openSearch(request, one, { index: deps.indexes[i], deps, experiments, startedAt })),
  );
  const batch: Batch = { request, deps, plan, searches, startedAt };

  const served = await serve(batch);

  searches.forEach((one, i) => count(one, served, served.results[i]));
  const handed = await handOutTokens(batch, served);
  request.afterReply(recordExposures(batch, served, handed?.shown));
  return respond(batch, served, handed?.tokens);
}

interface Known {
  readonly index: IndexDeps | undefined;
  readonly deps: EdgeDeps;
  readonly experiments: readonly Experiment[];
  readonly startedAt: number;
}

async function openSearch(request: SearchRequest, plan: SearchPlan, { index, deps, experiments, startedAt }: Known): Promise<Search> {
  if (index === undefined) throw new Error(`No dependencies for index ${plan.index}`);
  const arm = await chooseArm(request, plan, deps, experiments);
  return { request, deps, index, plan, arm, history: historyOf(request, plan), queryId: queryIdOf(plan) ?? deps.createId(), startedAt };
}

/** The limit of UBI for ids; one that is longer cannot be joined, so it is replaced. */
const MAX_ID_LENGTH = 100;

function queryIdOf({ ubi: { queryId } }: SearchPlan): string | undefined {
  return queryId === undefined || queryId === "" || queryId.length > MAX_ID_LENGTH ? undefined : queryId;
}

/** The same unit gets the same variant on every isolate; a search without a unit is in no experiment. */
async function chooseArm(request: SearchRequest, plan: SearchPlan, deps: EdgeDeps, experiments: readonly Experiment[]): Promise<Arm> {
  const { headers, forcedVariant } = request;
  const user = headers.get("x-armmt-user") || undefined;
  const session = headers.get("x-armmt-session") || undefined;
  const unit = user ?? session ?? plan.ubi.clientId;
  const bot = isBot(headers);
  const attributes: Attributes = { id: unit, user, session, index: plan.index, country: headers.get("cf-ipcountry") };
  const isOutside = bot || forcedVariant !== undefined;
  const assigned = isOutside ? undefined : await (deps.flags?.(attributes) ?? assignSafely(experiments, attributes, deps));
  const variant = forcedVariant ?? assigned?.variant ?? deps.defaultVariant;
  const treatment = parseTreatment(variant);
  if (!treatment.ok) throw new Error(treatment.error);
  return { variant, treatment: treatment.value, experiment: assigned?.experiment, unit: assigned?.unit ?? unit, isBot: bot };
}

/** A condition can be wrong in a way that only some shoppers meet: those get the default variant, and their search. */
function assignSafely(experiments: readonly Experiment[], attributes: Attributes, { log }: EdgeDeps): Assignment | undefined {
  try {
    return chooseVariant(experiments, attributes);
  } catch (cause) {
    log({ level: "error", event: "experiments", detail: `An experiment cannot be evaluated: ${String(cause)}` });
    return undefined;
  }
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

/** What to ask of the engine for one search, or why to leave it alone. */
type WindowDecision = Result<WindowRequest, Bypass>;

async function serve(batch: Batch): Promise<BatchResult> {
  const wanted = batch.searches.map(chooseWindow);
  if (wanted.every((one) => !one.ok)) return serveOwn(batch, wanted);
  try {
    return await serveRanked(batch, wanted);
  } catch (cause) {
    return serveOwn(batch, leaveAll(batch, internalError(cause)));
  }
}

/** Reasons that both variants share come first: their counts compare. */
function chooseWindow({ request, deps, plan, arm, index }: Search, place: number): WindowDecision {
  if (request.headers.get("x-armmt")?.trim().toLowerCase() === "off") return bypass("off", "Asked for by the client");
  if (index.window === 0) return bypass("index_excluded", `The configuration passes ${index.name} on`);
  if (plan.bypass !== undefined) return err(plan.bypass);
  const wanted = windowRequest(plan, index.window);
  if (wanted === undefined) return bypass("beyond_window", `The page begins after ${plan.offset} hits`);
  if (place >= MAX_RERANKED) return bypass("over_budget", `Of one request, the first ${MAX_RERANKED} searches are re-ranked`);
  const rankers = rankersOf(treatmentOf(arm));
  if (rankers.every(({ kind }) => kind === "engine")) return bypass("engine_order", `The variant is ${arm.variant}`);
  for (const ranker of rankers) {
    const scorer = ranker.kind === "model" ? deps.scorer(ranker.version) : undefined;
    if (scorer?.ok === false) return scorer;
  }
  return ok(plan.isCursored ? { size: plan.limit, isWidened: false } : wanted);
}

/** The shopper's own request and the engine's own reply. */
async function serveOwn(batch: Batch, left: readonly WindowDecision[]): Promise<BatchResult> {
  const reply = await ask(batch, batch.plan.own);
  return reply.ok ? untouched(reply.value, left) : none(batch, reply.error);
}

async function serveRanked(batch: Batch, wanted: readonly WindowDecision[]): Promise<BatchResult> {
  const { plan } = batch;
  const sizes = wanted.map((one) => (one.ok && one.value.isWidened ? one.value.size : undefined));
  const isWidened = sizes.some((size) => size !== undefined);
  const reply = await ask(batch, isWidened ? plan.widen(sizes) : plan.own);
  if (!reply.ok) return isWidened ? serveAfterRefusal(batch, wanted, reply.error) : none(batch, reply.error);
  const read = readReply(batch, reply.value, sizes);
  if (!read.ok) {
    if (!isWidened) return untouched(reply.value, leaveThese(wanted, read.error));
    batch.request.afterReply(reply.value.rest?.cancel() ?? Promise.resolve());
    return serveAfterRefusal(batch, wanted, read.error);
  }

  const { searches } = read.value;
  const results = await Promise.all(batch.searches.map((one, i) => finish(one, wanted[i], searches[i], sizes[i] !== undefined)));
  if (results.every(({ shown }) => shown === undefined)) return { kind: "untouched", results, reply: reply.value };
  return { kind: "edited", results, reply: reply.value, body: read.value.assemble(results.map(({ shown }) => shown?.places)) };
}

/** The order of one search and its page. */
async function finish(
  one: Search,
  wanted: WindowDecision | undefined,
  read: Result<SearchReply, Bypass> | undefined,
  isWidened: boolean,
): Promise<SearchResult> {
  const { plan, index } = one;
  if (wanted === undefined || read === undefined)
    return leave({ reason: "internal_error", detail: "Searches and replies differ in number" });
  if (!wanted.ok) return leave(wanted.error);
  if (!read.ok) return leave(read.error);
  const { hits } = read.value;
  const arranged = read.value.bypass === undefined ? await arrange(one, hits.slice(0, index.window)) : err(read.value.bypass);
  if (!arranged.ok && !isWidened) return leave(arranged.error);
  // Without an order the page is the engine's own, cut from the wider reply.
  const order = arranged.ok ? arranged.value.order : [];
  const page = isWidened ? plan : { offset: 0, limit: hits.length };
  const places = pagePlaces(order, hits.length, page);
  const shown = { hits, places, firstRank: isWidened ? 0 : plan.offset };
  if (!arranged.ok) return { outcome: { bypass: arranged.error }, shown };

  const { ranking, teams, propensities, shadow } = arranged.value;
  const cut = <T>(parallel: readonly T[] | undefined): readonly T[] | undefined =>
    parallel?.slice(page.offset, page.offset + places.length);
  const notes = { teams: cut(teams), propensities: cut(propensities), shadow };
  if (shadow === undefined) return { outcome: { ranking }, shown, notes };
  return { outcome: { bypass: { reason: "engine_order", detail: `The variant is ${one.arm.variant}` } }, shown, notes };
}

function leave(reason: Bypass): SearchResult {
  return { outcome: { bypass: reason }, shown: undefined };
}

/** The wider request came to nothing, which may be its own fault: the shopper's own gets its chance, while there is time. */
async function serveAfterRefusal(batch: Batch, wanted: readonly WindowDecision[], failed: Bypass): Promise<BatchResult> {
  if (failed.reason === "engine_timeout") return none(batch, failed);
  const isFaultOfReply = failed.reason.startsWith("reply_") || failed.reason === "duplicate_ids";
  return serveOwn(batch, leaveThese(wanted, isFaultOfReply ? failed : { reason: "engine_refused_window", detail: failed.detail }));
}

/** Searches that were to be left alone keep their own reason. */
function leaveThese(wanted: readonly WindowDecision[], reason: Bypass): readonly WindowDecision[] {
  return wanted.map((one) => (one.ok ? err(reason) : one));
}

function leaveAll({ searches }: Batch, reason: Bypass): readonly WindowDecision[] {
  return searches.map(() => err(reason));
}

function ask({ request, deps, startedAt }: Batch, engineRequest: EngineRequest): Promise<Result<EngineReply, Bypass>> {
  return deps.engine.send(engineRequest, request.headers, startedAt + deps.engineTimeoutMs - deps.now());
}

/** A wider part that cannot be read spoils the reply: nobody can cut the shopper's page from it. */
function readReply({ plan }: Batch, reply: EngineReply, sizes: readonly (number | undefined)[]): Result<RequestReply, Bypass> {
  if (!isSuccess(reply.status)) return bypass("engine_status", describeStatus(reply.status));
  if (reply.rest !== undefined) return bypass("reply_too_large", `The reply is longer than ${reply.body.length} bytes`);
  const read = plan.parseReply(reply.body);
  const spoilt = read.ok ? read.value.searches.find((one, i) => !one.ok && sizes[i] !== undefined) : undefined;
  return spoilt?.ok === false ? spoilt : read;
}

function describeStatus(status: number): string {
  const hint =
    status === 401 || status === 403 ? ": it wants a key (ENGINE_AUTHORIZATION, or forwardCredentials for the client's own)" : "";
  return `The engine answered ${status}${hint}`;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function untouched(reply: EngineReply, wanted: readonly WindowDecision[]): BatchResult {
  const results = wanted.map((one) => {
    const reason: Bypass = one.ok ? { reason: "internal_error", detail: "Left alone without a reason" } : one.error;
    // An error of the engine says more than why we would have left its order, unless that error is what we left the request to.
    const isExpected = isSuccess(reply.status) || reason.reason === "request_not_understood";
    return leave(isExpected ? reason : { reason: "engine_status", detail: describeStatus(reply.status) });
  });
  return { kind: "untouched", results, reply };
}

function none({ searches }: Batch, reason: Bypass): BatchResult {
  return { kind: "none", bypass: reason, results: searches.map(() => leave(reason)) };
}

/** Reasons that are no fault: asked for, or nothing to do. */
const EXPECTED: ReadonlySet<BypassReason> = new Set<BypassReason>([
  "off",
  "engine_order",
  "explicit_sort",
  "cursor",
  "grouped",
  "federated",
  "redirected",
  "index_excluded",
  "size_zero",
  "beyond_window",
  "no_query_text",
  "too_few_hits",
  "request_not_understood",
]);

/** Never silent: one line per bypass. Neither what the shopper typed nor who it was goes into a log. */
function count({ deps, arm, index }: Search, served: BatchResult, result: SearchResult | undefined): void {
  if (result === undefined) return;
  const bypassed = "bypass" in result.outcome ? result.outcome.bypass : undefined;
  if (arm.isBot) deps.counters.countBot();
  else deps.counters.countSearch(arm.variant, bypassed?.reason ?? "applied");
  if (bypassed === undefined) return;
  const { reason, detail } = bypassed;
  const level = reason === "internal_error" ? "error" : EXPECTED.has(reason) ? "info" : "warn";
  const status = served.kind === "none" ? undefined : served.reply.status;
  deps.log({ level, event: "bypass", index: index.name, variant: arm.variant, reason, detail, status });
}
