/**
 * The traces of a search: its count, a log line per bypass, and the exposure record with the variant, the engine's order and the shown order. The record is written after the reply; a store that fails is counted and logged.
 */
import { armsOf } from "../experiment/assign.ts";
import { rankersOf } from "../experiment/treatment.ts";
import { type Hit, placeOf } from "../backends/dialect.ts";
import { writtenFilters } from "../browse/table.ts";
import { isHardToGuess } from "../events/searches.ts";
import { idOfToken } from "../events/token.ts";
import { type ArmmtAttributes, ATTRIBUTES_FORMAT, createQueryRecord, type UbiQueryRecord } from "../events/ubi.ts";
import { ITEM_VALUES } from "../ranking/item-values.ts";
import { MAX_CHARACTERS } from "../ranking/tokenizer.ts";
import { type BypassReason, REASONS } from "../result.ts";
import { foldText } from "../rules/match.ts";
import { errorStack, sleep } from "../web.ts";
import type { Batch, BatchResult, Search, SearchResult, Shown } from "./contract.ts";
import { MAX_RERANKED } from "./ask.ts";
import { browseVersion } from "./browse.ts";
import { namesShopper } from "./open.ts";
import { NOTHING } from "./results.ts";
import { rulesAttributes } from "./rules.ts";
import { treatmentScorer } from "./trusted.ts";

/** Lines of the log, and records, of one request: nobody may fill a store with a single request. */
const MAX_TRACES = MAX_RERANKED;

