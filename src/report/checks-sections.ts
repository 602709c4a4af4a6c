/** Guardrails, models, the adjusted metrics and the effect over time in words and tables: parts of `sections.ts`. */
import type { MetricReport, ReportData } from "./analyse.ts";
import { type Block, paragraph } from "./blocks.ts";
import * as format from "./format.ts";
import type { GuardRow } from "./guardrails.ts";
import { STOP_ALPHA } from "./guardrails.ts";
import { NOTED_P } from "./over-time.ts";

/** Sections without content have no blocks. */
export function checksSections(report: ReportData) {
  return [
    { id: "guardrails", heading: `Guardrails, against ${report.control}`, blocks: guardrails(report) },
    { id: "adjustment", heading: "What is known of shoppers from before", blocks: adjustments(report) },
    { id: "over-time", heading: "The effect over time", blocks: overTime(report) },
    { id: "models", heading: "Models in one arm", blocks: models(report) },
  ];
}

const STATES: Readonly<Record<GuardRow["state"], string>> = { harm: "harm", open: "no harm seen", unknown: "too little to judge" };

export function guardValue(value: number | null, kind: GuardRow["kind"], isChange = false): string {
  if (value === null) return format.NONE;
  if (kind === "ms") return `${value.toFixed(1).replace("-", "\u2212")}\u00a0ms`;
  if (kind === "share") return isChange ? `${(value * 100).toFixed(2).replace("-", "\u2212")} points` : format.share(value);
  return format.metricValue(value, { kind: "money", currency: null });
}

/** Also for `armmt guard`. */
export function guardTable(rows: readonly GuardRow[]): {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  return {
    headings: ["Arm", "Guardrail", "Control", "Arm's", "Better by", "At most, always valid", "Allowed", "Verdict"],
    rows: rows.map(({ variant, title, per, kind, control, value, change, bound, allowed, state }) => [
      variant,
      per === "shopper" && kind === "money" ? `${title} per shopper` : title,
      guardValue(control, kind),
      guardValue(value, kind),
      guardValue(change, kind, true),
      guardValue(bound, kind, true),
      guardValue(allowed === 0 ? 0 : -allowed, kind, true),
      STATES[state],
    ]),
  };
}

function guardrails({ checks: { guardrails: rows } }: ReportData): Block[] {
  if (rows.every(({ state }) => state === "unknown")) return [];
  return [
    paragraph(
      "No variant may make these worse, whatever it wins. Harm: even the upper bound lies below what is allowed. " +
        `A variant that changes nothing is called harmful in at most ${format.share(STOP_ALPHA)} of experiments, all rows and all looks together. armmt guard switches a harmful one off.`,
    ),
    {
      kind: "table",
      caption: "Guardrails",
      ...guardTable(rows),
      numeric: [2, 3, 4, 5, 6],
      decided: rows.map(({ state }) => state === "harm"),
    },
  ];
}

/** Share of the variance: below it nothing is gained, and the table is long enough. */
const LEAST_SHOWN = 0.01;

function adjustments({ metrics, period }: ReportData): Block[] {
  const rows = metrics.flatMap((metric) =>
    metric.comparisons.flatMap(({ variant, result, adjustment }) =>
      adjustment === null || result === null || adjustment.varianceRemoved < LEAST_SHOWN
        ? []
        : [{ metric, variant, result, ...adjustment }],
    ),
  );
  if (rows.length === 0 || period === null) return [];
  return [
    paragraph(
      "Searches and actions before a shopper's first search in the experiment explain a part of what the shopper does in it (CUPED). The lifts and verdicts above are without that part; " +
        "shoppers of whom nothing is known count as the mean. Metrics of whose variance less than 1 % is explained are not shown. The raw lift is the one without this, capped alike.",
    ),
    {
      kind: "table",
      caption: "Adjusted for what shoppers did before",
      headings: ["Metric", "Arm", "Lift", "Raw lift", "Raw confidence sequence", "Variance removed", "Days saved", "Shoppers known"],
      rows: rows.map(({ metric, variant, result, unadjusted: raw, varianceRemoved, daysSaved, shoppersKnown }) => {
        const decimals = format.decimalsFor(raw.lift.fixed);
        return [
          nameOf(metric),
          variant,
          format.lift(result.lift.value, decimals),
          format.lift(raw.lift.value, decimals),
          format.range(raw.lift.always, decimals),
          format.share(Math.max(0, varianceRemoved)),
          daysSaved.toFixed(1),
          format.wholeNumber(shoppersKnown),
        ];
      }),
      numeric: [2, 3, 4, 5, 6, 7],
    },
    paragraph(`Days saved: beyond the ${period.days} of the report, until the raw figures would be as certain.`),
  ];
}

function nameOf({ title, per, kind }: MetricReport): string {
  return kind === "share" ? title : `${title} per ${per}`;
}

function overTime({ checks: { overTime: rows }, segments: { metric: id }, metrics, alpha }: ReportData): Block[] {
  const metric = metrics.find((known) => known.metric === id);
  if (metric === undefined || rows.length === 0) return [];
  return [
    paragraph(
      `Whether the lift of ${nameOf(metric)} is the same in all parts (chi-square, corrected for the number of tests). A note is given below p ${NOTED_P}. ` +
        "Shoppers who come back on later days are not those who came once: a change with the days may be one of shoppers.",
    ),
    ...rows.map(({ variant, dimension, parts, chiSquare, degreesOfFreedom, p }): Block => ({
      kind: "table",
      caption: `${variant} by ${dimension}: chi-square ${chiSquare.toFixed(2)} with ${degreesOfFreedom} df, p ${format.probability(p)}`,
      headings: ["Part", "Control", "Arm's", "Lift", `Fixed ${format.level(alpha)}`],
      rows: parts.map(({ part, control, value, lift, fixed }) => [
        part,
        format.metricValue(control, metric),
        format.metricValue(value, metric),
        format.lift(lift, format.decimalsFor(fixed)),
        format.range(fixed),
      ]),
      numeric: [1, 2, 3, 4],
    })),
  ];
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function figure(value: number | null, kind: MetricReport["kind"]): string {
  return format.metricValue(value, { kind, currency: null });
}

function models({ checks: { models: rows }, control }: ReportData): Block[] {
  if (rows.length === 0) return [];
  return [
    paragraph(
      "Several models under one name. Control is shown in the time of each: another week has other shoppers. For intervals, report each from its own day on (--since, --until).",
    ),
    {
      kind: "table",
      caption: "By model",
      headings: [
        "Arm",
        "Model",
        "From",
        "To",
        "Searches",
        "Shoppers",
        "Click-through",
        `${control}'s`,
        "Purchases per search",
        `${control}'s`,
      ],
      rows: rows.map((row) => [
        row.variant,
        row.model,
        dayOf(row.firstMs),
        dayOf(row.lastMs),
        format.wholeNumber(row.searches),
        format.wholeNumber(row.shoppers),
        figure(row.clickThrough, "share"),
        figure(row.control.clickThrough, "share"),
        figure(row.purchases, "count"),
        figure(row.control.purchases, "count"),
      ]),
      numeric: [4, 5, 6, 7, 8, 9],
    },
  ];
}
