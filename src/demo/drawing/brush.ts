/**
 * What every family draws with: the product's colours as fills, and `body()`, which lays colour, pattern and the material's light over
 * one outline. Filters and blurs are left out: they would make rasterising a catalogue slow.
 */
import { createRandom, type Random } from "../random.ts";
import type { Accent, Colour, Material, Pattern, Style } from "../vocabulary.ts";
import { type Define, sheenOf } from "./materials.ts";
import { colourOf, darken, dye, lighten, lightness, mix } from "./palette.ts";
import { tileOf } from "./patterns.ts";

export interface Subject {
  readonly id: string;
  readonly category: string;
  readonly look: {
    readonly silhouette: string;
    readonly colour: Colour;
    readonly accent: Accent;
    readonly pattern: Pattern;
    readonly material: Material;
    readonly style: Style;
  };
}

export interface LineOptions {
  readonly colour: string;
  readonly width: number;
  /** Lengths of dash and gap. */
  readonly dash?: string;
  readonly opacity?: number;
}

export interface Brush {
  readonly look: Subject["look"];
  readonly random: Random;
  /** The product's colour, and the colour of its trim. */
  readonly main: string;
  readonly accent: string;
  /** A line drawn on the product that shows on its colour. */
  readonly ink: string;
  /** One outline in the product's colour and pattern, of the product's material unless told. */
  readonly body: (d: string, material?: Material) => string;
  /** As body(), but without the pattern. */
  readonly plain: (d: string) => string;
  /** One outline in any colour and material, without the pattern. */
  readonly part: (d: string, colour: string, material?: Material) => string;
  /** A trim in the accent colour; gold and silver shine. */
  readonly trim: (d: string) => string;
  readonly line: (d: string, options: LineOptions) => string;
  /** What is drawn shows only inside the outline. */
  readonly clip: (outline: string, content: string) => string;
  readonly define: Define;
  /** All definitions so far. */
  readonly definitions: () => string;
}

/** The colour a pattern is printed in: the trim, unless that would not show. */
function inkFor(main: string, accent: string): string {
  if (Math.abs(lightness(main) - lightness(accent)) > 0.24) return accent;
  return lightness(main) > 0.5 ? darken(mix(main, accent, 0.4), 0.6) : lighten(mix(main, accent, 0.4), 0.72);
}

function path(d: string, fill: string, rest: string = ""): string {
  return `<path d="${d}" fill="${fill}"${rest}/>`;
}

export function createBrush({ id, look }: Subject): Brush {
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
        `<pattern id="${key}" width="${tile.size[0]}" height="${tile.size[1]}" patternUnits="userSpaceOnUse"` +
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
  const metal = look.accent === "gold" || look.accent === "silver";
  let clips = 0;
  return {
    look,
    random,
    main,
    accent,
    ink,
    define,
    body: (d, material = look.material) => lay(d, main, material, true),
    plain: (d) => lay(d, main, look.material, false),
    part: (d, colour, material = look.material) => lay(d, colour, material, false),
    trim: (d) => lay(d, accent, metal ? "metal" : "cotton", false),
    line: (d, { colour, width, dash, opacity }) =>
      `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"` +
      `${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}${opacity === undefined ? "" : ` stroke-opacity="${opacity}"`}/>`,
    clip: (outline, content) => {
      if (content === "") return "";
      const url = define(`clip${clips++}`, (key) => `<clipPath id="${key}"><path d="${outline}"/></clipPath>`);
      return `<g clip-path="${url}">${content}</g>`;
    },
    definitions: () => [...definitions.values()].join(""),
  };
}
