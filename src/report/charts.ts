/**
 * Charts as SVG, drawn by Vega without a browser: bands over days, intervals over names, and points or lines over a numeric axis.
 *
 * The bytes depend on the data alone: text widths are estimated and coordinates are rounded. Attributes hold the colours of a light page,
 * `CHART_STYLE` those of a dark one; series differ by shape or dash as well as by colour.
 */
import { type Axis, type Config, type Mark, parse, type Scale, type Spec, SVGStringRenderer, textMetrics, View } from "vega";

export interface Point {
  /** Index into the names of the axis, or a number on a numeric axis (above 0 on a logarithmic one). */
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
}

/** Of a chart that is a file of its own. */
interface FileChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** A line joins the points of a series. */
  readonly isJoined: boolean;
}

interface BandChart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** The chart in words, for readers who do not see it. */
  readonly description: string;
  /** Of the steps along the axis; some are left out where they would overlap. */
  readonly names: readonly string[];
  /** Relative changes (0.03 is three percent more) with `low` and `high`. A missing index is a gap. */
  readonly series: readonly Series[];
  /** Of the y axis; marks beyond are cut off there. */
  readonly range: readonly [low: number, high: number];
}

/** Text for HTML and SVG. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const FONT = "font-family=\"system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif\"";
const PAGE = "#ffffff";
const INK = "#1f2328";
const GRID = "#d8dee4";
const COLOURS = ["#0b5cad", "#b34700", "#00735a", "#8f2a8f", "#6b5b00"];
const DARK = { [PAGE]: "#0d1117", [INK]: "#e6edf3", [GRID]: "#30363d" };
const DARK_COLOURS = ["#6cb6ff", "#ffa657", "#56d4a8", "#e59bf0", "#e3cf57"];
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down"];
const DASHES = [[1, 0], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4]]; // prettier-ignore

/** For a style sheet: the dark palette. */
export const CHART_STYLE = `@media screen and (prefers-color-scheme:dark){${[
  ...Object.entries(DARK),
  ...COLOURS.map((light, i) => [light, DARK_COLOURS[i]]),
]
  .map(([light, dark]) => `svg [fill="${light}"]{fill:${dark}}svg [stroke="${light}"]{stroke:${dark}}`)
  .join("")}}`;

/** An SVG document: marks with intervals over `names`, in order, the series side by side. The y axis holds 0. */
export function intervalChart({ names, ...chart }: FileChart & { readonly names: readonly string[] }): string {
  const count = chart.series.length;
  const apart = Math.min(names.length > 6 ? 5 : 12, 650 / names.length / (count + 1));
  const x: Scale = { ...namedScale(names), padding: 0.5 };
  return drawFile(chart, { x, xAxis: namedAxis(names), hasZero: true, shiftOf: (index) => (index - (count - 1) / 2) * apart });
}

/** An SVG document: points over a numeric axis, with intervals and labels where they have them. */
export function lineChart({ isLogarithmic, ...chart }: FileChart & { readonly isLogarithmic: boolean }): string {
  const domain = { data: "points", field: "x" };
  const range = [20, { signal: "width - 90" }]; // with room for the last label
  const x: Scale = { name: "x", type: isLogarithmic ? "log" : "linear", domain, range, zero: false };
  return drawFile(chart, { x, xAxis: { format: "~s", tickCount: 6 }, hasZero: false, shiftOf: () => 0 });
}

