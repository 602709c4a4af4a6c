/** What gives a product its style: a band across the body and an emblem. Families choose where they go. */
import type { Style } from "../vocabulary.ts";
import type { Brush } from "./brush.ts";
import { box, ellipse, polygon } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
  /** Width and height of an emblem, height of a band. */
  readonly size: number;
}

type Draw = (brush: Brush, place: Place) => string;

const EMBLEMS: Readonly<Record<Style, Draw>> = {
  minimal: () => "",
  retro: ({ accent, ink }, { x, y, size: s }) =>
    [1, 0.66, 0.34]
      .map(
        (k, i) =>
          `<path d="M${x - s * k} ${y + s / 2}a${s * k} ${s * k} 0 0 1 ${2 * s * k} 0Z"` +
          ` fill="${[accent, lighten(accent, 0.55), ink][i]}"/>`,
      )
      .join(""),
  sporty: (brush, { x, y, size: s }) =>
    [-0.75, 0, 0.75]
      .map((k) =>
        brush.trim(
          polygon([
            [x + k * s - s * 0.1, y - s * 0.6],
            [x + k * s + s * 0.35, y - s * 0.6],
            [x + k * s + s * 0.05, y + s * 0.6],
            [x + k * s - s * 0.4, y + s * 0.6],
          ]),
        ),
      )
      .join(""),
  elegant: (brush, { x, y, size: s }) =>
    brush.line(ellipse(x, y, s * 0.6), { colour: darken(brush.accent, 0.25), width: s * 0.26 }) +
    brush.line(ellipse(x, y, s * 0.6), { colour: lighten(brush.accent, 0.2), width: s * 0.14 }) +
    brush.trim(
      polygon([
        [x, y - s * 0.34],
        [x + s * 0.26, y],
        [x, y + s * 0.34],
        [x - s * 0.26, y],
      ]),
    ),
  rustic: (brush, { x, y, size: s }) =>
    brush.part(box(x - s * 0.7, y - s * 0.5, s * 1.4, s, s * 0.12), "#a9713f", "leather") +
    brush.line(box(x - s * 0.52, y - s * 0.33, s * 1.04, s * 0.66, s * 0.1), {
      colour: "#f0dcb8",
      width: Math.max(1.4, s * 0.09),
      dash: `${s * 0.2} ${s * 0.16}`,
    }),
  playful: (brush, { x, y, size: s }) =>
    brush.trim(
      `M${x} ${y + s * 0.62}C${x - s * 1.15} ${y - s * 0.1} ${x - s * 0.6} ${y - s * 0.8} ${x} ${y - s * 0.25}` +
        `C${x + s * 0.6} ${y - s * 0.8} ${x + s * 1.15} ${y - s * 0.1} ${x} ${y + s * 0.62}Z`,
    ),
};

/** The style's emblem, about `size` wide to each side. Minimal things carry none. */
export function emblem(brush: Brush, place: Place): string {
  return EMBLEMS[brush.look.style](brush, place);
}

const BANDS: Readonly<Record<Style, Draw>> = {
  minimal: () => "",
  retro: ({ accent }, { y, size: s }) =>
    `<path d="M0 ${y}h200v${s * 0.5}H0Z" fill="${accent}"/><path d="M0 ${y + s * 0.62}h200v${s * 0.38}H0Z"` +
    ` fill="${lighten(accent, 0.5)}"/>`,
  sporty: ({ accent }, { x, y, size: s }) =>
    `<path d="M${x - 60} ${y + 60 + s}L${x + 60} ${y - 60 + s}v${-s * 1.1}L${x - 60} ${y + 60 - s * 0.1}Z" fill="${accent}"/>` +
    `<path d="M${x - 60} ${y + 60 - s * 0.5}L${x + 60} ${y - 60 - s * 0.5}v${-s * 0.35}` +
    `L${x - 60} ${y + 60 - s * 0.85}Z" fill="${accent}"/>`,
  elegant: ({ accent }, { y, size: s }) =>
    `<path d="M0 ${y}h200v${s * 0.34}H0Z" fill="${accent}"/><path d="M0 ${y}h200v${s * 0.1}H0Z" fill="${lighten(accent, 0.5)}"/>` +
    `<path d="M0 ${y + s * 0.34}h200v${s * 0.08}H0Z" fill="${darken(accent, 0.4)}"/>`,
  rustic: ({ ink, line }, { y, size: s }) =>
    line(`M0 ${y + s / 2}h200`, { colour: ink, width: Math.max(2, s * 0.22), dash: `${s * 0.55} ${s * 0.42}` }),
  playful: ({ accent, random }, { y, size: s }) => {
    const colours = [accent, "#f4cc4d", "#5bb9b4", "#ef8fae"];
    const start = random.between(0, 10);
    return Array.from(
      { length: 14 },
      (_, i) => `<circle cx="${(start + i * s * 1.4).toFixed(1)}" cy="${y + s / 2}" r="${s * 0.52}" fill="${colours[i % 4]}"/>`,
    ).join("");
  },
};

/** The style's band across an outline; `place.x` is the middle of a slanted one. Minimal things carry none. */
export function band(brush: Brush, outline: string, place: Place): string {
  return brush.clip(outline, BANDS[brush.look.style](brush, place));
}
