/**
 * How many times as sensitive interleaving is as an A/B test, from a shop's own log that has both: searches that each needs for the same certainty.
 * Certainty grows like z² per search, so the sensitivity is the ratio of the two.
 */
import type { ReportData } from "../analyse.ts";
import { normalQuantile } from "../statistics/distributions.ts";

/** An effect whose z is smaller can be any: what is divided by it says nothing. */
const LEAST_Z = 2.5;

/** The upper end of an interval that still tells something, in lower ends. */
const WIDEST = 10;

/** What a z may be off by: equally likely errors. */
const ERRORS = Array.from({ length: 60 }, (_, i) => normalQuantile((i + 0.5) / 60));

export type Sensitivity = ReturnType<typeof sensitivitiesOf>[number];

const METRIC_OF = { clicks: "clicks", purchases: "purchases" } as const;

/** For every pair of an interleaved arm and the arm of its second order. `value` is null where the log cannot tell, with the reason. */
export function sensitivitiesOf(report: Pick<ReportData, "interleaving" | "metrics" | "exposures" | "control">) {
  const searchesOf = (arm: string): number => report.exposures.arms.find(({ variant }) => variant === arm)?.searches ?? 0;
  return report.interleaving.flatMap(({ variant, teams, searches, votes }) =>
    votes.map(({ by, a, b }) => {
      const metric = report.metrics.find((each) => each.metric === METRIC_OF[by]);
      const found = metric?.comparisons.find((each) => each.variant === teams.b);
      const result = found?.adjustment?.unadjusted ?? found?.result;
      const row = { interleaved: variant, arm: teams.b, by, votesPerSearch: searches > 0 ? (a + b) / searches : 0 };
      const none = (why: string) => ({ ...row, value: null, interval: null, why });
      if (teams.a !== report.control || found === undefined) return none(`no arm ${teams.b} beside ${teams.a} to compare with`);
      if (!result || !(result.standardError > 0) || a + b === 0) return none("too few events");
      const apart = { z: Math.log1p(result.lift.value) / result.standardError, searches: searchesOf(report.control) + searchesOf(teams.b) };
      const mixed = { z: (b - a) / Math.sqrt(a + b), searches };
      if (Math.abs(apart.z) < LEAST_Z) return none(`the A/B test shows no clear effect on ${by} yet (z ${apart.z.toFixed(1)})`);
      const ratio = (x: number, y: number): number => perSearch(x, mixed.searches) / Math.max(1e-12, perSearch(y, apart.searches));
      const ratios = ERRORS.flatMap((x) => ERRORS.map((y) => ratio(mixed.z + x, apart.z + y))).toSorted((x, y) => x - y);
      const [low = 0, high = 0] = [0.025, 0.975].map((share) => ratios[Math.floor(ratios.length * share)]);
      if (!(high <= WIDEST * low)) return none(`the 95 % interval is ${low.toFixed(1)} to ${high.toFixed(1)} times`);
      return { ...row, value: ratio(mixed.z, apart.z), interval: { low, high }, why: null };
    }),
  );
}

/** z² is 1 too large on average. */
function perSearch(z: number, searches: number): number {
  return searches > 0 ? Math.max(0, z * z - 1) / searches : 0;
}
