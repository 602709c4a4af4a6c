/** The metrics of an experiment in words and tables: a part of `sections.ts`. */
import type { MetricComparison, MetricReport, ReportData } from "./analyse.ts";
import { type Block, list, paragraph } from "./blocks.ts";
import * as format from "./format.ts";

/** With "per …" where the title alone does not tell; a share is not per anything. */
export function metricName({ title, per, kind }: MetricReport): string {
  return kind === "share" ? title : `${title} per ${per}`;
}

const WHY_NOT: Readonly<Record<Exclude<MetricComparison["why"], null>, string>> = {
  no_data: "fewer than two shoppers or searches in an arm",
  no_events: "nothing happened in at least one arm",
  below_zero: "the sum of an arm is below 0 (refunds?)",
  units_unknown: "no verdict: whose searches they are is not known",
  too_few_events: "too few events to compare (at least 20 shoppers or searches with one in each arm)",
};

const HELD: Readonly<Record<Exclude<MetricComparison["held"], null>, string>> = {
  difference: "open: the lift alone shows it, the difference does not",
  lift: "open: the difference alone shows it, the lift does not",
  one_shopper: "open: a single shopper decides it",
  few_events: "open: the counts show it, the difference does not",
};

function verdictWords(comparison: MetricComparison): string {
  const { planned, verdict } = comparison;
  const words = sequenceWords(comparison);
  return planned?.day != null && verdict !== "open" ? `${words}, decided on ${planned.day}` : words;
}

function sequenceWords({ verdict, why, held, exact, withheld }: MetricComparison): string {
  if (withheld !== null) return withheld;
  if (exact !== null && verdict !== "open") return `${verdict} (exact: ${counts(exact)})`;
  if (held !== null) return HELD[held];
  return why === null ? verdict : WHY_NOT[why];
}

function counts({ variant, control }: NonNullable<MetricComparison["exact"]>): string {
  const [mine, theirs] = [variant, control].map(({ units, of }) => `${format.wholeNumber(units)} of ${format.wholeNumber(of)}`);
  return `${mine} shoppers, control ${theirs}`;
}

type Shown = Pick<MetricComparison["raw"], "control" | "value" | "lift">;

/** Values of control and arm, lift, and both intervals. */
function figures(metric: MetricReport, { control, value, lift }: Shown): string[] {
  const decimals = lift === null ? 1 : format.decimalsFor(lift.fixed);
  return [
    format.metricValue(control, metric),
    format.metricValue(value, metric),
    lift === null ? format.NONE : format.lift(lift.value, decimals),
    format.range(lift?.fixed, decimals),
    format.range(lift?.always, decimals),
  ];
}

/** A second row shows what the caps change. */
function rowsOf(metric: MetricReport, comparison: MetricComparison): readonly (readonly string[])[] {
  const { variant, capped, raw, planned } = comparison;
  const isTouched = capped.touched.control + capped.touched.variant > 0;
  return [
    [
      metric.title,
      variant,
      ...figures(metric, capped),
      ...(planned === null ? [] : [format.range(planned.lift)]),
      verdictWords(comparison),
    ],
    ...(isTouched
      ? [[`${metric.title}, not capped`, variant, ...figures(metric, raw), ...(planned === null ? [] : [format.NONE]), "(capped: above)"]]
      : []),
  ];
}

