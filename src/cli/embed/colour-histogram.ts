/**
 * The colours of a product as a histogram of its pixels by hue, saturation and brightness, which principal components then bring to 16 numbers.
 *
 * Beside an encoder of photographs it answers words better than the shares of named colours (`colour.ts`), which the builtin encoder keeps: a
 * model was trained on them. Pure.
 */
import { productPixels, type Raster } from "./colour.ts";

const [HUES, SATURATIONS, VALUES, GREYS] = [16, 3, 4, 8];

export const HISTOGRAM_BINS = HUES * SATURATIONS * VALUES + GREYS;

/** Part of the image encoder's name: vectors of another descriptor do not compare. */
export const HISTOGRAM_DESCRIPTOR = `hsv${HISTOGRAM_BINS}`;

/** Below this the hue is noise: the pixel is black, white or a grey. */
const LEAST_SATURATION = 0.12;
const LEAST_VALUE = 0.12;

/** Unit vector [HISTOGRAM_BINS] of square roots of shares, so that a dot product is the Bhattacharyya coefficient. */
export function colourHistogram(raster: Raster): Float32Array {
  const bins = new Float32Array(HISTOGRAM_BINS);
  let total = 0;
  for (const [red, green, blue] of productPixels(raster)) {
    bins[binOf(red / 255, green / 255, blue / 255)]!++;
    total++;
  }
  return bins.map((count) => Math.sqrt(count / Math.max(1, total)));
}

function binOf(red: number, green: number, blue: number): number {
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  const saturation = value === 0 ? 0 : range / value;
  if (saturation < LEAST_SATURATION || value < LEAST_VALUE) return HUES * SATURATIONS * VALUES + level(value, 0, GREYS);
  const sector = value === red ? (green - blue) / range + 6 : value === green ? (blue - red) / range + 2 : (red - green) / range + 4;
  // Bins have their hue in the middle: red, at 0, would otherwise fall into the first one or the last.
  const hue = Math.floor(((sector % 6) / 6) * HUES + 0.5) % HUES;
  return (hue * SATURATIONS + level(saturation, LEAST_SATURATION, SATURATIONS)) * VALUES + level(value, LEAST_VALUE, VALUES);
}

/** 0..count-1, of a number between `least` and 1. */
function level(number: number, least: number, count: number): number {
  return Math.min(count - 1, Math.floor(((number - least) / (1 - least)) * count));
}
