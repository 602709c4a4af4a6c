/** The colours of the vocabulary, and how to mix them. Colours are text, `#rrggbb`. */
import type { Random } from "../catalogue/random.ts";
import { type Accent, table } from "../catalogue/vocabulary.ts";

const HEX: Readonly<Record<Accent, string>> = table(
  `red: #c8342f; orange: #e8792b; yellow: #efc13a; green: #4c8f4a; teal: #2a9a97; blue: #3f7fd0; navy: #26355f; purple: #7d4fa6;
  pink: #ea8fb0; brown: #7d5034; beige: #dcc7a2; grey: #8d939b; black: #2b2b30; white: #f4f2ee; gold: #c9a24a; silver: #b9bfc7`,
);
export const { gold: GOLD, silver: SILVER } = HEX;

/** Thread that shows on leather and canvas. */
export const THREAD = "#f0dcb8";

const channels = (hex: string): [number, number, number] => {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
};

/** `share` 0 is `from`, 1 is `to`. */
export function mix(from: string, to: string, share: number): string {
  const goal = channels(to);
  const mixed = channels(from).map((value, i) => Math.round(value + ((goal[i] ?? 0) - value) * share));
  return `#${mixed.map((value) => Math.min(255, Math.max(0, value)).toString(16).padStart(2, "0")).join("")}`;
}

export const lighten = (hex: string, share: number): string => mix(hex, "#ffffff", share);

/** Towards a warm near-black: pure black looks like a hole. */
export const darken = (hex: string, share: number): string => mix(hex, "#1a1416", share);

/** Relative luminance without gamma, 0..1: enough to choose between a light and a dark detail. */
export function lightness(hex: string): number {
  const [r, g, b] = channels(hex);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

export const colourOf = (name: Accent): string => HEX[name];

/** The named colour as one dye lot of many: a little lighter or darker, warmer or cooler, never mistaken for its neighbour. */
export function dye(name: Accent, random: Random): string {
  const shift = random.between(-0.12, 0.12);
  const shaded = shift > 0 ? lighten(HEX[name], shift) : darken(HEX[name], -shift);
  return mix(shaded, random.chance(0.5) ? "#d08a4a" : "#4a7ad0", random.between(0, 0.06));
}

/** Black or white ink, whichever shows on `ground`. */
export const inkOn = (ground: string): string => (lightness(ground) > 0.55 ? "#2d2a2b" : "#f6f3ee");
