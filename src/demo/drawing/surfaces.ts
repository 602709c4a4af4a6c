/**
 * What covers a product: how its material takes the light (from the upper left), and the tiles of its pattern. Patterns are coarse on
 * purpose: a stripe must survive at 64 px, so it is 7 or more of 200 units.
 */
import type { Random } from "../catalogue/random.ts";
import type { Material, Pattern } from "../catalogue/vocabulary.ts";
import { lighten } from "./palette.ts";

/** Registers an SVG definition under a name that is unique in the picture and returns its `url(#…)`. */
export type Define = (name: string, element: (id: string) => string) => string;

const SHADE = "#140c10";

/** A gradient along `x1 y1 x2 y2`. Stops are [offset, light]: light above 0 is white, below 0 shade. */
const gradient = (line: string, ...stops: readonly (readonly [offset: number, light: number])[]) => ({ line: line.split(" "), stops });

type Gradient = ReturnType<typeof gradient>;

/** A tile of shaded (`dark`) and lit lines, as path data. `strength`: their opacity. */
const texture = (size: readonly [width: number, height: number], dark: string, lit: string, width: number, strength: number) => ({
  size,
  dark,
  lit,
  width,
  strength,
});

const soft = (strength: number): Gradient => gradient("0.1 0 0.9 1", [0, 0.3 * strength], [0.45, 0], [1, -0.42 * strength]);
const polished = gradient("0 0 1 0.25", [0, -0.18], [0.12, 0.1], [0.2, 0.7], [0.28, 0.12], [0.6, -0.04], [1, -0.44]);
const brushed = gradient("0 0.1 1 0", [0, -0.36], [0.16, 0.65], [0.3, 0.1], [0.5, -0.26], [0.7, 0.45], [0.86, -0.1], [1, -0.42]);
const hide = gradient("0.1 0 0.75 1", [0, 0.1], [0.22, 0.42], [0.42, 0], [0.6, -0.08], [1, -0.52]);
const satin = gradient("0 0 1 0.5", [0, 0.1], [0.2, 0.55], [0.34, -0.2], [0.5, 0.45], [0.68, -0.25], [0.82, 0.36], [1, -0.36]);
const pile = gradient("0 0 1 0.6", [0, 0.42], [0.18, -0.2], [0.45, 0.24], [0.62, -0.32], [0.85, 0.16], [1, -0.46]);
const clear = gradient("0 0 1 0.1", [0, 0.1], [0.1, 0.8], [0.2, 0.26], [0.5, 0.34], [0.78, 0.1], [0.88, 0.66], [1, -0.28]);

const weave = texture([6, 6], "M1 0v6M4 0v6", "M0 1h6M0 4h6", 1.3, 0.22);
const slub = texture([9, 9], "M2 0v9M7 0v9", "M0 1h9M0 6h9", 1.8, 0.26);
const nap = texture([7, 7], "M1 2l1 1M5 5l1 1", "M4 1l1 1M1 5l1 1", 1.4, 0.2);
const twill = texture([7, 7], "", "M-1 8L8 -1M-4.5 4.5L4.5 -4.5M2.5 11.5L11.5 2.5", 1.7, 0.34);
const knit = texture([12, 10], "M0 1l6 5l6 -5", "M0 6l6 5l6 -5M0 -4l6 5l6 -5", 2.4, 0.26);
const plait = texture([12, 12], "M0 3h6M6 9h6", "M3 6v6M9 0v6", 2.6, 0.4);
const grain = texture([70, 18], "M0 4Q17 0 35 4T70 4M0 14Q17 17 35 13T70 14", "M0 9Q17 7 35 9T70 9", 2.2, 0.34);

/** `glint`: colour of the lit parts; white if absent. */
const SURFACES: Readonly<Record<Material, readonly [light: Gradient, weave?: ReturnType<typeof texture> | undefined, glint?: string]>> = {
  leather: [hide],
  suede: [soft(1.25), nap],
  canvas: [soft(0.8), weave],
  cotton: [soft(0.7)],
  linen: [soft(0.7), slub],
  denim: [soft(0.9), twill],
  silk: [satin],
  velvet: [pile],
  wool: [soft(0.8), knit],
  straw: [soft(0.8), plait],
  wood: [soft(0.8), grain],
  metal: [brushed],
  brass: [brushed, undefined, "#ffd070"],
  ceramic: [polished],
  enamel: [polished],
  plastic: [polished],
  glass: [clear],
  rubber: [soft(1)],
};

/** The fills that make a flat colour look like the material, to lay over it in this order. */
export function sheenOf(material: Material, define: Define): string[] {
  const [light, cloth, glint = "#fff"] = SURFACES[material];
  const fills: string[] = [];
  if (cloth !== undefined) {
    const { size, dark, lit, width, strength } = cloth;
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

const bouquet = (ink: string): string =>
  leaf(22, 9, 35) + leaf(3, 32, -40) + leaf(37, 20, 80) + flower(11, 13, 5.6, ink) + flower(31, 32, 6.2, lighten(ink, 0.3));

const veins = (ink: string): string =>
  stroke("M0 20C20 8 34 44 54 32S84 6 96 20", ink, 6, 0.75) +
  stroke("M0 64C16 80 30 50 50 62S80 90 96 64", ink, 9, 0.55) +
  stroke("M30 0C20 20 46 34 36 54S18 76 30 96", ink, 3.4, 0.75) +
  stroke("M72 0C82 18 60 40 72 60S84 80 72 96", ink, 2.6, 0.7);

/** Size of the tile, turns in degrees to choose from, and the marks on the tile. */
type Design = readonly [size: number, turns: readonly number[], marks: (ink: string) => string];

const DESIGNS: Readonly<Record<Exclude<Pattern, "plain">, readonly Design[]>> = {
  striped: [
    [18, [0, 0, 90, 45, -45], (ink) => area("M0 0h18v8H0Z", ink)],
    [24, [0, 90], (ink) => area("M0 0h24v9H0ZM0 13h24v3.5H0Z", ink)],
  ],
  dotted: [
    [22, [0, 45], (ink) => dots(ink, [5.5, 16.5], 4.6)],
    [30, [0], (ink) => dots(ink, [7.5, 22.5], 6.8)],
  ],
  checked: [
    [22, [0, 45], (ink) => area("M0 0h11v11H0ZM11 11h11v11H11Z", ink)],
    [26, [0, 0, 45], (ink) => ["M0 0h26v12H0Z", "M0 0h12v26H0Z"].map((d) => area(d, ink, ' fill-opacity=".55"')).join("")],
  ],
  floral: [[42, [0, 20, -15], bouquet]],
  zigzag: [[20, [0, 0, 90], (ink) => stroke("M-10 16L0 6L10 16L20 6L30 16", ink, 6.5)]],
  marbled: [[96, [-35, 20, 60], veins]],
};

/**
 * The tile of a pattern in `ink` on the product's own colour: width and height, offset, turn in degrees and SVG; `undefined` for plain.
 */
export function tileOf(pattern: Pattern, ink: string, random: Random) {
  if (pattern === "plain") return undefined;
  const [size, turns, marks] = random.pick(DESIGNS[pattern]);
  const scale = Number(random.between(0.9, 1.2).toFixed(2));
  return {
    size: size * scale,
    shift: [Math.round(random.between(0, 20)), Math.round(random.between(0, 20))],
    turn: random.pick(turns),
    marks: `<g transform="scale(${scale})">${marks(ink)}</g>`,
  };
}
