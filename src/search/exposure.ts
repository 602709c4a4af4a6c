/**
 * The record of one search: which arm it was in, what the engine's order was and what was shown. Written after the reply, so no shopper
 * waits for it; a store that fails is counted and logged, and nothing else happens.
 */
import { modelVersionOf } from "../experiment/treatment.ts";
import { createQueryRecord } from "../events/ubi.ts";
import type { UbiQueryRecord } from "../events/ubi.ts";
import type { BypassReason } from "../result.ts";
import type { Batch, Ending, Search, Served, Shown } from "./contract.ts";
import { NOTHING, shownHits } from "./respond.ts";

/** Nothing was shown by intent, so nobody was exposed to anything. An engine that failed is recorded: its arm must not lose the unit. */
const NO_EXPOSURE: ReadonlySet<BypassReason> = new Set<BypassReason>(["request_not_understood", "size_zero"]);

/** The limit of UBI for ids; one that is longer cannot be joined, so it is replaced. */
const MAX_ID_LENGTH = 100;

/** Of every search of a request. Never rejects. */
export async function recordExposures(batch: Batch, served: Served): Promise<void> {
  // The reply goes first: reading hits that nobody needed so far is work for afterwards.
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
  const shown = shownHits(batch, served);
  await Promise.all(batch.searches.map((one, i) => recordExposure(one, served.endings[i], shown[i] ?? NOTHING)));
}

async function recordExposure(one: Search, ending: Ending | undefined, shown: Shown): Promise<void> {
  const { deps } = one;
  if (one.arm.isBot || ending === undefined || ("bypass" in ending.outcome && NO_EXPOSURE.has(ending.outcome.bypass.reason))) return;
  try {
    const written = await deps.sink.write(describeExposure(one, ending, shown));
    deps.counters.countExposure(written.ok ? "written" : "failed");
    if (!written.ok) logFailure(one, written.error);
  } catch (cause) {
    deps.counters.countExposure("failed");
    logFailure(one, cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
}

function describeExposure(one: Search, { outcome, notes }: Ending, { hits, places }: Shown): UbiQueryRecord {
  const { deps, index, plan, arm, request, startedAt } = one;
  const ids = hits.map((hit) => hit.itemId);
  const original = hits.slice(0, Math.max(index.window, places.length));
  // The model reads the engine's scores, so a log without them would train another model. Parallel to the ids, or not at all.
  const scores = original.flatMap(({ score }) => score ?? []);
  const scorer = deps.scorer(modelVersionOf(arm.treatment));
  const { queryId } = plan.ubi;
  const hasConsent = request.headers.get("x-armmt-consent") === "1";
  return createQueryRecord({
    application: plan.ubi.application ?? index.name,
    queryId: queryId !== undefined && queryId.length <= MAX_ID_LENGTH ? queryId : deps.createId(),
    clientId: hasConsent ? (plan.ubi.clientId ?? arm.unit) : undefined,
    userQuery: plan.queryText ?? "",
    timeMs: startedAt,
    armmt: {
      ...(arm.experiment !== undefined && { experiment: arm.experiment }),
      variant: arm.variant,
      ...(scorer.ok && { model: scorer.value.manifest.version }),
      window: index.window,
      original_ids: original.map((hit) => hit.itemId),
      ...(scores.length === original.length && { original_scores: scores }),
      served_ids: places.map((place) => ids[place]!),
      ...(notes?.teams !== undefined && { teams: notes.teams.map((team) => team ?? null) }),
      ...(notes?.propensities !== undefined && { propensities: notes.propensities }),
      ...(notes?.shadow !== undefined && { shadow_ids: notes.shadow.map((place) => ids[place]!) }),
      ...("bypass" in outcome && { bypass: outcome.bypass.reason }),
    },
  });
}

function logFailure({ deps, index }: Search, detail: string): void {
  deps.log({ level: "warn", event: "exposure_failed", index: index.name, detail });
}
