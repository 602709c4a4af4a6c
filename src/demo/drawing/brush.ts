/**
 * Common to all drawings: the product's colours as fills, `body()`, which lays colour, pattern and the material's light over one outline,
 * shadows, and the marks of a style: the studio behind the product (wall, floor, light), a band across its body, and an emblem. No filters
 * or blurs: they would make rasterising a catalogue slow.
 */
import type { DrawnProduct } from "../catalogue/catalogue.ts";
import { createRandom, type Random } from "../catalogue/random.ts";
import type { Material, Pattern, Style } from "../catalogue/vocabulary.ts";
import { box, ellipse, type Point, polygon } from "./outline.ts";
import { colourOf, darken, dye, lighten, lightness, mix, THREAD } from "./palette.ts";

export type Subject = Readonly<Pick<DrawnProduct, "id" | "category" | "look">>;

/** Draws product and shadow, without the backdrop. */
export type Draw = (brush: Brush) => string;

/** Drawings by the silhouette's name in the vocabulary. */
export type Family = Readonly<Record<string, Draw>>;

/** A drawing with random sizes, each within bounds: "72..88 50..60". */
export function sized(bounds: string, draw: (brush: Brush, ...sizes: number[]) => string): Draw {
  const ranges = bounds.split(" ").map((range) => range.split("..").map(Number));
  return (brush) => draw(brush, ...ranges.map(([low = 0, high = 0]) => brush.random.between(low, high)));
}

export type Brush = ReturnType<typeof createBrush>;

/** Registers an SVG definition under a name that is unique in the picture and returns its `url(#…)`. */
type Define = (name: string, element: (id: string) => string) => string;

type Stop = readonly [offset: number | string, colour: string, opacity?: string];

export function gradientElement(kind: "linear" | "radial", attributes: string, ...stops: readonly Stop[]): (id: string) => string {
  const inner = stops.map(
    ([offset, colour, opacity]) =>
      `<stop offset="${offset}" stop-color="${colour}"${opacity === undefined ? "" : ` stop-opacity="${opacity}"`}/>`,
  );
  return (id) => `<${kind}Gradient id="${id}"${attributes}>${inner.join("")}</${kind}Gradient>`;
}

/*
 * What covers a product: how its material takes the light (from the upper left), and the tiles of its pattern. Patterns are coarse on
 * purpose: a stripe must survive at 64 px, so it is 7 or more of 200 units.
 */

const SHADE = "#140c10";

/** A gradient along `x1 y1 x2 y2`. Stops are [offset, light]: light above 0 is white, below 0 shade. */
const gradient = (line: string, ...stops: readonly (readonly [offset: number, light: number])[]) => ({ line: line.split(" "), stops });

type Gradient = ReturnType<typeof gradient>;

/** A tile of shaded (`dark`) and lit lines, as path data, and the width and opacity of its lines. */
type Texture = readonly [size: readonly [width: number, height: number], dark: string, lit: string, width: number, opacity: number];

const soft = (strength: number): Gradient => gradient("0.1 0 0.9 1", [0, 0.3 * strength], [0.45, 0], [1, -0.42 * strength]);
const polished = gradient("0 0 1 0.25", [0, -0.18], [0.12, 0.1], [0.2, 0.7], [0.28, 0.12], [0.6, -0.04], [1, -0.44]);
const brushed = gradient("0 0.1 1 0", [0, -0.36], [0.16, 0.65], [0.3, 0.1], [0.5, -0.26], [0.7, 0.45], [0.86, -0.1], [1, -0.42]);
const hide = gradient("0.1 0 0.75 1", [0, 0.1], [0.22, 0.42], [0.42, 0], [0.6, -0.08], [1, -0.52]);
const satin = gradient("0 0 1 0.5", [0, 0.1], [0.2, 0.55], [0.34, -0.2], [0.5, 0.45], [0.68, -0.25], [0.82, 0.36], [1, -0.36]);
const pile = gradient("0 0 1 0.6", [0, 0.42], [0.18, -0.2], [0.45, 0.24], [0.62, -0.32], [0.85, 0.16], [1, -0.46]);
const clear = gradient("0 0 1 0.1", [0, 0.1], [0.1, 0.8], [0.2, 0.26], [0.5, 0.34], [0.78, 0.1], [0.88, 0.66], [1, -0.28]);

