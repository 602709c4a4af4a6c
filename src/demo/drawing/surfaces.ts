/**
 * What covers a product: how its material takes the light (from the upper left), and the tiles of its pattern. Patterns are coarse on
 * purpose: a stripe must survive at 64 px, so it is 7 or more of 200 units.
 */
import type { Random } from "../catalogue/random.ts";
import type { Material, Pattern } from "../catalogue/vocabulary.ts";
import { lighten } from "./palette.ts";

/** Registers an SVG definition under a name that is unique in the picture and returns its `url(#…)`. */
export type Define = (name: string, element: (id: string) => string) => string;

/** `light` above 0 is white, below 0 shade. */
type Stop = readonly [offset: number, light: number];

interface Gradient {
  readonly line: readonly [x1: number, y1: number, x2: number, y2: number];
  readonly stops: readonly Stop[];
}

interface Texture {
  readonly size: readonly [width: number, height: number];
  /** Path data of shaded and of lit lines. */
  readonly dark: string;
  readonly lit: string;
  readonly width: number;
  readonly strength: number;
}

interface Surface {
  readonly gradient: Gradient;
  /** Colour of the lit parts; default white. */
  readonly glint?: string;
  readonly texture?: Texture;
}

const SHADE = "#140c10";

const gradient = (line: Gradient["line"], ...stops: readonly Stop[]): Gradient => ({ line, stops });
const soft = (strength: number): Gradient => gradient([0.1, 0, 0.9, 1], [0, 0.3 * strength], [0.45, 0], [1, -0.42 * strength]);
const polished = gradient([0, 0, 1, 0.25], [0, -0.18], [0.12, 0.1], [0.2, 0.7], [0.28, 0.12], [0.6, -0.04], [1, -0.44]);
const brushed = gradient([0, 0.1, 1, 0], [0, -0.36], [0.16, 0.65], [0.3, 0.1], [0.5, -0.26], [0.7, 0.45], [0.86, -0.1], [1, -0.42]);
const weave: Texture = { size: [6, 6], dark: "M1 0v6M4 0v6", lit: "M0 1h6M0 4h6", width: 1.3, strength: 0.22 };
const slub: Texture = { size: [9, 9], dark: "M2 0v9M7 0v9", lit: "M0 1h9M0 6h9", width: 1.8, strength: 0.26 };
const nap: Texture = { size: [7, 7], dark: "M1 2l1 1M5 5l1 1", lit: "M4 1l1 1M1 5l1 1", width: 1.4, strength: 0.2 };
const twill: Texture = { size: [7, 7], dark: "", lit: "M-1 8L8 -1M-4.5 4.5L4.5 -4.5M2.5 11.5L11.5 2.5", width: 1.7, strength: 0.34 };
const knit: Texture = { size: [12, 10], dark: "M0 1l6 5l6 -5", lit: "M0 6l6 5l6 -5M0 -4l6 5l6 -5", width: 2.4, strength: 0.26 };
const plait: Texture = { size: [12, 12], dark: "M0 3h6M6 9h6", lit: "M3 6v6M9 0v6", width: 2.6, strength: 0.4 };
const grain: Texture = {
  size: [70, 18],
  dark: "M0 4Q17 0 35 4T70 4M0 14Q17 17 35 13T70 14",
  lit: "M0 9Q17 7 35 9T70 9",
  width: 2.2,
  strength: 0.34,
};

const SURFACES: Readonly<Record<Material, Surface>> = {
  leather: { gradient: gradient([0.1, 0, 0.75, 1], [0, 0.1], [0.22, 0.42], [0.42, 0], [0.6, -0.08], [1, -0.52]) },
  suede: { gradient: soft(1.25), texture: nap },
  canvas: { gradient: soft(0.8), texture: weave },
  cotton: { gradient: soft(0.7) },
  linen: { gradient: soft(0.7), texture: slub },
  denim: { gradient: soft(0.9), texture: twill },
  silk: { gradient: gradient([0, 0, 1, 0.5], [0, 0.1], [0.2, 0.55], [0.34, -0.2], [0.5, 0.45], [0.68, -0.25], [0.82, 0.36], [1, -0.36]) },
  velvet: { gradient: gradient([0, 0, 1, 0.6], [0, 0.42], [0.18, -0.2], [0.45, 0.24], [0.62, -0.32], [0.85, 0.16], [1, -0.46]) },
  wool: { gradient: soft(0.8), texture: knit },
  straw: { gradient: soft(0.8), texture: plait },
  wood: { gradient: soft(0.8), texture: grain },
  metal: { gradient: brushed },
  brass: { gradient: brushed, glint: "#ffd070" },
  ceramic: { gradient: polished },
  enamel: { gradient: polished },
  plastic: { gradient: polished },
  glass: { gradient: gradient([0, 0, 1, 0.1], [0, 0.1], [0.1, 0.8], [0.2, 0.26], [0.5, 0.34], [0.78, 0.1], [0.88, 0.66], [1, -0.28]) },
  rubber: { gradient: soft(1) },
};

