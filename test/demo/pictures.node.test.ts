/** A 64 px raster, which is the input of the image encoder, still shows the differences. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { drawPicture } from "../../src/demo/drawing/picture.ts";
import type { Subject } from "../../src/demo/drawing/brush.ts";
import { CATEGORY_LIST, COLOURS, PATTERNS, STYLES } from "../../src/demo/catalogue/vocabulary.ts";

const SIZE = 64;

async function pixels(subject: Subject): Promise<Uint8Array> {
  return sharp(Buffer.from(drawPicture(subject)))
    .resize(SIZE, SIZE)
    .flatten({ background: "#fff" })
    .removeAlpha()
    .raw()
    .toBuffer();
}

function mug(look: Partial<Subject["look"]>): Subject {
  return {
    id: "p-mug",
    category: "mug",
    look: { silhouette: "straight mug", colour: "blue", accent: "white", pattern: "plain", material: "ceramic", style: "minimal", ...look },
  };
}

/** Mean absolute difference per channel, 0..255. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

/** Mean colour of the middle of the picture. */
function middle(raster: Uint8Array): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let y = 30; y < 44; y++) {
    for (let x = 20; x < 38; x++) {
      for (const channel of [0, 1, 2] as const) sums[channel] += raster[(y * SIZE + x) * 3 + channel] ?? 0;
      count++;
    }
  }
  return [sums[0] / count, sums[1] / count, sums[2] / count];
}

/** The smallest difference between any two of the pictures. */
function closest(rasters: readonly Uint8Array[]): number {
  return Math.min(...rasters.flatMap((a, i) => rasters.slice(i + 1).map((b) => difference(a, b))));
}

describe("a picture at 64 px", () => {
  it("is the same bytes for the same product", async () => {
    expect(await pixels(mug({}))).toEqual(await pixels(mug({})));
  });

  it("tells the colours apart", async () => {
    const found = await Promise.all(COLOURS.map(async (colour) => middle(await pixels(mug({ colour, accent: "gold" })))));
    const distances = found.flatMap((a, i) => found.slice(i + 1).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])));
    expect(Math.min(...distances)).toBeGreaterThan(25);
  });

  it("tells the patterns apart", async () => {
    expect(closest(await Promise.all(PATTERNS.map((pattern) => pixels(mug({ pattern })))))).toBeGreaterThan(3);
  });

  it("tells the styles apart", async () => {
    expect(closest(await Promise.all(STYLES.map((style) => pixels(mug({ style })))))).toBeGreaterThan(5);
  });

  it("tells the materials of each category apart", async () => {
    for (const { name: category, silhouettes, materials } of CATEGORY_LIST) {
      const silhouette = silhouettes[0]?.name ?? "";
      const rasters = await Promise.all(
        materials.map((material) => pixels({ id: "p", category, look: { ...mug({}).look, silhouette, material } })),
      );
      expect(closest(rasters), category).toBeGreaterThan(0.4);
    }
  });

  it("tells the silhouettes of each category apart", async () => {
    for (const { name: category, silhouettes } of CATEGORY_LIST) {
      const rasters = await Promise.all(
        silhouettes.map(({ name }) => pixels({ id: "p", category, look: { ...mug({}).look, silhouette: name, material: "metal" } })),
      );
      expect(closest(rasters), category).toBeGreaterThan(2);
    }
  });
});
