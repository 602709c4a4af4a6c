/**
 * How a search ended → the HTTP reply: status, headers, body, and the explanation where an admin asked for one.
 *
 * Decides nothing about the order.
 */
import { headersFromEngine } from "../backends/headers.ts";
import { annotateReply } from "../backends/json/reply.ts";
import { TOKENS_HEADER } from "../events/endpoint.ts";
import { modelVersionOf } from "../experiment/treatment.ts";
import { explainItems } from "../ranking/explain.ts";
import type { BypassReason } from "../result.ts";
import type { Batch, SearchResult, Search, SearchDeps, BatchResult, Shown } from "./contract.ts";

/** Reasons that follow from the request alone: such a reply is the engine's, and so are its rules for caches. */
const SAME_FOR_ALL: ReadonlySet<BypassReason> = new Set<BypassReason>([
  "explicit_sort",
  "cursor",
  "grouped",
  "federated",
  "redirected",
  "index_excluded",
  "size_zero",
  "beyond_window",
  "no_query_text",
  "request_not_understood",
]);

/** Statuses with which a Response must have no body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** `tokens`: of the searches, for their events. */
export function respond(batch: Batch, served: BatchResult, tokens?: string): Response {
  if (served.kind === "none") return respondWithError(batch.deps, served);
  const { request } = batch;
  const { reply, results } = served;
  const { status } = reply;

  const isForAll = tokens === undefined && !request.isExplained;
  const isPrivate = !isForAll || !results.every(({ outcome }) => "bypass" in outcome && SAME_FOR_ALL.has(outcome.bypass.reason));
  const headers = headersFromEngine(reply.headers, { isEdited: served.kind === "edited" || request.isExplained, isPrivate });
  headers.set("x-armmt", batch.searches.map((one, i) => describeEnding(one, results[i])).join(", "));
  if (tokens !== undefined) headers.set(TOKENS_HEADER, tokens);
  if (NO_BODY.has(status)) return new Response(null, { status, headers });
  if (reply.rest !== undefined) return new Response(prepend(reply.body, reply.rest), { status, headers });
  const plain = served.kind === "edited" ? served.body : reply.body;
  const body = request.isExplained ? annotateReply(plain, "armmt", explainAll(batch, served)) : plain;
  headers.set("content-length", String(body.length));
  return new Response(body, { status, headers });
}

function respondWithError({ backend }: SearchDeps, { bypass: { reason }, results }: Extract<BatchResult, { kind: "none" }>): Response {
  const isLate = reason === "engine_timeout";
  const status = isLate ? 504 : 502;
  const message = isLate ? "The search engine did not answer in time; try again" : "The search engine cannot be reached; try again";
  const { headers, body } = backend.describeError(status, reason, message);
  const outcomes = results.map(() => `bypass; reason=${reason}`).join(", ");
  return new Response(body, { status, headers: { ...headers, "cache-control": "no-store", "x-armmt": outcomes } });
}

function describeEnding({ index }: Search, result: SearchResult | undefined): string {
  if (result === undefined) return "bypass; reason=internal_error";
  const { outcome } = result;
  if ("bypass" in outcome) return `bypass; reason=${outcome.bypass.reason}`;
  return `applied; model=${outcome.ranking.modelVersion}; window=${index.window}; list=${outcome.ranking.listId}`;
}

function prepend(first: Uint8Array<ArrayBuffer>, rest: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = rest.getReader();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export const NOTHING: Shown = { hits: [], places: [], firstRank: 0 };

/** What the shopper sees of each search; what was not edited is read only here, because to serve it nobody needed to. */
export function shownHits({ plan, searches }: Batch, served: BatchResult): readonly Shown[] {
  const isWhole = served.kind !== "none" && served.reply.rest === undefined;
  const isNeeded = served.results.some(({ shown }) => shown === undefined);
  const read = isWhole && isNeeded ? plan.parseReply(served.reply.body) : undefined;
  return searches.map((one, i) => {
    const edited = served.results[i]?.shown;
    if (edited !== undefined) return edited;
    const own = read?.ok === true ? read.value.searches[i] : undefined;
    if (own?.ok !== true) return NOTHING;
    // An untouched reply begins where the page begins.
    return { hits: own.value.hits, places: [...own.value.hits.keys()], firstRank: one.plan.offset };
  });
}

/** One explanation, or a list where the request has room for several searches. */
function explainAll(batch: Batch, served: BatchResult): unknown {
  const shown = shownHits(batch, served);
  const all = batch.searches.map((one, i) => explain(one, served.results[i], shown[i] ?? NOTHING));
  return batch.plan.isMulti ? all : all[0];
}

function explain(
  { deps, index, plan, arm, history }: Search,
  result: SearchResult | undefined,
  { hits, places, firstRank }: Shown,
): object {
  const outcome = result?.outcome;
  const ranking = outcome !== undefined && "ranking" in outcome ? outcome.ranking : undefined;
  const scorer = deps.scorer(modelVersionOf(arm.treatment));
  return {
    variant: arm.variant,
    experiment: arm.experiment ?? null,
    isBot: arm.isBot,
    model: scorer.ok ? scorer.value.manifest.version : null,
    window: index.window,
    bypass: outcome !== undefined && "bypass" in outcome ? outcome.bypass.reason : null,
    query: plan.queryText ?? null,
    history: { given: history.length, known: ranking?.knownHistory ?? 0 },
    items: explainItems({ ids: hits.map((hit) => hit.itemId), places, offset: plan.offset, firstRank, scores: ranking?.scores }),
  };
}
