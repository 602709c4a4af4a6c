/** The report as one HTML page: nothing to fetch, no script. Text from a log or a configuration goes through `escape`. */
import { bandChart, CHART_STYLE, escape, type Point } from "./charts.ts";
import * as format from "./format.ts";
import type { MetricReport, ReportData } from "./analyse.ts";
import type { Block, Table } from "./blocks.ts";
import { metricName } from "./metrics-section.ts";
import { answerOf, describeDaily, headline, sectionsOf } from "./sections.ts";

/** One column, light and dark, legible on a phone and on paper. */
export const STYLE = `${CHART_STYLE}
:root{color-scheme:light dark;--page:light-dark(#fff,#0d1117);--ink:light-dark(#1f2328,#e6edf3);--dim:light-dark(#57606a,#9da7b3);
--line:light-dark(#d8dee4,#30363d);--soft:light-dark(#f6f8fa,#161b22);--alarm:light-dark(#b3261e,#ff8a80);--alarm-soft:light-dark(#fdecea,#2d1513);
--fine:light-dark(#1a6b3c,#56d4a8);--link:light-dark(#0b5cad,#6cb6ff);--badge:light-dark(#b34700,#ffa657)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.25rem;margin:2rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:1rem;background:var(--page);padding:.5rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0;margin:.5rem 0}
nav a{display:inline-block;padding:.35rem 0}
.dim{color:var(--dim)}
.badge{display:inline-block;border:2px solid var(--badge);border-radius:.4rem;padding:0 .5rem;font-weight:600;font-size:1rem;vertical-align:middle}
.verdict{border-left:.35rem solid var(--fine);background:var(--soft);padding:.6rem .9rem;border-radius:.3rem}
.verdict.alarm{border-color:var(--alarm);background:var(--alarm-soft)}
.verdict p:first-child{font-weight:600;margin-top:0}
.answer p:first-child{font-size:1.3rem;line-height:1.3}
.answer p+ul{margin:.2rem 0 .6rem;padding-left:1.2rem}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.4rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
caption{text-align:left;padding:.5rem .7rem;color:var(--dim)}
th,td{padding:.4rem .7rem;text-align:left;border-top:1px solid var(--line);vertical-align:top}
thead th{white-space:nowrap}
tbody th{font-weight:600}
.number{text-align:right;white-space:nowrap}
tr.decided td:nth-child(3){font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.4rem;padding:.6rem;min-width:0}
figcaption{font-weight:600}
svg.daily{display:block;width:100%;height:auto}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.35rem 0}
@media print{.skip,nav{display:none}.scroll{overflow:visible}figure,tr{break-inside:avoid}table{font-size:.65rem}th,td{padding:.2rem .3rem}thead th,.number{white-space:normal}}
`;

export function drawPage(report: ReportData): string {
  const sections = sectionsOf(report).flatMap(({ id, heading, blocks }) => {
    const drawn = { id, heading, content: blocks.map(drawBlock).join("") };
    return id === "metrics" ? [drawn, { id: "days", heading: "Day by day", content: dayByDay(report) }] : [drawn];
  });
  const links = sections.map(({ id, heading }) => `<li><a href="#${id}">${escape(heading)}</a></li>`).join("");
  const title = escape(`Experiment ${report.experiment}`);
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    '<link rel="icon" href="data:,">',
    `<title>${title}${report.simulated ? " (simulated)" : ""}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    '<a class="skip" href="#main">To the report</a>',
    "<header>",
    `<h1>${title}${report.simulated ? ' <span class="badge">simulated</span>' : ""}</h1>`,
    `<p class="dim">${escape(headline(report))}</p>`,
    drawAnswer(report),
    `<nav aria-label="Parts of the report"><ul>${links}</ul></nav>`,
    "</header>",
    '<main id="main">',
    ...sections.map(
      ({ id, heading, content }) => `<section aria-labelledby="${id}"><h2 id="${id}">${escape(heading)}</h2>${content}</section>`,
    ),
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** The sentence in large type, before everything else. */
function drawAnswer(report: ReportData): string {
  const { isAlarm, blocks } = answerOf(report);
  return `<div class="verdict answer${isAlarm ? ' alarm" role="alert"' : '"'}>${blocks.map(drawBlock).join("")}</div>`;
}

export function drawBlock(block: Block): string {
  if (block.kind === "paragraph") return paragraph(block.text);
  if (block.kind === "list") return `${block.intro === "" ? "" : paragraph(block.intro)}${list(block.items)}`;
  if (block.kind === "details") return `<details><summary>${escape(block.summary)}</summary>${list(block.items)}</details>`;
  if (block.kind === "table") return drawTable(block);
  return `<div class="verdict${block.isAlarm ? ' alarm" role="alert"' : '"'}>${block.blocks.map(drawBlock).join("")}</div>`;
}

