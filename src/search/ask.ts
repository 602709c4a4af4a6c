/** The exchange with the engine: how many hits to ask for, the request within its time, and whether the reply can be used. */
import type { EngineRequest, RequestReply } from "../backends/dialect.ts";
import type { EngineReply } from "../backends/engine.ts";
import { rankersOf } from "../experiment/treatment.ts";
import { wantsEngineOrder } from "../protocol.ts";
import { type WindowRequest, windowRequest } from "../ranking/window.ts";
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { treatmentOf } from "./arrange.ts";
import type { Batch, Search } from "./contract.ts";
import type { WindowDecision } from "./results.ts";
import { WINDOW_SHARE } from "./windows.ts";

/** A run of the model cannot be interrupted: a request with a hundred searches must not occupy the isolate. */
export const MAX_RERANKED = 16;

/** One per search. Searches that are left alone for a reason of their own take no place from others. */
export function chooseWindows(searches: readonly Search[]): WindowDecision[] {
  let rerankable = 0;
  return searches.map((search) => {
    const shared = sharedWindow(search);
    if (!shared.ok) return shared;
    if (++rerankable > MAX_RERANKED) return bypass("over_budget", `Of one request, the first ${MAX_RERANKED} searches are re-ranked`);
    return ownWindow(search, shared.value);
  });
}

/** Reasons that all variants share come first, so that their counts compare. */
function sharedWindow({ request, plan, index }: Search): WindowDecision {
  if (wantsEngineOrder(request.headers)) return bypass("off", "Asked for by the client");
  if (index.window === 0) return bypass("index_excluded", `The configuration passes ${index.name} on`);
  if (plan.bypass !== undefined) return err(plan.bypass);
  const window = windowRequest(plan, index.window);
  if (window === undefined) return bypass("beyond_window", `The page begins after ${plan.offset} hits`);
  const isWidened = plan.isAlwaysWidened === true;
  if (plan.isCursored) return ok({ size: plan.limit, isWidened });
  return ok(isWidened ? { ...window, isWidened } : window);
}

function ownWindow({ deps, assignment }: Search, window: WindowRequest): WindowDecision {
  const rankers = rankersOf(treatmentOf(assignment));
  if (rankers.every(({ kind }) => kind === "engine")) return bypass("engine_order", `The variant is ${assignment.variant}`);
  for (const ranker of rankers) {
    const scorer = ranker.kind === "model" ? deps.scorer(ranker.version) : undefined;
    if (scorer?.ok === false) return scorer;
  }
  return ok(window);
}

/** Within the rest of the engine's time, or of a share of it. Never rejects. */
export async function ask(
  { request, deps, begunAt }: Batch,
  engineRequest: EngineRequest,
  share = 1,
): Promise<Result<EngineReply, Bypass>> {
  const { engineTimeoutMs } = deps;
  const askedAt = deps.clock();
  // The shopper's own request keeps its share, also where this thread was behind when the window's was over.
  const atLeastMs = share < 1 ? 0 : engineTimeoutMs * (1 - WINDOW_SHARE);
  const reply = await deps.engine.send(engineRequest, request, Math.max(atLeastMs, begunAt + engineTimeoutMs * share - askedAt));
  if (reply.ok) deps.windows.noteReply(deps.clock() - askedAt);
  return reply;
}

/** `sizes`: of the widened searches. If the part of one cannot be read, neither can the reply: its page cannot be cut out. */
export function readReply({ plan }: Batch, reply: EngineReply, sizes: readonly (number | undefined)[]): Result<RequestReply, Bypass> {
  const failure = statusFailure(reply);
  if (failure !== undefined) return err(failure);
  if (reply.rest !== undefined) return bypass("reply_too_large", `The reply is longer than ${reply.body.length} bytes`);
  if (reply.left !== undefined) return err(reply.left);
  const read = plan.parseReply(reply.body);
  const unreadable = read.ok ? read.value.searches.find((search, i) => !search.ok && sizes[i] !== undefined) : undefined;
  return unreadable?.ok === false ? unreadable : read;
}

/** `undefined` for 2xx. */
export function statusFailure({ status }: EngineReply): Bypass | undefined {
  if (status >= 200 && status < 300) return undefined;
  const hint =
    status === 401 || status === 403 ? ": it wants a key (ENGINE_AUTHORIZATION, or forwardCredentials for the client's own)" : "";
  return { reason: "engine_status", detail: `The engine answered ${status}${hint}` };
}
