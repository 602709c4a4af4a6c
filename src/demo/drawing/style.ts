/** Marks of a style: the studio behind the product (wall, floor, light), a band across its body, and an emblem. */
import type { Style } from "../catalogue/vocabulary.ts";
import type { Brush } from "./brush.ts";
import { box, ellipse, polygon, type Point } from "./outline.ts";
import { darken, lighten, THREAD } from "./palette.ts";

const STUDIO: Readonly<Record<Style, readonly [wall: string, floor: string]>> = {
  minimal: ["#f1f2f2", "#dfe2e4"],
  retro: ["#f5e3c8", "#e6c79d"],
  sporty: ["#dfeaf2", "#c3d5e2"],
  elegant: ["#ebe4e8", "#cfc1ca"],
  rustic: ["#eee5d3", "#cfb68f"],
  playful: ["#fdeef1", "#f1d8e3"],
};

/** Each style's set, behind the product. */
const SETS: Readonly<Record<Style, (wall: string, floor: string) => string>> = {
  minimal: () => "",
  retro: (wall, floor) =>
    [78, 62, 46].map((r, i) => `<circle cx="100" cy="96" r="${r}" fill="${lighten(i % 2 === 0 ? floor : wall, 0.18)}"/>`).join(""),
  sporty: (wall) => `<path d="M0 132L92 0h44L0 196ZM64 200L200 4v62L108 200Z" fill="${lighten(wall, 0.5)}"/>`,
  elegant: (wall, floor) =>
    `<path d="M40 152V82a60 60 0 0 1 120 0v70Z" fill="${lighten(wall, 0.55)}"/>` +
    `<path d="M40 152V82a60 60 0 0 1 120 0v70" fill="none" stroke="${darken(floor, 0.08)}" stroke-width="1.5"/>` +
    `<path d="M0 151h200v49H0Z" fill="${lighten(floor, 0.12)}"/>`,
  rustic: (_, floor) =>
    `<path d="M0 152h200M0 164h200M0 180h200" stroke="${darken(floor, 0.2)}" stroke-width="1.8"/>` +
    `<path d="M34 152v12M122 152v12M78 164v16M170 164v16M20 180v20M118 180v20" stroke="${darken(floor, 0.2)}" stroke-width="1.4"/>`,
  playful: () =>
    `<circle cx="26" cy="32" r="12" fill="#f8c9d5"/><circle cx="178" cy="46" r="15" fill="#c6e4ea"/>` +
    `<path d="M20 100l12 21H8Z" fill="#f8e0a2"/><circle cx="184" cy="122" r="8" fill="#f8e0a2"/>` +
    `<path d="M150 14l10 10l-10 10l-10 -10Z" fill="#d9cdf0"/>`,
};

const canvas = (fill: string): string => `<rect width="200" height="200" fill="${fill}"/>`;

export function backdrop({ look, define }: Brush): string {
  const [wall, floor] = STUDIO[look.style];
  const room = define(
    "room",
    (id) =>
      `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${wall}"/>` +
      `<stop offset=".7" stop-color="${wall}"/><stop offset=".8" stop-color="${floor}"/>` +
      `<stop offset="1" stop-color="${lighten(floor, 0.25)}"/></linearGradient>`,
  );
  const light = define(
    "light",
    (id) =>
      `<radialGradient id="${id}" cx=".4" cy=".34" r=".78"><stop offset="0" stop-color="#fff" stop-opacity=".7"/>` +
      `<stop offset=".6" stop-color="#fff" stop-opacity=".12"/><stop offset="1" stop-color="#3a2a30" stop-opacity=".12"/></radialGradient>`,
  );
  return canvas(room) + SETS[look.style](wall, floor) + canvas(light);
}

/** `s`: width and height of an emblem, height of a band. */
type Mark = (brush: Brush, at: Point, s: number) => string;

const diamond = (x: number, y: number, w: number, h: number): string => polygon([x, y - h], [x + w, y], [x, y + h], [x - w, y]);

