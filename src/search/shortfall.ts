/** Whether a reply to a widened request is whole, and what the shopper's own reply says of one that was not. */
import type { RequestReply, SearchPlan, SearchReply } from "../backends/dialect.ts";
import type { EngineReply } from "../backends/engine.ts";
import { type Bypass, bypass, err, ok, type Result } from "../result.ts";
import type { Batch } from "./contract.ts";
import { WINDOW_SHARE } from "./windows.ts";

/** The searches of a reply to a widened request. */
export interface Widened {
  readonly reply: RequestReply;
  /** Of the widened searches. */
  readonly sizes: readonly (number | undefined)[];
}

/** Hits that a widened search should have: those that the engine counts, or without a count those of the shopper's page. */
function expectedHits({ total }: SearchReply, size: number, { offset, limit, isCursored }: SearchPlan): number {
  // The shopper's own page, which may be the last.
  if (isCursored || (offset === 0 && limit === size)) return 0;
  return Math.min(size, total ?? offset + limit);
}

/**
 * The reply, or why no page must be cut from it: a widened search is incomplete, or shorter than it should be. Without a total, a list that
 * ends within the shopper's page is compared with their own until the engine has been right several times.
 */
export function checkWindows({ searches, deps }: Batch, { reply, sizes }: Widened): Result<RequestReply, Bypass> {
  for (const [i, size] of sizes.entries()) {
    const read = reply.searches[i];
    if (size === undefined || read?.ok !== true) continue;
    const { hits, total, bypass: own } = read.value;
    if (own?.reason === "engine_incomplete") return err(own);
    // A redirect, say, has no hits.
    if (own !== undefined || hits.length >= expectedHits(read.value, size, searches[i]!.plan)) continue;
    if (total === undefined && !deps.windows.isDoubted()) continue;
    const counted = total === undefined ? "" : `, and the engine counts ${total}`;
    return bypass("window_short", `${hits.length} hits came of ${size}${counted}: set window to no more than the engine gives`);
  }
  return ok(reply);
}

/**
 * Learns from the engine's reply to the shopper's own request, which was sent because of `failed`. `widened`: the reply to the widened one,
 * where it could be read.
 */
export function compareWithOwn(
  { deps, searches, plan }: Batch,
  failed: Bypass,
  own: { readonly reply: EngineReply; readonly ms: number },
  widened: Widened | undefined,
): void {
  const { windows } = deps;
  if (widened === undefined) {
    // Where both are slow, engine or thread are busy, whatever is asked for.
    const isSlowAnyhow = failed.reason === "engine_timeout" && own.ms * 2 > deps.engineTimeoutMs * WINDOW_SHARE;
    if (!isSlowAnyhow) windows.failed();
    return;
  }
  const read = plan.parseReply(own.reply.body);
  if (!read.ok) return;
  const pages = read.value.searches;
  if (failed.reason === "engine_incomplete") {
    // Where both are incomplete, the window is not to blame.
    if (pages.every((page) => page.ok && page.value.bypass?.reason !== "engine_incomplete")) windows.failed();
    return;
  }
  const isShort = widened.sizes.some((size, i) => {
    const [window, page, search] = [widened.reply.searches[i], pages[i], searches[i]!.plan];
    if (size === undefined || window?.ok !== true || page?.ok !== true) return false;
    const { hits, total } = window.value;
    if (hits.length >= expectedHits(window.value, size, search)) return false;
    return total !== undefined || page.value.hits.length > Math.max(0, hits.length - search.offset);
  });
  if (isShort) windows.failed();
  windows.wasShort(isShort);
}
