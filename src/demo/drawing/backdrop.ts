/** The studio around the product: wall, floor and light, dressed to the product's style as a photographer would. */
import type { Style } from "../vocabulary.ts";
import type { Brush } from "./brush.ts";
import { darken, lighten } from "./palette.ts";

const SET: Readonly<Record<Style, readonly [wall: string, floor: string]>> = {
  minimal: ["#f1f2f2", "#dfe2e4"],
  retro: ["#f5e3c8", "#e6c79d"],
  sporty: ["#dfeaf2", "#c3d5e2"],
  elegant: ["#ebe4e8", "#cfc1ca"],
  rustic: ["#eee5d3", "#cfb68f"],
  playful: ["#fdeef1", "#f1d8e3"],
};

/** Each style's set, behind the product. */
const DRESSING: Readonly<Record<Style, (wall: string, floor: string) => string>> = {
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
    `<path d="M20 100l12 21H8Z" fill="#f8e0a2"/><circle cx="184" cy="122" r="8" fill="#f8e0a2"/><path` +
    ` d="M150 14l10 10l-10 10l-10 -10Z" fill="#d9cdf0"/>`,
};

export function backdrop({ look, define }: Brush): string {
  const [wall, floor] = SET[look.style];
  const room = define(
    "room",
    (id) =>
      `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${wall}"/>` +
      `<stop offset=".7" stop-color="${wall}"/><stop offset=".8" stop-color="${floor}"/><stop offset="1"` +
      ` stop-color="${lighten(floor, 0.25)}"/></linearGradient>`,
  );
  const light = define(
    "light",
    (id) =>
      `<radialGradient id="${id}" cx=".4" cy=".34" r=".78"><stop offset="0" stop-color="#fff" stop-opacity=".7"/>` +
      `<stop offset=".6" stop-color="#fff" stop-opacity=".12"/><stop offset="1" stop-color="#3a2a30" stop-opacity=".12"/></radialGradient>`,
  );
  return (
    `<rect width="200" height="200" fill="${room}"/>${DRESSING[look.style](wall, floor)}<rect width="200"` +
    ` height="200" fill="${light}"/>`
  );
}

/** The shadow under something that stands at `y` and is `width` wide. */
export function standing({ define }: Brush, y: number, width: number, x: number = 100): string {
  const fill = define(
    "shadow",
    (id) =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="#241619" stop-opacity=".5"/><stop offset=".55"` +
      ` stop-color="#241619" stop-opacity=".24"/>` +
      `<stop offset="1" stop-color="#241619" stop-opacity="0"/></radialGradient>`,
  );
  return `<ellipse cx="${x + 5}" cy="${y}" rx="${width * 0.6}" ry="${Math.max(5, width * 0.08)}" fill="${fill}"/>`;
}

/** The shadow of something that hangs on the wall or lies flat: its outline, moved down and right, twice for softness. */
export function hanging(d: string): string {
  return (
    `<path d="${d}" transform="translate(6 8)" fill="#241619" fill-opacity=".09"/><path d="${d}"` +
    ` transform="translate(3 4)" fill="#241619" fill-opacity=".13"/>`
  );
}
