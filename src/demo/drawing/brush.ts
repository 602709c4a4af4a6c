/**
 * What every family draws with: the product's colours as fills, and `body()`, which lays colour, pattern and the material's light over
 * one outline. Filters and blurs are left out: they would make rasterising the catalogue slow.
 */
import { createRandom, type Random } from "../random.ts";
import type { Accent, Colour, Material, Pattern, Style } from "../vocabulary.ts";
import { sheenOf } from "./materials.ts";
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

export interface Brush {
  readonly look: Subject["look"];
  readonly random: Random;
  /** The product's colour, its light and dark side, and the trim. */
  readonly main: string;
  readonly light: string;
  readonly dark: string;
  readonly accent: string;
  /** Outline that keeps pale products off the pale backdrop. */
  readonly edge: string;
  /** One outline in the product's colour, pattern and material. */
  body(d: string): string;
  /** As body(), but without the pattern. */
  plain(d: string): string;
  /** One outline in any colour, lit as the material is. */
  tinted(d: string, colour: string): string;
  /** Registers a definition and returns its `url(#…)`. */
  define(name: string, element: (id: string) => string): string;
  /** All definitions so far. */
  definitions(): string;
}

/** The colour a pattern is printed in: the trim, unless that would not show. */
function inkFor(main: string, accent: string): string {
  const apart = Math.abs(lightness(main) - lightness(accent));
  if (apart > 0.22) return accent;
  return lightness(main) > 0.5 ? darken(mix(main, accent, 0.5), 0.55) : lighten(mix(main, accent, 0.5), 0.7);
}

export function createBrush({ id, look }: Subject): Brush {
  const random = createRandom(`${id}:picture`);
  const main = dye(look.colour, random);
  const accent = colourOf(look.accent);
  const definitions = new Map<string, string>();
  const define: Brush["define"] = (name, element) => {
    const key = `${id}-${name}`;
    if (!definitions.has(key)) definitions.set(key, element(key));
    return `url(#${key})`;
  };
  const tile = tileOf(look.pattern, inkFor(main, accent), random);
  const pattern =
    tile &&
    define(
      "pattern",
      (key) =>
        `<pattern id="${key}" width="${tile.size[0]}" height="${tile.size[1]}" patternUnits="userSpaceOnUse" patternTransform="rotate(${tile.turn})">${tile.marks}</pattern>`,
    );
  const sheen = sheenOf(look.material, define);
  const edge = darken(main, 0.45);
  const layers = (d: string, fills: readonly (string | undefined)[]): string =>
    fills
      .filter((fill) => fill !== undefined)
      .map((fill) => `<path d="${d}" fill="${fill}"/>`)
      .join("") + `<path d="${d}" fill="none" stroke="${edge}" stroke-opacity=".35" stroke-width="1.2"/>`;
  return {
    look,
    random,
    main,
    accent,
    edge,
    light: lighten(main, 0.35),
    dark: darken(main, 0.35),
    body: (d) => layers(d, [main, pattern, ...sheen]),
    plain: (d) => layers(d, [main, ...sheen]),
    tinted: (d, colour) => layers(d, [colour, ...sheen]),
    define,
    definitions: () => [...definitions.values()].join(""),
  };
}
