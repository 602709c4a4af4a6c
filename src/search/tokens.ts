/**
 * The token of each search, for the events that follow it: made before the reply, because it travels in the reply's headers.
 *
 * In every arm alike: a list that was left alone is read for it too. Whatever fails here, the shopper gets the reply without tokens.
 */
import { NO_TOKEN } from "../events/ingest.ts";
import type { Batch, SearchResult, EventDeps, Search, BatchResult, Shown } from "./contract.ts";
import { isExposed, storedUnit } from "./exposure.ts";
import { shownHits } from "./respond.ts";
import { errorStack } from "../web.ts";

/** Of the header: some clients take 16 KB of headers in all. */
const MAX_HEADER_BYTES = 8192;

export interface HandedOut {
  /** What the shopper sees of each search, read for its token. */
  readonly shown: readonly Shown[];
  /** The header of the reply; `undefined` where no search has a token. */
  readonly tokens: string | undefined;
}

/** `undefined` where the edge takes no events, or could not make tokens. */
export async function handOutTokens(batch: Batch, served: BatchResult): Promise<HandedOut | undefined> {
  const { deps } = batch;
  const { events } = deps;
  if (events === undefined || served.kind === "none") return undefined;
  try {
    const shown = shownHits(batch, served);
    const issued = await Promise.all(batch.searches.map((one, i) => issueToken(one, served.results[i], shown[i], events)));
    return { shown, tokens: describeTokens(issued) };
  } catch (cause) {
    deps.log({ level: "error", event: "tokens_failed", detail: errorStack(cause) });
    return undefined;
  }
}

async function issueToken(
  one: Search,
  result: SearchResult | undefined,
  shown: Shown | undefined,
  { tokens }: EventDeps,
): Promise<string | undefined> {
  if (result === undefined || shown === undefined || shown.places.length === 0 || !isExposed(one, result)) return undefined;
  const { arm, index, plan, queryId } = one;
  return tokens.issue({
    queryId,
    application: plan.ubi.application ?? index.name,
    experiment: arm.experiment,
    variant: arm.variant,
    unit: await storedUnit(one),
    itemIds: shown.places.map((place) => shown.hits[place]!.itemId),
    teams: result.notes?.teams,
  });
}

/** One entry per search. Beyond what a header holds, later searches go without. */
function describeTokens(issued: readonly (string | undefined)[]): string | undefined {
  let bytes = 0;
  const entries = issued.map((token = NO_TOKEN) => {
    bytes += token.length + 2;
    return bytes > MAX_HEADER_BYTES ? NO_TOKEN : token;
  });
  return entries.every((entry) => entry === NO_TOKEN) ? undefined : entries.join(", ");
}
