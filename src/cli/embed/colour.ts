/**
 * The colours of a product: 16 shares of the picture that look black, grey, white, beige, brown, …
 *
 * Image encoders recognise shape and kind and are weak on colour, so vectors hold both. Pure: takes pixels, knows no file format.
 */

export const COLOUR_DIM = 16;

/** Part of the image encoder's fingerprint: vectors of another descriptor do not compare. */
export const COLOUR_DESCRIPTOR = `colour${COLOUR_DIM}/1`;

/** Share of the colours in the similarity of two pictures. */
const COLOUR_SHARE = 0.4;

/** 8-bit RGB, row by row. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array; // [height, width, 3]
}

/** Colours by the names that people use in a shop, as sRGB. A pixel counts for the colours near it. */
export const COLOUR_WORDS = {
  black: [22, 22, 24],
  grey: [136, 137, 140],
  white: [245, 245, 243],
  beige: [218, 198, 166],
  brown: [112, 74, 46],
  maroon: [110, 24, 38],
  red: [208, 36, 40],
  orange: [240, 128, 36],
  yellow: [246, 210, 56],
  olive: [110, 112, 58],
  green: [52, 148, 74],
  teal: [40, 150, 150],
  blue: [52, 112, 206],
  navy: [32, 42, 92],
  purple: [124, 66, 160],
  pink: [236, 128, 170],
} as const satisfies Readonly<Record<string, readonly [number, number, number]>>;

/** Width of a colour word, as a distance in OKLab (black to white is 1). */
const SOFTNESS = 0.07;

/** A pixel this near to the border's colour, and connected to the border, is background (distance of 8-bit RGB). */
const BACKGROUND_DISTANCE = 24;

/** The border counts as background when at least this share of it has one colour; otherwise the product fills the frame. */
const BORDER_SHARE = 0.5;

/** Pixels per side of the sample. */
const LONGEST_SIDE = 64;

/** With a smaller share of foreground the product has the background's colour, and the whole picture counts. */
const LEAST_FOREGROUND = 0.02;

/**
 * Unit vector [16] of square roots of the shares of the COLOUR_WORDS over the product's pixels, so that a dot product of two pictures is
 * the Bhattacharyya coefficient of their colours: 1 for the same, 0 for nothing in common.
 */
export function colourDescriptor(raster: Raster): Float32Array {
  const table = (shareTable ??= buildShareTable());
  const { width, height, rgb } = thinned(raster);
  const background = findBackground({ width, height, rgb });
  const sums = new Float64Array(COLOUR_DIM);
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (background?.[pixel] === 1) continue;
    const row = tableRow(rgb[pixel * 3]!, rgb[pixel * 3 + 1]!, rgb[pixel * 3 + 2]!) * COLOUR_DIM;
    for (let d = 0; d < COLOUR_DIM; d++) sums[d]! += table[row + d]!;
  }
  const total = sums.reduce((sum, value) => sum + value, 0);
  return Float32Array.from(sums, (value) => Math.sqrt(value / total));
}

/** The pixels of the product, of a sample of the picture: without a uniform background. At least one. */
export function* productPixels(raster: Raster): Generator<readonly [red: number, green: number, blue: number]> {
  const sample = thinned(raster);
  const background = findBackground(sample);
  const { width, height, rgb } = sample;
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (background?.[pixel] !== 1) yield [rgb[pixel * 3]!, rgb[pixel * 3 + 1]!, rgb[pixel * 3 + 2]!];
  }
}

/**
 * Encoder vector and colour descriptor (unit vectors both) as one unit vector. A dot product of two such vectors is then the sum of the
 * cosines, the encoder's with a share of 1 - COLOUR_SHARE and the colours' with COLOUR_SHARE.
 */
export function joinColour(encoded: Float32Array, colour: Float32Array): Float32Array {
  const joined = new Float32Array(encoded.length + colour.length);
  joined.set(encoded.map((value) => value * Math.sqrt(1 - COLOUR_SHARE)));
  joined.set(
    colour.map((value) => value * Math.sqrt(COLOUR_SHARE)),
    encoded.length,
  );
  return joined;
}

