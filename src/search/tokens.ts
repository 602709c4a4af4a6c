/**
 * The token of each search, for the events that follow it: made before the reply, because it travels in the reply's headers.
 *
 * For every variant alike: an untouched reply is parsed for it too. If anything fails here, the shopper gets the reply without tokens.
 */
import { NO_TOKEN } from "../protocol.ts";
import { errorStack, withTimeout } from "../web.ts";
import type { Batch, BatchResult, EventDeps, Search, SearchResult, Shown } from "./contract.ts";
import { isExposed, storedUnit } from "./record.ts";

/** Of TOKENS_HEADER: some clients accept 16 KB of headers in all. */
const MAX_HEADER_BYTES = 8192;

/** Takes a millisecond, but on a thread of the system that others can hold up. */
const TIMEOUT_MS = 200;

/** The value of TOKENS_HEADER; `undefined` where no search has a token, the edge takes no events, or tokens could not be made. */
export async function handOutTokens({ deps, searches }: Batch, served: BatchResult): Promise<string | undefined> {
  const { events } = deps;
  if (events === undefined || served.kind === "none") return undefined;
  try {
    const shown = served.shown();
    const issuing = Promise.all(searches.map((search, i) => issueToken(search, served.results[i], shown[i], events)));
    const issued = await withTimeout(issuing, TIMEOUT_MS, () => undefined);
    if (issued !== undefined) return describeTokens(issued);
    deps.log({ level: "warn", event: "tokens_failed", detail: `Making ${searches.length} tokens took longer than ${TIMEOUT_MS} ms` });
    return undefined;
  } catch (cause) {
    deps.log({ level: "error", event: "tokens_failed", detail: errorStack(cause) });
    return undefined;
  }
}

async function issueToken(
  search: Search,
  result: SearchResult | undefined,
  shown: Shown | undefined,
  { tokens }: EventDeps,
): Promise<string | undefined> {
  if (result === undefined || shown === undefined || shown.indices.length === 0 || !isExposed(search, result)) return undefined;
  const { assignment, index, plan, queryId } = search;
  return tokens.issue({
    queryId,
    application: plan.ubi.application ?? index.name,
    experiment: assignment.experiment,
    variant: assignment.variant,
    unit: await storedUnit(search),
    itemIds: shown.indices.map((i) => shown.hits[i]!.itemId),
    teams: result.notes?.teams,
  });
}

/** One entry per search; the header's limit leaves later searches without a token. */
function describeTokens(issued: readonly (string | undefined)[]): string | undefined {
  let bytes = 0;
  const entries = issued.map((token = NO_TOKEN) => {
    bytes += token.length + 2;
    return bytes > MAX_HEADER_BYTES ? NO_TOKEN : token;
  });
  return entries.every((entry) => entry === NO_TOKEN) ? undefined : entries.join(", ");
}
