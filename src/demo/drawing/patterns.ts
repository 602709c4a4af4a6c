/** The patterns of the vocabulary as SVG tiles. Coarse on purpose: a stripe must survive at 64 px, so it is 7 or more of 200 units. */
import type { Random } from "../random.ts";
import type { Pattern } from "../vocabulary.ts";
import { lighten } from "./palette.ts";

export interface Tile {
  readonly size: readonly [width: number, height: number];
  readonly shift: readonly [x: number, y: number];
  /** Degrees. */
  readonly turn: number;
  readonly marks: string;
}

const HEART = "#f0c24b";
const LEAF = "#5f8f58";

function flower(x: number, y: number, r: number, petal: string): string {
  const petals = [0, 72, 144, 216, 288].map((angle) => {
    const a = ((angle + x * 7) * Math.PI) / 180;
    return `<circle cx="${(x + r * Math.cos(a)).toFixed(1)}" cy="${(y + r * Math.sin(a)).toFixed(1)}" r="${(r * 0.74).toFixed(1)}"/>`;
  });
  return `<g fill="${petal}">${petals.join("")}</g><circle cx="${x}" cy="${y}" r="${(r * 0.55).toFixed(1)}" fill="${HEART}"/>`;
}

function leaf(x: number, y: number, turn: number): string {
  return `<ellipse cx="${x}" cy="${y}" rx="5.5" ry="2.4" fill="${LEAF}" transform="rotate(${turn} ${x} ${y})"/>`;
}

/** Marks on a tile of the given size, before scaling. */
interface Design {
  readonly size: number;
  readonly turns: readonly number[];
  readonly marks: (ink: string) => string;
}

const stroke = (d: string, ink: string, width: number, opacity: number = 1): string =>
  `<path d="${d}" fill="none" stroke="${ink}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linecap="square"/>`;

const DESIGNS: Readonly<Record<Exclude<Pattern, "plain">, readonly Design[]>> = {
  striped: [
    { size: 18, turns: [0, 0, 90, 45, -45], marks: (ink) => `<path d="M0 0h18v8H0Z" fill="${ink}"/>` },
    { size: 24, turns: [0, 90], marks: (ink) => `<path d="M0 0h24v9H0ZM0 13h24v3.5H0Z" fill="${ink}"/>` },
  ],
  dotted: [
    {
      size: 22,
      turns: [0, 45],
      marks: (ink) => `<g fill="${ink}"><circle cx="5.5" cy="5.5" r="4.6"/><circle cx="16.5" cy="16.5" r="4.6"/></g>`,
    },
    {
      size: 30,
      turns: [0],
      marks: (ink) => `<g fill="${ink}"><circle cx="7.5" cy="7.5" r="6.8"/><circle cx="22.5" cy="22.5" r="6.8"/></g>`,
    },
  ],
  checked: [
    { size: 22, turns: [0, 45], marks: (ink) => `<path d="M0 0h11v11H0ZM11 11h11v11H11Z" fill="${ink}"/>` },
    {
      size: 26,
      turns: [0, 0, 45],
      marks: (ink) =>
        `<path d="M0 0h26v12H0Z" fill="${ink}" fill-opacity=".55"/><path d="M0 0h12v26H0Z" fill="${ink}" fill-opacity=".55"/>`,
    },
  ],
  floral: [
    {
      size: 42,
      turns: [0, 20, -15],
      marks: (ink) =>
        leaf(22, 9, 35) + leaf(3, 32, -40) + leaf(37, 20, 80) + flower(11, 13, 5.6, ink) + flower(31, 32, 6.2, lighten(ink, 0.3)),
    },
  ],
  zigzag: [{ size: 20, turns: [0, 0, 90], marks: (ink) => stroke("M-10 16L0 6L10 16L20 6L30 16", ink, 6.5) }],
  marbled: [
    {
      size: 96,
      turns: [-35, 20, 60],
      marks: (ink) =>
        stroke("M0 20C20 8 34 44 54 32S84 6 96 20", ink, 6, 0.75) +
        stroke("M0 64C16 80 30 50 50 62S80 90 96 64", ink, 9, 0.55) +
        stroke("M30 0C20 20 46 34 36 54S18 76 30 96", ink, 3.4, 0.75) +
        stroke("M72 0C82 18 60 40 72 60S84 80 72 96", ink, 2.6, 0.7),
    },
  ],
};

/** The tile of a pattern in `ink` on the product's own colour; `undefined` for plain. */
export function tileOf(pattern: Pattern, ink: string, random: Random): Tile | undefined {
  if (pattern === "plain") return undefined;
  const design = random.pick(DESIGNS[pattern]);
  const scale = Number(random.between(0.9, 1.2).toFixed(2));
  const size = design.size * scale;
  return {
    size: [size, size],
    shift: [Math.round(random.between(0, 20)), Math.round(random.between(0, 20))],
    turn: random.pick(design.turns),
    marks: `<g transform="scale(${scale})">${design.marks(ink)}</g>`,
  };
}
