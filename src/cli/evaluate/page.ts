/** The evaluation as one HTML page: nothing to fetch, no script. Text of the catalogue and the judgments goes through `escape`. */
import { escape } from "../../report/charts.ts";
import { drawBlock, STYLE } from "../../report/page.ts";
import type { Section } from "../../report/blocks.ts";
import type { Evaluation } from "./report.ts";
import { decisiveOf, headline, interval, sectionsOf, verdictOf } from "./sections.ts";

/** Intervals stand beside their text, which wraps on a phone. */
const CHART = `
.intervals{list-style:none;padding:0;margin:.75rem 0}
.intervals li{display:grid;grid-template-columns:minmax(0,20rem) minmax(9rem,1fr);gap:0 1rem;align-items:center;padding:.4rem 0;border-top:1px solid var(--line)}
.intervals svg{width:100%;height:1.6rem;overflow:visible}
.intervals line{stroke:var(--ink);stroke-width:2;vector-effect:non-scaling-stroke}
.intervals .zero{stroke:var(--dim);stroke-width:1;stroke-dasharray:4 3}
.intervals .better{stroke:var(--fine)}
.intervals .worse{stroke:var(--alarm)}
@media(max-width:34rem){.intervals li{grid-template-columns:minmax(0,1fr)}}
`;

export function drawEvaluation(evaluation: Evaluation, titleOf: (id: string) => string): string {
  return drawDocument({
    title: `Search quality of ${evaluation.catalog}`,
    headline: headline(evaluation),
    sections: sectionsOf(evaluation, titleOf),
    charts: { differences: drawIntervals(evaluation) },
  });
}

interface Document {
  readonly title: string;
  readonly headline: string;
  readonly sections: readonly Section[];
  /** HTML before the blocks of a section, by its id. */
  readonly charts: Readonly<Record<string, string>>;
  /** Sources of pictures, of the page's own policy. Default: none but those in the page. */
  readonly images?: string | undefined;
  /** Styles beside the common ones. */
  readonly style?: string | undefined;
}

/** For whatever judges an order on one page: `evaluate`, `gate`, and the preview of rules. */
export function drawDocument({ title: text, headline: first, sections, charts, images = "data:", style = "" }: Document): string {
  const title = escape(text);
  const links = sections.map(({ id, heading }) => `<li><a href="#${id}">${escape(heading)}</a></li>`);
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src ${images}">`,
    '<link rel="icon" href="data:,">',
    `<title>${title}</title>`,
    `<style>${STYLE}${CHART}${style}</style>`,
    "</head>",
    "<body>",
    '<a class="skip" href="#main">To the figures</a>',
    "<header>",
    `<h1>${title}</h1>`,
    `<p class="dim">${escape(first)}</p>`,
    `<nav aria-label="Parts of the page"><ul>${links.join("")}</ul></nav>`,
    "</header>",
    '<main id="main">',
    ...sections.map(({ id, heading, blocks }) => {
      const content = `${charts[id] ?? ""}${blocks.map(drawBlock).join("")}`;
      return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(heading)}</h2>${content}</section>`;
    }),
    "</main>",
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function drawIntervals(evaluation: Evaluation): string {
  const { differences, overall, served, queries } = evaluation;
  const shown = decisiveOf(evaluation, [...differences, ...(overall?.differences ?? [])]);
  return intervalList(
    shown.map((difference) => ({
      ...difference,
      name: `${difference.lists === undefined ? "" : `${difference.lists}, `}${difference.metric}`,
      text: `${served} against engine: ${interval(difference)}`,
      verdict: verdictOf(difference, queries),
    })),
    "Differences from the engine's order; the dashed line is no difference",
  );
}

interface DrawnInterval {
  readonly name: string;
  readonly text: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** A class: "better" and "worse" have colours. */
  readonly verdict: string;
}

/** One line per interval over a common scale, which holds 0. */
export function intervalList(shown: readonly DrawnInterval[], label: string): string {
  const least = Math.min(0, ...shown.map(({ low }) => low));
  const most = Math.max(0, ...shown.map(({ high }) => high));
  const width = most - least || 1;
  const x = (value: number): string => (((value - least) / width) * 100).toFixed(1);
  const items = shown.map(
    ({ name, text, mean, low, high, verdict }) =>
      `<li><span><strong>${escape(name)}</strong><br><span class="dim">${escape(text)}</span></span>` +
      `<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${escape(`${name}: ${text}`)}">` +
      `<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="-4" y2="14"/>` +
      `<line class="${verdict}" x1="${x(low)}" x2="${x(high)}" y1="5" y2="5"/>` +
      [low, mean, high]
        .map((at) => `<line class="${verdict}" x1="${x(at)}" x2="${x(at)}" y1="${at === mean ? 0 : 3}" y2="${at === mean ? 10 : 7}"/>`)
        .join("") +
      "</svg></li>",
  );
  return `<ul class="intervals" aria-label="${escape(label)}">${items.join("")}</ul>`;
}
