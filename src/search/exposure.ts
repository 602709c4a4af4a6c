/**
 * The record of one search: which arm it was in, what the engine's order was and what was shown. Written after the reply, so no shopper
 * waits for it; a store that fails is counted and logged, and nothing else happens.
 */
import { modelVersionOf } from "../experiment/treatment.ts";
import { createQueryRecord } from "../events/ubi.ts";
import type { UbiQueryRecord } from "../events/ubi.ts";
import type { BypassReason } from "../result.ts";
import type { Batch, SearchResult, Search, SearchRequest, BatchResult, Shown } from "./contract.ts";
import { NOTHING, shownHits } from "./respond.ts";
import { errorStack } from "../web.ts";

/** Nothing was shown by intent, so nobody was exposed to anything. An engine that failed is recorded: its arm must not lose the unit. */
const NO_EXPOSURE: ReadonlySet<BypassReason> = new Set<BypassReason>(["request_not_understood", "size_zero"]);

/** Whether somebody was shown something, or should have been. */
export function isExposed({ arm }: Search, { outcome }: SearchResult): boolean {
  return !arm.isBot && !("bypass" in outcome && NO_EXPOSURE.has(outcome.bypass.reason));
}

/** The unit as it may be stored: hashed, and only with the shopper's consent. */
export async function storedUnit({ request, arm, deps }: Search): Promise<string | undefined> {
  return arm.unit === undefined || !hasConsent(request) ? undefined : deps.events?.hashUnit(arm.unit);
}

function hasConsent({ headers }: SearchRequest): boolean {
  return headers.get("x-armmt-consent") === "1";
}

/** Of every search of a request; `known` is what is shown of each, where that was read already. Never rejects. */
export async function recordExposures(batch: Batch, served: BatchResult, known?: readonly Shown[]): Promise<void> {
  // The reply goes first: reading hits that nobody needed so far is work for afterwards.
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
  const shown = known ?? shownHits(batch, served);
  await Promise.all(batch.searches.map((one, i) => recordExposure(one, served.results[i], shown[i] ?? NOTHING)));
}

async function recordExposure(one: Search, result: SearchResult | undefined, shown: Shown): Promise<void> {
  const { deps } = one;
  if (result === undefined || !isExposed(one, result)) return;
  try {
    const written = await deps.sink.write(await describeExposure(one, result, shown));
    deps.counters.countExposure(written.ok ? "written" : "failed");
    if (!written.ok) logFailure(one, written.error);
  } catch (cause) {
    deps.counters.countExposure("failed");
    logFailure(one, errorStack(cause));
  }
}

async function describeExposure(one: Search, { outcome, notes }: SearchResult, { hits, places }: Shown): Promise<UbiQueryRecord> {
  const { deps, index, plan, arm, request, queryId, startedAt } = one;
  const ids = hits.map((hit) => hit.itemId);
  const original = hits.slice(0, Math.max(index.window, places.length));
  // The model reads the engine's scores, so a log without them would train another model. Parallel to the ids, or not at all.
  const scores = original.flatMap(({ score }) => score ?? []);
  const scorer = deps.scorer(modelVersionOf(arm.treatment));
  return createQueryRecord({
    application: plan.ubi.application ?? index.name,
    queryId,
    clientId: hasConsent(request) ? (plan.ubi.clientId ?? arm.unit) : undefined,
    unit: await storedUnit(one),
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
