/** What else is counted of each shopper beside the metrics: covariates from before, guardrails, and the effect over time. One hook for `tally.ts`. */
import { type Adjustment, adjust, createCovariates } from "./cuped.ts";
import { createGuardSums } from "./guardrails.ts";
import type { Metric, Totals } from "./metrics.ts";
import { createOverTime } from "./over-time.ts";
import type { Stage, StagedSearch } from "./stage.ts";
import type { ClusterSums } from "./statistics/ratio.ts";

interface Period {
  /** Since 1970. */
  readonly firstDay: number;
  readonly days: number;
}

export type Checks = ReturnType<typeof createChecks>;

/** `addSearch`: how a search adds to a shopper's totals. */
export function createChecks(stage: Stage, period: Period, segmented: Metric, addSearch: (totals: Totals, search: StagedSearch) => void) {
  const covariates = createCovariates(stage.earlier, period);
  const guards = createGuardSums(stage);
  const overTime = createOverTime(segmented);
  return {
    add(arm: number, cluster: readonly StagedSearch[]): void {
      covariates.add(arm, cluster, addSearch);
      guards.add(arm, cluster, addSearch);
      overTime.add(arm, cluster, addSearch);
    },
    /** After the last shopper. */
    seal: () => covariates.seal(),
    /** The estimates of all arms, less what was known of their shoppers before. */
    adjustedAt: (metric: Metric, day: number, sums: readonly ClusterSums[]): Adjustment =>
      adjust(
        sums,
        sums.map((_, arm) => covariates.at(arm, metric, day)),
      ),
    guards,
    overTime,
    models: stage.models(),
  };
}
