/**
 * A small chart as SVG: series of points with 95 % intervals over a row of places or a logarithmic axis. Own code, because what chart
 * libraries bring (a browser's document, canvases, hundreds of files) outweighs these lines.
 *
 * Legible in both themes: colours come from two palettes chosen by `prefers-color-scheme`, series differ by mark as well as by colour.
 */

import { AREA, at, BOTTOM, escape, HEIGHT, labelsOf, RIGHT, text, WIDTH } from "./sheet.ts";
import { logTicks, niceTicks, shortNumber } from "./ticks.ts";

export interface Point {
  /** Place on the axis (0-based) or value on the logarithmic axis. */
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Written beside the mark. */
  readonly label?: string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Joins the points. */
  readonly isLine: boolean;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Names of the places; without them x is logarithmic. */
  readonly places?: readonly string[];
  readonly series: readonly Series[];
  /** The y axis begins at zero. */
  readonly fromZero: boolean;
}

const LIGHT = { page: "#ffffff", ink: "#1f2328", faint: "#d8dee4", series: ["#0b5cad", "#b34700", "#00735a", "#8f2a8f", "#6b5b00"] };
const DARK = { page: "#0d1117", ink: "#e6edf3", faint: "#30363d", series: ["#6cb6ff", "#ffa657", "#56d4a8", "#e59bf0", "#e3cf57"] };

function palette({ page, ink, faint, series }: typeof LIGHT): string {
  return [
    `.page{fill:${page}}`,
    `text{fill:${ink}}`,
    `.axis{stroke:${ink}}`,
    `.grid{stroke:${faint}}`,
    ...series.map((colour, i) => `.s${i}{stroke:${colour};fill:${colour}}.l${i}{stroke:${colour}}`),
  ].join("");
}

const STYLE =
  `<style>text{font:13px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}.title{font-size:15px;font-weight:600}` +
  `.line{fill:none;stroke-width:2}.whisker{stroke-width:1.5;fill:none}.tie{opacity:.4}${palette(LIGHT)}` +
  `@media (prefers-color-scheme:dark){${palette(DARK)}}</style>`;

const MARKS: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `<circle cx="${at(x)}" cy="${at(y)}" r="4"`,
  (x, y) => `<rect x="${at(x - 4)}" y="${at(y - 4)}" width="8" height="8"`,
  (x, y) => `<path d="M${at(x)} ${at(y - 5)}l5 9h-10z"`,
  (x, y) => `<path d="M${at(x)} ${at(y - 5.5)}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"`,
  (x, y) => `<path d="M${at(x)} ${at(y + 5)}l5 -9h-10z"`,
];

function mark(series: number, x: number, y: number): string {
  const colour = series % LIGHT.series.length;
  return `${MARKS[series % MARKS.length]?.(x, y) ?? ""} class="s${colour}"/>`;
}

interface Scales {
  readonly x: (point: Point, series: number) => number;
  readonly y: (value: number) => number;
  readonly axes: string;
}

function tick(x: number, name: string): string {
  return `<path class="axis" d="M${at(x)} ${BOTTOM}v5"/>${text(x, BOTTOM + 20, name, ' text-anchor="middle"')}`;
}

function xAxis(chart: Chart): { scale: (point: Point, series: number) => number; drawn: string } {
  const { places, series } = chart;
  if (places !== undefined) {
    const step = (RIGHT - AREA.left) / places.length;
    const middle = (x: number): number => AREA.left + (x + 0.5) * step;
    // Side by side, so that one series' interval does not hide another's.
    const apart = Math.min(places.length > 6 ? 5 : 12, step / (series.length + 1));
    const scale = (point: Point, s: number): number => middle(point.x) + (s - (series.length - 1) / 2) * apart;
    return { scale, drawn: places.map((name, i) => tick(middle(i), name)).join("") };
  }
  const values = series.flatMap(({ points }) => points.map(({ x }) => x));
  const ticks = logTicks(Math.min(...values), Math.max(...values));
  const [low, high] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
  // Room at the right for the last label.
  const scale = (x: number): number => AREA.left + 20 + ((Math.log10(x) - low) / (high - low || 1)) * (RIGHT - AREA.left - 110);
  return { scale: (point) => scale(point.x), drawn: ticks.map((value) => tick(scale(value), shortNumber(value))).join("") };
}

