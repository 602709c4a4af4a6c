/** What the dashboard reads: /armmt/overview as src/dashboard/overview.ts asks for it, and its part of /armmt/status. */
import type { Overview } from "../../dashboard/overview.ts";

export interface DayRow {
  /** It happened for the first time on `day` to so many shoppers; or, of "searches", so often. */
  readonly what: "seen" | "clicked" | "bought" | "searches" | "simulated";
  readonly variant: string;
  readonly day: string;
  readonly n: number;
}

export interface ExperimentRow {
  readonly experiment: string;
  readonly searches: number;
  readonly first: string;
  readonly last: string;
}

export interface EventRow {
  readonly minute: string;
  readonly action: string;
  readonly n: number;
}

export interface OverviewRows extends Omit<Overview, "experiments" | "days" | "outcomes" | "times" | "events"> {
  readonly experiments: readonly ExperimentRow[];
  readonly days: readonly (readonly DayRow[])[];
  readonly outcomes: readonly {
    readonly variant: string;
    readonly model: string | null;
    readonly bypass: string | null;
    readonly n: number;
  }[];
  readonly times: readonly { readonly applied: 0 | 1; readonly engine: number; readonly edge: number | null }[];
  readonly events: readonly EventRow[];
}

export type Counts = Readonly<Record<string, number>>;

export interface Status {
  readonly indexes: Readonly<Record<string, object>>;
  readonly ranking: Counts;
  readonly searches: Readonly<Record<string, Counts>>;
  readonly bots: number;
  readonly events: {
    readonly accepted: number;
    readonly duplicates: number;
    readonly rejected: Counts;
    readonly sinks: object;
    readonly waits?: Readonly<Record<"searches" | "median_ms" | "p95_ms", number>>;
  };
}
