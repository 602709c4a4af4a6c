/** The results of a request → the HTTP reply: status, headers, body, and the explanation where an admin asked for one. */
import type { EngineReply } from "../backends/engine.ts";
import { headersFromEngine } from "../backends/headers.ts";
import { annotateReply } from "../backends/json/reply.ts";
import { formatOutcomes, formatTokens, MAX_HEADER_BYTES, OUTCOME_HEADER, type PublicOutcome, TOKENS_HEADER } from "../protocol.ts";
import { REASONS } from "../result.ts";
import { errorText, type Log } from "../web.ts";
import type { Batch, BatchResult, Search, SearchDeps, SearchResult, Shown } from "./contract.ts";
import { NOTHING } from "./results.ts";
import { publicRules, rulesAttributes } from "./rules.ts";
import { treatmentScorer } from "./trusted.ts";

/** A Response with one of these statuses must not have a body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** `issued`: tokens, parallel to the searches, or none. */
export function respond(batch: Batch, served: BatchResult, issued: readonly (string | undefined)[]): Response {
  if (served.kind === "none") return respondWithError(batch.deps, served);
  const { request, searches } = batch;
  const { reply, results } = served;

  const outcomes = formatOutcomes(searches.map((search, i) => publicOutcome(search, results[i])));
  const tokens = formatTokens(issued, MAX_HEADER_BYTES - outcomes.length);
  const isForAll = tokens === undefined && !request.isExplained && searches.every(({ hasRules }) => hasRules !== true);
  const isPrivate = !isForAll || !results.every(({ outcome }) => "bypass" in outcome && REASONS[outcome.bypass.reason].cacheable);
  const headers = headersFromEngine(reply.headers, { isEdited: served.kind === "edited" || request.isExplained, isPrivate });
  headers.set(OUTCOME_HEADER, outcomes);
  if (tokens !== undefined) headers.set(TOKENS_HEADER, tokens);
  const plain = served.kind === "edited" ? served.body : reply.body;
  const hasAll = reply.rest === undefined && !NO_BODY.has(reply.status);
  const body = request.isExplained && hasAll ? annotateReply(plain, "armmt", explainAll(batch, served)) : plain;
  return replyWith(reply, headers, body, batch.deps.log);
}

/** `body`: that of the reply, or what is made of it; where the reply has a rest, its own comes and the rest behind it. */
export function replyWith(reply: EngineReply, headers: Headers, body: Uint8Array<ArrayBuffer>, log: Log): Response {
  const { status } = reply;
  if (NO_BODY.has(status)) return new Response(null, { status, headers });
  // Without this, workerd would pack once more what stays packed.
  const init = { status, headers, ...(headers.has("content-encoding") && { encodeBody: "manual" }) };
  if (reply.rest !== undefined) {
    const onBreak = (cause: unknown) => log({ level: "warn", event: "reply_broken_off", detail: errorText(cause) });
    return new Response(prepend(reply.body, reply.rest, onBreak), init);
  }
  headers.set("content-length", String(body.length));
  return new Response(body, init);
}

function respondWithError({ backend }: SearchDeps, { bypass: { reason }, results }: Extract<BatchResult, { kind: "none" }>): Response {
  // The usual status in logs of a client that has left.
  if (reason === "aborted") return new Response(null, { status: 499 });
  const isLate = reason === "engine_timeout";
  const status = isLate ? 504 : 502;
  const message = isLate ? "The search engine did not answer in time; try again" : "The search engine cannot be reached; try again";
  const { headers, body } = backend.describeError(status, reason, message);
  const outcomes = formatOutcomes(results.map(() => ({ kind: "bypass", reason })));
  return new Response(body, { status, headers: { ...headers, "cache-control": "no-store", [OUTCOME_HEADER]: outcomes } });
}

function publicOutcome(search: Search, result: SearchResult | undefined): PublicOutcome {
  if (result === undefined) return { kind: "bypass", reason: "internal_error" };
  const { outcome } = result;
  const rules = publicRules(search, result);
  if ("bypass" in outcome) return { kind: "bypass", reason: outcome.bypass.reason, ...rules };
  return { kind: "applied", model: outcome.ranking.modelVersion, window: search.index.window, list: outcome.ranking.listId, ...rules };
}

/** Locks `rest` when the first bytes are read: a reply that is made but not sent can be made again. */
function prepend(
  first: Uint8Array<ArrayBuffer>,
  rest: ReadableStream<Uint8Array>,
  onBreak: (cause: unknown) => void,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      reader ??= rest.getReader();
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        onBreak(cause);
        controller.error(cause);
      }
    },
    cancel: (reason) => (reader ?? rest).cancel(reason),
  });
}

/** One explanation, or a list where the request has room for several searches. */
function explainAll({ searches, plan }: Batch, served: BatchResult): unknown {
  const shown = served.shown();
  const all = searches.map((search, i) => explain(search, served.results[i], shown[i] ?? NOTHING));
  return plan.isMulti ? all : all[0];
}

function explain(search: Search, result: SearchResult | undefined, shown: Shown): object {
  const { deps, index, plan, assignment, history } = search;
  const { hits, indices, firstRank } = shown;
  const rules = result && rulesAttributes(search, result, shown);
  const outcome = result?.outcome;
  const ranking = outcome !== undefined && "ranking" in outcome ? outcome.ranking : undefined;
  const scorer = treatmentScorer(assignment.treatment, { deps, index });
  const ranked = new Map(ranking?.order.map((hit, place) => [hit, firstRank + place + 1]));
  return {
    variant: assignment.variant,
    experiment: assignment.experiment ?? null,
    isBot: assignment.isBot,
    model: ranking?.modelVersion ?? (scorer.ok ? scorer.value.manifest.version : null),
    window: index.window,
    bypass: outcome !== undefined && "bypass" in outcome ? outcome.bypass.reason : null,
    query: plan.queryText ?? null,
    history: { given: history.length, known: ranking?.knownHistory ?? 0 },
    ...(rules !== undefined && { rules }),
    items: indices.map((hitIndex, i) => {
      const score = ranking?.scores?.score[hitIndex];
      return {
        id: hits[hitIndex]!.itemId,
        // 1-based: in the engine's order, and in the shown order counted from the first page.
        rank: firstRank + hitIndex + 1,
        // Before rules, and before a list was interleaved or a pair swapped.
        ranked: ranked.get(hitIndex) ?? null,
        position: plan.offset + i + 1,
        score: score ?? null,
        why: ranking?.why?.[hitIndex] ?? null,
        ...(rules !== undefined && { rules: result?.ruled?.movedBy.get(hitIndex) ?? [] }),
      };
    }),
  };
}
