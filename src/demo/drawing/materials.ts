/** How a material takes the light: fills to lay over a colour, in order. The light comes from the upper left. */
import type { Material } from "../vocabulary.ts";

/** Registers an SVG definition under a name that is unique in the picture and returns its `url(#…)`. */
export type Define = (name: string, element: (id: string) => string) => string;

/** Positive light is white, negative is shade. */
type Stop = readonly [offset: number, light: number];

interface Gradient {
  readonly line: readonly [x1: number, y1: number, x2: number, y2: number];
  readonly stops: readonly Stop[];
}

interface Texture {
  readonly size: readonly [width: number, height: number];
  /** Shaded and lit lines. */
  readonly dark: string;
  readonly lit: string;
  readonly width: number;
  readonly strength: number;
}

interface Surface {
  readonly gradient: Gradient;
  /** Colour of the lit parts; white unless told. */
  readonly glint?: string;
  readonly texture?: Texture;
}

const SHADE = "#140c10";

function soft(strength: number): Gradient {
  return {
    line: [0.1, 0, 0.9, 1],
    stops: [
      [0, 0.3 * strength],
      [0.45, 0],
      [1, -0.42 * strength],
    ],
  };
}

const polished: Gradient = {
  line: [0, 0, 1, 0.25],
  stops: [
    [0, -0.18],
    [0.12, 0.1],
    [0.2, 0.7],
    [0.28, 0.12],
    [0.6, -0.04],
    [1, -0.44],
  ],
};

const brushed: Gradient = {
  line: [0, 0.1, 1, 0],
  stops: [
    [0, -0.36],
    [0.16, 0.65],
    [0.3, 0.1],
    [0.5, -0.26],
    [0.7, 0.45],
    [0.86, -0.1],
    [1, -0.42],
  ],
};

const weave: Texture = { size: [6, 6], dark: "M1 0v6M4 0v6", lit: "M0 1h6M0 4h6", width: 1.3, strength: 0.22 };

const SURFACES: Readonly<Record<Material, Surface>> = {
  leather: {
    gradient: {
      line: [0.1, 0, 0.75, 1],
      stops: [
        [0, 0.1],
        [0.22, 0.42],
        [0.42, 0],
        [0.6, -0.08],
        [1, -0.52],
      ],
    },
  },
  suede: { gradient: soft(1.25), texture: { size: [7, 7], dark: "M1 2l1 1M5 5l1 1", lit: "M4 1l1 1M1 5l1 1", width: 1.4, strength: 0.2 } },
  canvas: { gradient: soft(0.8), texture: weave },
  cotton: { gradient: soft(0.7) },
  linen: {
    gradient: soft(0.7),
    texture: { ...weave, size: [9, 9], dark: "M2 0v9M7 0v9", lit: "M0 1h9M0 6h9", width: 1.8, strength: 0.26 },
  },
  denim: {
    gradient: soft(0.9),
    texture: { size: [7, 7], dark: "", lit: "M-1 8L8 -1M-4.5 4.5L4.5 -4.5M2.5 11.5L11.5 2.5", width: 1.7, strength: 0.34 },
  },
  silk: {
    gradient: {
      line: [0, 0, 1, 0.5],
      stops: [
        [0, 0.1],
        [0.2, 0.55],
        [0.34, -0.2],
        [0.5, 0.45],
        [0.68, -0.25],
        [0.82, 0.36],
        [1, -0.36],
      ],
    },
  },
  velvet: {
    gradient: {
      line: [0, 0, 1, 0.6],
      stops: [
        [0, 0.42],
        [0.18, -0.2],
        [0.45, 0.24],
        [0.62, -0.32],
        [0.85, 0.16],
        [1, -0.46],
      ],
    },
  },
  wool: {
    gradient: soft(0.8),
    texture: { size: [12, 10], dark: "M0 1l6 5l6 -5", lit: "M0 6l6 5l6 -5M0 -4l6 5l6 -5", width: 2.4, strength: 0.26 },
  },
  straw: {
    gradient: soft(0.8),
    texture: { size: [12, 12], dark: "M0 3h6M6 9h6", lit: "M3 6v6M9 0v6", width: 2.6, strength: 0.4 },
  },
  wood: {
    gradient: soft(0.8),
    texture: { size: [70, 18], dark: "M0 4Q17 0 35 4T70 4M0 14Q17 17 35 13T70 14", lit: "M0 9Q17 7 35 9T70 9", width: 2.2, strength: 0.34 },
  },
  metal: { gradient: brushed },
  brass: { gradient: brushed, glint: "#ffd070" },
  ceramic: { gradient: polished },
  enamel: { gradient: polished },
  plastic: { gradient: polished },
  glass: {
    gradient: {
      line: [0, 0, 1, 0.1],
      stops: [
        [0, 0.1],
        [0.1, 0.8],
        [0.2, 0.26],
        [0.5, 0.34],
        [0.78, 0.1],
        [0.88, 0.66],
        [1, -0.28],
      ],
    },
  },
  rubber: { gradient: soft(1) },
};

function stopsOf(stops: readonly Stop[], glint: string): string {
  return stops
    .map(
      ([offset, light]) =>
        `<stop offset="${offset}" stop-color="${light < 0 ? SHADE : glint}" stop-opacity="${Math.abs(light).toFixed(2)}"/>`,
    )
    .join("");
}

/** The fills that make a flat colour look like the material. */
export function sheenOf(material: Material, define: Define): string[] {
  const { gradient, texture, glint = "#fff" } = SURFACES[material];
  const [x1, y1, x2, y2] = gradient.line;
  const fills: string[] = [];
  if (texture !== undefined) {
    const { size, dark, lit, width, strength } = texture;
    const lines = (d: string, colour: string) =>
      d === "" ? "" : `<path d="${d}" fill="none" stroke="${colour}" stroke-opacity="${strength}" stroke-width="${width}"/>`;
    fills.push(
      define(
        `${material}-texture`,
        (id) =>
          `<pattern id="${id}" width="${size[0]}" height="${size[1]}" patternUnits="userSpaceOnUse">` +
          `${lines(dark, SHADE)}${lines(lit, "#fff")}</pattern>`,
      ),
    );
  }
  fills.push(
    define(
      material,
      (id) => `<linearGradient id="${id}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stopsOf(gradient.stops, glint)}</linearGradient>`,
    ),
  );
  return fills;
}
