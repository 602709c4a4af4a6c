import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colourHistogram, HISTOGRAM_BINS } from "../../../src/cli/embed/colour-histogram.ts";
import type { Raster } from "../../../src/cli/embed/colour.ts";

type Rgb = readonly [number, number, number];

/** A square of one colour on white. */
function square(colour: Rgb, background: Rgb = [255, 255, 255]): Raster {
  const side = 32;
  const rgb = new Uint8Array(side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    rgb.set(x > 8 && x < 24 && y > 8 && y < 24 ? colour : background, pixel * 3);
  }
  return { width: side, height: side, rgb };
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("colourHistogram()", () => {
  it("is a unit vector, none negative, for any picture", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12 * 12 * 3, maxLength: 12 * 12 * 3 }), (rgb) => {
        const vector = colourHistogram({ width: 12, height: 12, rgb });
        expect(vector).toHaveLength(HISTOGRAM_BINS);
        expect(dot(vector, vector)).toBeCloseTo(1, 4);
      }),
    );
  });

  it("is of the product, not of its background, and tells hues, shades and greys apart", () => {
    const [red, darkRed, blue, grey, black] = (
      [
        [220, 30, 30],
        [90, 10, 10],
        [30, 60, 200],
        [128, 128, 130],
        [8, 8, 8],
      ] as const
    ).map((colour) => colourHistogram(square(colour)));
    expect(dot(red!, colourHistogram(square([222, 28, 32], [0, 120, 0])))).toBeCloseTo(1, 5);
    for (const other of [darkRed!, blue!, grey!, black!]) expect(dot(red!, other)).toBeCloseTo(0, 5);
    expect(dot(grey!, black!)).toBeCloseTo(0, 5);
  });
});