/** Inline SVG, 360 units wide, class `daily`: a line per series within its band, and the line of no change. Empty without a point. */
export function bandChart({ id, title, description, names, series, range }: BandChart): string {
  if (series.every(({ points }) => points.length === 0)) return "";
  const rows = series.flatMap(({ name, points }) => {
    const known = new Map(points.map((point) => [point.x, point]));
    return names.map((_, x): Row => ({
      ...(known.get(x) ?? { x }),
      series: name,
      shift: 0,
      isAlone: known.has(x) && !known.has(x - 1) && !known.has(x + 1),
    }));
  });
  const hasLegend = series.length > 1;
  const [width, height] = [360, 200 + (hasLegend ? 18 * series.length : 0)];
  const step = Math.max(1, Math.ceil(names.length / 5));
  const percent = { signal: "(datum.value === 0 ? '0' : format(datum.value * 100, '+.6~r')) + '\u00a0%'" };
  const zeroLine = { stroke: [{ test: "datum.value === 0", value: INK }, { value: GRID }] };
  const svg = draw(series, rows, {
    width,
    height,
    padding: 4,
    scales: [
      { ...namedScale(names), padding: 0.3 },
      { name: "y", type: "linear", domain: [...range], range: "height", nice: 6, clamp: true },
    ],
    axes: [
      { ...namedAxis(names), values: names.flatMap((_, i) => ((names.length - 1 - i) % step === 0 ? [i] : [])) },
      { ...Y_AXIS, encode: { grid: { update: zeroLine }, labels: { update: { text: percent } } } },
    ],
    ...(hasLegend && {
      legends: [{ stroke: "colour", strokeDash: "dash", symbolType: "stroke", symbolSize: 500, columns: 1, orient: "top" }],
    }),
    marks: perSeries([BAND, line({ strokeDash: { scale: "dash", field: "series" } })]),
  });
  return [
    `<svg class="daily" ${FONT} viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text">`,
    `<title id="${id}-title">${escape(title)}</title>`,
    `<desc id="${id}-text">${escape(description)}</desc>`,
    `${svg}</svg>`,
  ].join("");
}

interface FileAxes {
  readonly x: Scale;
  readonly xAxis: Partial<Axis>;
  /** The y axis begins or ends at 0 at the latest. */
  readonly hasZero: boolean;
  /** Pixels to the right of x, by the index of the series. */
  readonly shiftOf: (series: number) => number;
}

