/** What else is counted of each shopper beside the metrics: covariates from before, guardrails, and the effect over time. One hook for `tally.ts`. */
import type { Caps } from "./caps.ts";
import { type Adjustment, createCovariates, findAdjustment } from "./cuped.ts";
import { createGuardSums } from "./guardrails.ts";
import type { Metric, Totals } from "./metrics.ts";
import { createOverTime } from "./over-time.ts";
import type { Stage, StagedSearch } from "./stage.ts";
import type { ClusterSums } from "./statistics/ratio.ts";

interface Period {
  /** Since 1970. */
  readonly firstDay: number;
  readonly days: number;
  readonly caps: Caps;
}

export type Checks = ReturnType<typeof createChecks>;

/** `addSearch`: how a search adds to a shopper's totals. */
export function createChecks(stage: Stage, period: Period, segmented: Metric, addSearch: (totals: Totals, search: StagedSearch) => void) {
  const covariates = createCovariates(stage.earlier, period);
  const guards = createGuardSums(period.caps);
  const overTime = createOverTime(segmented);
  return {
    add(arm: number, cluster: readonly StagedSearch[]): void {
      covariates.add(arm, cluster, addSearch);
      guards.add(arm, cluster, addSearch);
      overTime.add(arm, cluster, addSearch);
    },
    /** After the last shopper. */
    seal: () => covariates.seal(),
    /** What was known of the shoppers before; `sums`: of all arms, capped. */
    adjustmentAt: (metric: Metric, day: number, sums: readonly ClusterSums[]): Adjustment | undefined =>
      findAdjustment(
        sums,
        sums.map((_, arm) => covariates.at(arm, metric, day)),
      ),
    guards,
    overTime,
    models: stage.models(),
  };
}
