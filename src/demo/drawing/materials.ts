/** How a material takes the light: fills to lay over a colour, strongest at 64 px first. The light comes from the upper left. */
import type { Material } from "../vocabulary.ts";

type Define = (name: string, element: (id: string) => string) => string;

type Stop = readonly [offset: number, colour: string, opacity: number];

function linear(define: Define, name: string, [x1, y1, x2, y2]: readonly [number, number, number, number], stops: readonly Stop[]): string {
  return define(name, (id) => `<linearGradient id="${id}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stopsOf(stops)}</linearGradient>`);
}

function stopsOf(stops: readonly Stop[]): string {
  return stops.map(([offset, colour, opacity]) => `<stop offset="${offset}" stop-color="${colour}" stop-opacity="${opacity}"/>`).join("");
}

function texture(define: Define, width: number, height: number, marks: string): string {
  return define(
    "texture",
    (id) => `<pattern id="${id}" width="${width}" height="${height}" patternUnits="userSpaceOnUse">${marks}</pattern>`,
  );
}

const W = "#ffffff";
const B = "#140c10";

function soft(define: Define, strength: number): string {
  return linear(
    define,
    "soft",
    [0.1, 0, 0.9, 1],
    [
      [0, W, 0.3 * strength],
      [0.45, W, 0],
      [0.55, B, 0],
      [1, B, 0.4 * strength],
    ],
  );
}

export function sheenOf(material: Material, define: Define): string[] {
  switch (material) {
    case "leather":
      return [
        linear(
          define,
          "sheen",
          [0.1, 0, 0.75, 1],
          [
            [0, W, 0.12],
            [0.22, W, 0.38],
            [0.42, W, 0],
            [0.6, B, 0.06],
            [1, B, 0.5],
          ],
        ),
      ];
    case "metal":
    case "brass":
      return [
        linear(
          define,
          "sheen",
          [0, 0.1, 1, 0],
          [
            [0, B, 0.42],
            [0.16, W, 0.62],
            [0.3, W, 0.1],
            [0.5, B, 0.32],
            [0.7, W, 0.42],
            [0.86, B, 0.12],
            [1, B, 0.48],
          ],
        ),
      ];
    case "ceramic":
    case "enamel":
    case "plastic":
      return [
        linear(
          define,
          "sheen",
          [0, 0, 1, 0.25],
          [
            [0, B, 0.16],
            [0.14, W, 0.12],
            [0.22, W, 0.68],
            [0.32, W, 0.1],
            [0.6, B, 0.04],
            [1, B, 0.42],
          ],
        ),
      ];
    case "glass":
      return [
        linear(
          define,
          "sheen",
          [0, 0, 1, 0.1],
          [
            [0, W, 0.12],
            [0.1, W, 0.78],
            [0.2, W, 0.3],
            [0.5, W, 0.42],
            [0.78, W, 0.2],
            [0.88, W, 0.7],
            [1, B, 0.25],
          ],
        ),
      ];
    case "velvet":
      return [
        linear(
          define,
          "sheen",
          [0, 0, 1, 0.6],
          [
            [0, W, 0.42],
            [0.18, B, 0.16],
            [0.45, W, 0.26],
            [0.62, B, 0.28],
            [0.85, W, 0.2],
            [1, B, 0.42],
          ],
        ),
      ];
    case "silk":
      return [
        linear(
          define,
          "sheen",
          [0, 0, 1, 0.5],
          [
            [0, W, 0.1],
            [0.2, W, 0.5],
            [0.34, B, 0.16],
            [0.5, W, 0.4],
            [0.68, B, 0.22],
            [0.82, W, 0.34],
            [1, B, 0.34],
          ],
        ),
      ];
    case "wood":
      return [
        texture(
          define,
          60,
          16,
          `<path d="M0 4Q15 1 30 4T60 4M0 12Q15 15 30 11T60 12" fill="none" stroke="${B}" stroke-opacity=".34" stroke-width="2.2"/><path d="M0 8Q15 6 30 8T60 8" fill="none" stroke="${W}" stroke-opacity=".2" stroke-width="1.6"/>`,
        ),
        soft(define, 0.8),
      ];
    case "straw":
      return [
        texture(
          define,
          10,
          10,
          `<path d="M0 2.5h5M5 7.5h5" stroke="${B}" stroke-opacity=".36" stroke-width="2"/><path d="M2.5 5v5M7.5 0v5" stroke="${W}" stroke-opacity=".4" stroke-width="2"/>`,
        ),
        soft(define, 0.8),
      ];
    case "wool":
      return [
        texture(
          define,
          10,
          9,
          `<path d="M0 1l5 5l5-5" fill="none" stroke="${B}" stroke-opacity=".24" stroke-width="2.2"/><path d="M0 5l5 5l5-5" fill="none" stroke="${W}" stroke-opacity=".2" stroke-width="1.6"/>`,
        ),
        soft(define, 0.8),
      ];
    case "denim":
      return [
        texture(define, 6, 6, `<path d="M-1 7L7 -1M-4 4L4 -4M2 10L10 2" stroke="${W}" stroke-opacity=".26" stroke-width="1.5"/>`),
        soft(define, 0.9),
      ];
    case "linen":
    case "canvas":
      return [
        texture(
          define,
          5,
          5,
          `<path d="M0 1h5" stroke="${W}" stroke-opacity=".24" stroke-width="1.2"/><path d="M1 0v5" stroke="${B}" stroke-opacity=".16" stroke-width="1.2"/>`,
        ),
        soft(define, 0.8),
      ];
    case "suede":
      return [soft(define, 1.25)];
    case "cotton":
      return [soft(define, 0.7)];
    case "rubber":
      return [soft(define, 1)];
  }
}