const weave: Texture = [[6, 6], "M1 0v6M4 0v6", "M0 1h6M0 4h6", 1.3, 0.22];
const slub: Texture = [[9, 9], "M2 0v9M7 0v9", "M0 1h9M0 6h9", 1.8, 0.26];
const nap: Texture = [[7, 7], "M1 2l1 1M5 5l1 1", "M4 1l1 1M1 5l1 1", 1.4, 0.2];
const twill: Texture = [[7, 7], "", "M-1 8L8 -1M-4.5 4.5L4.5 -4.5M2.5 11.5L11.5 2.5", 1.7, 0.34];
const knit: Texture = [[12, 10], "M0 1l6 5l6 -5", "M0 6l6 5l6 -5M0 -4l6 5l6 -5", 2.4, 0.26];
const plait: Texture = [[12, 12], "M0 3h6M6 9h6", "M3 6v6M9 0v6", 2.6, 0.4];
const grain: Texture = [[70, 18], "M0 4Q17 0 35 4T70 4M0 14Q17 17 35 13T70 14", "M0 9Q17 7 35 9T70 9", 2.2, 0.34];

/** `glint`: colour of the lit parts; white if absent. */
const SURFACES: Readonly<Record<Material, readonly [light: Gradient, weave?: Texture | undefined, glint?: string]>> = {
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
function sheenOf(material: Material, define: Define): string[] {
  const [light, cloth, glint = "#fff"] = SURFACES[material];
  const fills: string[] = [];
  if (cloth !== undefined) {
    const [size, dark, lit, width, opacity] = cloth;
    const lines = (d: string, colour: string) =>
      d === "" ? "" : `<path d="${d}" fill="none" stroke="${colour}" stroke-opacity="${opacity}" stroke-width="${width}"/>`;
    const tile = (id: string) =>
      `<pattern id="${id}" width="${size[0]}" height="${size[1]}" patternUnits="userSpaceOnUse">` +
      `${lines(dark, SHADE)}${lines(lit, "#fff")}</pattern>`;
    fills.push(define(`${material}-texture`, tile));
  }
  const [x1, y1, x2, y2] = light.line;
  const stops = light.stops.map(([offset, value]): Stop => [offset, value < 0 ? SHADE : glint, Math.abs(value).toFixed(2)]);
  return [...fills, define(material, gradientElement("linear", ` x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"`, ...stops))];
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

const path = (d: string, fill: string, rest: string = ""): string => `<path d="${d}" fill="${fill}"${rest}/>`;

const stroke = (d: string, ink: string, width: number, opacity: number = 1): string =>
  `<path d="${d}" fill="none" stroke="${ink}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linecap="square"/>`;

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
    [18, [0, 0, 90, 45, -45], (ink) => path("M0 0h18v8H0Z", ink)],
    [24, [0, 90], (ink) => path("M0 0h24v9H0ZM0 13h24v3.5H0Z", ink)],
  ],
  dotted: [
    [22, [0, 45], (ink) => dots(ink, [5.5, 16.5], 4.6)],
    [30, [0], (ink) => dots(ink, [7.5, 22.5], 6.8)],
  ],
  checked: [
    [22, [0, 45], (ink) => path("M0 0h11v11H0ZM11 11h11v11H11Z", ink)],
    [26, [0, 0, 45], (ink) => ["M0 0h26v12H0Z", "M0 0h12v26H0Z"].map((d) => path(d, ink, ' fill-opacity=".55"')).join("")],
  ],
  floral: [[42, [0, 20, -15], bouquet]],
  zigzag: [[20, [0, 0, 90], (ink) => stroke("M-10 16L0 6L10 16L20 6L30 16", ink, 6.5)]],
  marbled: [[96, [-35, 20, 60], veins]],
};

/**
 * The tile of a pattern in `ink` on the product's own colour: width and height, offset, turn in degrees and SVG; `undefined` for plain.
 */