function scalesOf(chart: Chart): Scales {
  const values = chart.series.flatMap(({ points }) => points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]));
  const ticks = niceTicks(Math.min(...values, chart.fromZero ? 0 : Infinity), Math.max(...values, chart.fromZero ? 0 : -Infinity));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const y = (value: number): number => BOTTOM - ((value - low) / (high - low || 1)) * (BOTTOM - AREA.top);
  const decimals = Math.max(...ticks.map((value) => String(value).split(".")[1]?.length ?? 0));
  const grid = ticks.map(
    (value) =>
      `<path class="grid" d="M${AREA.left} ${at(y(value))}H${RIGHT}"/>${text(AREA.left - 8, y(value) + 4, value.toFixed(decimals), ' text-anchor="end"')}`,
  );
  const { scale, drawn } = xAxis(chart);
  const middle = (AREA.top + BOTTOM) / 2;
  const zero = low < 0 && high > 0 ? `<path class="axis" d="M${AREA.left} ${at(y(0))}H${RIGHT}"/>` : "";
  const axes = [
    ...grid,
    zero,
    `<path class="axis" d="M${AREA.left} ${BOTTOM}H${RIGHT}"/>`,
    drawn,
    text((AREA.left + RIGHT) / 2, HEIGHT - 14, chart.xLabel, ' text-anchor="middle"'),
    text(20, middle, chart.yLabel, ` text-anchor="middle" transform="rotate(-90 20 ${at(middle)})"`),
  ];
  return { x: scale, y, axes: axes.join("") };
}

function drawSeries({ points, isLine }: Series, s: number, { x, y }: Scales): string {
  const colour = s % LIGHT.series.length;
  const line = points.map((point, i) => `${i === 0 ? "M" : "L"}${at(x(point, s))} ${at(y(point.y))}`).join("");
  const marks = points.map((point) => {
    const [px, py] = [x(point, s), y(point.y)];
    const { low, high } = point;
    const whisker =
      low === undefined || high === undefined
        ? ""
        : `<path class="whisker l${colour}" d="M${at(px)} ${at(y(low))}V${at(y(high))}M${at(px - 4)} ${at(y(low))}h8M${at(px - 4)} ${at(y(high))}h8"/>`;
    return whisker + mark(s, px, py);
  });
  return (isLine ? `<path class="line l${colour}" d="${line}"/>` : "") + marks.join("");
}

/** One entry per series, in a row above the chart. */
function legend(series: readonly Series[]): string {
  let x = AREA.left;
  return series
    .map(({ name }, s) => {
      const entry = mark(s, x + 5, 72) + text(x + 16, 76, name);
      x += 40 + name.length * 7.2;
      return entry;
    })
    .join("");
}

/** The chart as a whole SVG document. */
export function drawChart(chart: Chart): string {
  const scales = scalesOf(chart);
  const marks = chart.series.flatMap(({ points }, s) => points.map((point) => ({ x: scales.x(point, s), y: scales.y(point.y), point })));
  const labelled = marks.flatMap(({ x, y, point }) => (point.label === undefined ? [] : [{ x, y, label: point.label }]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escape(chart.title)}">`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(AREA.left, 28, chart.title, ' class="title"'),
    text(AREA.left, 49, chart.subtitle),
    chart.series.length > 1 ? legend(chart.series) : "",
    scales.axes,
    labelsOf(labelled, marks),
    ...chart.series.map((series, s) => drawSeries(series, s, scales)),
    "</svg>\n",
  ].join("\n");
}
