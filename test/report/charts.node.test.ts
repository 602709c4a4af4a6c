/** Charts as text: the same bytes for the same data, every mark and label, and nothing that a reader of a dark page or a screen reader misses. */
import { describe, expect, it } from "vitest";
import { bandChart, CHART_STYLE, intervalChart, lineChart, type Series } from "../../src/report/charts.ts";

const EVIL = `<script>"&`;
const TEXTS = { title: EVIL, subtitle: "sub", xLabel: "x axis", yLabel: "y axis" };

function seriesOf(count: number, name = "armmt"): Series {
  return { name, points: Array.from({ length: count }, (_, x) => ({ x, y: 0.1 / (x + 1), low: -0.2 / (x + 1), high: 0.4 / (x + 1) })) };
}

/** Elements of a mark in the SVG. */
function marks(svg: string, name: string): number {
  return [...svg.matchAll(new RegExp(`class="[^"]*\\b${name}">(.*?)</g>`, "g"))].flatMap(([, content = ""]) => content.match(/<\w/g) ?? [])
    .length;
}

describe("intervalChart()", () => {
  const names = ["a", "b", "c"];
  const draw = (): string => intervalChart({ ...TEXTS, names, series: [seriesOf(3), seriesOf(3, "control")], isJoined: true });

  it("draws a mark and an interval per point, a line per series, and names both axes", () => {
    const svg = draw();
    expect([marks(svg, "point"), marks(svg, "interval"), svg.match(/class="mark-line role-mark"/g)?.length]).toEqual([6, 6, 2]);
    for (const text of [...names, "armmt", "control", "x axis", "y axis", "sub"]) expect(svg).toContain(`>${text}</text>`);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("is a document with a name, in light and dark, without a line of code", () => {
    const svg = draw();
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 760 440".* role="img" aria-label="&lt;script&gt;&quot;&amp;">/,
    );
    expect(svg).toContain(`<style>${CHART_STYLE}</style>`);
    expect(svg).not.toContain("<script");
  });

  it("has the same bytes whatever was drawn before", () => {
    const first = draw();
    bandChart({ id: "x", title: "", description: "", names, series: [seriesOf(3)], range: [-1, 1] });
    expect(draw()).toBe(first);
    expect(first).not.toMatch(/ id="|\d\.\d\d\d/);
  });
});

describe("lineChart()", () => {
  it("places points by the logarithm, with every label in sight", () => {
    const points = [1e6, 1e7, 1e8].map((x, i) => ({ x, y: i, label: `model ${i}` }));
    const svg = lineChart({ ...TEXTS, series: [{ name: "models", points }], isJoined: false, isLogarithmic: true });
    const group = /class="[^"]*point">(.*?)<\/g>/.exec(svg)?.[1] ?? "";
    const [a = 0, b = 0, c = 0] = [...group.matchAll(/translate\(([\d.]+),/g)].map((match) => Number(match[1]));
    expect(b - a).toBeGreaterThan(100);
    expect(c - b).toBeCloseTo(b - a, 0);
    for (const { label } of points) expect(svg).toMatch(new RegExp(`<text(?![^>]*opacity="0")[^>]*>${label}</text>`));
    expect(svg).toContain(">10M</text>");
  });
});

function drawBand(series: readonly Series[]): string {
  const names = Array.from({ length: 10 }, (_, i) => `day ${i + 1}`);
  return bandChart({ id: "days", title: EVIL, description: "in words", names, series, range: [-0.1, 0.2] });
}

describe("bandChart()", () => {
  it("is named and described, and shows a band and a line per series with the last day", () => {
    const svg = drawBand([seriesOf(10), seriesOf(10, "armmt@v2")]);
    expect(svg).toMatch(/^<svg class="daily" .*role="img" aria-labelledby="days-title days-text"><title id="days-title">&lt;script&gt;/);
    expect(svg).toContain('<desc id="days-text">in words</desc>');
    expect([svg.match(/mark-area/g)?.length, svg.match(/mark-line role-mark/g)?.length]).toEqual([2, 2]);
    for (const text of ["day 10", "armmt@v2", "0\u00a0%", "+10\u00a0%", "−10\u00a0%"]) expect(svg).toContain(`>${text}</text>`);
  });

  it("marks a day without neighbours, and draws nothing without a day", () => {
    const { name, points } = seriesOf(10);
    const svg = drawBand([{ name, points: points.filter(({ x }) => x !== 1 && x !== 3) }]);
    expect([marks(svg, "point"), marks(svg, "interval")]).toEqual([2, 2]); // days 1 and 3
    expect(svg).not.toMatch(/NaN|undefined/);
    expect(drawBand([{ name, points: [] }])).toBe("");
  });
});