function paragraph(text: string): string {
  return `<p>${escape(text)}</p>`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>`;
}

/** Scrolls by itself where it is wider than the page, by keyboard too. A verdict moves to the third column, in sight on a phone. */
function drawTable({ caption, headings, rows, numeric, decided }: Table): string {
  const columns = headings.map((_, i) => i);
  const order = decided === undefined ? columns : [...columns.slice(0, 2), columns.length - 1, ...columns.slice(2, -1)];
  const kind = (column: number): string => (numeric.includes(column) ? ' class="number"' : "");
  const head = order.map((i) => `<th scope="col"${kind(i)}>${escape(headings[i] ?? "")}</th>`);
  const body = rows.map((row, r) => {
    const cells = order.map((i) =>
      i === 0 ? `<th scope="row">${escape(row[i] ?? "")}</th>` : `<td${kind(i)}>${escape(row[i] ?? "")}</td>`,
    );
    return `<tr${decided?.[r] === true ? ' class="decided"' : ""}>${cells.join("")}</tr>`;
  });
  return (
    `<div class="scroll" role="region" aria-label="${escape(caption)}" tabindex="0"><table><caption>${escape(caption)}</caption>` +
    `<thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`
  );
}

/** A reader looks at no more; what is left out is in the tables. */
const MOST_CHARTS = 11;

/** Per shopper before per search, which says nearly the same: what is left out is least missed. Otherwise in the order of the table. */
function byImportance(metrics: readonly MetricReport[]): readonly MetricReport[] {
  const isRepeated = ({ metric, per }: MetricReport): boolean =>
    per === "search" &&
    metrics.some((other) => other.metric === `${metric}-per-shopper` && other.comparisons.some(({ result }) => result !== null));
  return [...metrics.filter((metric) => !isRepeated(metric)), ...metrics.filter(isRepeated)];
}

/** The confidence sequence of each metric as a chart, and as a table for those who cannot see it. */
function dayByDay({ metrics, alpha }: ReportData): string {
  const figures = byImportance(metrics)
    .map(drawFigure)
    .filter((figure) => figure !== "")
    .slice(0, MOST_CHARTS);
  if (figures.length === 0) return paragraph("Too few events for a confidence sequence on any day.");
  return (
    paragraph(
      `Relative lift over control of all searches up to that day, with its ${format.level(alpha)} confidence sequence. A band that does not touch the line of 0 has decided the metric. The first days may reach beyond the axis.`,
    ) + `<div class="charts">${figures.join("")}</div>`
  );
}

function drawFigure(metric: MetricReport): string {
  const { comparisons } = metric;
  const name = metricName(metric);
  const days = comparisons[0]?.daily.map(({ day }) => day) ?? [];
  const series = comparisons.map(({ variant, daily }) => ({
    name: variant,
    points: daily.flatMap(({ lift, always }, x): Point[] => (lift === null || always === null ? [] : [{ x, y: lift, ...always }])),
  }));
  const svg = bandChart({
    id: `daily-${metric.metric}`,
    title: `${name}: relative lift over control, day by day`,
    description: comparisons.map((comparison) => describeDaily(metric, comparison)).join(" "),
    names: days.map(shortDay),
    series,
    range: rangeOf(
      series.flatMap(({ points }) => points),
      days.length,
    ),
  });
  if (svg === "") return "";
  const table = drawTable({
    kind: "table",
    caption: `${name}: lift and confidence sequence`,
    headings: ["Up to", ...comparisons.map(({ variant }) => variant)],
    rows: days.map((day, i) => [
      day,
      ...comparisons.map(({ daily }) => {
        const then = daily[i];
        if (then === undefined || then.lift === null || then.always === null) return format.NONE;
        return `${format.lift(then.lift, format.decimalsFor(then.always))} (${format.range(then.always)})`;
      }),
    ]),
    numeric: [],
  });
  return `<figure><figcaption>${escape(name)}</figcaption>${svg}<details><summary>As a table</summary>${table}</details></figure>`;
}

/** Of the y axis: 0 and the intervals of the second half of the days. Those of the first days would leave no room for the rest. */
function rangeOf(points: readonly Point[], days: number): readonly [low: number, high: number] {
  const late = points.filter(({ x }) => x >= (days - 1) / 2);
  const shown = late.length > 0 ? late : points;
  const low = Math.min(0, ...shown.map((point) => point.low ?? point.y));
  const high = Math.max(0, ...shown.map((point) => point.high ?? point.y));
  return high > low ? [low * 1.1, high * 1.1] : [-0.01, 0.01];
}

/** 2026-09-07 → 7 Sep */
function shortDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}