function tileOf(pattern: Pattern, ink: string, random: Random) {
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

/** The colour a pattern is printed in: the trim, unless that would not show. */
function inkFor(main: string, accent: string): string {
  if (Math.abs(lightness(main) - lightness(accent)) > 0.24) return accent;
  return lightness(main) > 0.5 ? darken(mix(main, accent, 0.4), 0.6) : lighten(mix(main, accent, 0.4), 0.72);
}

/** `dash`: lengths of dash and gap. */
function drawLine(d: string, colour: string, width: number, { dash, opacity }: { dash?: string; opacity?: number } = {}): string {
  return (
    `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"` +
    `${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}${opacity === undefined ? "" : ` stroke-opacity="${opacity}"`}/>`
  );
}

export function createBrush({ id, look }: Subject) {
  const random = createRandom(`${id}:picture`);
  const main = dye(look.colour, random);
  const accent = colourOf(look.accent);
  const ink = inkFor(main, accent);
  const definitions = new Map<string, string>();
  const define: Define = (name, element) => {
    const key = `${id}-${name}`;
    if (!definitions.has(key)) definitions.set(key, element(key));
    return `url(#${key})`;
  };
  const tile = tileOf(look.pattern, ink, random);
  const pattern =
    tile &&
    define(
      "pattern",
      (key) =>
        `<pattern id="${key}" width="${tile.size}" height="${tile.size}" patternUnits="userSpaceOnUse"` +
        ` patternTransform="translate(${tile.shift.join(" ")}) rotate(${tile.turn})">${tile.marks}</pattern>`,
    );
  const lay = (d: string, colour: string, material: Material, printed: boolean): string => {
    // Glass lets the backdrop through.
    const ground = material === "glass" ? path(d, lighten(colour, 0.12), ' fill-opacity=".72"') : path(d, colour);
    const print = printed && pattern !== undefined ? path(d, pattern, material === "glass" ? ' fill-opacity=".85"' : "") : "";
    const sheen = sheenOf(material, define).map((fill) => path(d, fill));
    const edge = ` stroke="${darken(colour, 0.5)}" stroke-opacity=".4" stroke-width="1.3" stroke-linejoin="round"`;
    return ground + print + sheen.join("") + path(d, "none", edge);
  };
  let clips = 0;
  return {
    look,
    random,
    /** The product's colour, and the colour of its trim. */
    main,
    accent,
    /** A colour for lines on the product that shows on its own. */
    ink,
    define,
    line: drawLine,
    /** True if the look's style is one of these. */
    is: (...styles: readonly Style[]): boolean => styles.includes(look.style),
    /** One outline in the product's colour and pattern. */
    body: (d: string, material: Material = look.material): string => lay(d, main, material, true),
    /** As body(), but without the pattern. */
    plain: (d: string): string => lay(d, main, look.material, false),
    /** One outline in any colour and material, without the pattern. */
    part: (d: string, colour: string, material: Material = look.material): string => lay(d, colour, material, false),
    /** A trim in the accent colour; gold and silver shine. */
    trim: (d: string): string => lay(d, accent, look.accent === "gold" || look.accent === "silver" ? "metal" : "cotton", false),
    /** A line with a darker edge: `edge` units in all, darkened by `shade`. */
    tube: (d: string, colour: string, width: number, edge: number, shade: number): string =>
      drawLine(d, darken(colour, shade), width + edge) + drawLine(d, colour, width),
    /** Shows the content inside the outline only. */
    clip: (outline: string, content: string): string => {
      if (content === "") return "";
      const url = define(`clip${clips++}`, (key) => `<clipPath id="${key}"><path d="${outline}"/></clipPath>`);
      return `<g clip-path="${url}">${content}</g>`;
    },
    /** All definitions so far. */
    definitions: (): string => [...definitions.values()].join(""),
  };
}

/** The shadow under a product that stands at `y` and is `width` wide. */
export function standing({ define }: Brush, y: number, width: number, x: number = 100): string {
  const dark = "#241619";
  const fill = define("shadow", gradientElement("radial", "", ["0", dark, ".5"], [".55", dark, ".24"], ["1", dark, "0"]));
  return `<ellipse cx="${x + 5}" cy="${y}" rx="${width * 0.6}" ry="${Math.max(5, width * 0.08)}" fill="${fill}"/>`;
}

/** The shadow of a product that hangs on the wall or lies flat: its outline, moved down and right, twice for softness. */
export function hanging(d: string): string {
  const copy = (shift: string, opacity: string) =>
    `<path d="${d}" transform="translate(${shift})" fill="#241619" fill-opacity="${opacity}"/>`;
  return copy("6 8", ".09") + copy("3 4", ".13");
}

/** Draws once to the right of the middle (`side` 1) and once to the left (-1). */
export const bothSides = (draw: (side: 1 | -1) => string): string => draw(1) + draw(-1);

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
  const down = ' x1="0" y1="0" x2="0" y2="1"';
  const front = lighten(floor, 0.25);
  const room = define("room", gradientElement("linear", down, ["0", wall], [".7", wall], [".8", floor], ["1", front]));
  const lamp = ' cx=".4" cy=".34" r=".78"';
  const light = define("light", gradientElement("radial", lamp, ["0", "#fff", ".7"], [".6", "#fff", ".12"], ["1", "#3a2a30", ".12"]));
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
export const emblem = (brush: Brush, at: Point, size: number): string => EMBLEMS[brush.look.style](brush, at, size);

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

/** body() with the style's band across it. */
export function banded(brush: Brush, outline: string, at: Point, size: number, material?: Material): string {
  return brush.body(outline, material) + band(brush, outline, at, size);
}