/** Every n-th pixel of every n-th row, so that no side is longer than LONGEST_SIDE. */
function thinned(raster: Raster): Raster {
  const step = Math.ceil(Math.max(raster.width, raster.height) / LONGEST_SIDE);
  if (step <= 1) return raster;
  const width = Math.floor(raster.width / step);
  const height = Math.floor(raster.height / step);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * step * raster.width + x * step) * 3;
      rgb.set(raster.rgb.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, rgb };
}

/** 1 for every background pixel; `undefined` without a uniform background. */
function findBackground(raster: Raster): Uint8Array | undefined {
  const { width, height } = raster;
  const border = borderPixels(width, height);
  const isNear = nearColour(raster, border);
  const pixels = width * height;
  const background = new Uint8Array(pixels);
  const queue = new Int32Array(pixels);
  let found = 0;
  const visit = (pixel: number): void => {
    if (isNear[pixel] === 0 || background[pixel] === 1) return;
    background[pixel] = 1;
    queue[found++] = pixel;
  };
  border.forEach(visit);
  if (found < border.length * BORDER_SHARE) return undefined;
  for (let next = 0; next < found; next++) {
    const pixel = queue[next]!;
    const x = pixel % width;
    if (x > 0) visit(pixel - 1);
    if (x < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < pixels - width) visit(pixel + width);
  }
  return found > pixels * (1 - LEAST_FOREGROUND) ? undefined : background;
}

/** 1 for every pixel that has about the border's median colour. */
function nearColour({ width, height, rgb }: Raster, border: readonly number[]): Uint8Array {
  const [red, green, blue] = [0, 1, 2].map((channel) => median(border.map((pixel) => rgb[pixel * 3 + channel]!)));
  const near = new Uint8Array(width * height);
  for (let pixel = 0; pixel < near.length; pixel++) {
    const squares = (rgb[pixel * 3]! - red!) ** 2 + (rgb[pixel * 3 + 1]! - green!) ** 2 + (rgb[pixel * 3 + 2]! - blue!) ** 2;
    if (squares <= BACKGROUND_DISTANCE ** 2) near[pixel] = 1;
  }
  return near;
}

/** Every pixel of the outermost ring once. */
function borderPixels(width: number, height: number): number[] {
  const pixels: number[] = [];
  for (let pixel = 0; pixel < width * height; pixel++) {
    const x = pixel % width;
    if (pixel < width || pixel >= width * (height - 1) || x === 0 || x === width - 1) pixels.push(pixel);
  }
  return pixels;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const LEVELS = 32;

let shareTable: Float32Array | undefined;

/** Row of the share table for an 8-bit colour: 5 bits a channel, far finer than the colour words. */
function tableRow(red: number, green: number, blue: number): number {
  return ((red >> 3) * LEVELS + (green >> 3)) * LEVELS + (blue >> 3);
}

/** The 8-bit value in the middle of a level. */
function middle(level: number): number {
  return level * 8 + 3.5;
}

/** [32 · 32 · 32, 16]: how much each colour counts for each word; rows sum to 1. */
function buildShareTable(): Float32Array {
  const words = Object.values(COLOUR_WORDS).map(([red, green, blue]) => toOklab(red, green, blue));
  const table = new Float32Array(LEVELS ** 3 * COLOUR_DIM);
  for (let red = 0; red < LEVELS; red++) {
    for (let green = 0; green < LEVELS; green++) {
      for (let blue = 0; blue < LEVELS; blue++) {
        const lab = toOklab(middle(red), middle(green), middle(blue));
        const distances = words.map((word) => (lab[0] - word[0]) ** 2 + (lab[1] - word[1]) ** 2 + (lab[2] - word[2]) ** 2);
        // Relative to the nearest word, so that a colour far from all of them still has shares.
        const nearest = Math.min(...distances);
        const weights = distances.map((distance) => Math.exp((nearest - distance) / (2 * SOFTNESS ** 2)));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const row = ((red * LEVELS + green) * LEVELS + blue) * COLOUR_DIM;
        weights.forEach((weight, d) => {
          table[row + d] = weight / total;
        });
      }
    }
  }
  return table;
}

/** 8-bit sRGB → OKLab (Ottosson 2020), in which distance follows what people see. */
function toOklab(red: number, green: number, blue: number): readonly [number, number, number] {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