/** Never silent: one line per bypass, without the shopper's words and ids; the bypasses of a request with many share one line. */
export function countSearches({ searches, deps }: Batch, served: BatchResult): void {
  const status = served.kind === "none" ? undefined : served.reply.status;
  const counts = new Map<string, number>();
  let lines = 0;
  let levelOfMore: Level = "info";
  for (const [i, { outcome }] of served.results.entries()) {
    const { assignment, index } = searches[i]!;
    const { variant } = assignment;
    const bypassed = "bypass" in outcome ? outcome.bypass : undefined;
    if (assignment.isBot) deps.counters.countBot();
    else deps.counters.countSearch(variant, bypassed?.reason ?? "applied");
    if (bypassed === undefined) continue;
    const { reason, detail } = bypassed;
    const level = levelOf(reason);
    if (++lines <= MAX_TRACES) deps.log({ level, event: "bypass", index: index.name, variant, reason, detail, status });
    else {
      const kind = `${index.name} ${reason}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (LEVELS.indexOf(level) > LEVELS.indexOf(levelOfMore)) levelOfMore = level;
    }
  }
  if (lines > MAX_TRACES)
    deps.log({ level: levelOfMore, event: "more_bypasses", count: lines - MAX_TRACES, searches: Object.fromEntries(counts), status });
}

const LEVELS = ["info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

function levelOf(reason: BypassReason): Level {
  const { fault, expected } = REASONS[reason];
  return fault === "edge" ? "error" : expected ? "info" : "warn";
}

/** Indexes of the searches that are recorded: the first ones with an exposure. */
export function recordedOf({ searches }: Batch, served: BatchResult): ReadonlySet<number> {
  return new Set(exposedIn(searches, served).slice(0, MAX_TRACES));
}

/** None for 304: which hits the client has already, was recorded when it got them. */
function exposedIn(searches: readonly Search[], served: BatchResult): readonly number[] {
  if (served.kind === "untouched" && served.reply.status === 304) return [];
  return served.results.flatMap((result, i) => (isExposed(searches[i]!, result) ? [i] : []));
}

/** False for crawlers, and where nothing was to be shown. */
function isExposed({ assignment }: Search, { outcome }: SearchResult): boolean {
  return !assignment.isBot && !("bypass" in outcome && !REASONS[outcome.bypass.reason].exposed);
}

/** The hash of a shopper's id; `undefined` without their consent, and where the edge has no secret to hash with. */
export async function storedId({ hasConsent, deps }: Search, id: string | undefined): Promise<string | undefined> {
  return id === undefined || id === "" || !hasConsent ? undefined : deps.events?.hashUnit(id);
}

/** What joins a search and its events: as the client names it, else as the engine does, whose clients' events repeat that; else ours. */
export function joiningId({ plan, queryId }: Search, { queryId: ofEngine }: Shown): string {
  if (plan.ubi.queryId !== undefined) return queryId;
  const named = ofEngine?.();
  return named !== undefined && isHardToGuess(named) ? named : queryId;
}

type Facts = Pick<ArmmtAttributes, "engine_ms" | "edge_ms" | "token">;

/** `issued`: tokens, parallel to the searches, or none. */
export async function recordExposures(
  { searches, deps, begunAt, waited }: Batch,
  served: BatchResult,
  issued: readonly (string | undefined)[] = [],
): Promise<void> {
  const times = { engine_ms: tenths(waited.engineMs), edge_ms: tenths(deps.clock() - begunAt - waited.engineMs) };
  // The reply goes first: parsing an untouched reply is work for afterwards.
  await sleep(0);
  const exposed = exposedIn(searches, served);
  for (let i = MAX_TRACES; i < exposed.length; i++) deps.counters.countExposure("left_out");
  await Promise.all(
    exposed.slice(0, MAX_TRACES).map((i) => {
      const token = idOfToken(issued[i] ?? "");
      const facts = { ...times, ...(token !== undefined && { token }) };
      return recordExposure(searches[i]!, served.results[i]!, () => served.shown()[i] ?? NOTHING, facts);
    }),
  );
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

async function recordExposure(search: Search, result: SearchResult, shown: () => Shown, facts: Facts): Promise<void> {
  const { deps, index } = search;
  const fail = (detail: string): void => {
    deps.counters.countExposure("failed");
    deps.log({ level: "warn", event: "exposure_failed", index: index.name, detail });
  };
  try {
    const written = await deps.sink.write(await describeExposure(search, result, shown(), facts));
    if (written.ok) deps.counters.countExposure("written");
    else fail(written.error);
  } catch (cause) {
    fail(errorStack(cause));
  }
}

/** Of a record; longer ones are left out. */
const MOST_OF_PAGE = 500;

/** The page without words; left out where a filter names the shopper. */
function recordedPage({ browsed, request, plan }: Search): ArmmtAttributes["page"] {
  if (browsed === undefined) return undefined;
  const page = writtenFilters(browsed.filters);
  const isPersonal = namesShopper(plan, request, foldText);
  const isLong = JSON.stringify(page).length > MOST_OF_PAGE;
  return isLong || Object.entries(page).flat(2).some(isPersonal) ? undefined : page;
}

/** Whose order was made; of a search that was left alone, whose was to be. */
function modelOf({ deps, index, assignment: { treatment }, browsed }: Search, outcome: SearchResult["outcome"]): string | undefined {
  if ("ranking" in outcome) return outcome.ranking.modelVersion;
  if (browsed !== undefined) return browsed.table && browseVersion(browsed);
  if (rankersOf(treatment).every(({ kind }) => kind === "semantic")) return undefined;
  const scorer = treatmentScorer(treatment, { deps, index });
  return scorer.ok ? scorer.value.manifest.version : undefined;
}

/** Columns of the hits' own values, those that a hit has: short, because most engines send prices only. */
function valuesOf(hits: readonly Hit[]): ArmmtAttributes["original_values"] {
  const columns = ITEM_VALUES.flatMap((name) => {
    const column = hits.map(({ values }) => values?.[name] ?? null);
    return column.some((value) => value !== null) ? [[name, column] as const] : [];
  });
  return columns.length === 0 ? undefined : Object.fromEntries(columns);
}

async function describeExposure(search: Search, result: SearchResult, shown: Shown, facts: Facts): Promise<UbiQueryRecord> {
  const { outcome, notes } = result;
  const { hits, indices } = shown;
  const rules = rulesAttributes(search, result, shown);
  const { index, plan, assignment, startedAt } = search;
  const ids = hits.map((hit) => hit.itemId);
  const original = hits.slice(0, Math.max(index.window, indices.length));
  // The model reads the engine's scores, and the prices and stock of the hits: a log without them would train another model.
  const scores = original.map(({ score }) => score ?? null);
  const values = valuesOf(original);
  const model = modelOf(search, outcome);
  const page = recordedPage(search);
  return createQueryRecord({
    application: plan.ubi.application ?? index.name,
    queryId: joiningId(search, shown),
    clientId: plan.ubi.clientId === assignment.unit ? undefined : await storedId(search, plan.ubi.clientId),
    unit: await storedId(search, assignment.unit),
    userQuery: (plan.queryText ?? "").slice(0, MAX_CHARACTERS).toWellFormed(),
    timeMs: startedAt,
    armmt: {
      format: ATTRIBUTES_FORMAT,
      ...(assignment.experiment !== undefined && { experiment: assignment.experiment }),
      ...(assignment.running !== undefined && { arms: armsOf(assignment.running) }),
      ...((search.request.isExplained || search.request.forcedVariant !== undefined) && { admin: true as const }),
      variant: assignment.variant,
      index: index.name,
      ...(model !== undefined && { model }),
      window: index.window,
      original_ids: original.map((hit) => hit.itemId),
      ...(scores.some((score) => score !== null) && { original_scores: scores }),
      ...(values !== undefined && { original_values: values }),
      served_ids: indices.map((i) => ids[i]!),
      offset: placeOf(plan) ?? null,
      ...(page !== undefined && { page }),
      ...(notes?.teams !== undefined && { teams: notes.teams.map((team) => team ?? null) }),
      ...(notes?.propensities !== undefined && { propensities: notes.propensities }),
      ...(notes?.shadow !== undefined && { shadow_ids: notes.shadow.map((i) => ids[i]!) }),
      ...(rules !== undefined && { rules }),
      ...("bypass" in outcome && { bypass: outcome.bypass.reason }),
      ...facts,
    },
  });
}
