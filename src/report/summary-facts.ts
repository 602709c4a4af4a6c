/** Figures of a report → the facts that its sentence is made of: which metric decides, which arms there are, what was not served. */
import { parseTreatment } from "../experiment/treatment.ts";
import { isBypassReason, REASONS } from "../result.ts";
import type { MetricComparison, MetricReport, ReportData } from "./analyse.ts";
import type { ArmFacts, Effect, SummaryFacts } from "./summary.ts";

/** The first of each row that the report has is the one: what a shop sells, what it earns, what is clicked. */
const SALES = ["orders", "purchases", "conversion"];
const MONEY = ["revenue"];
const CLICKS = ["clicks"];

export function summaryFacts(report: ReportData): SummaryFacts {
  const { experiment, control, simulated, period, exposures, trusted, metrics, timeToAnswer, interleaving } = report;
  const shoppers = exposures.arms.reduce((sum, arm) => sum + arm.shoppers, 0);
  const pick = (names: readonly string[]): MetricReport | undefined =>
    names.flatMap((name) => metrics.find(({ metric }) => metric === `${name}-per-shopper`) ?? [])[0];
  const [sales, money, clicks] = [pick(SALES), pick(MONEY), pick(CLICKS)];
  const days = period?.days ?? 0;
  const total = (id: string): number => metrics.find(({ metric }) => metric === id)?.arms.reduce((sum, arm) => sum + arm.sum, 0) ?? 0;
  return {
    experiment,
    control,
    simulated,
    days,
    searches: exposures.searches,
    shoppers,
    clicks: total("clicks"),
    purchases: total("purchases"),
    hasMismatch: !trusted,
    lift: timeToAnswer.lift,
    arms: exposures.arms.flatMap(({ variant, searches, bypasses }): ArmFacts[] => {
      if (variant === control) return [];
      const needed = timeToAnswer.rows.find((row) => row.variant === variant && row.metric === sales?.metric)?.days?.always;
      const votes = interleaving.find((arm) => arm.variant === variant);
      return [
        {
          variant,
          kind: kindOf(variant),
          alarm: alarmOf(report, variant),
          faults: faultsOf(bypasses.reasons, searches),
          sales: effectOf(sales, variant),
          money: effectOf(money, variant),
          clicks: effectOf(clicks, variant),
          heaviest: money?.comparisons.find((each) => each.variant === variant)?.largestShare.variant ?? undefined,
          plan: report.plan?.arms.find((arm) => arm.variant === variant),
          daysLeft: needed === undefined ? undefined : Math.max(0, needed - days),
          votes: votes?.votes.flatMap(({ by, result }) =>
            result === null ? [] : [{ by, name: votes.teams.b, other: votes.teams.a, always: result.always }],
          ),
        },
      ];
    }),
  };
}

/** What shoppers of an arm see. */
export function kindOf(variant: string): ArmFacts["kind"] {
  const treatment = parseTreatment(variant);
  if (!treatment.ok) return "ranked";
  const { value } = treatment;
  if (value.kind === "interleave") return "interleaved";
  return value.kind === "shadow" || (value.kind === "serve" && value.ranker.kind === "engine") ? "unchanged" : "ranked";
}

/** The first alarm by what is most worth knowing. */
function alarmOf({ alarms, control }: ReportData, variant: string): ArmFacts["alarm"] {
  const mine = alarms.filter((each) => each.variant === variant);
  const worth = ({ metric }: (typeof mine)[number]): number => {
    const rank = [...SALES, ...CLICKS].findIndex((name) => metric === name || metric === `${name}-per-shopper`);
    return rank < 0 ? Infinity : rank;
  };
  const [first] = mine.toSorted((a, b) => worth(a) - worth(b) || 0);
  if (first === undefined) return undefined;
  return {
    of: first.alarm === "nothing_in_control" ? control : variant,
    what: first.title.toLowerCase(),
    isHalved: first.alarm === "halved",
  };
}

/** Reasons that a search itself gives (browsing, sorting) are no faults; that an arm was switched off is worth saying. */
function faultsOf(reasons: readonly { readonly reason: string; readonly searches: number }[], searches: number): ArmFacts["faults"] {
  const faults = reasons.filter(({ reason }) => !isBypassReason(reason) || !REASONS[reason].expected || reason.startsWith("switched"));
  const [most] = faults;
  return most && { share: faults.reduce((sum, fault) => sum + fault.searches, 0) / searches, reason: most.reason };
}

/** Without an upper end where control has none. */
function exactOf({ exact }: MetricComparison): Effect["always"] {
  const { low, high } = exact?.lift.always ?? { low: 0, high: null };
  return high === null ? undefined : { low, high };
}

const VERDICTS = ["lower", "open", "higher"] as const;

function effectOf(metric: MetricReport | undefined, variant: string): Effect | undefined {
  const comparison = metric?.comparisons.find((each) => each.variant === variant);
  if (metric === undefined || comparison === undefined) return undefined;
  const verdict = VERDICTS.find((known) => known === comparison.verdict) ?? "open";
  const band = comparison.planned === null ? comparison.result?.lift.always : (comparison.planned.lift ?? undefined);
  // Exact counts are of shoppers with an event, not of events.
  const isExact = band === undefined && comparison.exact !== null;
  const name = isExact ? `shoppers with ${metric.title}` : metric.kind === "share" ? metric.title : `${metric.title} per ${metric.per}`;
  return { name: name.toLowerCase(), verdict, always: isExact ? exactOf(comparison) : band };
}
