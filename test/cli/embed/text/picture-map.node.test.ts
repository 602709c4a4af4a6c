import { describe, expect, it } from "vitest";
import { fitPictureMap, pictureWeight, type TitledPicture, toPicture } from "../../../../src/cli/embed/text/picture-map.ts";
import { randomFrom } from "../../../../src/ranking/interleave.ts";

const [TEXT_DIM, PICTURE_DIM] = [12, 5];

/** Titles whose pictures follow from them by a fixed linear map, with some noise. */
function world(count: number): TitledPicture[] {
  const uniform = randomFrom("pictures");
  const normal = () => uniform() + uniform() + uniform() + uniform() - 2;
  const vector = (dim: number) => Float32Array.from({ length: dim }, normal);
  const rows = Array.from({ length: TEXT_DIM }, () => vector(PICTURE_DIM));
  return Array.from({ length: count }, (_, i) => {
    const text = vector(TEXT_DIM);
    const noise = vector(PICTURE_DIM);
    const picture = noise.map((value, d) => 0.3 * value + text.reduce((sum, t, n) => sum + t * rows[n]![d]!, 0));
    return { title: `title ${i}`, text, picture };
  });
}

function shuffled(items: readonly TitledPicture[]): TitledPicture[] {
  return items.map((item, i) => ({ ...item, picture: items[(i * 7 + 3) % items.length]!.picture }));
}

describe("fitPictureMap()", () => {
  it("finds the item's own picture first where words say what is seen", () => {
    const check = fitPictureMap(world(600));
    expect(check?.rankShare).toBeLessThan(0.05);
    expect(check?.weight).toBeGreaterThan(1.6);
  });

  it("weighs a map less, the less it finds", () => {
    expect([0, 0.05, 0.125, 0.2, 0.25, 0.5].map(pictureWeight)).toEqual([2, 1.6, 1, 0.4, 0, 0]);
    const items = world(600);
    const half = fitPictureMap(items.map((item, i) => (i % 3 === 0 ? { ...item, picture: items[(i * 7 + 3) % 600]!.picture } : item)));
    expect(half?.weight).toBeGreaterThan(0);
    expect(half?.weight).toBeLessThan(fitPictureMap(items)!.weight - 0.5);
  });

  it("finds what sets pictures apart beneath what varies in all of them", () => {
    // One number of the pictures is forty times as large as the others and has nothing to do with titles.
    const uniform = randomFrom("light");
    const items = world(600).map((item) => ({ ...item, picture: Float32Array.from([...item.picture, 40 * (uniform() - 0.5)]) }));
    expect(fitPictureMap(items)?.rankShare).toBeLessThan(0.2);
  });

  it("gives shuffled pictures weight 0: chance is .5", () => {
    const check = fitPictureMap(shuffled(world(600)));
    expect(check?.rankShare).toBeGreaterThan(0.4);
    expect(check?.rankShare).toBeLessThan(0.6);
    expect(check?.weight).toBe(0);
  });

  it("gives weight 0 where all items have one picture", () => {
    const items = world(600);
    const check = fitPictureMap(items.map((item) => ({ ...item, picture: items[0]!.picture })));
    expect(check).toMatchObject({ rankShare: 0.5, weight: 0 });
  });

  it("makes no map of a few items", () => {
    expect(fitPictureMap(world(49))).toBeUndefined();
    expect(fitPictureMap([])).toBeUndefined();
  });

  it("fits what numpy fits", () => {
    // T and P centred, numpy.linalg.solve(T'T + 1 · 60/2 · I, T'P) @ (P'P / largest eigenvalue + .001 · I)^-½ by numpy.linalg.eigh.
    const items = Array.from({ length: 60 }, (_, i): TitledPicture => {
      const [a, b] = [Math.sin(i), Math.cos(2 * i)];
      return { title: String(i), text: Float32Array.of(a, b), picture: Float32Array.of(a + 0.5, 2 * b - a) };
    });
    const check = fitPictureMap(items);
    NUMPY.forEach((value, i) => expect(check?.map.weights[i]).toBeCloseTo(value, 4));
    const still = toPicture(check!.map, Float32Array.from(check!.map.mean));
    for (const value of still) expect(value).toBeCloseTo(0, 6);
  });
});

const NUMPY = [1.093068, -0.368038, 0.365465, 1.095586];
