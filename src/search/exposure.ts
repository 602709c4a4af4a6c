/**
 * The record of one search: which arm it was in, what the engine's order was and what was shown. Written after the reply, so no shopper
 * waits for it; a store that fails is counted and logged, and nothing else happens.
 */
import { createQueryRecord } from "../events/ubi.ts";
import type { UbiQueryRecord } from "../events/ubi.ts";
import type { BypassReason } from "../result.ts";
import type { Search, Served } from "./contract.ts";
import { shownHits } from "./respond.ts";

/** Nothing was shown by intent, so nobody was exposed to anything. An engine that failed is recorded: its arm must not lose the unit. */
const NO_EXPOSURE: ReadonlySet<BypassReason> = new Set<BypassReason>(["request_not_understood", "size_zero"]);

/** The limit of UBI for ids; one that is longer cannot be joined, so it is replaced. */
const MAX_ID_LENGTH = 100;

/** Never rejects. */
export async function recordExposure(one: Search, served: Served): Promise<void> {
  const { deps } = one;
  const { outcome } = served;
  if ("bypass" in outcome && NO_EXPOSURE.has(outcome.bypass.reason)) return;
  try {
    // The reply goes first: reading hits that nobody needed so far is work for afterwards.
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
    const written = await deps.sink.write(describeExposure(one, served));
    deps.counters.countExposure(written.ok ? "written" : "failed");
    if (!written.ok) logFailure(one, written.error);
  } catch (cause) {
    deps.counters.countExposure("failed");
    logFailure(one, cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
}

function describeExposure(one: Search, served: Served): UbiQueryRecord {
  const { deps, plan, arm, request, startedAt } = one;
  const { hits, places } = shownHits(one, served);
  const ids = hits.map((hit) => hit.itemId);
  const original = hits.slice(0, Math.max(deps.window, places.length));
  // The model reads the engine's scores, so a log without them would train another model. Parallel to the ids, or not at all.
  const scores = original.flatMap(({ score }) => score ?? []);
  const scorer = deps.scorer();
  const { queryId } = plan.ubi;
  const hasConsent = request.headers.get("x-armmt-consent") === "1";
  return createQueryRecord({
    application: plan.ubi.application ?? deps.index,
    queryId: queryId !== undefined && queryId.length <= MAX_ID_LENGTH ? queryId : deps.createId(),
    clientId: hasConsent ? (plan.ubi.clientId ?? arm.unit) : undefined,
    userQuery: plan.queryText ?? "",
    timeMs: startedAt,
    armmt: {
      ...(arm.isInExperiment && deps.experiment !== undefined && { experiment: deps.experiment.key }),
      variant: arm.variant,
      ...(scorer.ok && { model: scorer.value.manifest.version }),
      window: deps.window,
      original_ids: original.map((hit) => hit.itemId),
      ...(scores.length === original.length && { original_scores: scores }),
      served_ids: places.map((place) => ids[place]!),
      ...("bypass" in served.outcome && { bypass: served.outcome.bypass.reason }),
    },
  });
}

function logFailure({ deps }: Search, detail: string): void {
  deps.log({ level: "warn", event: "exposure_failed", index: deps.index, detail });
}
