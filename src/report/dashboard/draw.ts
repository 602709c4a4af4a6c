/** Elements, tables and charts of the dashboard. Text becomes text nodes only: nothing that a log holds is read as markup. */
import type { Band } from "./experiment.ts";
import * as format from "../format.ts";

export type Child = Node | string | number | undefined | false;

const SVG = "http://www.w3.org/2000/svg";

function fill<T extends Element>(element: T, attributes: Readonly<Record<string, string | number>>, children: readonly Child[]): T {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(
    ...children.flatMap((child) => (child === undefined || child === false ? [] : typeof child === "number" ? String(child) : child)),
  );
  return element;
}

export function h(tag: string, attributes: Readonly<Record<string, string | number>> = {}, ...children: readonly Child[]): HTMLElement {
  return fill(document.createElement(tag), attributes, children);
}

/** `label`: what it says to those who do not see what it stands beside. */
export function button(text: string, onClick: () => void, label = text): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.addEventListener("click", onClick);
  return fill(made, label === text ? {} : { "aria-label": label }, [text]);
}

function s(tag: string, attributes: Readonly<Record<string, string | number>>, ...children: readonly Child[]): SVGElement {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** The first cell heads its row. */
export function table(caption: string, headings: readonly string[], rows: readonly (readonly (string | number)[])[]): HTMLElement {
  if (rows.length === 0) return h("p", { class: "dim" }, `${caption}: none.`);
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
      h(
        "tbody",
        {},
        ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell))))),
      ),
    ),
  );
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [360, 130, 46, 18];

/** A confidence sequence over days: a band, a line, and the line of no change. The same figures follow as a table. */
export function bandChart(title: string, days: readonly string[], bands: readonly Band[]): Node {
  const last = bands.at(-1);
  if (last === undefined) return h("p", { class: "dim" }, `${title}: too few events so far.`);
  // The bands of the first days would leave no room for the rest.
  const late = bands.slice(Math.floor(bands.length / 2));
  const top = Math.max(0.01, ...late.map(({ high }) => high)) * 1.1;
  const low = Math.min(-0.01, ...late.map((band) => band.low)) * 1.1;
  const x = (day: string): number => LEFT + 4 + ((WIDTH - LEFT - 8) * Math.max(0, days.indexOf(day))) / Math.max(1, days.length - 1);
  const y = (value: number): number => 4 + ((HEIGHT - BOTTOM - 4) * (top - Math.min(top, Math.max(low, value)))) / (top - low);
  const path = (points: readonly (readonly [day: string, value: number])[]): string =>
    points.map(([day, value]) => `${x(day).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const rule = (value: number): Child[] => [
    s("path", { d: `M${LEFT} ${y(value)}H${WIDTH}`, stroke: value === 0 ? "currentcolor" : "var(--line)" }),
    // None over that of 0.
    (value === 0 || Math.abs(y(value) - y(0)) > 12) &&
      s("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, format.lift(value, Math.abs(value) < 0.095 ? 1 : 0)),
  ];
  const label = (day: string | undefined, anchor: string): Child =>
    day !== undefined && s("text", { x: anchor === "end" ? WIDTH : LEFT, y: HEIGHT - 4, "text-anchor": anchor }, day.slice(5));
  const upper = bands.map(({ day, high }) => [day, high] as const);
  const lower = bands.toReversed().map((band) => [band.day, band.low] as const);
  const text = `${title}: after ${last.day} ${format.lift(last.lift)}, ${format.range(last)}.`;
  return h(
    "figure",
    {},
    s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": text },
      ...rule(top / 1.1),
      ...rule(low / 1.1),
      ...rule(0),
      s("polygon", {
        points: path([...upper, ...lower]),
        fill: "var(--link)",
        "fill-opacity": ".25",
        stroke: "var(--link)",
        "stroke-opacity": ".5",
      }),
      s("polyline", { points: path(bands.map(({ day, lift }) => [day, lift])), fill: "none", stroke: "var(--link)", "stroke-width": 2 }),
      label(days[0], "start"),
      days.length > 1 && label(days.at(-1), "end"),
    ),
    h("figcaption", { class: "dim" }, text),
    h(
      "details",
      {},
      h("summary", {}, "As a table"),
      table(title, ["Up to", "Lift", "Band"], bands.map((band) => [band.day, format.lift(band.lift), format.range(band)])), // prettier-ignore
    ),
  );
}

/** Counts over equal steps of time. */
export function barChart(title: string, counts: readonly number[]): Node {
  const most = Math.max(1, ...counts);
  const wide = WIDTH / Math.max(1, counts.length);
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} 60`, role: "img", "aria-label": `${title}: at most ${Math.max(0, ...counts)}` },
    s("path", { d: `M0 59.5H${WIDTH}`, stroke: "var(--dim)" }),
    ...counts.map((count, i) =>
      s("rect", { x: i * wide, width: wide * 0.8, y: 59 - (54 * count) / most, height: (54 * count) / most, fill: "var(--link)" }),
    ),
  );
}
