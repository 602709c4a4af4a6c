/** Logs made by hand: searches and actions as a report reads them. */
import type { ActionRow, Log, SearchRow } from "../../src/report/log.ts";
import { findMetric, type Metric } from "../../src/report/metrics.ts";
import { reportOn, type ReportOptions } from "../../src/cli/report.ts";
import type { ReportData } from "../../src/report/analyse.ts";

export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2026, 10, 2);

export function search(queryId: string, variant: string, more: Partial<SearchRow> = {}): SearchRow {
  return {
    queryId,
    variant,
    atMs: START_MS,
    application: "shop",
    unit: undefined,
    words: 2,
    bypass: undefined,
    model: undefined,
    ms: undefined,
    isEmpty: undefined,
    teams: undefined,
    isSimulated: false,
    ...more,
  };
}

export function action(queryId: string, name: ActionRow["action"], more: Partial<ActionRow> = {}): ActionRow {
  return {
    eventId: undefined,
    queryId,
    action: name,
    itemId: "item",
    quantity: undefined,
    price: undefined,
    currency: undefined,
    team: undefined,
    ...more,
  };
}

export function logOf(searches: readonly SearchRow[], actions: readonly ActionRow[] = []): Log {
  return {
    place: "a test",
    notes: [],
    experiments: () => Promise.resolve(new Map(searches.length === 0 ? [] : [["rerank", searches.length]])),
    async *searches() {
      yield* searches;
    },
    async *actions() {
      yield* actions;
    },
    liveExperiments: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

export function metric(id: string): Metric {
  const found = findMetric(id);
  if (found === undefined) throw new Error(`No metric ${id}`);
  return found;
}

export const WEIGHTS: NonNullable<ReportOptions["weights"]> = {
  arms: new Map([
    ["control", 0.5],
    ["armmt", 0.5],
  ]),
  from: "the test",
};

export function report(log: Log, options: Partial<ReportOptions> = {}): Promise<ReportData> {
  return reportOn(log, {
    range: { experiment: "rerank", since: undefined, until: undefined },
    weights: WEIGHTS,
    config: "none.toml",
    control: undefined,
    metric: metric("click-through"),
    lift: 0.03,
    power: 0.8,
    alpha: 0.05,
    tuning: 5000,
    json: true,
    ...options,
  });
}
