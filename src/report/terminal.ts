/** The report as text for a terminal. */
import { type Cell, formatTable } from "./table.ts";
import { USUAL_CAUSES } from "./mismatch.ts";
import type { ReportData } from "./report-data.ts";
import * as words from "./words.ts";

/** Ends with a line feed. */
export function formatReport(report: ReportData): string {
  const parts = [
    `${words.headline(report)}\n`,
    formatExposures(report),
    formatMismatch(report),
    ...(report.notes.length === 0 ? [] : [`${report.notes.map((note) => `- ${note}`).join("\n")}\n`]),
    ...(report.period === null
      ? []
      : [formatMetrics(report), formatBypasses(report), formatSegments(report), formatInterleaving(report), formatTime(report)]),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function formatExposures({ exposures, place }: ReportData): string {
  const rows = exposures.arms.map((arm): Cell[] => [
    arm.variant,
    arm.weight === null ? "not configured" : words.share(arm.weight),
    words.wholeNumber(arm.searches),
    words.wholeNumber(arm.shoppers),
    words.wholeNumber(arm.searchesWithoutShopper),
  ]);
  if (rows.length === 0) return `Exposures\n\nNone in ${place}.\n`;
  return `Exposures (${place}; weights: ${exposures.weightsFrom})\n\n${formatTable(["arm", "weight", "searches", "shoppers", "searches without a shopper"], rows)}`;
}

function formatMismatch({ sampleRatio }: ReportData): string {
  const tests = sampleRatio.tests.map(
    ({ of, chiSquare, degreesOfFreedom, p }) =>
      `${of}: chi-square ${chiSquare.toFixed(2)} with ${degreesOfFreedom} df, p ${words.probability(p)} (fires below ${sampleRatio.threshold})`,
  );
  const causes = sampleRatio.isMismatch ? ["Usual causes:", ...USUAL_CAUSES.map((cause) => `- ${cause}`)] : [];
  return `${[`Sample ratio: ${sampleRatio.verdict}`, ...tests, ...causes].join("\n")}\n`;
}

function formatMetrics(report: ReportData): string {
  const { metrics, alpha, control } = report;
  const tables = (["search", "shopper"] as const).map((per) => {
    const rows = metrics
      .filter((metric) => metric.per === per && metric.arms.some(({ clusters }) => clusters > 0))
      .flatMap((metric) =>
        metric.comparisons.map((comparison): Cell[] => {
          const { result, variant } = comparison;
          const valueOf = (arm: string): string => words.metricValue(metric.arms.find((one) => one.variant === arm)?.value ?? null, metric);
          const decimals = result === null ? 1 : words.decimalsFor(result.lift.fixed);
          return [
            metric.title,
            variant,
            valueOf(control),
            valueOf(variant),
            result === null ? undefined : words.lift(result.lift.value, decimals),
            result === null ? undefined : words.range(result.lift.fixed, decimals),
            result === null ? undefined : words.range(result.lift.always, decimals),
            words.verdict(comparison),
          ];
        }),
      );
    if (rows.length === 0) return `Per ${per}: nothing to compare.\n`;
    const headings = [
      `per ${per}`,
      "arm",
      control,
      "arm's",
      "lift",
      `fixed ${words.level(alpha)}`,
      `always valid ${words.level(alpha)}`,
      "verdict",
    ];
    return formatTable(headings, rows);
  });
  return `Metrics, against ${control}\n\n${tables.join("\n")}\n${words.fixedMeaning(alpha)}\n${words.alwaysMeaning(alpha)}\n`;
}

function formatBypasses({ exposures }: ReportData): string {
  const rows = exposures.arms.map(({ variant, bypasses: { meant, searches, rate, reasons } }): Cell[] => [
    variant,
    rate === null ? undefined : words.share(rate),
    words.wholeNumber(searches),
    words.wholeNumber(meant),
    reasons.map(({ reason, searches: count }) => `${reason} ${words.wholeNumber(count)}`).join(", ") || undefined,
  ]);
  const table = formatTable(["arm", "bypassed", "searches", "engine order as meant", "reasons"], rows);
  return `Bypassed searches stay in their arm (intention to treat)\n\n${table}`;
}

function formatSegments({ segments, metrics, alpha }: ReportData): string {
  const metric = metrics.find((one) => one.metric === segments.metric);
  if (metric === undefined || segments.rows.length === 0) return "";
  const rows = segments.rows.map((row): Cell[] => {
    const decimals = row.fixed === null ? 1 : words.decimalsFor(row.fixed);
    return [
      row.dimension,
      words.segmentName(row),
      row.variant,
      words.metricValue(row.control, metric),
      words.metricValue(row.value, metric),
      row.lift === null ? undefined : words.lift(row.lift, decimals),
      row.always === null ? undefined : words.range(row.always, decimals),
      row.p === null ? undefined : words.probability(row.p.fixed),
      row.p === null ? undefined : words.probability(row.p.always),
    ];
  });
  const headings = ["by", "segment", "arm", "control", "arm's", "lift", `always valid ${words.level(alpha)}`, "p fixed", "p always"];
  return `${words.fullMetricName(metric)} by segment\n\n${formatTable(headings, rows)}\n${words.segmentMeaning(rows.length)}\n`;
}

function formatInterleaving({ interleaving }: ReportData): string {
  if (interleaving.length === 0) return "";
  const lines = interleaving.flatMap((one) => [
    `${one.variant}: ${words.wholeNumber(one.searches)} interleaved searches`,
    words.preference(one, "clicks"),
    words.preference(one, "purchases"),
  ]);
  return `Interleaving\n\n${words.INTERLEAVING_MEANING}\n${lines.join("\n")}\n`;
}

function formatTime({ timeToAnswer: { lift, power, rows }, metrics, exposures }: ReportData): string {
  const told = rows.filter(({ days }) => days !== null);
  const cells = told.map(({ metric, variant, powerNow, seenNow, days }): Cell[] => {
    const found = metrics.find((one) => one.metric === metric);
    return [
      found === undefined ? metric : words.fullMetricName(found),
      variant,
      powerNow === null ? undefined : words.chance(powerNow),
      seenNow === null ? undefined : words.lift(seenNow),
      days === null ? undefined : words.days(days.fixed),
      days === null ? undefined : words.days(days.always),
    ];
  });
  if (cells.length === 0) return `Time to an answer\n\n${words.TIME_UNKNOWN}\n`;
  const { searchesPerDay } = exposures;
  return `Time to an answer\n\n${words.timeMeaning({ lift, power, searchesPerDay })}\n\n${formatTable(["metric", "arm", "power now", "seen now", "days in all, one look", "… always valid, at most"], cells)}`;
}
