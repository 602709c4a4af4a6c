/**
 * How a search ended → the HTTP reply: status, headers, body, and the explanation where an admin asked for one.
 *
 * Decides nothing about the order.
 */
import type { Hit } from "../backends/backend.ts";
import { headersFromEngine } from "../backends/headers.ts";
import { explainItems } from "../ranking/explain.ts";
import type { BypassReason } from "../result.ts";
import type { Outcome, Search, SearchDeps, Served } from "./contract.ts";

/** Reasons that follow from the request alone: such a reply is the engine's, and so are its rules for caches. */
const SAME_FOR_ALL: ReadonlySet<BypassReason> = new Set<BypassReason>([
  "explicit_sort",
  "cursor",
  "grouped",
  "size_zero",
  "beyond_window",
  "no_query_text",
  "request_not_understood",
]);

/** Statuses with which a Response must have no body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export function respond(one: Search, served: Served): Response {
  if (served.kind === "none") return respondWithError(one.deps, served.outcome.bypass.reason);
  const { request, deps } = one;
  const { reply, outcome } = served;
  const { status } = reply;

  const isPrivate = request.isExplained || !("bypass" in outcome) || !SAME_FOR_ALL.has(outcome.bypass.reason);
  const headers = headersFromEngine(reply.headers, { isEdited: served.kind === "edited" || request.isExplained, isPrivate });
  headers.set("x-armmt", describeOutcome(deps, outcome));
  if (NO_BODY.has(status)) return new Response(null, { status, headers });
  if (reply.rest !== undefined) return new Response(prepend(reply.body, reply.rest), { status, headers });
  const plain = served.kind === "edited" ? served.body : reply.body;
  const body = request.isExplained ? deps.backend.annotate(plain, "armmt", explain(one, served)) : plain;
  headers.set("content-length", String(body.length));
  return new Response(body, { status, headers });
}

function respondWithError(deps: SearchDeps, reason: BypassReason): Response {
  const isLate = reason === "engine_timeout";
  const status = isLate ? 504 : 502;
  const message = isLate ? "The search engine did not answer in time; try again" : "The search engine cannot be reached; try again";
  const { contentType, body } = deps.backend.describeError(status, reason, message);
  const headers = { "content-type": contentType, "cache-control": "no-store", "x-armmt": `bypass; reason=${reason}` };
  return new Response(body, { status, headers });
}

function describeOutcome(deps: SearchDeps, outcome: Outcome): string {
  if ("bypass" in outcome) return `bypass; reason=${outcome.bypass.reason}`;
  return `applied; model=${outcome.ranking.modelVersion}; window=${deps.window}; list=${outcome.ranking.listId}`;
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

export interface Shown {
  readonly hits: readonly Hit[];
  /** As places in `hits`. */
  readonly places: readonly number[];
}

/** What the shopper sees; an untouched reply is read only here, because to serve it nobody needed to. */
export function shownHits({ deps, plan }: Search, served: Served): Shown {
  if (served.kind === "edited") return served;
  if (served.kind === "none" || served.reply.rest !== undefined) return { hits: [], places: [] };
  const read = deps.backend.parseReply(served.reply.body, plan);
  const hits = read.ok ? read.value.hits : [];
  return { hits, places: [...hits.keys()] };
}

function explain(one: Search, served: Served): object {
  const { deps, plan, arm, history } = one;
  const ranking = "ranking" in served.outcome ? served.outcome.ranking : undefined;
  const scorer = deps.scorer();
  const { hits, places } = shownHits(one, served);
  return {
    variant: arm.variant,
    inExperiment: arm.isInExperiment,
    model: scorer.ok ? scorer.value.manifest.version : null,
    window: deps.window,
    bypass: "bypass" in served.outcome ? served.outcome.bypass.reason : null,
    query: plan.queryText ?? null,
    history: { given: history.length, known: ranking?.knownHistory ?? 0 },
    items: explainItems({
      ids: hits.map((hit) => hit.itemId),
      places,
      offset: plan.offset,
      // An untouched reply begins where the page begins, a wider one with the first hit.
      firstRank: served.kind === "edited" ? 0 : plan.offset,
      scores: ranking?.scores,
    }),
  };
}