const EMBLEMS: Readonly<Record<Style, Mark>> = {
  minimal: () => "",
  retro: ({ accent, ink }, [x, y], s) => {
    const arc = (k: number, fill: string) =>
      `<path d="M${x - s * k} ${y + s / 2}a${s * k} ${s * k} 0 0 1 ${2 * s * k} 0Z" fill="${fill}"/>`;
    return arc(1, accent) + arc(0.66, lighten(accent, 0.55)) + arc(0.34, ink);
  },
  sporty: ({ trim }, [x, y], s) => {
    const [top, bottom] = [y - s * 0.6, y + s * 0.6];
    const stripe = (left: number) =>
      trim(polygon([left - s * 0.1, top], [left + s * 0.35, top], [left + s * 0.05, bottom], [left - s * 0.4, bottom]));
    return [-0.75, 0, 0.75].map((k) => stripe(x + k * s)).join("");
  },
  elegant: ({ line, trim, accent }, [x, y], s) =>
    line(ellipse(x, y, s * 0.6), darken(accent, 0.25), s * 0.26) +
    line(ellipse(x, y, s * 0.6), lighten(accent, 0.2), s * 0.14) +
    trim(diamond(x, y, s * 0.26, s * 0.34)),
  rustic: ({ part, line }, [x, y], s) =>
    part(box(x - s * 0.7, y - s * 0.5, s * 1.4, s, s * 0.12), "#a9713f", "leather") +
    line(box(x - s * 0.52, y - s * 0.33, s * 1.04, s * 0.66, s * 0.1), THREAD, Math.max(1.4, s * 0.09), {
      dash: `${s * 0.2} ${s * 0.16}`,
    }),
  playful: ({ trim }, [x, y], s) =>
    trim(
      `M${x} ${y + s * 0.62}C${x - s * 1.15} ${y - s * 0.1} ${x - s * 0.6} ${y - s * 0.8} ${x} ${y - s * 0.25}` +
        `C${x + s * 0.6} ${y - s * 0.8} ${x + s * 1.15} ${y - s * 0.1} ${x} ${y + s * 0.62}Z`,
    ),
};

/** The style's emblem, about `size` wide to each side of `at`. Minimal products have none. */
export function emblem(brush: Brush, at: Point, size: number): string {
  return EMBLEMS[brush.look.style](brush, at, size);
}

const BANDS: Readonly<Record<Style, Mark>> = {
  minimal: () => "",
  retro: ({ accent }, [, y], s) =>
    `<path d="M0 ${y}h200v${s * 0.5}H0Z" fill="${accent}"/>` +
    `<path d="M0 ${y + s * 0.62}h200v${s * 0.38}H0Z" fill="${lighten(accent, 0.5)}"/>`,
  sporty: ({ accent }, [x, y], s) =>
    `<path d="M${x - 60} ${y + 60 + s}L${x + 60} ${y - 60 + s}v${-s * 1.1}L${x - 60} ${y + 60 - s * 0.1}Z" fill="${accent}"/>` +
    `<path d="M${x - 60} ${y + 60 - s * 0.5}L${x + 60} ${y - 60 - s * 0.5}v${-s * 0.35}L${x - 60} ${y + 60 - s * 0.85}Z" fill="${accent}"/>`,
  elegant: ({ accent }, [, y], s) =>
    `<path d="M0 ${y}h200v${s * 0.34}H0Z" fill="${accent}"/><path d="M0 ${y}h200v${s * 0.1}H0Z" fill="${lighten(accent, 0.5)}"/>` +
    `<path d="M0 ${y + s * 0.34}h200v${s * 0.08}H0Z" fill="${darken(accent, 0.4)}"/>`,
  rustic: ({ ink, line }, [, y], s) => line(`M0 ${y + s / 2}h200`, ink, Math.max(2, s * 0.22), { dash: `${s * 0.55} ${s * 0.42}` }),
  playful: ({ accent, random }, [, y], s) => {
    const colours = [accent, "#f4cc4d", "#5bb9b4", "#ef8fae"];
    const start = random.between(0, 10);
    const bead = (i: number) =>
      `<circle cx="${(start + i * s * 1.4).toFixed(1)}" cy="${y + s / 2}" r="${s * 0.52}" fill="${colours[i % 4]}"/>`;
    return Array.from({ length: 14 }, (_, i) => bead(i)).join("");
  },
};

/** The style's band across an outline, its top at the y of `at`; the x is the middle of a slanted one. Minimal products have none. */
export function band(brush: Brush, outline: string, at: Point, size: number): string {
  return brush.clip(outline, BANDS[brush.look.style](brush, at, size));
}
