/** The exchange with the engine: how many hits to ask for, the request within its time, and whether the reply can be used. */
import type { EngineRequest, RequestReply } from "../backends/dialect.ts";
import type { EngineReply } from "../backends/engine.ts";
import { type Ranker, rankersOf } from "../experiment/treatment.ts";
import { wantsEngineOrder } from "../protocol.ts";
import { windowRequest } from "../ranking/window.ts";
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { treatmentOf } from "./arrange.ts";
import type { Batch, Search } from "./contract.ts";
import type { WindowDecision } from "./results.ts";
import { browseTrust } from "./browse.ts";
import type { Browsed } from "./live-browse.ts";
import { forRules } from "./rules.ts";
import { scorerOf } from "./trusted.ts";
import { WINDOW_SHARE } from "./windows.ts";

/** A run of the model cannot be interrupted: a request with a hundred searches must not occupy the isolate. */
export const MAX_RERANKED = 16;

/** One per search. Searches that are left alone for a reason of their own take no place from others. */
export function chooseWindows(searches: readonly Search[]): WindowDecision[] {
  let rerankable = 0;
  const decisions = searches.map((search) => {
    const shared = sharedWindow(search);
    if (!shared.ok) return shared;
    const known = shared.value.isWidened ? search.index.windows.memory.recall([search]) : undefined;
    if (known !== undefined) return err(known);
    if (++rerankable <= MAX_RERANKED) return ownWindow(search, shared.value);
    if (shared.value.unranked !== undefined) return shared;
    const late: Bypass = { reason: "over_budget", detail: `Of one request, the first ${MAX_RERANKED} searches are re-ranked` };
    // Rules hold, whoever had no time to order the list.
    return forRules(search, late, () => shared);
  });
  const widened = widenedOf(searches, decisions);
  const known = widened.length > 1 ? widened[0]?.index.windows.memory.recall(widened) : undefined;
  return known === undefined ? decisions : decisions.map((decision) => (isWidened(decision) ? err(known) : decision));
}

export function isWidened(decision: WindowDecision | undefined): boolean {
  return decision?.ok === true && decision.value.isWidened;
}

export function widenedOf(searches: readonly Search[], decisions: readonly WindowDecision[]): readonly Search[] {
  return searches.filter((_, i) => isWidened(decisions[i]));
}

/** Reasons that all variants share come first, so that their counts compare. */
function sharedWindow(search: Search): WindowDecision {
  const { request, plan, index } = search;
  if (wantsEngineOrder(request.headers)) return bypass("off", "Asked for by the client");
  if (index.window === 0) return bypass("index_excluded", `The configuration passes ${index.name} on`);
  const left = plan.bypass;
  return left === undefined || isBrowsed(search) ? pageWindow(search) : forRules(search, left, () => pageWindow(search));
}

/** Whether anything but rules can change its order. */
function isBrowsed({ browsed, assignment }: Search): boolean {
  return browsed !== undefined && (browsed.table !== undefined || treatmentOf(assignment).kind === "explore");
}

function pageWindow({ plan, index }: Search): WindowDecision {
  const window = windowRequest(plan, index.window);
  if (window === undefined) return bypass("beyond_window", `The page begins after ${plan.offset} hits`);
  const isAlways = plan.isAlwaysWidened === true;
  if (plan.isCursored) return ok({ size: plan.limit, isWidened: isAlways });
  return ok(isAlways ? { ...window, isWidened: true } : window);
}

function ownWindow(search: Search, window: Extract<WindowDecision, { readonly ok: true }>["value"]): WindowDecision {
  if (window.unranked !== undefined) return ok(window);
  const left = reasonNotToRank(search);
  return left === undefined ? ok(window) : forRules(search, left, () => ok(window));
}

function reasonNotToRank(search: Search): Bypass | undefined {
  const { assignment } = search;
  const { variant, experiment, isSwitchedOff } = assignment;
  if (isSwitchedOff) return { reason: "switched_off", detail: `Experiment ${experiment} has switched ${variant} off` };
  const rankers = rankersOf(treatmentOf(assignment));
  if (rankers.every(({ kind }) => kind === "engine")) return { reason: "engine_order", detail: `The variant is ${variant}` };
  if (search.browsed !== undefined) return reasonNotToBrowse(search, search.browsed, rankers);
  for (const ranker of rankers) {
    const scorer = ranker.kind === "model" ? scorerOf(ranker, search) : undefined;
    if (scorer?.ok === false) return scorer.error;
  }
  return undefined;
}

/** An exploration is of the engine's order where nothing else is known. */
function reasonNotToBrowse({ assignment }: Search, browsed: Browsed, rankers: readonly Ranker[]): Bypass | undefined {
  if (treatmentOf(assignment).kind === "explore" || rankers.some((ranker) => browseTrust(ranker, browsed) > 0)) return undefined;
  return { reason: "engine_order", detail: `The variant ${assignment.variant} follows the published browse rates by 0` };
}

/** Within the rest of the engine's time, or of a share of it. Never rejects. `isConditional`: the engine may say 304. */
export async function ask(
  { request, deps, begunAt, waited }: Batch,
  engineRequest: EngineRequest,
  share = 1,
  isConditional = false,
): Promise<Result<EngineReply, Bypass>> {
  const { engineTimeoutMs } = deps;
  const askedAt = deps.clock();
  // The shopper's own request keeps its share, also where this thread was behind when the window's was over.
  const atLeastMs = share < 1 ? 0 : engineTimeoutMs * (1 - WINDOW_SHARE);
  const timeoutMs = Math.max(atLeastMs, begunAt + engineTimeoutMs * share - askedAt);
  const reply = await deps.engine.send(engineRequest, request, timeoutMs, isConditional);
  const tookMs = deps.clock() - askedAt;
  waited.engineMs += tookMs;
  if (reply.ok) deps.windows.noteReply(tookMs);
  return reply;
}

export function readReply({ plan }: Batch, reply: EngineReply): Result<RequestReply, Bypass> {
  const failure = statusFailure(reply);
  if (failure !== undefined) return err(failure);
  if (reply.rest !== undefined) return bypass("reply_too_large", `The reply is longer than ${reply.body.length} bytes`);
  if (reply.left !== undefined) return err(reply.left);
  return plan.parseReply(reply.body);
}

/** No right to it, nothing there, no such format, too many requests: the answer to a shopper's own request too. */
const FINAL: ReadonlySet<number> = new Set([401, 403, 404, 406, 429, 503]);

export const isFinal = (status: number): boolean => FINAL.has(status);

/** `undefined` for 2xx, and for 304: the client has the reply already. */
export function statusFailure({ status }: EngineReply): Bypass | undefined {
  if ((status >= 200 && status < 300) || status === 304) return undefined;
  const hint =
    status === 401 || status === 403 ? ": it wants a key (ENGINE_AUTHORIZATION, or forwardCredentials for the client's own)" : "";
  return { reason: "engine_status", detail: `The engine answered ${status}${hint}` };
}
