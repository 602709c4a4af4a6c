/**
 * The token of each search, for the events that follow it: made before the reply, because it travels in the reply's headers.
 *
 * For every variant alike: an untouched reply is parsed for it too. If anything fails here, the shopper gets the reply without tokens.
 */
import { placeOf } from "../backends/dialect.ts";
import { errorStack, withTimeout } from "../web.ts";
import type { Batch, BatchResult, EventDeps, Search, SearchResult, Shown } from "./contract.ts";
import { joiningId, recordedOf, storedId } from "./record.ts";

/** Takes a millisecond, but on a thread of the system that others can hold up. */
const TIMEOUT_MS = 200;

/** Parallel to the searches; none where the edge takes no events, or tokens could not be made. */
export async function handOutTokens(batch: Batch, served: BatchResult): Promise<readonly (string | undefined)[]> {
  const { deps, searches } = batch;
  const { events } = deps;
  if (events === undefined || served.kind === "none") return [];
  try {
    const shown = served.shown();
    const recorded = recordedOf(batch, served);
    const issuing = Promise.all(
      searches.map(async (search, i) => (recorded.has(i) ? issueToken(search, served.results[i], shown[i], events) : undefined)),
    );
    const issued = await withTimeout(issuing, TIMEOUT_MS, () => undefined);
    if (issued !== undefined) return issued;
    deps.log({ level: "warn", event: "tokens_failed", detail: `Making ${searches.length} tokens took longer than ${TIMEOUT_MS} ms` });
    return [];
  } catch (cause) {
    deps.log({ level: "error", event: "tokens_failed", detail: errorStack(cause) });
    return [];
  }
}

async function issueToken(
  search: Search,
  result: SearchResult | undefined,
  shown: Shown | undefined,
  { tokens, recent }: EventDeps,
): Promise<string | undefined> {
  if (result === undefined || shown === undefined || shown.indices.length === 0) return undefined;
  const { assignment, index, plan } = search;
  const queryId = joiningId(search, shown);
  const { notes, ruled } = result;
  const slots = ruled === undefined || ruled.slots.length === 0 ? undefined : new Set(ruled.slots);
  const token = await tokens.issue({
    queryId,
    application: plan.ubi.application ?? index.name,
    experiment: assignment.experiment,
    variant: assignment.variant,
    unit: await storedId(search, assignment.unit),
    offset: placeOf(plan) ?? null,
    itemIds: shown.indices.map((i) => shown.hits[i]!.itemId),
    teams: notes?.teams,
    slots: slots && shown.indices.flatMap((hit, i) => (slots.has(hit) ? [i + 1] : [])),
  });
  recent.note(queryId, token);
  return token;
}
