/**
 * Common to all drawings: the product's colours as fills, `body()`, which lays colour, pattern and the material's light over one outline,
 * and shadows. No filters or blurs: they would make rasterising a catalogue slow.
 */
import { createRandom } from "../catalogue/random.ts";
import type { Look, Material, Style } from "../catalogue/vocabulary.ts";
import { colourOf, darken, dye, lighten, lightness, mix } from "./palette.ts";
import { type Define, sheenOf, tileOf } from "./surfaces.ts";

export interface Subject {
  readonly id: string;
  readonly category: string;
  readonly look: Look;
}

/** Draws product and shadow, without the backdrop. */
export type Draw = (brush: Brush) => string;

/** Drawings by the silhouette's name in the vocabulary. */
export type Family = Readonly<Record<string, Draw>>;

export interface LineOptions {
  readonly opacity?: number;
  /** Lengths of dash and gap. */
  readonly dash?: string;
}

export type Brush = ReturnType<typeof createBrush>;

/** The colour a pattern is printed in: the trim, unless that would not show. */
function inkFor(main: string, accent: string): string {
  if (Math.abs(lightness(main) - lightness(accent)) > 0.24) return accent;
  return lightness(main) > 0.5 ? darken(mix(main, accent, 0.4), 0.6) : lighten(mix(main, accent, 0.4), 0.72);
}

const path = (d: string, fill: string, rest: string = ""): string => `<path d="${d}" fill="${fill}"${rest}/>`;

function line(d: string, colour: string, width: number, { dash, opacity }: LineOptions = {}): string {
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
    line,
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
      line(d, darken(colour, shade), width + edge) + line(d, colour, width),
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
  const fill = define(
    "shadow",
    (id) =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="#241619" stop-opacity=".5"/><stop offset=".55"` +
      ` stop-color="#241619" stop-opacity=".24"/><stop offset="1" stop-color="#241619" stop-opacity="0"/></radialGradient>`,
  );
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
