/** The report as one HTML page: nothing to fetch, no script, in the order in which an experiment should be read. */
import { drawDaily, LOOKS } from "./chart.ts";
import { escape, list, paragraph, section, table } from "./html.ts";
import { USUAL_CAUSES } from "./mismatch.ts";
import type { MetricReport, ReportData } from "./report-data.ts";
import { STYLE } from "./style.ts";
import * as words from "./words.ts";

interface Part {
  readonly id: string;
  readonly heading: string;
  /** Empty where there is nothing to show. */
  readonly content: string;
}

export function drawPage(report: ReportData): string {
  const parts = [
    { id: "exposures", heading: "Exposures and sample ratio", content: exposures(report) },
    { id: "metrics", heading: "Metrics", content: metrics(report) },
    { id: "days", heading: "Day by day", content: dayByDay(report) },
    { id: "bypasses", heading: "Bypassed searches", content: bypasses(report) },
    { id: "segments", heading: "Segments", content: segments(report) },
    { id: "interleaving", heading: "Interleaving", content: interleaving(report) },
    { id: "time", heading: "Time to an answer", content: timeToAnswer(report) },
  ].filter(({ content }: Part) => content !== "");
  const links = parts.map(({ id, heading }) => `<li><a href="#${id}">${escape(heading)}</a></li>`).join("");
  const title = `Experiment ${report.experiment}${report.simulated ? " (simulated)" : ""}`;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    '<link rel="icon" href="data:,">',
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    '<a class="skip" href="#main">To the report</a>',
    "<header>",
    `<h1>Experiment ${escape(report.experiment)}${report.simulated ? ' <span class="badge">simulated</span>' : ""}</h1>`,
    paragraph(words.headline(report), "dim"),
    `<nav aria-label="Parts of the report"><ul>${links}</ul></nav>`,
    "</header>",
    '<main id="main">',
    ...parts.map(({ id, heading, content }) => section(id, heading, content)),
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function exposures({ exposures: { arms, weightsFrom }, sampleRatio, notes, place }: ReportData): string {
  const causes = sampleRatio.isMismatch ? `${paragraph("Usual causes:")}${list(USUAL_CAUSES)}` : "";
  const tests = sampleRatio.tests.map(
    ({ of, chiSquare, degreesOfFreedom, p }) =>
      `${of[0]?.toUpperCase()}${of.slice(1)}: chi-square ${chiSquare.toFixed(2)} with ${degreesOfFreedom} df, p ${words.probability(p)}; it fires below ${sampleRatio.threshold}.`,
  );
  return [
    `<div class="verdict${sampleRatio.isMismatch ? " alarm" : ""}"${sampleRatio.isMismatch ? ' role="alert"' : ""}>${paragraph(sampleRatio.verdict)}${list(tests)}${causes}</div>`,
    table({
      caption: `Exposures from ${place}; weights: ${weightsFrom}`,
      headings: ["Arm", "Weight", "Searches", "Shoppers", "Searches without a shopper"],
      rows: arms.map(({ variant, weight, searches, shoppers, searchesWithoutShopper }) => [
        variant,
        weight === null ? "not configured" : words.share(weight),
        words.wholeNumber(searches),
        words.wholeNumber(shoppers),
        words.wholeNumber(searchesWithoutShopper),
      ]),
      numeric: [1, 2, 3, 4],
    }),
    list(notes),
  ].join("");
}

function metrics(report: ReportData): string {
  const { metrics: all, alpha, control, trusted, period } = report;
  if (period === null) return "";
  const tables = (["search", "shopper"] as const).map((per) => {
    const rows = all
      .filter((metric) => metric.per === per && metric.arms.some(({ clusters }) => clusters > 0))
      .flatMap((metric) => metric.comparisons.map((comparison) => ({ metric, comparison })));
    if (rows.length === 0) return paragraph(`Per ${per}: nothing to compare.`);
    return table({
      caption: `Per ${per}, against ${control}`,
      headings: [
        "Metric",
        "Arm",
        "Verdict",
        "Lift",
        `Fixed ${words.level(alpha)}`,
        `Always valid ${words.level(alpha)}`,
        "Control",
        "Arm's",
      ],
      rows: rows.map(({ metric, comparison: { variant, result, ...rest } }) => {
        const valueOf = (arm: string): string => words.metricValue(metric.arms.find((one) => one.variant === arm)?.value ?? null, metric);
        const decimals = result === null ? 1 : words.decimalsFor(result.lift.fixed);
        return [
          metric.title,
          variant,
          words.verdict({ variant, result, ...rest }),
          result === null ? words.NONE : words.lift(result.lift.value, decimals),
          result === null ? words.NONE : words.range(result.lift.fixed, decimals),
          result === null ? words.NONE : words.range(result.lift.always, decimals),
          valueOf(control),
          valueOf(variant),
        ];
      }),
      numeric: [3, 4, 5, 6, 7],
      classOf: (row) => (rows[row]?.comparison.verdict === "open" ? "" : "decided"),
    });
  });
  const meanings = all.map((metric) => `${words.fullMetricName(metric)}: ${metric.meaning}`);
  return [
    trusted ? "" : paragraph("The sample ratio does not fit: do not act on these figures."),
    ...tables,
    paragraph(words.fixedMeaning(alpha)),
    paragraph(words.alwaysMeaning(alpha)),
    `<details><summary>What the metrics are</summary>${list(meanings)}</details>`,
  ].join("");
}

function dayByDay({ metrics: all, alpha, period }: ReportData): string {
  const figures = all.map(figure).filter((drawn) => drawn !== "");
  if (period === null) return "";
  if (figures.length === 0) return paragraph("Too few events for a sequence on any day.");
  const arms = all[0]?.comparisons ?? [];
  const key = arms.map(({ variant }, i) => {
    const look = `a${i % LOOKS}`;
    return `<li><svg viewBox="0 0 32 16" aria-hidden="true"><path class="band ${look}" d="M0 2H32V14H0Z"/><path class="line ${look}" d="M0 8H32"/></svg>${escape(variant)}</li>`;
  });
  return [
    paragraph(
      `Relative lift over control of all searches up to that day, with its always-valid ${words.level(alpha)} sequence. A band that does not touch the line of 0 has decided the metric. The first days may reach beyond the axis.`,
    ),
    `<ul class="key" aria-label="Arms">${key.join("")}</ul>`,
    `<div class="charts">${figures.join("")}</div>`,
  ].join("");
}

function figure(metric: MetricReport): string {
  const svg = drawDaily(metric);
  if (svg === "") return "";
  const days = metric.comparisons[0]?.daily.map(({ day }) => day) ?? [];
  const name = words.fullMetricName(metric);
  const data = table({
    caption: `${name}: lift and always-valid sequence`,
    headings: ["Up to", ...metric.comparisons.map(({ variant }) => variant)],
    rows: days.map((day, i) => [
      day,
      ...metric.comparisons.map(({ daily }) => {
        const then = daily[i];
        if (then === undefined || then.lift === null || then.always === null) return words.NONE;
        const decimals = words.decimalsFor(then.always);
        return `${words.lift(then.lift, decimals)} (${words.range(then.always, decimals)})`;
      }),
    ]),
  });
  return `<figure><figcaption>${escape(name)}</figcaption>${svg}<details><summary>As a table</summary>${data}</details></figure>`;
}

function bypasses({ exposures: { arms }, period }: ReportData): string {
  if (period === null) return "";
  return [
    paragraph(
      "A search that could not be re-ranked stays in its arm (intention to treat): taken out, it would leave the arms unlike each other.",
    ),
    table({
      caption: "Searches in the engine's order",
      headings: ["Arm", "Bypassed", "Searches", "As the arm is meant to", "Reasons"],
      rows: arms.map(({ variant, bypasses: { meant, searches, rate, reasons } }) => [
        variant,
        rate === null ? words.NONE : words.share(rate),
        words.wholeNumber(searches),
        words.wholeNumber(meant),
        reasons.map(({ reason, searches: count }) => `${reason} ${words.wholeNumber(count)}`).join(", ") || words.NONE,
      ]),
      numeric: [1, 2, 3],
    }),
  ].join("");
}

function segments({ segments: { metric: id, rows }, metrics: all, alpha, control }: ReportData): string {
  const metric = all.find((one) => one.metric === id);
  if (metric === undefined || rows.length === 0) return "";
  return [
    paragraph(words.segmentMeaning(rows.length)),
    table({
      caption: `${words.fullMetricName(metric)} by segment, against ${control}`,
      headings: ["By", "Segment", "Arm", "Control", "Arm's", "Lift", `Always valid ${words.level(alpha)}`, "p fixed", "p always valid"],
      rows: rows.map((row) => {
        const decimals = row.fixed === null ? 1 : words.decimalsFor(row.fixed);
        return [
          row.dimension,
          words.segmentName(row),
          row.variant,
          words.metricValue(row.control, metric),
          words.metricValue(row.value, metric),
          row.lift === null ? words.NONE : words.lift(row.lift, decimals),
          row.always === null ? words.NONE : words.range(row.always, decimals),
          row.p === null ? words.NONE : words.probability(row.p.fixed),
          row.p === null ? words.NONE : words.probability(row.p.always),
        ];
      }),
      numeric: [3, 4, 5, 6, 7, 8],
    }),
  ].join("");
}

function interleaving({ interleaving: all }: ReportData): string {
  const parts = all.map(
    (one) =>
      `<h3>${escape(one.variant)}</h3>${paragraph(`${words.wholeNumber(one.searches)} interleaved searches.`)}` +
      paragraph(words.preference(one, "clicks")) +
      paragraph(words.preference(one, "purchases")),
  );
  if (parts.length === 0) return "";
  return `${paragraph(words.INTERLEAVING_MEANING)}${parts.join("")}`;
}

function timeToAnswer({ timeToAnswer: { lift, power, rows }, metrics: all, exposures: { searchesPerDay }, period }: ReportData): string {
  if (period === null) return "";
  const told = rows.filter(({ days }) => days !== null);
  if (told.length === 0) return paragraph(words.TIME_UNKNOWN);
  return [
    paragraph(words.timeMeaning({ lift, power, searchesPerDay })),
    table({
      caption: `To see a lift of ${words.lift(lift)} with a power of ${words.chance(power)}`,
      headings: ["Metric", "Arm", "Power now", "Seen now", "Days in all, one look", "Days in all, always valid, at most"],
      rows: told.map(({ metric: id, variant, powerNow, seenNow, days }) => {
        const metric = all.find((one) => one.metric === id);
        return [
          metric === undefined ? id : words.fullMetricName(metric),
          variant,
          powerNow === null ? words.NONE : words.chance(powerNow),
          seenNow === null ? words.NONE : words.lift(seenNow),
          days === null ? words.NONE : words.days(days.fixed),
          days === null ? words.NONE : words.days(days.always),
        ];
      }),
      numeric: [2, 3, 4, 5],
    }),
  ].join("");
}
