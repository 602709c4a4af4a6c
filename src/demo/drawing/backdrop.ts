/** The studio around the product: wall, floor and light, dressed to the product's style as a photographer would. */
import type { Style } from "../vocabulary.ts";
import type { Brush } from "./brush.ts";
import { darken, lighten } from "./palette.ts";

const WALL: Readonly<Record<Style, readonly [wall: string, floor: string]>> = {
  minimal: ["#eef0f1", "#e2e5e7"],
  retro: ["#f6e6cf", "#efd3b0"],
  sporty: ["#e3edf4", "#cddde9"],
  elegant: ["#ece6ea", "#d9cfd6"],
  rustic: ["#efe8da", "#d8c4a4"],
  playful: ["#fbeef0", "#f3dfe8"],
};

/** Each style's set, behind the product. */
function dressing(style: Style, wall: string, floor: string): string {
  switch (style) {
    case "minimal":
      return "";
    case "retro":
      return `<circle cx="100" cy="92" r="74" fill="${lighten(floor, 0.1)}"/>`;
    case "sporty":
      return `<path d="M0 132L92 0h44L0 196ZM64 200L200 4v62L108 200Z" fill="${lighten(wall, 0.45)}"/>`;
    case "elegant":
      return `<path d="M48 160V74a52 52 0 0 1 104 0v86Z" fill="${lighten(wall, 0.5)}"/>`;
    case "rustic":
      return `<path d="M0 160h200M0 174h200M0 190h200" stroke="${darken(floor, 0.18)}" stroke-width="1.6"/>`;
    case "playful":
      return (
        `<circle cx="26" cy="34" r="11" fill="#f7cfd8"/><circle cx="176" cy="52" r="15" fill="#cfe6ea"/>` +
        `<path d="M22 96l12 20H10Z" fill="#f7e3b0"/><circle cx="180" cy="118" r="8" fill="#f7e3b0"/>`
      );
  }
}

export function backdrop(brush: Brush): string {
  const { style } = brush.look;
  const [wall, floor] = WALL[style];
  const light = brush.define(
    "light",
    (id) =>
      `<radialGradient id="${id}" cx=".42" cy=".36" r=".75"><stop offset="0" stop-color="#fff" stop-opacity=".75"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>`,
  );
  return (
    `<rect width="200" height="200" fill="${wall}"/><rect y="150" width="200" height="50" fill="${floor}"/>` +
    dressing(style, wall, floor) +
    `<rect width="200" height="200" fill="${light}"/>`
  );
}

/** The shadow under something that stands at `y` and is `width` wide. */
export function shadow(brush: Brush, { x = 100, y, width }: { readonly x?: number; readonly y: number; readonly width: number }): string {
  const fill = brush.define(
    "shadow",
    (id) =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="#2a1c1c" stop-opacity=".42"/><stop offset=".6" stop-color="#2a1c1c" stop-opacity=".2"/><stop offset="1" stop-color="#2a1c1c" stop-opacity="0"/></radialGradient>`,
  );
  return `<ellipse cx="${x + 5}" cy="${y}" rx="${width * 0.6}" ry="${Math.max(6, width * 0.075)}" fill="${fill}"/>`;
}