/** The fills that make a flat colour look like the material, to lay over it in this order. */
export function sheenOf(material: Material, define: Define): string[] {
  const { gradient: light, texture, glint = "#fff" } = SURFACES[material];
  const fills: string[] = [];
  if (texture !== undefined) {
    const { size, dark, lit, width, strength } = texture;
    const lines = (d: string, colour: string) =>
      d === "" ? "" : `<path d="${d}" fill="none" stroke="${colour}" stroke-opacity="${strength}" stroke-width="${width}"/>`;
    const tile = (id: string) =>
      `<pattern id="${id}" width="${size[0]}" height="${size[1]}" patternUnits="userSpaceOnUse">` +
      `${lines(dark, SHADE)}${lines(lit, "#fff")}</pattern>`;
    fills.push(define(`${material}-texture`, tile));
  }
  const [x1, y1, x2, y2] = light.line;
  const stops = light.stops.map(
    ([offset, value]) =>
      `<stop offset="${offset}" stop-color="${value < 0 ? SHADE : glint}" stop-opacity="${Math.abs(value).toFixed(2)}"/>`,
  );
  const element = (id: string) =>
    `<linearGradient id="${id}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stops.join("")}</linearGradient>`;
  return [...fills, define(material, element)];
}

export interface Tile {
  /** Width and height. */
  readonly size: number;
  readonly shift: readonly [x: number, y: number];
  /** Degrees. */
  readonly turn: number;
  readonly marks: string;
}

/** Marks on a tile of the given size, before scaling. */
interface Design {
  readonly size: number;
  readonly turns: readonly number[];
  readonly marks: (ink: string) => string;
}

function flower(x: number, y: number, r: number, petal: string): string {
  const petals = [0, 72, 144, 216, 288].map((angle) => {
    const a = ((angle + x * 7) * Math.PI) / 180;
    return `<circle cx="${(x + r * Math.cos(a)).toFixed(1)}" cy="${(y + r * Math.sin(a)).toFixed(1)}" r="${(r * 0.74).toFixed(1)}"/>`;
  });
  return `<g fill="${petal}">${petals.join("")}</g><circle cx="${x}" cy="${y}" r="${(r * 0.55).toFixed(1)}" fill="#f0c24b"/>`;
}

const leaf = (x: number, y: number, turn: number): string =>
  `<ellipse cx="${x}" cy="${y}" rx="5.5" ry="2.4" fill="#5f8f58" transform="rotate(${turn} ${x} ${y})"/>`;

const stroke = (d: string, ink: string, width: number, opacity: number = 1): string =>
  `<path d="${d}" fill="none" stroke="${ink}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linecap="square"/>`;

const area = (d: string, ink: string, rest: string = ""): string => `<path d="${d}" fill="${ink}"${rest}/>`;

/** Two dots on the diagonal of a tile. */
const dots = (ink: string, [a, b]: readonly [number, number], r: number): string =>
  `<g fill="${ink}"><circle cx="${a}" cy="${a}" r="${r}"/><circle cx="${b}" cy="${b}" r="${r}"/></g>`;

const DESIGNS: Readonly<Record<Exclude<Pattern, "plain">, readonly Design[]>> = {
  striped: [
    { size: 18, turns: [0, 0, 90, 45, -45], marks: (ink) => area("M0 0h18v8H0Z", ink) },
    { size: 24, turns: [0, 90], marks: (ink) => area("M0 0h24v9H0ZM0 13h24v3.5H0Z", ink) },
  ],
  dotted: [
    { size: 22, turns: [0, 45], marks: (ink) => dots(ink, [5.5, 16.5], 4.6) },
    { size: 30, turns: [0], marks: (ink) => dots(ink, [7.5, 22.5], 6.8) },
  ],
  checked: [
    { size: 22, turns: [0, 45], marks: (ink) => area("M0 0h11v11H0ZM11 11h11v11H11Z", ink) },
    {
      size: 26,
      turns: [0, 0, 45],
      marks: (ink) => area("M0 0h26v12H0Z", ink, ' fill-opacity=".55"') + area("M0 0h12v26H0Z", ink, ' fill-opacity=".55"'),
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
  return {
    size: design.size * scale,
    shift: [Math.round(random.between(0, 20)), Math.round(random.between(0, 20))],
    turn: random.pick(design.turns),
    marks: `<g transform="scale(${scale})">${design.marks(ink)}</g>`,
  };
}
