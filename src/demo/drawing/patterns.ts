/** The patterns of the vocabulary as SVG tiles. Coarse on purpose: a stripe must survive at 64 px, so it is at least 6 of 200 units wide. */
import type { Random } from "../random.ts";
import type { Pattern } from "../vocabulary.ts";
import { darken, lighten } from "./palette.ts";

export interface Tile {
  readonly size: readonly [width: number, height: number];
  readonly turn: number;
  readonly marks: string;
}

function flower(x: number, y: number, r: number, petal: string, heart: string): string {
  const petals = [0, 72, 144, 216, 288].map((angle) => {
    const a = (angle * Math.PI) / 180;
    return `<circle cx="${(x + r * Math.cos(a)).toFixed(1)}" cy="${(y + r * Math.sin(a)).toFixed(1)}" r="${(r * 0.72).toFixed(1)}" fill="${petal}"/>`;
  });
  return `${petals.join("")}<circle cx="${x}" cy="${y}" r="${(r * 0.55).toFixed(1)}" fill="${heart}"/>`;
}

/** The tile of a pattern in `ink` on the product's own colour; `undefined` for plain. */
export function tileOf(pattern: Pattern, ink: string, random: Random): Tile | undefined {
  const scale = random.between(0.9, 1.25);
  const n = (value: number): number => Math.round(value * scale * 10) / 10;
  switch (pattern) {
    case "plain":
      return undefined;
    case "striped": {
      const gap = n(18);
      return { size: [gap, gap], turn: random.pick([0, 0, 90, 45, -45]), marks: `<rect width="${gap}" height="${n(8)}" fill="${ink}"/>` };
    }
    case "dotted": {
      const gap = n(22);
      const r = n(5);
      return {
        size: [gap, gap],
        turn: random.pick([0, 45]),
        marks: `<circle cx="${gap / 4}" cy="${gap / 4}" r="${r}" fill="${ink}"/><circle cx="${(gap * 3) / 4}" cy="${(gap * 3) / 4}" r="${r}" fill="${ink}"/>`,
      };
    }
    case "checked": {
      const gap = n(24);
      const band = gap / 2;
      return {
        size: [gap, gap],
        turn: random.pick([0, 0, 45]),
        marks: `<rect width="${gap}" height="${band}" fill="${ink}" opacity=".55"/><rect width="${band}" height="${gap}" fill="${ink}" opacity=".55"/>`,
      };
    }
    case "floral": {
      const gap = n(40);
      const leaf = darken("#5c8f5a", random.between(0, 0.2));
      return {
        size: [gap, gap],
        turn: random.pick([0, 20, -15]),
        marks:
          `<ellipse cx="${gap * 0.5}" cy="${gap * 0.3}" rx="${n(5)}" ry="${n(2.4)}" fill="${leaf}" transform="rotate(35 ${gap * 0.5} ${gap * 0.3})"/>` +
          `<ellipse cx="${gap * 0.1}" cy="${gap * 0.78}" rx="${n(5)}" ry="${n(2.4)}" fill="${leaf}" transform="rotate(-30 ${gap * 0.1} ${gap * 0.78})"/>` +
          flower(gap * 0.27, gap * 0.3, n(5.4), ink, "#e9b93c") +
          flower(gap * 0.75, gap * 0.75, n(6), lighten(ink, 0.25), "#e9b93c"),
      };
    }
    case "zigzag": {
      const gap = n(22);
      const rise = gap / 2;
      return {
        size: [gap, gap],
        turn: 0,
        marks: `<path d="M${-rise} ${gap + rise / 2}L0 ${rise / 2}" stroke="none"/><path d="M${-gap / 2} ${rise * 1.5}L0 ${rise * 0.5 + rise * 0.5}L${gap / 2} ${rise * 0.3}L${gap} ${rise}L${gap * 1.5} ${rise * 0.3}" fill="none" stroke="${ink}" stroke-width="${n(6.5)}"/>`,
      };
    }
    case "marbled": {
      const gap = n(90);
      const vein = (d: string, width: number, opacity: number) =>
        `<path d="${d}" fill="none" stroke="${ink}" stroke-width="${n(width)}" stroke-opacity="${opacity}" stroke-linecap="round"/>`;
      const s = gap / 90;
      return {
        size: [gap, gap],
        turn: random.between(-40, 40),
        marks: `<g transform="scale(${s.toFixed(2)})">${vein("M0 20C20 8 34 40 52 30S80 6 90 20", 5, 0.75)}${vein("M0 62C16 74 30 50 48 60S76 84 90 62", 7, 0.6)}${vein("M30 0C22 18 44 34 36 52S18 74 30 90", 3.4, 0.7)}${vein("M70 0C78 16 60 40 70 58S82 78 70 90", 2.6, 0.6)}</g>`,
      };
    }
  }
}
