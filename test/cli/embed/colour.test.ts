import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COLOUR_DIM, COLOUR_WORDS, colourDescriptor, type Raster } from "../../../src/cli/embed/colour.ts";

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const SIDE = 32;

/** A disc of one colour in the middle of a square of another. */
function disc(colour: Rgb, background: Rgb = WHITE, radius = 10, side = SIDE): Raster {
  const rgb = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const inside = Math.hypot(x - side / 2, y - side / 2) <= radius;
      rgb.set(inside ? colour : background, (y * side + x) * 3);
    }
  }
  return { width: side, height: side, rgb };
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const words = Object.keys(COLOUR_WORDS);
const loudest = (vector: Float32Array) => words[vector.indexOf(Math.max(...vector))];

describe("colourDescriptor()", () => {
  it("is a unit vector of 16 numbers, none negative, for any picture", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12 * 12 * 3, maxLength: 12 * 12 * 3 }), (rgb) => {
        const vector = colourDescriptor({ width: 12, height: 12, rgb });
        expect(vector).toHaveLength(COLOUR_DIM);
        expect(dot(vector, vector)).toBeCloseTo(1, 5);
        expect(Math.min(...vector)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it.each(Object.entries(COLOUR_WORDS))("finds %s", (word, rgb) => {
    // White on white is the one that needs another background.
    expect(loudest(colourDescriptor(disc(rgb, word === "white" ? [60, 60, 200] : WHITE)))).toBe(word);
  });

  it("holds shades of one colour closer than basic colours of other hues", () => {
    const darkRed = colourDescriptor(disc([180, 30, 34]));
    const lightRed = colourDescriptor(disc([222, 60, 58]));
    expect(dot(darkRed, lightRed)).toBeGreaterThan(0.7);
    for (const word of ["blue", "green", "black", "yellow", "grey"] as const) {
      expect(dot(darkRed, colourDescriptor(disc(COLOUR_WORDS[word])))).toBeLessThan(0.3);
    }
  });

  it("tells black, white and grey apart", () => {
    const [black, white, grey] = (["black", "white", "grey"] as const).map((word) =>
      colourDescriptor(disc(COLOUR_WORDS[word], [230, 120, 40])),
    );
    expect(dot(black!, white!)).toBeLessThan(0.1);
    expect(dot(black!, grey!)).toBeLessThan(0.3);
    expect(dot(white!, grey!)).toBeLessThan(0.3);
  });

  it("does not see the background, whatever its colour or the size of the product", () => {
    const onWhite = colourDescriptor(disc(COLOUR_WORDS.teal));
    expect(dot(onWhite, colourDescriptor(disc(COLOUR_WORDS.teal, [238, 240, 235])))).toBeCloseTo(1, 4);
    expect(dot(onWhite, colourDescriptor(disc(COLOUR_WORDS.teal, [40, 40, 40])))).toBeCloseTo(1, 4);
    expect(dot(onWhite, colourDescriptor(disc(COLOUR_WORDS.teal, WHITE, 5)))).toBeCloseTo(1, 4);
  });

  it("does not depend on the size of the picture", () => {
    expect(dot(colourDescriptor(disc(COLOUR_WORDS.olive)), colourDescriptor(disc(COLOUR_WORDS.olive, WHITE, 70, 224)))).toBeCloseTo(1, 4);
  });

  it("keeps what has the background's colour but is not connected to the border", () => {
    const ring = disc(COLOUR_WORDS.blue);
    const hole = disc(WHITE, WHITE, 6);
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const inside = Math.hypot((pixel % SIDE) - SIDE / 2, Math.floor(pixel / SIDE) - SIDE / 2) <= 6;
      if (inside) ring.rgb.set(hole.rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 3);
    }
    expect(colourDescriptor(ring)[words.indexOf("white")]).toBeGreaterThan(0.4);
  });

  it("takes a white product on white for white", () => {
    expect(loudest(colourDescriptor(disc(WHITE)))).toBe("white");
  });
});