function drawFile({ title, subtitle, xLabel, yLabel, series, isJoined }: FileChart, { x, xAxis, hasZero, shiftOf }: FileAxes): string {
  const [width, height] = [760, 440];
  const rows = series.flatMap(({ name, points }, i) => points.map((point): Row => ({ ...point, series: name, shift: shiftOf(i) })));
  const domain = { data: "points", fields: ["y", "low", "high"] };
  const svg = draw(series, rows, {
    width,
    height,
    padding: 14,
    background: PAGE,
    title: { text: title, subtitle, anchor: "start", frame: "bounds", fontSize: 15, subtitleFontSize: 13, offset: 12 },
    scales: [x, { name: "y", type: "linear", domain, range: "height", nice: true, zero: hasZero }],
    axes: [
      { orient: "bottom", scale: "x", title: xLabel, ...xAxis },
      { ...Y_AXIS, title: yLabel },
    ],
    ...(series.length > 1 && { legends: [{ fill: "colour", shape: "shape", orient: "top", direction: "horizontal", symbolSize: 70 }] }),
    marks: isJoined ? perSeries([line()]) : [],
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT} role="img" aria-label="${escape(title)}">`,
    `<style>${CHART_STYLE}</style>`,
    `${svg}</svg>`,
    "",
  ].join("\n");
}

interface Row extends Partial<Point> {
  readonly series: string;
  /** Pixels to the right of x. */
  readonly shift: number;
  /** In a chart of bands: no point on either side, so that a mark must show it. */
  readonly isAlone?: boolean;
}

/** The content of the SVG element, `width` by `height` with the padding. Marks of single points are drawn over `marks`. */
function draw(
  series: readonly Series[],
  rows: readonly Row[],
  spec: Spec & { readonly width: number; readonly height: number; readonly padding: number },
): string {
  textMetrics.width = ({ fontSize = 11 }, text) => 0.6 * fontSize * String(text).length;
  const domain = series.map(({ name }) => name);
  const ordinal = (name: string, range: string[] | number[][]): Scale => ({ name, type: "ordinal", domain, range });
  const { width, height, padding } = spec;
  const whole: Spec = {
    ...spec,
    autosize: { type: "fit", contains: "padding" },
    config: CONFIG,
    data: [
      { name: "points", values: [...rows] },
      { name: "marked", source: "points", transform: [{ type: "filter", expr: "datum.isAlone !== false" }] },
      { name: "intervals", source: "marked", transform: [{ type: "filter", expr: "isValid(datum.high)" }] },
      { name: "labelled", source: "points", transform: [{ type: "filter", expr: "isValid(datum.label)" }] },
    ],
    scales: [...(spec.scales ?? []), ordinal("colour", COLOURS), ordinal("shape", SHAPES), ordinal("dash", DASHES)],
    marks: [...(spec.marks ?? []), ...SINGLE],
  };
  const view = new View(parse(whole), { renderer: "none" }).run();
  const [left, top] = view.origin();
  const svg = new SVGStringRenderer()
    .initialize(null, width, height, [left + padding, top + padding])
    .background(view.background())
    .render(view.scenegraph().root)
    .svg();
  view.finalize();
  return svg
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>$/, "")
    .replaceAll(/<path class="(?:back|fore)ground"[^>]*>/g, "")
    .replaceAll(/<[^>]+>/g, shorten);
}

/** Drops what the SVG element says for all of its content, and rounds coordinates to a tenth. */
function shorten(tag: string): string {
  return tag
    .replaceAll(/ (?:role|aria-[a-z]+|pointer-events|font-family)="[^"]*"| opacity="1"/g, "")
    .replaceAll(/-?\d+\.\d{2,}(?:e-\d+)?/g, (number) => String(Math.round(Number(number) * 10) / 10));
}

/** Scale and axis of the positions 0, 1, … */
function namedScale(names: readonly string[]): Scale & { readonly type: "point" } {
  return { name: "x", type: "point", domain: names.map((_, i) => i), range: "width" };
}

function namedAxis(names: readonly string[]): Axis {
  return { orient: "bottom", scale: "x", encode: { labels: { update: { text: { signal: `${JSON.stringify(names)}[datum.value]` } } } } };
}

function perSeries(marks: Mark[]): Mark[] {
  return [{ type: "group", from: { facet: { name: "one series", data: "points", groupby: "series" } }, marks }];
}

const TEXT = { labelColor: INK, titleColor: INK, labelFontSize: 12, titleFontSize: 13, titleFontWeight: "normal" } as const;
const CONFIG: Config = {
  axis: { ...TEXT, domainColor: INK, tickColor: INK, gridColor: GRID, titlePadding: 10 },
  legend: { ...TEXT, labelLimit: 320, symbolStrokeWidth: 2, columnPadding: 16 },
  title: { color: INK, subtitleColor: INK },
};
const Y_AXIS: Axis = { orient: "left", scale: "y", grid: true, tickCount: 6 };

const X = { scale: "x", field: "x", offset: { field: "shift" } } as const;
const Y = { scale: "y", field: "y" } as const;
const LOW = { scale: "y", field: "low" } as const;
const HIGH = { scale: "y", field: "high" } as const;
const COLOUR = { scale: "colour", field: "series" } as const;
const DEFINED = { signal: "isValid(datum.y)" } as const;

const BAND: Mark = {
  type: "area",
  from: { data: "one series" },
  encode: { update: { x: X, y: LOW, y2: HIGH, fill: COLOUR, fillOpacity: { value: 0.18 }, defined: DEFINED } },
};
const line = (more: object = {}): Mark => ({
  type: "line",
  from: { data: "one series" },
  encode: { update: { x: X, y: Y, stroke: COLOUR, strokeWidth: { value: 2 }, defined: DEFINED, ...more } },
});
const cap = (y: typeof LOW | typeof HIGH): Mark => ({
  type: "symbol",
  from: { data: "intervals" },
  encode: { update: { x: X, y, shape: { value: "stroke" }, size: { value: 64 }, stroke: COLOUR, strokeWidth: { value: 1.5 } } },
});
/** Whiskers with caps, marks, and labels where they cover neither a mark nor each other. */
const SINGLE: readonly Mark[] = [
  {
    type: "rule",
    name: "interval",
    from: { data: "intervals" },
    encode: { update: { x: X, y: LOW, y2: HIGH, stroke: COLOUR, strokeWidth: { value: 1.5 } } },
  },
  cap(LOW),
  cap(HIGH),
  {
    type: "symbol",
    name: "point",
    from: { data: "marked" },
    encode: { update: { x: X, y: Y, fill: COLOUR, shape: { scale: "shape", field: "series" }, size: { value: 60 } } },
  },
  {
    type: "text",
    from: { data: "labelled" },
    encode: { update: { x: X, y: Y, text: { field: "label" }, fill: { value: INK }, fontSize: { value: 12 } } },
    transform: [
      {
        type: "label",
        anchor: ["right", "left", "top-right", "bottom-right", "top-left", "bottom-left", "top", "bottom"],
        offset: [9],
        size: { signal: "[width, height]" },
      },
    ],
  },
];