export function metricsBlocks({ metrics: all, alpha, cap, trusted, plan }: ReportData): Block[] {
  const level = format.level(alpha);
  const tables = (["search", "shopper", "order"] as const).map((per): Block => {
    const shown = all
      .filter((metric) => metric.per === per && metric.arms.some(({ clusters }) => clusters > 0))
      .flatMap((metric) => metric.comparisons.map((comparison) => ({ comparison, rows: rowsOf(metric, comparison) })));
    if (shown.length === 0) return paragraph(`Per ${per}: nothing to compare.`);
    return {
      kind: "table",
      caption: `Per ${per}`,
      headings: [
        "Metric",
        "Arm",
        "Control",
        "Arm's",
        "Lift",
        `Fixed ${level}`,
        `Confidence sequence ${level}`,
        ...(plan === null ? [] : [`Planned ${level}`]),
        "Verdict",
      ],
      rows: shown.flatMap(({ rows }) => rows),
      numeric: [2, 3, 4, 5, 6, ...(plan === null ? [] : [7])],
      decided: shown.flatMap(({ comparison, rows }) => rows.map((_, i) => i === 0 && comparison.verdict !== "open")),
    };
  });
  return [
    ...(trusted ? [] : [paragraph("Sample-ratio mismatch: do not act on these figures.")]),
    ...tables,
    paragraph(
      `Fixed ${level} interval: holds in ${level} of experiments that are read once, at a length that was decided before the start.`,
    ),
    paragraph(
      `Confidence sequence, ${level}: holds in ${level} of experiments however often they are read and whenever they are stopped. It is wider in return. ` +
        `${plan === null ? "The verdicts go by it" : "Without a planned end the verdicts go by it"}: an effect is called where the sequences of the lift and of the difference both leave 0 out, and still do without the heaviest shopper of either arm.`,
    ),
    ...describePlan(plan, level),
    ...shoppersWeigh(all, cap),
    { kind: "details", summary: "Definitions of the metrics", items: all.map((metric) => `${metricName(metric)}: ${metric.meaning}`) },
  ];
}

function describePlan(plan: ReportData["plan"], level: string): Block[] {
  if (plan === null) return [];
  const { unitsPerArm, lastDay, arms } = plan;
  const ends = [
    ...(unitsPerArm === null ? [] : [`${format.wholeNumber(unitsPerArm)} shoppers in each arm`]),
    ...(lastDay === null ? [] : [`the end of ${lastDay}`]),
  ];
  return [
    paragraph(
      `Planned, ${level}: the experiment ends with ${ends.join(" or ")}. The verdicts go by a look at the end of each day (UTC) until then, all of them together with that error: ` +
        "look as often as you like. Today decides nothing before it is over, and whatever comes after the planned end changes nothing.",
    ),
    ...list(
      arms.map(({ variant, fraction, isOver, daysLeft }) =>
        isOver
          ? `${variant}: the plan has ended.`
          : `${variant}: ${format.share(fraction)} of the plan${daysLeft === null ? "" : `, ${format.days(daysLeft)} to go at this traffic`}.`,
      ),
    ),
  ];
}

function shoppersWeigh(all: readonly MetricReport[], cap: number): Block[] {
  const rows = all
    .filter(({ kind, arms }) => kind !== "share" && arms.some(({ sum }) => sum > 0))
    .flatMap((metric) => metric.comparisons.map((comparison) => ({ metric, ...comparison })));
  if (rows.length === 0) return [];
  const most = rows.find(({ capped }) => capped.mostSearches !== null)?.capped.mostSearches ?? null;
  return [
    {
      kind: "table",
      caption: "How much a single shopper weighs",
      headings: ["Metric", "Arm", "Cap", "Capped in control", "Capped in arm", "Largest in control", "Largest in arm"],
      rows: rows.map(({ metric, variant, capped, largestShare }) => [
        metricName(metric),
        variant,
        capped.cap === null ? format.NONE : format.metricValue(capped.cap, metric),
        ...[capped.touched.control, capped.touched.variant].map(format.wholeNumber),
        ...[largestShare.control, largestShare.variant].map((share) => (share === null ? format.NONE : format.share(share))),
      ]),
      numeric: [2, 3, 4, 5, 6],
    },
    paragraph(
      (cap < 1
        ? `The sum of a shopper is capped at the value that ${format.share(cap)} of the shoppers with something do not exceed, all arms together (--cap); at least the heaviest is. `
        : "Nothing is capped (--cap 1): one shopper can decide a metric. ") +
        (most === null ? "" : `In a metric per search a shopper weighs by at most ${format.wholeNumber(most)} searches. `) +
        "Largest: the share of one shopper in the sum of the arm, not capped.",
    ),
  ];
}
